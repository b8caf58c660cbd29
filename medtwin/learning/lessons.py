"""One person's record as lessons: when forecasts are made, what was known, what then happened."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medtwin.learning.head import Lesson
from medtwin.learning.inputs import known_inputs, planned_inputs
from medtwin.learning.readings import Moments, day, minute
from medtwin.record import codes
from medtwin.record.record import Record, Series

quarter = 15 * minute
near_enough = 2.5 * minute


def quarter_hours(record: Record) -> Moments:
    """When a forecast is made: each time the first reading of a quarter of an hour is learned."""
    learned = np.unique(record[codes.glucose].known)
    first = np.ones(len(learned), dtype=bool)
    first[1:] = np.diff(learned // quarter) > 0
    return learned[first]


def exam_begins(record: Record, share: float = 0.7) -> float:
    """When the last 30 % of the days with a reading begin (UTC seconds).

    Nothing is ever fitted to what comes after.
    """
    days = np.unique(record[codes.glucose].at // day)
    return float(days[min(round(share * len(days)), len(days) - 1)] * day)


def lesson(
    record: Record,
    moments: Moments,
    horizons: Sequence[int],
    plan: Record | None = None,
) -> Lesson:
    """What was known at each moment, what was planned, and the reading at each horizon."""
    planned = {} if plan is None else {h: planned_inputs(plan, moments, h) for h in horizons}
    measured = {h: reading_at(record[codes.glucose], moments + h * minute) for h in horizons}
    inputs = known_inputs(record, moments)
    return Lesson(record.patient, moments, inputs, planned, measured)


def reading_at(readings: Series, times: Moments) -> Moments:
    """The reading nearest to each time, NaN if none lies within two and a half minutes."""
    seen = readings.current
    if not len(seen):
        return np.full(len(times), np.nan)
    after = np.clip(np.searchsorted(seen.at, times), 0, len(seen) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(times - seen.at[before] <= seen.at[after] - times, before, after)
    close = np.abs(seen.at[nearer] - times) <= near_enough
    return np.where(close, seen.value[nearer], np.nan)


def before(taught: Lesson, end: float) -> Lesson:
    """The part of a lesson that was over by `end`: later readings are not looked at."""
    early = taught.keep(taught.moments < end)
    over = {
        h: np.where(early.moments + h * minute < end, m, np.nan) for h, m in early.measured.items()
    }
    return replace(early, measured=over)


def since(taught: Lesson, begin: float) -> Lesson:
    """The moments of a lesson from `begin` on."""
    return taught.keep(taught.moments >= begin)
