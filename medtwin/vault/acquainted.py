"""Somebody arrives: the vault compares them with everybody it keeps. Nothing of it is logged."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from sqlalchemy import Connection, select

from medtwin.identity.arrival import Known, Match, Verdict, matches
from medtwin.identity.traits import traits
from medtwin.sources.source import MERGE, Arrived
from medtwin.vault import links, people
from medtwin.vault.keys import Keyring
from medtwin.vault.tables import patients

TOWN = 10_000  # however few are kept here, whoever comes is one of so many


class Sure(StrEnum):
    """What becomes of two records that are surely of one person."""

    review = "review"
    link = "link"


class Acquainted:
    """Everybody kept, as they describe themselves, in the memory of this process.

    Life: empty at first; `meet` gets to know whoever came since, also through another process.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring, self._known, self._reached = keyring, Known(), -1

    def meet(self, c: Connection, newcomers: Iterable[str]) -> list[tuple[str, Match]]:
        """Who of those kept may be one of these, whose description is new or has changed."""
        self._catch_up(c, set(newcomers))
        found: list[tuple[str, Match]] = []
        for patient in newcomers:
            sealed = people.sealed_person(c, patient)
            if sealed is None:
                continue
            who = people.person(self._keyring.seal_of(patient), sealed)
            if self._known.people.get(patient) == traits(who):
                continue
            self._known.drop(patient)
            many = len(self._known.people)
            prior = 0.5 * max(many, 1) / max(many, TOWN)
            found += [(patient, one) for one in matches(who, self._known, prior)]
            self._known.add(patient, who)
        there = _kept(c, {m.patient for _, m in found})
        return [(patient, m) for patient, m in found if m.patient in there]

    def _catch_up(self, c: Connection, newcomers: set[str]) -> None:
        """Those who came since; several may have come in one moment, so that one is asked again."""
        p = patients.c
        query = select(p.patient, p.person, p.since).where(p.since >= self._reached)
        for r in c.execute(query.where(p.person.is_not(None))):
            if r.patient not in self._known.people and r.patient not in newcomers:
                self._known.add(
                    r.patient, people.person(self._keyring.seal_of(r.patient), r.person)
                )
            self._reached = max(self._reached, r.since)


def _kept(c: Connection, names: set[str]) -> set[str]:
    query = select(patients.c.patient).where(patients.c.patient.in_(sorted(names)))
    return set(c.execute(query.where(patients.c.retired.is_(None))).scalars())


def sure(found: Iterable[tuple[str, Match]]) -> list[tuple[str, Match]]:
    """Those of whom nothing speaks against their being one person."""
    return [(patient, m) for patient, m in found if m.verdict is Verdict.same]


def said(match: Match) -> tuple[str, ...]:
    """The reasons in words, for and against; never a name or a date."""
    against = (f"but {f.said}" for f in match.because if f.bits < 0)
    return (*(f.said for f in match.because if f.bits >= 0), *against)


def merges(
    c: Connection, keyring: Keyring, about: str, arrived: Sequence[Arrived]
) -> list[tuple[str, str]]:
    """Pairs that a hospital's system says are one person (HL7 v2 MRG, as in A40)."""
    numbers = [
        number
        for a in arrived
        if a.kept == MERGE
        for number in a.original.decode(errors="replace").splitlines()
    ]
    if not numbers:
        return []
    others = set(keyring.found(numbers).values()) - {about}
    return [(about, other) for other in sorted(others & _kept(c, others))]


HOSPITAL_SAYS = ("the sending system says that both numbers are of one person (HL7 merge)",)


def put_on_list(
    c: Connection, keyring: Keyring, at: int, found: Iterable[tuple[str, Match]]
) -> int:
    """The review list learns of these pairs; how many were new."""
    return sum(
        links.suspect(c, keyring.house, (patient, m.patient), at, said(m), m.chance)
        for patient, m in found
    )
