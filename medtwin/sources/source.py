"""What every source is, and what arrives through one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from medtwin.record.observation import Observation
from medtwin.record.person import Person


@dataclass(frozen=True)
class Options:
    """How to read: when it was received, which mapping file, which zone naive times are in."""

    received: datetime
    mapping: Path | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that could not be accepted: what, whose, why, and what to do next."""

    what: str
    whose: str
    because: str
    next: str
    original: bytes = b""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What one original (a resource, a block of a table) turned into, for one person.

    `original` is byte for byte what was sent; `about` names the person ("system|value"), or
    None if nobody was named; `person` is there when this original says who they are; `kept`
    is the kind of a resource kept without being understood.
    """

    original: bytes
    media: str
    origin: str
    about: str | None
    person: Person | None
    facts: tuple[Observation, ...]
    refused: tuple[Refusal, ...]
    kept: str = ""


@dataclass(frozen=True)
class Source:
    """A kind of file or message we can read; plug-ins end in `source = Source(...)`."""

    name: str
    reference: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, Options], Iterator[Arrived]]
