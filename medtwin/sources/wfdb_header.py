"""WFDB headers: what each signal of a record is, and how its samples are written.

Format: header(5) of the WFDB Applications Guide, PhysioNet.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from medtwin.sources.readings import utc

FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
GAIN = re.compile(r"([-+0-9.eE]+)(?:\(([-+0-9]+)\))?(?:/(\S+))?")
RATE = re.compile(r"([0-9.eE+-]+)(?:/([0-9.eE+-]+)(?:\(([-0-9.eE+]+)\))?)?")
MOST = 1e12
USUAL_RATE, USUAL_GAIN = 250.0, 200.0


class BadHeader(ValueError):
    """The header is not written as WFDB writes it."""


@dataclass(frozen=True)
class Signal:
    """One channel: its file, format, samples a frame, skew, offset, and how volts come of it."""

    file: str
    format: int
    per_frame: int
    skew: int
    begins: int
    gain: float
    baseline: int
    unit: str
    first: int
    checksum: int | None
    name: str


@dataclass(frozen=True)
class Header:
    """A record: its signals, or the segments (name, frames) it is made of."""

    name: str
    rate: float
    frames: int | None
    at: datetime | None
    signals: tuple[Signal, ...]
    segments: tuple[tuple[str, int], ...]
    comments: tuple[str, ...]


def header(raw: bytes, zone: tzinfo | None) -> Header:
    """The header. Raises `BadHeader` with the line that is wrong."""
    lines = [ln.strip() for ln in raw.decode("utf-8", "replace").splitlines()]
    said = [ln for ln in lines if ln and not ln.startswith("#")]
    comments = tuple(ln.lstrip("# ").strip() for ln in lines if ln.startswith("#"))
    if not said:
        raise BadHeader("it has no record line")
    words = said[0].split()
    try:
        name, _, segments = words[0].partition("/")
        count = int(words[1])
        found = RATE.fullmatch(words[2]) if len(words) > 2 else None
        rate = float(found.group(1)) if found else USUAL_RATE
        frames = int(words[3]) if len(words) > 3 else None
        if not (0 < rate < MOST and 0 <= (frames or 0) < MOST):
            raise ValueError(f"{rate:g} frames a second, {frames} frames")
        at = begun(words[4:6], zone)
    except (IndexError, ValueError) as why:
        raise BadHeader(f"its record line {said[0]!r} is not understood ({why})") from why
    if segments:
        parts = tuple(_segment(ln) for ln in said[1 : 1 + int(segments)])
        return Header(name, rate, frames, at, (), parts, comments)
    signals = tuple(_signal(ln) for ln in said[1 : 1 + count])
    if len(signals) != count:
        raise BadHeader(f"it tells of {count} signals and describes {len(signals)}")
    return Header(name, rate, frames, at, signals, (), comments)


def begun(words: list[str], zone: tzinfo | None) -> datetime | None:
    """Time and date of the first sample; None where the date is not told."""
    if len(words) < 2:
        return None
    day, month, year = (int(p) for p in words[1].split("/"))
    hour, minute, second = (*(float(p) for p in words[0].split(":")), 0.0, 0.0)[:3]
    clock = time(int(hour), int(minute), int(second), round(second % 1 * 1e6) % 1_000_000)
    return utc(datetime.combine(date(year, month, day), clock, zone or UTC))


def _segment(line: str) -> tuple[str, int]:
    try:
        name, told = line.split()[:2]
        frames = int(told)
        if not 0 <= frames < MOST:
            raise ValueError(told)
        return name, frames
    except ValueError as why:
        raise BadHeader(f"its segment line {line!r} is not understood") from why


def _signal(line: str) -> Signal:
    words = line.split()
    found = FORMAT.fullmatch(words[1]) if len(words) > 1 else None
    if found is None:
        raise BadHeader(f"its signal line {line!r} tells no format")
    number, per_frame, skew, begins = (int(g) if g else None for g in found.groups())
    told = GAIN.fullmatch(words[2]) if len(words) > 2 else None
    try:
        gain = float(told.group(1)) if told else 0.0
        zero = int(words[4]) if len(words) > 4 else 0
        baseline = int(told.group(2)) if told and told.group(2) else zero
        first = int(words[5]) if len(words) > 5 else 0
        checksum = int(words[6]) if len(words) > 6 else None
    except ValueError as why:
        raise BadHeader(f"its signal line {line!r} is not understood ({why})") from why
    unit = (told.group(3) if told else None) or "mV"
    name = " ".join(words[8:])
    return Signal(
        words[0],
        number or 0,
        per_frame or 1,
        skew or 0,
        begins or 0,
        gain or USUAL_GAIN,
        baseline,
        unit,
        first,
        checksum,
        name,
    )
