"""What every source is, and what arrives through one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO

from medtwin.record.observation import Observation
from medtwin.record.person import Person
from medtwin.record.waveform import Waveform


@dataclass(frozen=True)
class Options:
    """How to read: when it was received, which mapping file, which zone naive times are in.

    `received` becomes `known` of every fact, unless the mapping of a table says more exactly
    when each value was known. A document longer than `largest` bytes is refused unread, unless
    its source streams. `about` ("system|value") says whose a device's file is where the file
    itself names nobody.
    """

    received: datetime
    mapping: Path | None = None
    zone: str | None = None
    largest: int = 1 << 30
    about: str | None = None


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
    is the kind of a resource kept without being understood, `kind` what it is in any case.
    `places` says for each fact where in the original it stands ("Observation.component[1]",
    "line 12", "chars 120-135", "OBX|3"), none meaning the whole; `waveforms` are its signals.
    `refers` says what addresses in it mean ("urn:uuid:...", "Encounter/7"), and under "" what
    it is called itself where it does not say.
    """

    original: bytes
    media: str
    origin: str
    about: str | None
    person: Person | None
    facts: tuple[Observation, ...]
    refused: tuple[Refusal, ...]
    kept: str = ""
    kind: str = ""
    places: tuple[str, ...] = ()
    waveforms: tuple[Waveform, ...] = ()
    refers: tuple[tuple[str, str], ...] = ()


def alone(name: str) -> "Sent | None":
    """Nothing lies beside this: it came by itself."""
    return None


@dataclass(frozen=True)
class Sent:
    """A file, or a member of an archive, that can be opened and read once or many times.

    `name` is what people call it (an archive's member has both names), `head` its first
    bytes, and `size` its length where that is known without reading it. `beside` gives a file
    of this name that lies in the same folder, for what is kept in two files (WFDB).
    """

    name: str
    head: bytes
    open: Callable[[], IO[bytes]] = field(repr=False)
    size: int | None = None
    beside: Callable[[str], "Sent | None"] = field(default=alone, repr=False)

    @property
    def path(self) -> Path:
        """The name as a path, for its suffix and stem."""
        return Path(self.name)

    @property
    def stem(self) -> str:
        """What the file itself is called, whatever archive or folder it lies in."""
        return Path(self.name.rpartition(":")[2]).stem


HEAD = 1 << 16
SMALL = 16 << 20  # of what is refused, so much is kept apart; the rest stays where it was


def sent(path: Path) -> Sent:
    """A file on disk."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    size = path.stat().st_size
    return Sent(str(path), head, lambda: path.open("rb"), size, lambda name: _near(path, name))


def _near(path: Path, name: str) -> Sent | None:
    near = path.parent / name
    return sent(near) if Path(name).name == name and near.is_file() else None


def given(name: str, content: bytes) -> Sent:
    """Bytes that are here already: a message, a member of an archive."""
    return Sent(name, content[:HEAD], lambda: BytesIO(content), len(content))


@dataclass(frozen=True)
class Source:
    """A kind of file or message we can read; plug-ins end in `source = Source(...)`.

    `recognises` looks at the name and the first bytes. `read` yields what arrived, original by
    original, and never raises for bad content: what it cannot accept it hands over refused.
    One that `streams` holds a block at a time, whatever the length of the document.
    """

    name: str
    reference: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Sent, Options], Iterator[Arrived]]
    streams: bool = False


def unread(what: Sent, because: str, then: str, original: bytes = b"") -> Arrived:
    """A whole file refused."""
    refusal = Refusal(what.path.name, "nobody named", because, then, original)
    media = "application/octet-stream"
    return Arrived(original, media, what.name, None, None, (), (refusal,))


MERGE = "HL7 v2 merge of identifiers, to be reviewed"
"""Kept under this: other numbers, one a line, that the sender says are the same person's."""
