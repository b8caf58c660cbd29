"""The door: walk in with files, folders or archives; each part finds the source that reads it.

Here every fact from every source meets the same two questions: can it have been true already,
and was the person born. What fails is refused apart; the rest goes on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import compress
from pathlib import Path

import medtwin.sources
from medtwin.catalogue import everything
from medtwin.record.observation import Observation
from medtwin.record.waveform import Waveform
from medtwin.sources.archive import BROKEN, archived, members
from medtwin.sources.source import (
    SMALL,
    Arrived,
    Options,
    Refusal,
    Sent,
    Source,
    given,
    sent,
    unread,
)
from medtwin.sources.zones import zone_or_none

CLOCK_ERROR = timedelta(minutes=5)  # device clocks run ahead by minutes
DAY = timedelta(days=1)  # a birth date has no zone


def read(paths: Iterable[Path], options: Options) -> Iterator[Arrived]:
    """Everything in these files, folders and archives, original by original.

    Raises `UnknownZone` if the options name a zone nobody knows.
    """
    zone_or_none(options.zone)
    people = People()
    for path in paths:
        for file in _files(path):
            for arrived in _opened(file, options):
                yield plausible(arrived, people, options.received)


def received(name: str, content: bytes, options: Options) -> Iterator[Arrived]:
    """The same for bytes that came as a message rather than as a file."""
    zone_or_none(options.zone)
    people = People()
    for arrived in read_one(given(name, content), options):
        yield plausible(arrived, people, options.received)


def read_one(what: Sent, options: Options) -> Iterator[Arrived]:
    """One document through the source that recognises it."""
    if not what.head:
        yield unread(what, "it is empty", "send it again")
        return
    reader = recognised(what)
    streams = reader is not None and reader.streams
    if what.size is not None and what.size > options.largest and not streams:
        yield unread(what, f"it is longer than {options.largest} bytes", "send it in parts")
        return
    if reader is None:
        yield _unrecognised(what)
        return
    try:
        yield from reader.read(what, options)
    except Exception as why:  # noqa: BLE001  a source may be anybody's: one file must not end the walk
        because = f"{reader.name} tripped over it ({type(why).__name__}: {why})"
        yield unread(what, because, "tell us, with the file if you may", _beginning(what))


@cache
def sources() -> dict[str, Source]:
    """Every source by name; last those that take any JSON, any text with columns."""
    found = everything(medtwin.sources, Source)
    return dict(sorted(found.items(), key=lambda named: ("fhir", "table").count(named[0])))


def recognised(what: Sent) -> Source | None:
    """The source that reads this, if there is one."""
    return next((s for s in sources().values() if s.recognises(what.path, what.head)), None)


@dataclass
class People:
    """When each person met on this walk was born."""

    born: dict[str, date] = field(default_factory=dict)


def plausible(arrived: Arrived, people: People, received: datetime) -> Arrived:
    """With the facts that cannot have happened yet, or happened before birth, refused."""
    about = arrived.about or ""
    if arrived.person and arrived.person.born:
        people.born[about] = arrived.person.born
    birth = _midnight(people.born.get(about))
    latest = received + CLOCK_ERROR
    fine = [birth <= one.at <= latest for one in (*arrived.facts, *arrived.waveforms)]
    if all(fine):
        return arrived
    several = len(arrived.facts)
    return replace(
        arrived,
        facts=tuple(compress(arrived.facts, fine)),
        places=tuple(compress(arrived.places, fine)),
        waveforms=tuple(compress(arrived.waveforms, fine[several:])),
        refused=arrived.refused
        + tuple(
            _impossible(one, arrived, received, birth)
            for one, good in zip((*arrived.facts, *arrived.waveforms), fine, strict=True)
            if not good
        ),
    )


def _midnight(born: date | None) -> datetime:
    if born is None or born.year < 2:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(born, time(), UTC) - DAY


def _impossible(
    fact: Observation | Waveform, arrived: Arrived, received: datetime, birth: datetime
) -> Refusal:
    name = f"waveform {fact.code}" if isinstance(fact, Waveform) else fact.code.name
    what = f"{name} at {fact.at.isoformat()}"
    whose = arrived.about or "nobody named"
    if fact.at > received:
        because = f"it lies in the future of {received.isoformat()}, when it was received"
        return Refusal(what, whose, because, "check the clock and zone of the source", b"")
    because = f"it lies before the person's birth on {(birth + DAY).date().isoformat()}"
    return Refusal(what, whose, because, "check the birth date and the date sent", b"")


def _files(path: Path) -> Iterator[Path]:
    """Files below, people before their facts, so that birth dates are known in time."""
    if path.is_dir():
        inside = [p for p in path.rglob("*") if p.is_file()]
        yield from sorted(inside, key=lambda p: ("patient" not in p.name.lower(), str(p)))
    else:
        yield path


def _opened(path: Path, options: Options) -> Iterator[Arrived]:
    try:
        what = sent(path)
    except OSError as why:
        missing = Sent(str(path), b"", lambda: path.open("rb"))
        yield unread(missing, f"it cannot be opened ({why.strerror})", "check path and rights")
        return
    if not archived(what.head) or _reads_packed(what):
        yield from read_one(what, options)
        return
    for member in members(what, options.largest):
        if isinstance(member, Arrived):
            yield member
        else:
            yield from read_one(member, options)


def _reads_packed(what: Sent) -> bool:
    """Whether its source unpacks it on the way, so that it is never whole in memory (VCF)."""
    reader = recognised(what)
    return reader is not None and reader.streams


def _beginning(what: Sent) -> bytes:
    try:
        with what.open() as file:
            return file.read(SMALL)
    except BROKEN:  # a member of an archive that breaks off
        return b""


def _unrecognised(what: Sent) -> Arrived:
    kinds = ", ".join(s.name for s in sources().values())
    small = what.size is not None and what.size <= SMALL
    original = _beginning(what) if small else b""
    because = f"no source recognises it; readable are {kinds}"
    return unread(
        what, because, "export it in one of these, or give a table a mapping file", original
    )
