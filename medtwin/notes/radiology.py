"""Radiology reports: where disease is, how large, and how it goes from one report to the next."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice

from medtwin.notes.lexicon import Lexicon, english
from medtwin.notes.mention import Mention
from medtwin.notes.reading import read
from medtwin.notes.sections import sections, sentences
from medtwin.notes.sites import Site, nearest

LESIONS = """sort,name,codes,more,words
finding,nodule,,,nodules|nodular density|pulmonary nodule
finding,mass,,,masses|mass lesion
finding,lesion,,,lesions|focus|foci|hypodensity|hypodensities
finding,metastasis,,,metastases|metastatic disease|metastatic lesion|metastatic lesions|metastatic deposit|metastatic
finding,tumour,,,tumor|tumours|tumors|neoplasm|malignancy
finding,lymph node,,,lymph nodes|node|nodes|lymphadenopathy|adenopathy
finding,aneurysm,,,aneurysms|aneurysmal dilatation|aortic aneurysm|abdominal aortic aneurysm|aaa
"""  # noqa: E501  a table
NAMES = {"nodule", "mass", "lesion", "metastasis", "tumour", "lymph node", "aneurysm"}
LARGER, SMALLER = 1.2, 0.7  # RECIST 1.1: progression from + 20 %, response from - 30 %
LEAST = 5.0  # mm of growth, the same
MOST = 50  # lesions or sizes of one sentence; no report has more
AROUND = 200  # characters on either side of a lesion where its site stands
LENGTH = r"(\d+(?:\.\d+)?)"
BY = r"\s{0,3}(?:x|by|×)\s{0,3}"  # noqa: RUF001  a report may write the sign
SIZE = re.compile(
    rf"\b{LENGTH}\s{{0,3}}(?:mm|cm)?(?:{BY}{LENGTH}\s{{0,3}}(?:mm|cm)?)?(?:{BY}{LENGTH})?"
    r"\s{0,3}-?\s{0,3}"
    r"(mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?)\b",
    re.IGNORECASE,
)
EARLIER = re.compile(
    r"(?:previously|prior|formerly|compared (?:to|with)|versus|was|from|had measured)"
    r"(?:\s+\w+){0,2}\s*$",
    re.IGNORECASE,
)
GOES_ON = re.compile(r"\s*(?:it|this|these|which|the (?:mass|nodule|lesion)|measur)", re.IGNORECASE)
COURSES = {
    "resolved": r"resolved|no longer (?:seen|visible|identified|present)|disappeared|has cleared",
    "stable": r"stable|unchanged|no (?:significant |interval )*change|similar in size",
    "smaller": r"smaller|decreas\w+|regress\w+|shrunk\w*|reduced|diminished",
    "larger": r"larger|increas\w+|enlarging|enlarged|grown|growth|progress\w+|bigger",
    "new": r"new|newly|interval development",
}
COURSE = {word: re.compile(rf"\b(?:{said})\b", re.IGNORECASE) for word, said in COURSES.items()}


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion in a report: what and where it is, its longest diameter now and before (mm).

    `course` is new, larger, smaller, stable, resolved, absent, or empty where nothing is said.
    """

    what: str
    site: Site
    size: float | None
    before: float | None
    course: str
    metastatic: bool
    uncertain: bool
    at: datetime
    start: int
    end: int

    @property
    def place(self) -> str:
        """Where its words stand."""
        return f"chars {self.start}-{self.end}"

    @property
    def seen(self) -> bool:
        """Whether the report says that it is there."""
        return self.course not in ("resolved", "absent")


@cache
def dictionary() -> Lexicon:
    """The dictionary with the words for lesions."""
    return english().extended(LESIONS)


def lesions(text: str, at: datetime) -> list[Lesion]:
    """The lesions of a report made at `at`; what stands in findings and impression once."""
    named = [m for m in read(text, at, dictionary()) if m.code.name in NAMES and not m.whose]
    starts = [m.start for m in named]
    found: list[Lesion] = []
    for start, end, kind in sentences(text, sections(text)):
        within = named[bisect_left(starts, start) : bisect_left(starts, end)]
        here = [m for m in within if not m.hypothetical]
        if kind in ("present", "complaint"):
            continue  # what was asked, not what was seen
        if here:
            found += _of_sentence(text, start, end, here[:MOST], at)
        elif found and GOES_ON.match(text, start, end):
            found[-1] = _further(found[-1], text, start, end)
    return list(_merged(found))


