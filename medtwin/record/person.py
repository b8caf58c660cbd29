"""Who somebody is: the one identified noun; the vault seals it."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A person as a source describes them. `identifiers` read "system|value"."""

    identifiers: tuple[str, ...]
    name: str
    born: date | None = None
    died: datetime | None = None
    sex: str = ""
