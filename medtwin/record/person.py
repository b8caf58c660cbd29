"""Who somebody is: kept apart from their facts, and sealed by the vault."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as a source names them. What the source did not say is None or empty.

    `identifiers` are `system|value`; `sex` is the administrative one (male, female, other,
    unknown); `contact` and `address` are lines as written.
    """

    identifiers: tuple[str, ...] = ()
    name: str = ""
    born: date | None = None
    died: datetime | None = None
    sex: str = ""
    contact: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    language: str = ""


def together(before: Person, now: Person) -> Person:
    """Both descriptions as one: the later word stands, but what it leaves unsaid stays known.

    Identifiers are joined: a number from one house takes nothing from that of another.
    """
    said = {f.name: getattr(now, f.name) for f in fields(Person)}
    said = {name: value for name, value in said.items() if value not in (None, "", (), "unknown")}
    return replace(before, **said | {"identifiers": _joined(before, now)})


def _joined(before: Person, now: Person) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before.identifiers, *now.identifiers)))
