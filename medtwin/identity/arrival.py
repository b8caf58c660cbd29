"""Somebody arrives: are they one of those we know?"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medtwin.identity.comparing import Crowd, Likeness, bits, compared
from medtwin.identity.traits import Traits, called, traits
from medtwin.record.person import Person


class Verdict(StrEnum):
    """What follows: join them, let somebody look, or leave them apart."""

    same = "same"
    review = "review"
    other = "other"


SURE, DOUBT = 0.95, 0.1
"""Above the first a join is made, between the two it is put before a person."""


@dataclass(frozen=True)
class Match:
    """Somebody known who may be the one who arrives, with the chance and the reasons."""

    patient: str
    chance: float
    verdict: Verdict
    because: tuple[Likeness, ...]

    @property
    def said(self) -> str:
        """In one sentence."""
        for_it = [f.said for f in self.because if f.bits > 0]
        against = [f.said for f in self.because if f.bits < 0]
        words = ", ".join(for_it) or "nothing in common"
        return f"{words}; but {', '.join(against)}" if against else words


@dataclass
class Known:
    """Everybody known, found by what descriptions of one person usually share.

    Life: filled by `add`, asked by `matches`. Nothing in it is kept or logged.
    """

    people: dict[str, Traits] = field(default_factory=dict)
    blocks: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    families: Counter[str] = field(default_factory=Counter)
    givens: Counter[str] = field(default_factory=Counter)

    def add(self, patient: str, who: Person) -> None:
        """Get to know somebody; whoever is known already is known anew."""
        self.drop(patient)
        described = traits(who)
        self.people[patient] = described
        for block in blocks(described):
            self.blocks[block].add(patient)
        self.families[described.family] += 1
        self.givens[described.given] += 1

    def drop(self, patient: str) -> None:
        """Forget somebody."""
        described = self.people.pop(patient, None)
        if described is None:
            return
        for block in blocks(described):
            self.blocks[block].discard(patient)
        self.families[described.family] -= 1
        self.givens[described.given] -= 1

    def crowd(self, newcomer: Traits) -> Crowd:
        """Among how many the newcomer is looked for, and how common their names are there."""
        many = len(self.people)
        if many < 200:  # among few people everybody's name is common
            return Crowd(max(many, 1))
        family = max(self.families[newcomer.family], 1) / many
        given = max(self.givens[newcomer.given], 1) / many
        return Crowd(many, {newcomer.family: family}, {newcomer.given: given})


def matches(newcomer: Person, known: Known, prior: float | None = None) -> list[Match]:
    """Everybody who may be this newcomer, likeliest first; who is surely another is left out.

    `prior` is the chance that the newcomer is known at all, before anything is compared: one in
    two unless given. Cost grows with the people who share a block, not with everybody.
    """
    described = traits(newcomer)
    many = max(len(known.people), 1)
    odds = (0.5 if prior is None else prior) / many
    crowd = known.crowd(described)
    found = [
        match(patient, described, known.people[patient], crowd, odds)
        for patient in sorted(_candidates(described, known.blocks))
    ]
    return sorted((m for m in found if m.verdict is not Verdict.other), key=lambda m: -m.chance)


def match(patient: str, one: Traits, other: Traits, crowd: Crowd, odds: float) -> Match:
    """How likely it is that these two are one person, and what follows."""
    because = compared(one, other, crowd)
    weight = bits(because)
    ratio = odds * 2.0 ** min(weight, 500.0)
    chance = ratio / (1 + ratio)
    return Match(patient, chance, _verdict(chance, because), tuple(because))


def _verdict(chance: float, because: list[Likeness]) -> Verdict:
    """A join needs more than a number: twins, and a parent's namesake, share nearly everything."""
    said = {f.trait: f.bits > 0 for f in because}
    agreed = sum(1 for f in because if f.bits > 3)
    if chance < DOUBT and not said.get("identifier"):
        return Verdict.other
    contradicted = any(said.get(trait) is False for trait in ("given", "born", "identifier"))
    anchored = said.get("born") or said.get("identifier")
    if chance >= SURE and agreed >= 2 and anchored and not contradicted:
        return Verdict.same
    return Verdict.review


def blocks(t: Traits) -> Iterator[str]:
    """Keys of which descriptions of one person nearly always share at least one."""
    if t.born:
        yield f"born {t.born}"
        turned = f"{t.born.year}-{t.born.day:02}-{t.born.month:02}"
        yield f"name born {t.family[:3]} {called(t.given)[:2]} {t.born.year}"
        yield f"given born {called(t.given)} {min(t.born.isoformat(), turned)}"
    if t.family and t.given:
        one, two = sorted((t.family, called(t.given)))
        yield f"names {one} {two}"
    if t.street:
        yield f"street {t.street} {t.family[:1]}"
    for number in t.numbers:
        yield f"number {number}"
    for identifier in t.identifiers:
        yield f"identifier {identifier}"


def _candidates(t: Traits, known: Mapping[str, Iterable[str]]) -> set[str]:
    return {patient for block in blocks(t) for patient in known.get(block, ())}
