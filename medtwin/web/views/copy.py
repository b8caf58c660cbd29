"""A copy of everything kept about one person, for that person to take away."""

from dataclasses import dataclass

from medtwin.record.person import Person
from medtwin.record.record import Record, facts
from medtwin.vault.consent import Choice


@dataclass(frozen=True)
class Fact:
    """One fact: when it was true and until when, when it was learned (UTC), what, how much."""

    at: str
    until: str
    known: str
    what: str
    code: str
    value: float
    unit: str
    says: str
    source: str


@dataclass(frozen=True)
class Copy:
    """Who, what they said about the use of their data, and every fact, the newest first."""

    made: str
    name: str
    born: str
    identifiers: tuple[str, ...]
    choices: tuple[str, ...]
    facts: tuple[Fact, ...]


def copied(person: Person, choices: tuple[Choice, ...], record: Record, made: str) -> Copy:
    """Everything in the record, corrections and what they corrected among them."""
    kept = [
        Fact(
            o.at.isoformat(),
            o.until.isoformat() if o.until else "",
            o.known.isoformat(),
            code.name,
            code.id,
            o.value,
            code.unit,
            o.says,
            o.source,
        )
        for code, series in record.columns.items()
        for o in facts(code, series)
    ]
    return Copy(
        made,
        person.name,
        person.born.isoformat() if person.born else "",
        person.identifiers,
        tuple(f"{c.at.isoformat()} {c.purpose.value}: {'yes' if c.yes else 'no'}" for c in choices),
        tuple(sorted(kept, key=lambda f: f.at, reverse=True)),
    )
