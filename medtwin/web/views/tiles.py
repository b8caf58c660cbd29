"""Vital tiles: the last value of each measurement, how old it is, and its recent shape."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.record import Record, Series
from medtwin.web import region as reader
from medtwin.web.region import Region
from medtwin.web.views.spark import Spark, path

MOST = 8
SHAPE = {codes.glucose: timedelta(hours=24)}
FRESH = {codes.glucose: timedelta(minutes=20)}
LONG = timedelta(days=365)
Way = Callable[[Code, float], str]


@dataclass(frozen=True)
class Pill:
    """A derived state: a word, its tone and its glyph."""

    text: str
    tone: str = ""
    glyph: str = ""


@dataclass(frozen=True)
class Tile:
    """One measurement as it stands."""

    code: str
    name: str
    value: str
    unit: str
    age: str
    at: str
    iso: str
    source: str
    way: str
    pill: Pill | None
    spark: Spark | None


def tiles(
    record: Record, region: Region, now: datetime, way: Way | None = None
) -> tuple[Tile, ...]:
    """The person's measurements, glucose first, then the most recently measured.

    `way` gives the address that says where a fact of a code at a time came from.
    """
    seen = {c: s.current for c, s in record.columns.items() if c.kind is Kind.measurement}
    order = sorted(seen, key=lambda c: (c != codes.glucose, -_last(seen[c])))
    return tuple(tile(c, seen[c], region, now, way) for c in order[:MOST] if len(seen[c]))


def _last(series: Series) -> float:
    return float(series.at[-1]) if len(series) else 0.0


def tile(code: Code, series: Series, region: Region, now: datetime, way: Way | None = None) -> Tile:
    """One measurement's last value."""
    at = reader.utc(float(series.at[-1]))
    value = float(series.value[-1])
    return Tile(
        code=code.id,
        name=code.name[:1].upper() + code.name[1:],
        value=reader.figure(code, value, region),
        unit=reader.unit(code, region),
        age=reader.age(at, now),
        at=reader.clock(at, region),
        iso=at.isoformat(),
        source=series.sources[int(series.source[-1])],
        way="" if way is None else way(code, float(series.at[-1])),
        pill=freshness(code, at, now) or (level(value) if code == codes.glucose else None),
        spark=spark(code, series, region, now),
    )


def freshness(code: Code, at: datetime, now: datetime) -> Pill | None:
    """Stale is said plainly."""
    old = now - at > FRESH.get(code, LONG)
    return Pill("stale", "warning", "clock") if old else None


def level(value: float) -> Pill:
    """Where a glucose stands (Battelino et al. 2019, Diabetes Care 42:1593)."""
    if value < 54:
        return Pill("very low", "critical")
    if value < 70:
        return Pill("low", "critical")
    if value <= 180:
        return Pill("in range", "good")
    return Pill("very high", "warning") if value > 250 else Pill("high", "warning")


def spark(code: Code, series: Series, region: Region, now: datetime) -> Spark | None:
    """The recent shape, if there are at least two values to join."""
    since = now - SHAPE[code] if code in SHAPE else None
    which = series.at >= (since.timestamp() if since else -np.inf)
    at, value = series.at[which], series.value[which]
    if len(at) < 2:
        return None
    words, end = path(at, value)
    low, high = (reader.figure(code, float(f(value)), region) for f in (np.min, np.max))
    span = reader.lasting(now - reader.utc(float(at[0])))
    return Spark(words, end, low, high, f"last {span}")
