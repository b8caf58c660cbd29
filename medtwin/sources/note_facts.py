"""What a note says as facts, for every source that brings text: each fact at its own words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from medtwin.notes.lexicon import Lexicon
from medtwin.notes.mention import Mention
from medtwin.notes.radiology import SIZE, Lesion, lesions
from medtwin.notes.reading import read
from medtwin.record import codes
from medtwin.record.codes import Kind
from medtwin.record.observation import Implausible, Observation

LONGEST = 1 << 22  # characters of one note; a longer one is no note
SHOWN = 40  # mentions apart that are told in words


@dataclass(frozen=True)
class Noted:
    """A note's facts, the place of each, what could not be a fact, and all it mentions."""

    facts: tuple[Observation, ...]
    places: tuple[str, ...]
    wrong: tuple[str, ...]
    mentions: tuple[Mention, ...]


def facts_of(
    text: str,
    at: datetime,
    source: str,
    known: datetime,
    lexicon: Lexicon | None = None,
    header: str = "",
) -> Noted:
    """The facts of a note written at `at`: affirmed or denied, the patient's own, dated.

    What is possible, conditional, somebody else's or past without a date makes no fact; a last
    fact, a note, tells those in words with the reason. A thing both told and denied is told.
    `header` is that of a section that comes without it.
    """
    mentions = tuple(read(text[:LONGEST], at, lexicon, header))
    facts, places, wrong = [], [], []
    made = [(m.place, partial(_fact, m)) for m in _once(m for m in mentions if not m.because)]
    made += [(one.place, partial(_diameter, one)) for one in _measured(text[:LONGEST], at)]
    for place, fact in made:
        try:
            facts.append(fact(source, known))
            places.append(place)
        except Implausible as why:
            wrong.append(f"{place}: {why}")
    if apart := told_apart(mentions, wrong):
        facts.append(Observation(at, codes.note, 1.0, source, known, says=apart))
        places.append(f"chars 0-{len(text)}")
    return Noted(tuple(facts), tuple(places), tuple(wrong), mentions)


def _measured(text: str, at: datetime) -> list[Lesion]:
    """The lesions with a size that are surely there; a text without sizes is not searched."""
    if not SIZE.search(text):
        return []
    return [one for one in lesions(text, at) if one.size and one.seen and not one.uncertain]


def _diameter(lesion: Lesion, source: str, known: datetime) -> Observation:
    """Of one source at one time a record holds one value: each lesion is a source of its own."""
    aorta = lesion.what == "aneurysm" and lesion.site.organ == "aorta"
    code = codes.aorta_diameter if aorta else codes.lesion_diameter
    said = f"{lesion.what}, {lesion.site.said}" + (f", {lesion.course}" if lesion.course else "")
    by = f"{source}, {lesion.what}, {lesion.site.said}"
    return Observation(lesion.at, code, lesion.size or 0.0, by, known, says=said)


def told_apart(mentions: Iterable[Mention], wrong: Iterable[str]) -> str:
    """What a note mentions and is no fact about the patient, each with its reason."""
    reasons = dict.fromkeys(wrong) | {
        f"{m.code.name} ({m.because})": None for m in mentions if m.because
    }
    if not reasons:
        return ""
    shown = list(reasons)[:SHOWN]
    more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    return "mentioned, but no facts: " + "; ".join(shown) + more


def _once(mentions: Iterable[Mention]) -> list[Mention]:
    """The first mention of each thing at each time; one that affirms before one that denies."""
    first: dict[tuple[str, datetime], Mention] = {}
    for mention in mentions:
        key = (mention.code.id, mention.at)
        if key not in first or (first[key].negated and not mention.negated):
            first[key] = mention
    return sorted(first.values(), key=lambda m: m.start)


def _fact(mention: Mention, source: str, known: datetime) -> Observation:
    says = "" if mention.code.kind is Kind.measurement else mention.says
    if mention.negated:
        says = f"no: {says}"
    return Observation(mention.at, mention.code, mention.value, source, known, says=says)
