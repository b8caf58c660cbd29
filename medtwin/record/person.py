"""Who somebody is: kept apart from their facts, and sealed by the vault."""

from dataclasses import dataclass
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
