"""A note read: everything it mentions, in order, each with its words and how to take it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from medtwin.notes.context import Cue
from medtwin.notes.dates import Told, dates
from medtwin.notes.dosing import dosing
from medtwin.notes.folding import folded
from medtwin.notes.lexicon import Hit, Lexicon, Term, english
from medtwin.notes.mention import Dosing, Mention
from medtwin.notes.sections import sections, sentences
from medtwin.notes.values import PRESSURE, VALUE, amount
from medtwin.record.codes import Code, diastolic, systolic

PAST = timedelta(days=14)  # ConText: historical is what was two weeks ago or earlier
NEAR = 90  # characters between a mention and a date that may be its own


@dataclass(frozen=True, slots=True)
class Sentence:
    """What stands in one sentence: its terms and cues, the dates it tells."""

    text: str
    start: int
    end: int
    section: str
    hits: Sequence[Hit]
    dates: Sequence[Told]
    stops: Sequence[int]
    at: datetime


def read(
    text: str, at: datetime, lexicon: Lexicon | None = None, header: str = ""
) -> Iterator[Mention]:
    """Everything that a note written at `at` mentions, in the order it stands there.

    `header` is that of a section that comes without it.
    """
    for sentence in parted(text, at, lexicon or english(), header):
        yield from _mentioned(sentence)


def parted(text: str, at: datetime, lexicon: Lexicon, header: str = "") -> Iterator[Sentence]:
    """The sentences in which a term stands, with what stands in them."""
    hits, told = lexicon.hits(text, folded(text)), dates(text, at)
    here, then = 0, 0
    for start, end, section in sentences(text, sections(text, header)):
        while here < len(hits) and hits[here].start < start:
            here += 1
        first = here
        while here < len(hits) and hits[here].end <= end:
            here += 1
        while then < len(told) and told[then].start < start:
            then += 1
        if first < here:
            until = then
            while until < len(told) and told[until].end <= end:
                until += 1
            inside = hits[first:here]
            stops = [h.start for h in inside if _stops(h)] if then < until else []
            yield Sentence(text, start, end, section, inside, told[then:until], stops, at)


def _stops(hit: Hit) -> bool:
    return isinstance(hit.what, Cue) and hit.what.does == "stop"


Reach = dict[str, str]  # what the cues in reach do, and whose it is


def _mentioned(sentence: Sentence) -> Iterator[Mention]:
    hits = sentence.hits
    named = [n for n, hit in enumerate(hits) if type(hit.what) is Term]
    if not named:
        return
    behind, active, begun = _backward(hits), Reach(), 0
    for number, following in zip(named, [*named[1:], None], strict=True):
        for hit in hits[begun:number]:
            _step(active, hit.what)
        begun = number + 1
        after = sentence.end if following is None else hits[following].start
        reach = active | behind[number] if behind[number] else dict(active)
        yield from _told(sentence, hits[number], reach, after)


def _step(active: Reach, cue: Term | Cue) -> None:
    if not isinstance(cue, Cue) or cue.does == "none":
        return
    if cue.does == "stop":
        active.clear()
    elif cue.does == "turn":
        kept = {d: w for d, w in active.items() if d == "other"}
        active.clear()
        active.update(kept)
    elif cue.does == "own":
        active.pop("other", None)
        active["own"] = ""
    elif cue.ahead:
        active[cue.does] = cue.says
        if cue.does == "other":
            active.pop("own", None)


def _backward(hits: Sequence[Hit]) -> list[Reach]:
    """What the cues after each hit that reach backwards say of it."""
    found, active = [Reach()] * len(hits), Reach()
    for number in range(len(hits) - 1, -1, -1):
        cue = hits[number].what
        if not isinstance(cue, Cue):
            found[number] = active
        elif cue.does in ("stop", "turn") or (cue.ahead and cue.does in ("no", "past", "other")):
            active = Reach()
        elif cue.does != "none" and (not cue.ahead or cue.says == "both"):
            active = {**active, cue.does: cue.says}
    return found


def _told(sentence: Sentence, hit: Hit, reach: Reach, after: int) -> Iterator[Mention]:
    term, text = hit.what, sentence.text
    if not isinstance(term, Term):
        return
    if term.sort == "measure":
        yield from _measured(sentence, hit, term, reach)
        return
    code, says, how = term.code, text[hit.start : hit.end], None
    if term.sort == "medication" and (sentence.section == "allergies" or "allergy" in reach):
        code = term.allergy
    elif term.sort == "medication":
        before = text[max(sentence.start, hit.start - 40) : hit.start]
        how = dosing(before, text[hit.end : min(after, hit.end + 160)])
        says = f"{says}, {how.said}" if how else says
    yield _mention(sentence, (hit.start, hit.end), code, None, reach, term, says, how)


def _measured(sentence: Sentence, hit: Hit, term: Term, reach: Reach) -> Iterator[Mention]:
    if term.code is systolic:
        yield from _pressure(sentence, hit, term, reach)
        return
    match = VALUE.match(sentence.text, hit.end, sentence.end)
    value = amount(match, term.code, term.units) if match else None
    if match is None or value is None:
        return
    span = (hit.start, match.end())
    says = sentence.text[hit.start : match.end()]
    yield _mention(sentence, span, term.code, value, reach, term, says, None)


def _pressure(sentence: Sentence, hit: Hit, term: Term, reach: Reach) -> Iterator[Mention]:
    match = PRESSURE.match(sentence.text, hit.end, sentence.end)
    if match is None:
        return
    span, says = (hit.start, match.end()), sentence.text[hit.start : match.end()]
    for code, value in ((systolic, match["upper"]), (diastolic, match["lower"])):
        yield _mention(sentence, span, code, float(value), reach, term, says, None)


def _mention(
    sentence: Sentence,
    span: tuple[int, int],
    code: Code,
    value: float | None,
    reach: Reach,
    term: Term,
    says: str,
    how: Dosing | None,
) -> Mention:
    told = _date(sentence, span)
    at = told.at if told else sentence.at
    stopped = "off" in reach and term.sort == "medication"
    negated = value is None and ("no" in reach or stopped or term.denied)
    if negated and (told is None or told.onset):
        told, at = None, sentence.at
    past = told is not None and not told.onset and at <= sentence.at - PAST
    return Mention(
        code=code,
        value=value if value is not None else float(not negated),
        unit=code.unit,
        says=says,
        start=span[0],
        end=span[1],
        section=sentence.section,
        negated=negated,
        historical=past or "past" in reach or _behind(sentence.section, term),
        hypothetical="if" in reach,
        uncertain="maybe" in reach or _asked(sentence, span),
        whose=_whose(sentence.section, term, reach),
        at=at,
        dated=told is not None,
        lasts=term.lasting,
        planned="plan" in reach or at > sentence.at,
        dosing=how,
    )


def _asked(sentence: Sentence, span: tuple[int, int]) -> bool:
    """Whether it is a question, or has a question mark before it (?pneumonia)."""
    before = sentence.text[max(0, span[0] - 1) : span[0]]
    return before == "?" or sentence.text[sentence.end : sentence.end + 1] == "?"


def _behind(section: str, term: Term) -> bool:
    """Whether the part of the note alone puts it in the past: a diagnosis or an operation there."""
    if section == "surgical":
        return term.sort == "procedure"
    return section == "past" and not term.lasting and term.sort in ("condition", "procedure")


def _whose(section: str, term: Term, reach: Reach) -> str:
    if "other" in reach:
        return reach["other"]
    if section == "family" and term.sort == "condition" and "own" not in reach:
        return "family"
    return ""


def _date(sentence: Sentence, span: tuple[int, int]) -> Told | None:
    """The date nearest to these words in their sentence, if nothing that ends reach is between."""
    if not sentence.dates:
        return None
    here = bisect_left(sentence.dates, span[0], key=lambda d: d.start)
    near = sentence.dates[max(0, here - 1) : here + 1]
    told = min(near, key=lambda d: _gap(d, span))
    first, last = min(span[1], told.end), max(span[0], told.start)
    between = bisect_left(sentence.stops, first) < bisect_left(sentence.stops, last)
    return None if between or _gap(told, span) > NEAR else told


def _gap(told: Told, span: tuple[int, int]) -> int:
    return max(told.start - span[1], span[0] - told.end)
