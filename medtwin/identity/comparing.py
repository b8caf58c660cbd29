"""How alike two descriptions are, trait by trait, and what each likeness is worth.

Fellegi and Sunter, J Am Stat Assoc 1969;64:1183: a likeness that is common among descriptions
of one person (m) and rare among those of two (u) speaks for one person with log2(m / u) bits;
Winkler's refinement lets a rare name weigh more than a common one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import log2

from rapidfuzz.distance import OSA, JaroWinkler

from medtwin.identity.traits import Traits, called

Levels = tuple[tuple[str, float, float], ...]  # in words, m, u


@dataclass(frozen=True)
class Likeness:
    """One trait compared: how alike, in words, and the bits it adds to the odds."""

    trait: str
    said: str
    bits: float


@dataclass(frozen=True)
class Crowd:
    """Among whom two descriptions are compared: how many there are, and how common their names.

    `family` and `given` are shares of all; a name that is not in them is taken for an ordinary one.
    """

    many: int = 10_000
    family: Mapping[str, float] = field(default_factory=dict)
    given: Mapping[str, float] = field(default_factory=dict)


KIN = 1.2
"""So many others of one's own household an average person has in the same register."""

# Shares among descriptions of one person (m) and of two (u), in words first. Family name, dwelling
# and telephone are one trait: kin share all of them, so that counting each would make kin one
# person. They were estimated by expectation and maximisation on generated, corrupted records
# (evidence/record/linkage.py) and rounded; u of a shared household is KIN / many.
HOUSEHOLD: Levels = (
    ("the same family name at the same address or number", 0.62, 0.0),
    ("nearly the same family name at the same address or number", 0.15, 0.0),
    ("another family name at the same address or number", 0.04, 0.0),
    ("the same family name", 0.14, 0.006),
    ("nearly the same family name", 0.03, 0.003),
    ("another family name and address", 0.02, 0.991),
)
GIVEN: Levels = (
    ("the same given name", 0.78, 0.01),
    ("a short or nearly the same given name", 0.14, 0.006),
    ("an initial that fits", 0.05, 0.06),
    ("another given name", 0.03, 0.924),
)
BORN: Levels = (
    ("born on the same day", 0.90, 0.00005),
    ("birth dates one slip apart", 0.07, 0.002),
    ("born in the same year", 0.015, 0.012),
    ("born in another year", 0.015, 0.986),
)
SEX: Levels = (("the same sex", 0.985, 0.5), ("another sex", 0.015, 0.5))
IDENTIFIERS: Levels = (
    ("an identifier in common", 0.97, 0.000001),
    ("different numbers from the same register", 0.03, 0.9999),
)


def compared(one: Traits, other: Traits, crowd: Crowd) -> list[Likeness]:
    """What each trait that both descriptions hold says of their being one person."""
    found: list[Likeness] = []
    for trait, levels, how in TRAITS:
        level = how(one, other)
        if level is not None:
            found.append(_likeness(trait, levels[level], one, other, crowd))
    return found


def bits(likenesses: list[Likeness]) -> float:
    """What all of it says together, in bits."""
    return sum(f.bits for f in likenesses)


def _likeness(
    trait: str, level: tuple[str, float, float], one: Traits, other: Traits, crowd: Crowd
) -> Likeness:
    said, m, u = level
    share = u or KIN / max(crowd.many, 100)
    if trait == "household" and u and one.family == other.family:
        share = crowd.family.get(one.family, u)  # a shared rare name says more than a common one
    if trait == "given" and one.given == other.given:
        share = crowd.given.get(one.given, u)
    return Likeness(trait, said, log2(m / share))


def _household(a: Traits, b: Traits) -> int | None:
    shared = bool(a.numbers & b.numbers) or _same_street(a, b)
    if not (a.family and b.family):
        return 2 if shared else None
    if a.family == b.family or exchanged(a, b):
        return 0 if shared else 3
    alike = bool(set(a.family.split()) & set(b.family.split())) or close(a.family, b.family)
    if shared:
        return 1 if alike else 2
    return 4 if alike else 5


def _same_street(a: Traits, b: Traits) -> bool:
    if not (a.street and b.street) or (a.postcode and b.postcode and a.postcode != b.postcode):
        return False
    return a.street == b.street or JaroWinkler.similarity(a.street, b.street) >= 0.96


def exchanged(a: Traits, b: Traits) -> bool:
    """Given and family name stand in each other's place, within a slip."""
    return bool(a.given and b.given) and close(a.family, b.given) and close(a.given, b.family)


def _given(a: Traits, b: Traits) -> int | None:
    if not (a.given and b.given):
        return None
    if a.given == b.given:
        return 0
    if exchanged(a, b):
        return 1
    alike = called(a.given) == called(b.given) or close(a.given, b.given)
    if alike or a.given in b.more or b.given in a.more:
        return 1
    fits = a.given[0] == b.given[0] and 1 in (len(a.given), len(b.given))
    return 2 if fits else 3


def close(one: str, other: str) -> bool:
    """One slip apart, or nearly all letters alike from the beginning."""
    return JaroWinkler.similarity(one, other) >= 0.9 or (
        min(len(one), len(other)) >= 4 and OSA.distance(one, other) <= 1
    )


def _born(a: Traits, b: Traits) -> int | None:
    if a.born is None or b.born is None:
        return None
    if a.born == b.born:
        return 0
    if slip(a.born, b.born):
        return 1
    return 2 if a.born.year == b.born.year else 3


def slip(one: date, other: date) -> bool:
    """One digit wrong or two exchanged, or day and month exchanged."""
    turned = (one.day, one.month) == (other.month, other.day) and one.year == other.year
    return turned or OSA.distance(one.isoformat(), other.isoformat()) <= 1


def _sex(a: Traits, b: Traits) -> int | None:
    return int(a.sex != b.sex) if a.sex and b.sex else None


def _identifiers(a: Traits, b: Traits) -> int | None:
    if a.identifiers & b.identifiers:
        return 0
    registers = {i.rpartition("|")[0] for i in a.identifiers}
    shared = registers & {i.rpartition("|")[0] for i in b.identifiers}
    return 1 if shared - {""} else None


TRAITS: tuple[tuple[str, Levels, Callable[[Traits, Traits], int | None]], ...] = (
    ("household", HOUSEHOLD, _household),
    ("given", GIVEN, _given),
    ("born", BORN, _born),
    ("sex", SEX, _sex),
    ("identifier", IDENTIFIERS, _identifiers),
)
