"""What the glucose readings up to a moment say: level, trend, spread, gaps, the usual day."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from medtwin.record.record import Series

Moments = Float[np.ndarray, " moment"]
Named = tuple[str, Moments]

minute, hour, day = 60.0, 3600.0, 86400.0
lags = (5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 75, 90, 105, 120, 150, 180, 240)
windows = (1, 2, 3, 6, 12, 24, 72, 168)


def in_time(series: Series) -> Series:
    """In the order it was true; corrections stay beside what they correct."""
    return series.keep(np.lexsort((series.known, series.at)))


def latest(series: Series, limit: Moments, moments: Moments) -> Int[np.ndarray, " moment"]:
    """Which row was the last to be true by `limit` among those known at each moment (-1: none).

    `series` is in the order it was true. Rows not yet known are stepped over, so a fact
    learned late plays no part before it was learned.
    """
    i = np.searchsorted(series.at, limit, side="right") - 1
    while (late := (i >= 0) & (series.known[np.maximum(i, 0)] > moments)).any():
        i = i - late
    return i


def value_at(series: Series, limit: Moments, moments: Moments, oldest: float) -> Moments:
    """The last known reading by `limit`, unless it is older than `oldest` seconds (then NaN)."""
    if not len(series):
        return np.full(len(moments), np.nan)
    i = latest(series, limit, moments)
    found = np.maximum(i, 0)
    fresh = (i >= 0) & (limit - series.at[found] <= oldest)
    return np.where(fresh, series.value[found], np.nan)


def said_by_readings(readings: Series, moments: Moments) -> Iterator[Named]:
    """Everything a head is told about glucose so far, by name (mg/dL, minutes)."""
    seen = in_time(readings)
    now = value_at(seen, moments, moments, hour)
    yield "glucose", now
    yield "age of reading", _age(seen, moments)
    yield from _trend(seen, moments, now)
    yield from _windows(seen, moments, now)
    yield from _usual_day(seen, moments)


def _age(seen: Series, moments: Moments) -> Moments:
    if not len(seen):
        return np.full(len(moments), np.nan)
    i = latest(seen, moments, moments)
    return np.where(i >= 0, (moments - seen.at[np.maximum(i, 0)]) / minute, np.nan)


def _trend(seen: Series, moments: Moments, now: Moments) -> Iterator[Named]:
    ago = {m: value_at(seen, moments - m * minute, moments, 7.5 * minute) for m in lags}
    for m in lags:
        yield f"change over {m} min", now - ago[m]
    yield "bend over 10 min", now - 2 * ago[5] + ago[10]
    yield "bend over 30 min", now - 2 * ago[15] + ago[30]
    yield "bend over 60 min", now - 2 * ago[30] + ago[60]
    yield "slope over 15 min", _slope([now, *(ago[m] for m in (5, 10, 15))])
    yield "slope over 30 min", _slope([now, *(ago[m] for m in (5, 10, 15, 20, 25, 30))])


def _slope(newest_first: list[Moments]) -> Moments:
    """Least-squares slope of evenly spaced readings, per step."""
    place = (len(newest_first) - 1) / 2 - np.arange(len(newest_first))
    return place @ np.stack(newest_first) / (place @ place)


def _windows(seen: Series, moments: Moments, now: Moments) -> Iterator[Named]:
    for hours in windows:
        n, total, squares = _sums(seen, moments, hours * hour)
        n = np.where(n > 0, n, np.nan)
        mean = total / n
        yield f"above mean of {hours} h", now - mean
        yield f"spread over {hours} h", np.sqrt(np.maximum(squares / n - mean**2, 0))
        if hours in (3, 24):
            yield f"readings in {hours} h", np.nan_to_num(n)
        if hours == 72:
            yield "mean of 72 h", mean


def _sums(seen: Series, moments: Moments, seconds: float) -> Float[np.ndarray, "3 moment"]:
    """Count, sum and sum of squares of the readings known at each moment, so many seconds back.

    Readings known at once are summed by differences of running sums; for the others each
    moment asks each reading whether it was known by then.
    """
    prompt = seen.known <= seen.at
    told, late = seen.keep(prompt), seen.keep(~prompt)
    running = np.zeros((3, len(told) + 1))
    running[:, 1:] = np.cumsum(np.stack([told.value**power for power in range(3)]), axis=1)
    begin, end = (np.searchsorted(told.at, t, side="right") for t in (moments - seconds, moments))
    return running[:, end] - running[:, begin] + _late_sums(late, moments, seconds)


def _late_sums(late: Series, moments: Moments, seconds: float) -> Float[np.ndarray, "3 moment"]:
    sums = np.zeros((3, len(moments)))
    for m, moment in enumerate(moments if len(late) else ()):
        known = (late.known <= moment) & (late.at <= moment) & (late.at > moment - seconds)
        sums[:, m] = [np.sum(late.value[known] ** power) for power in range(3)]
    return sums


def _usual_day(seen: Series, moments: Moments) -> Iterator[Named]:
    """The last seven days at this hour and a little later, against this hour."""
    then = _past_days(seen, moments, 0)
    with np.errstate(invalid="ignore"):
        for ahead in (30, 60, 120):
            later = _past_days(seen, moments, ahead) - then
            known = np.isfinite(later)
            days = known.sum(axis=0)
            rise = np.where(known, later, 0).sum(axis=0)
            yield f"usual change in {ahead} min", np.where(days > 0, rise / days, np.nan)
            yield f"yesterday's change in {ahead} min", later[0]


def _past_days(seen: Series, moments: Moments, ahead: float) -> Float[np.ndarray, "day moment"]:
    past = (moments + ahead * minute - d * day for d in range(1, 8))
    return np.stack([value_at(seen, t, moments, 15 * minute) for t in past])
