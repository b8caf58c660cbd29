"""What exports of wearables and devices share: readings in the maker's words, and whose."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from medtwin.record.codes import Code, Kind, opened
from medtwin.record.observation import Implausible, Observation
from medtwin.record.person import Person
from medtwin.record.units import UnknownUnit, convert
from medtwin.record.waveform import Waveform
from medtwin.sources.source import Arrived, Options, Refusal, Sent

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """One number as a device tells it: where in the file it stands, when, what, in which unit."""

    place: str
    at: datetime
    code: Code
    value: float
    unit: str
    source: str
    until: datetime | None = None
    says: str = ""


@dataclass
class Block:
    """One original being read: its facts and where each stands, what is refused, what only kept.

    `kept` counts by kind what is there and not understood.
    """

    whose: str  # "" where nobody is named
    received: datetime
    facts: list[Observation] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)
    waveforms: list[Waveform] = field(default_factory=list)

    def take(self, r: Reading) -> None:
        """This reading as a fact in the code's own unit, or refused with the reason."""
        try:
            value = convert(float(r.value), r.unit, r.code)
            fact = Observation(r.at, r.code, value, r.source, self.received, r.until, r.says)
        except (Implausible, UnknownUnit, ValueError, TypeError, OverflowError) as why:
            self.refuse(
                f"{r.place}, {r.code.name}", why, "correct it at its source and send it again"
            )
        else:
            self.facts.append(fact)
            self.places.append(r.place)

    def refuse(self, what: str, because: object, then: str, original: bytes = b"") -> None:
        """Something in this original cannot be accepted."""
        self.refused.append(
            Refusal(what, self.whose or "nobody named", str(because), then, original)
        )

    def keep(self, kind: str) -> None:
        """Something in this original is not understood."""
        self.kept[kind] += 1

    def arrived(
        self, original: bytes, media: str, origin: str, kind: str, person: Person | None = None
    ) -> Iterator[Arrived]:
        """The original with its facts, and one more, without bytes, for each thing only kept."""
        whole = not (self.facts or self.waveforms or self.refused) and self.kept
        first = next(iter(self.kept)) if whole else ""
        yield Arrived(
            original,
            media,
            origin,
            self.whose or None,
            person,
            tuple(self.facts),
            tuple(self.refused),
            first,
            kind,
            tuple(self.places),
            tuple(self.waveforms),
        )
        left = self.kept - Counter([first] if first else [])
        for name in left.elements():
            yield Arrived(b"", media, origin, self.whose or None, None, (), (), name, kind)


def known_as(system: str, what: Sent, options: Options, common: set[str]) -> str:
    """Whom the options say, else whom the file's name tells; "" where neither does."""
    name = telling(what, common)
    return options.about or (f"{system}|{name}" if name else "")


def whose(system: str, what: Sent, options: Options, told: str = "") -> str:
    """Whom the file is about: who it says, else who the options say, else its own name."""
    if told:
        return f"{system}|{told}"
    return options.about or f"{system}|{what.stem}"


# Folders that say nothing of the person whose file lies in them.
PLACES = {
    "",
    ".",
    "/",
    "\\",
    "home",
    "root",
    "users",
    "desktop",
    "documents",
    "download",
    "takeout",
}
PLACES |= {"downloads", "tmp", "temp", "data", "export", "exports", "upload", "uploads", "files"}


def telling(what: Sent, common: frozenset[str] | set[str], *, folders: int = 1) -> str:
    """The name people gave the file, its archive or its folder; "" if every such file bears it.

    `common` are the names that the maker gives; of the folders around it only the nearest tell.
    """
    outer, _, inner = what.name.rpartition(":")
    places = [Path(inner).stem]
    if outer:
        places += [*reversed(Path(inner).parent.parts), Path(outer).stem]
    else:
        places += [*reversed(Path(inner).parent.parts)][:folders]
    return next((p for p in places if p.lower() not in common and p.lower() not in PLACES), "")


def around(what: Sent, common: set[str]) -> str:
    """The folder or archive around a maker's own folders, whose name people gave; "" if none."""
    outer, _, inner = what.name.rpartition(":")
    if outer:
        parts = [*reversed(Path(inner).parent.parts), Path(outer).stem]
    else:
        parts = [*reversed(Path(inner).parent.parts)]
    theirs = [p for p in parts if p.lower() not in common]
    first = theirs[0] if theirs else ""
    return "" if first.lower() in PLACES or first.lower().startswith("takeout-") else first


def part(said: Any, *path: str) -> Any:
    """What stands at this path of JSON objects; None where it ends before."""
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def number(said: Any) -> float | None:
    """A number, also where it is written as a text; None where there is none."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        return float(said)
    except ValueError:
        return None


def own(system: str, word: str, unit: str, kind: Kind = Kind.measurement) -> Code:
    """A code for what only this maker names, in the maker's own word and unit."""
    return opened(
        f"{system}|{word}|{unit}" if unit else f"{system}|{word}", word, unit or "1", kind
    )


def moment(text: str, zone: tzinfo | None = None) -> datetime:
    """A time as ISO 8601 writes it; without an offset it is in `zone`, else UTC.

    Raises `ValueError` saying what is allowed.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except (ValueError, AttributeError, TypeError):
        raise ValueError(f"{text!r} is no time; allowed is ISO 8601 with an offset") from None
    return utc(found if found.tzinfo else found.replace(tzinfo=zone or UTC))


def utc(at: datetime) -> datetime:
    """The same time in UTC. Raises `ValueError` at the ends of the calendar."""
    try:
        return at.astimezone(UTC)
    except OverflowError as why:
        raise ValueError(f"{at} lies outside the calendar") from why


def since_epoch(seconds: float) -> datetime:
    """The time so many seconds after 1970. Raises `ValueError` outside the calendar."""
    try:
        return EPOCH + timedelta(seconds=float(seconds))
    except (OverflowError, TypeError) as why:
        raise ValueError(f"{seconds!r} s after 1970 lies outside the calendar") from why


def minutes(begin: datetime, end: datetime) -> float:
    """How long it lasted."""
    return (end - begin).total_seconds() / 60


def spoken(word: str) -> str:
    """`AppleExerciseTime` or `apple_exercise_time` as a person would write it."""
    apart = "".join(f" {c.lower()}" if c.isupper() else c for c in word.replace("_", " "))
    return " ".join(apart.split())


def named(names: Sequence[str]) -> str:
    """Several words for one message."""
    return ", ".join(sorted(set(names)))
