"""Glucose: what was measured and what is likely, on one axis, with meals and doses below."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.record import Record, Series
from medtwin.web import region as reader
from medtwin.web.region import Region

Line = Float[np.ndarray, " time"]
TARGET = (70.0, 180.0)
COVERAGES = (0.9, 0.8, 0.5)
GAP = 1500.0
SHOWN = 48  # readings in the table
Way = Callable[[Code, float], str]


def nowhere(_: Code, __: float) -> str:
    """No way to say where a fact came from."""
    return ""


@dataclass(frozen=True)
class Ahead:
    """A forecast as lines: UTC seconds, its middle, and the interval at each coverage, mg/dL."""

    at: Line
    middle: Line
    bands: Mapping[float, tuple[Line, Line]]
    made: datetime
    by: str


@dataclass(frozen=True)
class Chart:
    """What the fan chart draws, the words beside it and the table behind it."""

    data: dict[str, Any]
    inputs: dict[str, Any] | None
    ahead: bool
    range_words: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    input_rows: tuple[tuple[str, ...], ...]
    links: tuple[str, ...] = ()
    input_links: tuple[str, ...] = ()


def chart(
    record: Record,
    ahead: Ahead | None,
    region: Region,
    now: datetime,
    since: datetime,
    way: Way = nowhere,
) -> Chart:
    """Glucose since then, and ahead where there is a forecast.

    `way` gives the address that says where a fact of a code at a time came from.
    """
    seen = record[codes.glucose].current
    seen = seen.keep((seen.at >= since.timestamp()) & (seen.at <= now.timestamp()))
    end = float(ahead.at[-1]) if ahead else (now + timedelta(minutes=30)).timestamp()
    edges = {"from": since.timestamp(), "to": end, "now": now.timestamp()}
    common = {**edges, "zone": region.zone.key, "unit": region.glucose}
    given = _given(record, edges["from"], edges["to"])
    return Chart(
        data={**common, **_fan(seen, ahead, region)},
        inputs=_inputs(record, common),
        ahead=ahead is not None,
        range_words="target " + between(*TARGET, region),
        heads=("time", "measured or middle", "50 % interval", "90 % interval"),
        rows=_rows(seen, ahead, region),
        input_rows=tuple(
            (reader.clock(reader.utc(at), region), c.name, reader.amount(c, v, region))
            for at, c, v in given
        ),
        links=("",) * (len(ahead.at) if ahead else 0)
        + tuple(way(codes.glucose, float(at)) for at in seen.at[: -SHOWN - 1 : -1]),
        input_links=tuple(way(c, at) for at, c, _ in given),
    )


def between(low: float, high: float, region: Region) -> str:
    """A range of glucose in the reader's unit."""
    return f"{_say(low, region)} to {_say(high, region)} {region.glucose}"


def _say(value: float, region: Region) -> str:
    return reader.figure(codes.glucose, value, region)


def _fan(seen: Series, ahead: Ahead | None, region: Region) -> dict[str, Any]:
    k = reader.scale(codes.glucose, region)
    digits = 1 if region.glucose == "mmol/L" else 0
    at, value = broken(seen.at, seen.value * k)
    lines = _lines(ahead, k) if ahead else [np.empty(0)] * 7
    ahead_at = ahead.at if ahead else np.empty(0)
    blank = [None] * len(ahead_at)
    data = [_list(np.concatenate([at, ahead_at])), _list(value, digits + 1) + blank]
    data += [[None] * len(at) + _list(line, digits + 1) for line in lines]
    top = max([250.0 * k, *(float(np.max(v)) * 1.05 for v in (seen.value * k, lines[0]) if len(v))])
    low = min([50.0 * k, *(float(np.min(v)) * 0.95 for v in (seen.value * k, lines[1]) if len(v))])
    return {
        "data": data,
        "digits": digits,
        "span": [low, top],
        "range": [TARGET[0] * k, TARGET[1] * k],
        "sparse": len(seen) < 40,
    }


def _lines(ahead: Ahead, k: float) -> list[Line]:
    """Widest first and the middle last, because that is the order they are painted in."""
    edges = [edge * k for c in COVERAGES for edge in reversed(ahead.bands[c])]
    return [*edges, ahead.middle * k]


def broken(at: Line, value: Line) -> tuple[Line, Line]:
    """The line with a hole where the sensor was silent, so that nobody reads a guess there."""
    holes = np.flatnonzero(np.diff(at) > GAP) + 1
    middle = (at[holes - 1] + at[holes]) / 2
    return np.insert(at, holes, middle), np.insert(value, holes, np.nan)


def _list(values: Line, digits: int = 0) -> list[float | None]:
    return [None if np.isnan(v) else round(float(v), digits) for v in values]


def _inputs(record: Record, common: Mapping[str, Any]) -> dict[str, Any] | None:
    meals, doses = (
        _within(record[c].current, common) for c in (codes.carbohydrate, codes.insulin_bolus)
    )
    at = np.unique(np.concatenate([meals.at, doses.at]))
    if not len(at):
        return None
    return {**common, "data": [_list(at), _placed(at, meals), _placed(at, doses)]}


def _within(series: Series, edges: Mapping[str, Any]) -> Series:
    return series.keep((series.at >= edges["from"]) & (series.at <= edges["to"]))


def _placed(at: Line, series: Series) -> list[float | None]:
    sums = np.full(len(at), np.nan)
    for when, value in zip(series.at, series.value, strict=True):
        i = int(np.searchsorted(at, when))
        sums[i] = value if np.isnan(sums[i]) else sums[i] + value
    return _list(sums, 1)


def _rows(seen: Series, ahead: Ahead | None, region: Region) -> tuple[tuple[str, ...], ...]:
    rows = []
    if ahead:
        for i in range(len(ahead.at) - 1, -1, -1):
            fifty, ninety = ahead.bands[0.5], ahead.bands[0.9]
            rows.append(
                (
                    reader.clock(reader.utc(ahead.at[i]), region) + " (forecast)",
                    _say(ahead.middle[i], region),
                    f"{_say(fifty[0][i], region)} to {_say(fifty[1][i], region)}",
                    f"{_say(ninety[0][i], region)} to {_say(ninety[1][i], region)}",
                )
            )
    for at, value in list(zip(seen.at, seen.value, strict=True))[: -SHOWN - 1 : -1]:
        rows.append((reader.clock(reader.utc(at), region), _say(value, region), "measured", ""))
    return tuple(rows)


def _given(record: Record, since: float, until: float) -> list[tuple[float, Code, float]]:
    """Meals and doses, the newest first."""
    found: list[tuple[float, Code, float]] = []
    for code in (codes.carbohydrate, codes.insulin_bolus):
        series = _within(record[code].current, {"from": since, "to": until})
        pairs = zip(series.at, series.value, strict=True)
        found += [(float(at), code, float(value)) for at, value in pairs]
    return sorted(found, key=lambda g: (g[0], g[1].id), reverse=True)
