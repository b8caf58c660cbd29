"""What a statistical head is told: a row for each moment, from nothing later than that moment."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from medtwin.learning.announced import said_by_plan
from medtwin.learning.doses import (
    correction_windows,
    gut_peaks,
    insulin_peaks,
    said_by_basal,
    said_by_events,
)
from medtwin.learning.readings import Moments, Named, day, hour, said_by_readings
from medtwin.record import codes
from medtwin.record.record import Record, Series

listened = (codes.glucose, codes.insulin_bolus, codes.carbohydrate, codes.insulin_basal)


@dataclass(frozen=True)
class Inputs:
    """A table of inputs; NaN where something is not known."""

    names: tuple[str, ...]
    values: Float[np.ndarray, "moment input"]

    def __getitem__(self, name: str) -> Moments:
        return self.values[:, self.names.index(name)]

    def keep(self, which: np.ndarray) -> "Inputs":
        """These moments only."""
        return Inputs(self.names, self.values[which])

    def beside(self, other: "Inputs") -> "Inputs":
        """Both tables' inputs for the same moments."""
        return Inputs(self.names + other.names, np.hstack([self.values, other.values]))


def known_inputs(record: Record, moments: Moments) -> Inputs:
    """Readings, doses, meals and the clock as they stood at each moment (UTC seconds, rising).

    A fact whose `known` is after a moment plays no part in that moment's row, so that the
    rows of a whole back-test equal those made one by one as time went by.
    """
    heard = Record(record.patient, {code: record[code] for code in listened})
    if all(len(s.current) == len(s) for s in heard.columns.values()):
        return _table(_everything(heard, moments))
    rows = [_table(_everything(_as_told(heard, t), np.array([t]))) for t in moments]
    return Inputs(rows[0].names, np.concatenate([row.values for row in rows]))


def _as_told(record: Record, by: float) -> Record:
    """What was believed at that time: corrections made, what was taken back gone."""
    told = {c: s.by(by).current for c, s in record.columns.items()}
    in_order = {c: s.keep(np.argsort(s.known, kind="stable")) for c, s in told.items()}
    return Record(record.patient, in_order)


def planned_inputs(plan: Record, moments: Moments, horizon: int) -> Inputs:
    """What `plan` announces within `horizon` minutes of each moment."""
    return _table(said_by_plan(plan, moments, horizon))


def _table(named: Iterator[Named]) -> Inputs:
    names, columns = zip(*named, strict=True)
    return Inputs(tuple(names), np.stack(columns, axis=1).astype(np.float32))


def _everything(record: Record, moments: Moments) -> Iterator[Named]:
    yield from said_by_readings(record[codes.glucose], moments)
    yield from _clock(moments)
    boluses = record[codes.insulin_bolus]
    insulin = dict(said_by_events("bolus", boluses, moments, insulin_peaks))
    yield from insulin.items()
    yield from said_by_events(
        "correction", _corrections(boluses), moments, (55.0,), correction_windows
    )
    yield from said_by_events("meal", record[codes.carbohydrate], moments, gut_peaks)
    basal = dict(said_by_basal(record[codes.insulin_basal], moments))
    yield from basal.items()
    yield from _expected_fall(insulin, basal)


def _corrections(boluses: Series) -> Series:
    if boluses.says is None:
        return boluses.keep(slice(0))
    return boluses.keep(boluses.says == "correction")


def _clock(moments: Moments) -> Iterator[Named]:
    time = moments % day / hour
    for cycles in (1, 2):
        angle = 2 * np.pi * cycles * time / 24
        yield f"sine of {24 // cycles} h", np.sin(angle)
        yield f"cosine of {24 // cycles} h", np.cos(angle)
    yield "hour", time
    yield "weekday", (moments // day + 3) % 7


def _expected_fall(insulin: dict[str, Moments], basal: dict[str, Moments]) -> Iterator[Named]:
    """How far insulin on board would lower glucose by the 1700 rule.

    Davidson et al. (2008), Endocr Pract 14:1095: correction factor = 1700 / total daily dose.
    """
    daily = insulin["bolus in 24 h"] + 24 * np.nan_to_num(basal["basal over 24 h"])
    yield "insulin in 24 h", daily
    factor = np.where(daily > 5, 1700 / np.maximum(daily, 5), np.nan)
    for ahead in (30, 60, 120):
        yield f"expected fall in {ahead} min", factor * insulin[f"bolus acting in {ahead} min (70)"]
    yield "expected fall in all", factor * insulin["bolus to act (70)"]
