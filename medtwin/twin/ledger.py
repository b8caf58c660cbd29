"""Every forecast kept, and held against what then happened: the twin's own track record."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.maths.scoring import crps_quantiles
from medtwin.record.codes import Code
from medtwin.record.record import Record
from medtwin.twin.forecast import Forecast

levels = tuple(k / 20 for k in range(1, 20))
"""The quantiles an entry keeps: they hold the 50, 80 and 90 % intervals and give the CRPS."""

near = 150.0
"""A forecast is scored by the reading closest to its due time, at most so many seconds away."""


@dataclass(frozen=True)
class LedgerEntry:
    """One forecast for one moment, as it was made; later also what was measured.

    `horizon` is in minutes from `made` to `due`; `quantiles` are those of `levels`; `mean`,
    `spread` (sd), `quantiles`, `measured` and `crps` are in the code's unit. `measured` is None
    until reality arrived.
    """

    patient: str
    code: Code
    by: str
    made: datetime
    due: datetime
    horizon: float
    quantiles: tuple[float, ...]
    mean: float
    spread: float
    measured: float | None = None
    crps: float | None = None


@dataclass(frozen=True)
class Honesty:
    """How forecasts did: how many, how far off, and how often each interval held what came.

    `cover50`, `cover80`, `cover90` are fractions; `rmse`, `bias` (mean of forecast minus
    measured) and `crps` in the code's unit; `since` is the time of the first of them.
    """

    n: int
    rmse: float
    bias: float
    crps: float
    cover50: float
    cover80: float
    cover90: float
    since: datetime


@dataclass(frozen=True)
class Track:
    """A track record: over everything scored, by horizon (minutes), and day by day."""

    overall: Honesty | None
    horizons: dict[float, Honesty]
    days: dict[datetime, Honesty]
    waiting: int


def entries(ahead: Forecast, made: datetime) -> tuple[LedgerEntry, ...]:
    """A forecast as ledger entries, one for each of its times after `made`."""
    kept = np.quantile(ahead.paths, levels, axis=1).T
    means, spreads = ahead.paths.mean(axis=1), ahead.paths.std(axis=1)
    return tuple(
        LedgerEntry(
            patient=ahead.patient,
            code=ahead.code,
            by=ahead.by,
            made=made,
            due=due,
            horizon=(due - made).total_seconds() / 60,
            quantiles=tuple(map(float, kept[i])),
            mean=float(means[i]),
            spread=float(spreads[i]),
        )
        for i, due in enumerate(ahead.times)
        if due > made
    )


def score(kept: Sequence[LedgerEntry], record: Record) -> tuple[LedgerEntry, ...]:
    """The entries, those scored whose due time the record now covers; the others as they were."""
    return tuple(e if e.measured is not None else scored(e, record) for e in kept)


def scored(entry: LedgerEntry, record: Record) -> LedgerEntry:
    """This entry held against the reading nearest its due time; itself while there is none."""
    seen = record[entry.code].current
    due = entry.due.timestamp()
    low, high = np.searchsorted(seen.at, [due - near, due + near + 1e-6])
    if low == high:
        return entry
    close = low + int(np.argmin(np.abs(seen.at[low:high] - due)))
    measured = float(seen.value[close])
    told = np.array([entry.quantiles])
    crps = float(crps_quantiles(told, levels, np.array([measured]))[0])
    return replace(entry, measured=measured, crps=crps)


def track(kept: Iterable[LedgerEntry]) -> Track:
    """What the scored entries say, overall, by horizon and by day (UTC)."""
    everything = list(kept)
    done = [e for e in everything if e.measured is not None]
    return Track(
        overall=honesty(done) if done else None,
        horizons=_grouped(done, lambda e: round(e.horizon)),
        days=_grouped(done, lambda e: e.due.replace(hour=0, minute=0, second=0, microsecond=0)),
        waiting=len(everything) - len(done),
    )


def honesty(done: Sequence[LedgerEntry]) -> Honesty:
    """The scores of entries that all have their measurement; at least one."""
    measured = np.array([e.measured for e in done], dtype=float)
    off = np.array([e.mean for e in done]) - measured
    told = np.array([e.quantiles for e in done])
    return Honesty(
        n=len(done),
        rmse=float(np.sqrt(np.mean(off**2))),
        bias=float(np.mean(off)),
        crps=float(np.mean(np.array([e.crps for e in done], dtype=float))),
        cover50=_inside(told, measured, 0.5),
        cover80=_inside(told, measured, 0.8),
        cover90=_inside(told, measured, 0.9),
        since=min(e.made for e in done),
    )


def recent(kept: Iterable[LedgerEntry], now: datetime, days: float) -> tuple[LedgerEntry, ...]:
    """The entries made in the last so many days."""
    return tuple(e for e in kept if now - timedelta(days=days) <= e.made <= now)


def _inside(told: Float[np.ndarray, "entry level"], measured: np.ndarray, cover: float) -> float:
    low = levels.index(round((1 - cover) / 2, 2))
    inside = (told[:, low] <= measured) & (measured <= told[:, -1 - low])
    return float(inside.mean())


def _grouped(done: Sequence[LedgerEntry], key: Callable[[LedgerEntry], Any]) -> dict[Any, Honesty]:
    return {k: honesty(list(g)) for k, g in groupby(sorted(done, key=key), key=key)}