def _of_sentence(
    text: str, start: int, end: int, here: Sequence[Mention], at: datetime
) -> Iterator[Lesion]:
    words = text[start:end]
    course = _said(words)
    sizes = _sizes(words)
    certain = (m for m in here if not (m.negated or m.uncertain))
    spread = any(m.code.name == "metastasis" for m in certain)
    for mention in here:
        begin = max(start, mention.start - AROUND)
        about = text[begin : min(end, mention.end + AROUND)]
        site = nearest(about, mention.start - begin, mention.end - begin)
        aorta = mention.code.name == "aneurysm" and site is None and "aort" in words.lower()
        site = Site("aorta") if aorta else site
        if site is None:
            continue
        mine = [s for s in sizes if _closest(s[0], here, start) is mention]
        now, before = _pair(mine)
        absent = mention.negated and course != "resolved"
        yield Lesion(
            what=mention.code.name,
            site=site,
            size=now,
            before=before,
            course="absent" if absent else course,
            metastatic=spread and not absent,
            uncertain=mention.uncertain,
            at=at,
            start=mention.start,
            end=mention.end,
        )


def _closest(where: int, here: Sequence[Mention], start: int) -> Mention:
    return min(here, key=lambda m: abs(m.start - start - where))


Size = tuple[int, float, bool]  # where in the sentence, mm, whether it is an earlier one


def _sizes(words: str) -> list[Size]:
    found = []
    for match in islice(SIZE.finditer(words), MOST):
        factor = 10.0 if match[4].lower().startswith("c") else 1.0
        longest = max(float(n) for n in match.groups()[:3] if n) * factor
        earlier = EARLIER.search(words, max(0, match.start() - 30), match.start()) is not None
        found.append((match.start(), longest, earlier))
    return found


def _pair(sizes: Sequence[Size]) -> tuple[float | None, float | None]:
    """The size now and the one before; what was measured alone is now's, however it is said."""
    now = [mm for _, mm, earlier in sizes if not earlier]
    then = [mm for _, mm, earlier in sizes if earlier]
    if then and not now:
        return then[0], None
    return (now[0] if now else None), (then[0] if then else None)


def _said(words: str) -> str:
    return next((course for course, said in COURSE.items() if said.search(words)), "")


def _further(lesion: Lesion, text: str, start: int, end: int) -> Lesion:
    """What the next sentence adds: it measures so much, it is unchanged."""
    words = text[start:end]
    now, before = _pair(_sizes(words))
    size, then = lesion.size or now, lesion.before or before
    return replace(lesion, size=size, before=then, course=lesion.course or _said(words))


def _merged(found: Iterable[Lesion]) -> Iterator[Lesion]:
    """The impression repeats the findings: of one thing at one site with one size, the first."""
    seen: dict[tuple[str, Site], list[Lesion]] = {}
    for lesion in found:
        before = seen.setdefault((lesion.what, lesion.site), [])
        if any(lesion.size in (None, b.size) for b in before):
            continue
        before.append(lesion)
        yield lesion


@dataclass(frozen=True, slots=True)
class Seen:
    """A site in one report: its largest lesion, and how that compares with the report before."""

    at: datetime
    size: float | None
    course: str
    metastatic: bool


def courses(reports: Iterable[tuple[datetime, str]]) -> dict[Site, tuple[Seen | None, ...]]:
    """The course of each site over one person's reports, in the order they were made.

    Each row has one place for each report; None where the report does not speak of the site.
    """
    told = [lesions(text, at) for at, text in sorted(reports, key=lambda r: r[0])]
    sites = dict.fromkeys(one.site for report in told for one in report)
    return {site: tuple(_row([_at(site, report) for report in told])) for site in sites}


def _at(site: Site, report: Sequence[Lesion]) -> Lesion | None:
    here = [one for one in report if one.site == site]
    return max(here, key=lambda one: (one.seen, one.size or 0.0), default=None)


def _row(cells: Iterable[Lesion | None]) -> Iterator[Seen | None]:
    last: float | None = None
    first = True
    for one in cells:
        if one is None:
            yield None
            continue
        course = one.course or compared(one.before or last, one.size)
        course = course or ("first seen" if first else "")
        first = False
        last = one.size if one.size is not None else last
        yield Seen(one.at, one.size, course, one.metastatic)


def compared(before: float | None, now: float | None) -> str:
    """How a diameter went, by the limits of RECIST 1.1; empty where one is not known."""
    if before is None or now is None:
        return ""
    if now >= LARGER * before and now - before >= LEAST:
        return "larger"
    return "smaller" if now <= SMALLER * before else "stable"


def metastatic(reports: Iterable[tuple[datetime, str]]) -> dict[Site, datetime]:
    """Each site that a report calls metastatic with certainty, and when first."""
    first: dict[Site, datetime] = {}
    for at, text in sorted(reports, key=lambda r: r[0]):
        for one in lesions(text, at):
            if one.metastatic and one.seen and not one.uncertain:
                first.setdefault(one.site, at)
    return first
