"""Doubtful readings of people nobody tuned on: how far the next reading surprises the twin.

The last eight people of AZT1D and of HUPA-UCM, their last ten days. A surprise is a reading less
what the typical twin expected of it five minutes before, squared and meant, as a root. Then the
twin's error 30 minutes after a reading doubted at once, learning from it and not learning from it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from evidence.record.figure import Figure
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.quality import quality
from medtwin.record.record import Record, Series
from medtwin.sources.source import Options
from medtwin.sources.table import records
from medtwin.twin.along import said_along

SETS = {"AZT1D": "AZT1D.parquet", "HUPA-UCM": "HUPA-UCM.parquet"}
PEOPLE, DAYS, AHEAD = 8, 10, 30


def figures(shared: Path) -> Iterator[Figure]:
    """Both sets, one after the other."""
    for name, file in SETS.items():
        path = shared / "data" / "cgm_insulin_carbs" / file
        people = records(path, None, Options(received=datetime.now(UTC)))
        yield from _set(name, [_last(r) for r in list(people.values())[-PEOPLE:]])


def _last(record: Record) -> Record:
    """The last days of a record."""
    since = float(record[codes.glucose].at.max()) - DAYS * 86400
    return Record(record.patient, {c: s.keep(s.at >= since) for c, s in record.columns.items()})


def _set(name: str, people: list[Record]) -> Iterator[Figure]:
    doubted: dict[str, list[float]] = {}
    sound: list[float] = []
    with_it: list[float] = []
    without: list[float] = []
    for record in people:
        series = record[codes.glucose].current
        judged = quality(codes.glucose, series)
        surprise = _surprises(record, series)
        fine = (judged.factor == 1) & np.isfinite(surprise)
        sound += surprise[fine].tolist()
        for d in judged.doubts:
            doubted.setdefault(d.name, []).extend(
                surprise[d.doubted & np.isfinite(surprise)].tolist()
            )
        a, b = _after(record, series, judged.factor_at_once > 1.2)
        with_it += a
        without += b
    usual = _root(sound)
    yield Figure(f"{name}, surprise of sound readings", usual, "mg/dL", more_is_better=False)
    for what, found in sorted(doubted.items()):
        yield Figure(
            f"{name}, surprise of readings doubted as {what}",
            _root(found),
            "mg/dL",
            note=f"{len(found)} readings, {_root(found) / usual:.1f} times the sound ones'",
        )
    note = f"{len(with_it)} readings doubted at once by more than 1.2"
    words = f"{name}, error {AHEAD} min after doubtful readings,"
    yield Figure(f"{words} learned from", _root(with_it), "mg/dL", more_is_better=False, note=note)
    yield Figure(f"{words} left out", _root(without), "mg/dL", more_is_better=False, note=note)


def _surprises(record: Record, series: Series) -> np.ndarray:
    """Each reading less what was expected of it; nothing where the one before is not 5 min ago."""
    middle, _ = said_along(record, model, series.at[:-1], [5])
    gap = np.diff(series.at)
    found = np.full(len(series), np.nan)
    found[1:] = np.where(np.abs(gap - 300) < 60, series.value[1:] - middle[:, 0], np.nan)
    return found


def _after(record: Record, series: Series, off: np.ndarray) -> tuple[list[float], list[float]]:
    """Errors of both twins some time after each doubtful reading that a sound one follows."""
    later = np.searchsorted(series.at, series.at + 60 * AHEAD - 90)
    good = off & (later < len(series))
    good[good] &= np.abs(series.at[later[good]] - series.at[good] - 60 * AHEAD) < 90
    good[good] &= ~off[later[good]]
    if not good.any():
        return [], []
    columns = {**record.columns, codes.glucose: series.keep(~off)}
    true = series.value[later[good]]
    errors = [
        (said_along(r, model, series.at[good], [AHEAD])[0][:, 0] - true).tolist()
        for r in (record, Record(record.patient, columns))
    ]
    return errors[0], errors[1]


def _root(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values else float("nan")
