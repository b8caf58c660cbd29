"""Who is kept: pseudonym, basis, what they agreed to; and, sealed, who they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from medtwin.record.person import Person, together
from medtwin.vault.access import Subject
from medtwin.vault.consent import Choice, Purpose, standing
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import choices, patients
from medtwin.vault.times import micros, moment, moment_or_none


@dataclass(frozen=True, slots=True)
class Listed:
    """One person kept, as anybody may list them: nothing here says who it is.

    `linked` are the other pseudonyms whose records are theirs too.
    """

    patient: str
    basis: str
    grants: Mapping[Purpose, bool]
    facts: int
    first: datetime | None
    last: datetime | None
    retired: datetime | None
    linked: tuple[str, ...] = ()


class Retired(LookupError):
    """The data of this person was ended; nothing can be kept for them any more."""


def choices_of(c: Connection, people: Iterable[str] | None = None) -> dict[str, list[Choice]]:
    """Every choice of these people (None: of all), in the order they were entered."""
    query = select(choices).order_by(choices.c.number)
    if people is not None:
        query = query.where(choices.c.patient.in_(list(people)))
    found: dict[str, list[Choice]] = {}
    for r in c.execute(query):
        said = Choice(r.patient, Purpose(r.purpose), r.yes, moment(r.at), r.by)
        found.setdefault(r.patient, []).append(said)
    return found


def choose(c: Connection, said: Sequence[Choice]) -> None:
    """Enter choices at the end of the ledger."""
    rows = [
        {"patient": s.patient, "purpose": s.purpose.value, "yes": s.yes}
        | {"at": micros(s.at), "by": s.by}
        for s in said
    ]
    if rows:
        c.execute(insert(choices), rows)


def subject(c: Connection, patient: str) -> Subject | None:
    """What the decision needs to know of this person; None if nobody of that name is kept."""
    found = c.execute(select(patients.c.retired).where(patients.c.patient == patient)).first()
    if found is None:
        return None
    said = choices_of(c, [patient]).get(patient, [])
    return Subject(patient, tuple(said), moment_or_none(found.retired))


def listed(c: Connection, only: str | None) -> tuple[Listed, ...]:
    """Everybody kept (or only this one), by pseudonym."""
    said = choices_of(c, None if only is None else [only])
    query = select(patients).order_by(patients.c.since, patients.c.patient)
    if only is not None:
        query = query.where(patients.c.patient == only)
    rows = c.execute(query).all()
    return tuple(
        Listed(
            r.patient,
            r.basis,
            standing(said.get(r.patient, [])),
            r.facts,
            moment_or_none(r.first),
            moment_or_none(r.last),
            moment_or_none(r.retired),
        )
        for r in rows
    )


def none_retired(c: Connection, people: Iterable[str]) -> None:
    """`Retired` if the data of any of them was ended."""
    query = select(patients.c.patient).where(patients.c.patient.in_(list(people)))
    gone = c.execute(query.where(patients.c.retired.is_not(None))).scalars().all()
    if gone:
        raise Retired(f"{', '.join(gone)} retired; whoever arrives now is somebody new")


def described(seal: Seal, who: Person) -> bytes:
    """The person, sealed."""
    return seal.close(place(seal.owner, "patients"), orjson.dumps(asdict(who)))


def person(seal: Seal, sealed: bytes) -> Person:
    """Who they are."""
    said: dict[str, Any] = orjson.loads(seal.open(place(seal.owner, "patients"), sealed))
    said = {f.name: said[f.name] for f in fields(Person) if f.name in said}
    read = {"born": date.fromisoformat, "died": datetime.fromisoformat}
    for name, value in said.items():
        if isinstance(value, str) and name in read:
            said[name] = read[name](value)
        elif isinstance(value, list):
            said[name] = tuple(value)
    return Person(**said)


def sealed_person(c: Connection, patient: str) -> bytes | None:
    """Who they are, still sealed; None if no source has said."""
    return c.execute(select(patients.c.person).where(patients.c.patient == patient)).scalar()


def introduce(c: Connection, seal: Seal, who: Person) -> Person | None:
    """Keep what a source says of who they are, with what was known; None if nothing is new."""
    sealed = sealed_person(c, seal.owner)
    known = None if sealed is None else person(seal, sealed)
    now = who if known is None else together(known, who)
    if now == known:
        return None
    new = described(seal, now)
    c.execute(update(patients).where(patients.c.patient == seal.owner).values(person=new))
    return now


def count(c: Connection, patient: str, new: int, times: Sequence[int]) -> None:
    """Keep the listing's counts in step with the facts."""
    at = patients.c.patient == patient
    was = c.execute(select(patients.c.facts, patients.c.first, patients.c.last).where(at)).one()
    first = min(t for t in (was.first, *times) if t is not None)
    last = max(t for t in (was.last, *times) if t is not None)
    values = {"facts": was.facts + new, "first": first, "last": last}
    c.execute(update(patients).where(at).values(values))
