"""What was injected and eaten up to a moment, and how much of it is still to act."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from medtwin.learning.readings import Moments, Named, hour, in_time, latest, minute
from medtwin.record.record import Series

Table = Float[np.ndarray, "_ _"]  # moment, event
Column = Float[np.ndarray, " _"]  # moment
together = 288  # moments worked on at once: a day of readings
insulin_peaks = (45.0, 70.0)
gut_peaks = (25.0, 50.0)
bolus_windows = (0, 10, 20, 30, 45, 60, 90, 120, 180, 240, 360)
correction_windows = (0, 30, 60, 120, 240)
since_cap = 600.0


def left(age: Table, peak: float) -> Table:
    """The share of a dose still to act `age` minutes after it, its action peaking at `peak`.

    Two equal compartments in a row: the curve of the reduced glucose models (and close to
    the exponential insulin curves of automated pumps).
    """
    steps = np.maximum(age, 0) / peak
    return (1 + steps) * np.exp(-steps)


def acting(age: Table, peak: float) -> Table:
    """The share of a dose that acts per minute, `age` minutes after it."""
    steps = np.maximum(age, 0) / peak
    return steps / peak * np.exp(-steps)


def said_by_events(
    name: str,
    events: Series,
    moments: Moments,
    peaks: tuple[float, ...],
    windows: tuple[int, ...] = bolus_windows,
) -> Iterator[Named]:
    """Amounts by age, amount still to act, what will act soon, and the last one."""
    blocks = [_block(in_time(events), moments[i : i + together]) for i in _starts(moments)]
    for begin, end in pairwise(windows):
        yield f"{name} {begin} to {end} min ago", _each(blocks, _between, begin, end)
    for peak in peaks:
        board = _each(blocks, _to_act, 0.0, peak)
        yield f"{name} to act ({peak:g})", board
        yield f"{name} acting ({peak:g})", _each(blocks, _acting, peak)
        for ahead in (30, 60, 120):
            later = _each(blocks, _to_act, float(ahead), peak)
            yield f"{name} acting in {ahead} min ({peak:g})", board - later
    yield f"{name} in 24 h", _each(blocks, _between, 0, 24 * 60 + 1)
    yield f"minutes since {name}", _each(blocks, _since)
    yield f"last {name}", _each(blocks, _last)


def _starts(moments: Moments) -> range:
    return range(0, len(moments), together)


def _block(events: Series, moments: Moments) -> tuple[Table, Table]:
    """Age (minutes) and amount of each event of the last 24 h; 0 where not yet known."""
    begin = np.searchsorted(events.at, moments[0] - 24 * hour)
    end = np.searchsorted(events.at, moments[-1], side="right")
    near = events.keep(slice(int(begin), int(end)))
    age = (moments[:, None] - near.at) / minute
    seen = (age >= 0) & (age <= 24 * 60) & (near.known <= moments[:, None])
    return np.where(seen, age, since_cap), np.where(seen, near.value, 0.0)


def _each(blocks: list[tuple[Table, Table]], count: Callable[..., Column], *how: float) -> Column:
    return np.concatenate([count(age, amount, *how) for age, amount in blocks])


def _between(age: Table, amount: Table, begin: float, end: float) -> Column:
    return (amount * ((age >= begin) & (age < end))).sum(axis=1)


def _to_act(age: Table, amount: Table, ahead: float, peak: float) -> Column:
    return (amount * left(age + ahead, peak)).sum(axis=1)


def _acting(age: Table, amount: Table, peak: float) -> Column:
    return (amount * acting(age, peak)).sum(axis=1)


def _since(age: Table, amount: Table) -> Column:
    return np.where(amount > 0, age, since_cap).min(axis=1, initial=since_cap)


def _last(age: Table, amount: Table) -> Column:
    if not age.shape[1]:
        return np.zeros(len(age))
    newest = np.where(amount > 0, age, np.inf).argmin(axis=1)
    return amount[np.arange(len(age)), newest]


def said_by_basal(basal: Series, moments: Moments) -> Iterator[Named]:
    """The last known basal rate (U/h) and its means; a running hour is unknown until it closes."""
    seen = basal.keep(np.argsort(basal.at, kind="stable"))
    means = {h: _mean_rate(seen, moments, h) for h in (1, 2, 3, 4, 6, 24)}
    rate, age = _last_rate(seen, moments)
    yield "basal", rate
    yield "age of basal", age
    for hours, mean in means.items():
        yield f"basal over {hours} h", mean
    yield "basal above its day", rate - means[24]
    yield "basal of 2 h above its day", means[2] - means[24]


def _last_rate(seen: Series, moments: Moments) -> tuple[Moments, Moments]:
    if not len(seen):
        return np.full(len(moments), np.nan), np.full(len(moments), np.nan)
    i = latest(seen, moments, moments)
    row = np.maximum(i, 0)
    age = np.where(i >= 0, np.minimum((moments - _ends(seen)[row]) / minute, since_cap), np.nan)
    return np.where((i >= 0) & (age < 300), seen.value[row], np.nan), age


def _ends(seen: Series) -> Moments:
    return seen.at if seen.until is None else np.where(np.isnan(seen.until), seen.at, seen.until)


def _mean_rate(seen: Series, moments: Moments, hours: int) -> Moments:
    parts = [_mean_of(seen, moments[i : i + together], hours) for i in _starts(moments)]
    return np.concatenate(parts)


def _mean_of(seen: Series, moments: Column, hours: int) -> Column:
    begin = np.searchsorted(seen.at, moments[0] - (hours + 26) * hour)
    end = np.searchsorted(seen.at, moments[-1], side="right")
    near = seen.keep(slice(int(begin), int(end)))
    t = moments[:, None]
    overlap = np.minimum(_ends(near), t) - np.maximum(near.at, t - hours * hour)
    held = np.maximum(overlap, 0) * (near.known <= t)
    total = held.sum(axis=1)
    return np.where(total > 0, held @ near.value / np.maximum(total, 1), np.nan)
