"""Fit the model to one person's past days, as far as those days tell more than the population.

The score is the CRPS of forecasts made along the way, at several horizons, nothing announced;
the prior draws towards the population, and physiology's bounds hold. Forecast loss does not
identify what a dose does (in closed loop, insulin follows glucose), so that the effect of
insulin is left to the bounds and then checked.

Gneiting et al. (2005), Mon Weather Rev 133:1098 (minimum CRPS estimation); L-BFGS-B: Byrd et al.
(1995), SIAM J Sci Comput 16:1190.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from medtwin.engine.model import Model
from medtwin.maths.kalman import Events, foretold, origin, reading
from medtwin.maths.scoring import crps_normal
from medtwin.record.record import Record, moment
from medtwin.twin.exact import belief, lines, system
from medtwin.twin.personal import Personal
from medtwin.twin.timeline import events, of_record
from medtwin.twin.twin import Twin, at_rest

horizons = np.array([30.0, 60.0, 90.0, 120.0])
every = 45 * 60.0
warm = 12 * 3600.0
most_days = 28.0
least_days = 2.0
from_data = "fit to"
"""A parameter whose source begins so came from data and is re-fitted; physiology's are not."""

worth = 12.0
"""How many independent judgements a day of forecasts is worth against the prior."""


class TooLittle(ValueError):
    """There are too few days of readings to fit anything."""


@dataclass(frozen=True)
class Scale:
    """A parameter on the scale of its prior: 0 is the population's median, 1 its spread."""

    name: str
    centre: float
    spread: float
    low: float
    high: float
    signed: bool

    def value(self, z: Any) -> Any:
        """The parameter's own value at z."""
        moved = self.centre + self.spread * z
        return np.clip(moved if self.signed else np.exp(moved), self.low, self.high)

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which z physiology allows."""
        return self._z(self.low, -6.0), self._z(self.high, 6.0)

    def _z(self, edge: float, far: float) -> float:
        if not np.isfinite(edge) or (edge <= 0 and not self.signed):
            return far
        at = edge if self.signed else np.log(edge)
        return float(np.clip((at - self.centre) / self.spread, -6.0, 6.0))


@dataclass(frozen=True)
class Days:
    """Past days laid out for judging: what happened, where to look ahead from, what then came."""

    twin: Twin
    happened: Events
    measured: Float[np.ndarray, "origin horizon"]
    days: float


def refit(
    record: Record,
    model: Model[Any],
    until: datetime,
    prior: Mapping[str, tuple[float, float]] | None = None,
    iterations: int = 14,
) -> Personal:
    """The person's own parameters from what was known by `until`, with their provenance.

    `prior` may replace a parameter's population median and spread (on the prior's scale).
    Raises TooLittle where fewer than two days of readings are known.
    """
    scales = learnable(model, record.known(by=until), prior)
    days = laid_out(record, model, until)
    population = np.zeros(len(scales))
    found = minimize(
        lambda z: slope(days, scales, z),
        population,
        jac=True,
        method="L-BFGS-B",
        bounds=[s.bounds for s in scales],
        options={"maxiter": iterations, "maxfun": iterations + 6},
    )
    before, after = scores(days, scales, np.stack([population, found.x]))
    return _personal(days, scales, found.x, float(before), float(after))


def learnable(
    model: Model[Any], record: Record, prior: Mapping[str, tuple[float, float]] | None = None
) -> tuple[Scale, ...]:
    """The parameters that past days may move: those whose median came from data of other people,
    not from physiology. What the record tells of one of them stands in for the median."""
    told = {} if model.personal is None else model.personal(record)
    scales = []
    for f in fields(model.parameters):
        m, signed = f.metadata, "sd" in f.metadata
        spread = m["sd"] if signed else float(np.sqrt(np.log1p(m["cv"] ** 2)))
        if spread > 0 and m["source"].startswith(from_data):
            typical: Any = told.get(f.name, f.default)
            centre = typical if signed else float(np.log(typical))
            centre, spread = (prior or {}).get(f.name, (centre, spread))
            scales.append(Scale(f.name, centre, spread, m["low"], m["high"], signed))
    return tuple(scales)


def laid_out(record: Record, model: Model[Any], until: datetime) -> Days:
    """The last days known by `until`, with an origin at every so many minutes of readings."""
    by = until.timestamp()
    first = by - most_days * 86400
    timeline = of_record(model, record, first, by)
    seen = timeline.at[timeline.kind == reading]
    if len(seen) < 288 * least_days / 2:
        raise TooLittle(
            f"{record.patient} has {len(seen)} readings in the last {most_days:g} days before "
            f"{until}; a fit needs {144 * least_days:g}; go on with the population's values"
        )
    timeline = timeline.keep(timeline.at >= seen[0])
    start = replace(at_median(record, model, until), at=float(timeline.at[0]))
    happened, _ = events(timeline, start.ends)
    values = timeline.amount[timeline.kind == reading]
    at = _origins(seen)
    measured = np.stack([_nearest(seen, values, at + 60 * h) for h in horizons], axis=1)
    known = np.isfinite(measured).any(axis=1)
    return Days(start, _marked(happened, at[known]), measured[known], (seen[-1] - seen[0]) / 86400)


def scores(
    days: Days, scales: Sequence[Scale], z: Float[np.ndarray, "candidate parameter"]
) -> Float[np.ndarray, " candidate"]:
    """Each candidate's mean CRPS over the days, each horizon weighed by its usual size."""
    twin = candidates(days.twin, scales, z)
    middle, variance = foretold(
        *(system(twin.model), belief(twin), np.ascontiguousarray(twin.parameters.T)),
        lines(twin.model, twin.model.parameters(*twin.parameters), twin.members, True),
        *(days.happened, twin.at / 60, horizons),
    )
    spread, usual = np.sqrt(variance), np.sqrt(horizons / 60)
    told = np.nan_to_num(days.measured)
    missed = crps_normal(
        middle.ravel(), spread.ravel(), np.broadcast_to(told, middle.shape).ravel()
    )
    weight = np.isfinite(days.measured) / usual
    total = (missed.reshape(middle.shape) * weight).sum(axis=(1, 2))
    return total / weight.sum()


def slope(
    days: Days, scales: Sequence[Scale], z: Float[np.ndarray, " parameter"], step: float = 0.02
) -> tuple[float, Float[np.ndarray, " parameter"]]:
    """What to make small, and its slope: every candidate judged side by side."""
    judged = judge(days, scales, z + np.vstack([np.zeros(len(z)), step * np.eye(len(z))]))
    return float(judged[0]), (judged[1:] - judged[0]) / step


def judge(
    days: Days, scales: Sequence[Scale], z: Float[np.ndarray, "candidate parameter"]
) -> Float[np.ndarray, " candidate"]:
    """Log score weighed by the days, plus what leaving the population costs."""
    return worth * days.days * np.log(scores(days, scales, z)) + 0.5 * (z**2).sum(axis=1)


def candidates(
    twin: Twin, scales: Sequence[Scale], z: Float[np.ndarray, "candidate parameter"]
) -> Twin:
    """The twin at rest with these parameters, one member for each candidate."""
    names = [f.name for f in fields(twin.model.parameters)]
    p = np.repeat(twin.parameters, len(z), axis=1)
    for i, s in enumerate(scales):
        p[names.index(s.name)] = s.value(z[:, i])
    return at_rest(twin.patient, twin.model, twin.at, twin.model.parameters(*p), len(z), twin.seed)


def _personal(
    days: Days, scales: Sequence[Scale], z: np.ndarray, before: float, after: float
) -> Personal:
    h = 0.15
    both = np.vstack([np.zeros(len(z)), h * np.eye(len(z)), -h * np.eye(len(z))])
    judged = judge(days, scales, z + both)
    up, down = judged[1 : len(z) + 1], judged[len(z) + 1 :]
    bend = np.maximum((up - 2 * judged[0] + down) / h**2, 1.0)
    readings = int(np.sum(days.happened.kind == reading))
    minutes = days.happened.minutes
    return Personal(
        patient=days.twin.patient,
        model=days.twin.model.name,
        values={s.name: float(s.value(v)) for s, v in zip(scales, z, strict=True)},
        errors={s.name: float(s.spread / np.sqrt(b)) for s, b in zip(scales, bend, strict=True)},
        since=float(minutes[0] * 60),
        until=float(minutes[-1] * 60),
        facts=readings,
        before=before,
        after=after,
        because=(
            f"minimum CRPS over {readings} readings of {days.days:.1f} days until "
            f"{moment(minutes[-1] * 60):%d %B %Y}, drawn to the population of its model"
        ),
    )


def at_median(record: Record, model: Model[Any], until: datetime) -> Twin:
    """One member with the population's medians and what the record tells."""
    told = {} if model.personal is None else model.personal(record.known(by=until))
    p = model.parameters(**{f.name: np.full(1, f.default) for f in fields(model.parameters)})
    p = replace(p, **{name: np.full(1, v) for name, v in told.items()})
    return at_rest(record.patient, model, until.timestamp(), p, 1, 0)


def _origins(seen: Float[np.ndarray, " reading"]) -> Float[np.ndarray, " origin"]:
    """A reading of each `every` after the warm-up."""
    late = seen[seen >= seen[0] + warm]
    _, first = np.unique(late // every, return_index=True)
    return late[first]


def _nearest(at: np.ndarray, values: np.ndarray, due: np.ndarray) -> np.ndarray:
    """The reading within 2.5 min of each moment; NaN where there is none."""
    place = np.clip(np.searchsorted(at, due), 1, len(at) - 1)
    place = np.where(due - at[place - 1] < at[place] - due, place - 1, place)
    return np.where(np.abs(at[place] - due) <= 150, values[place], np.nan)


def _marked(happened: Events, at: Float[np.ndarray, " origin"]) -> Events:
    """The events, with an origin after everything else of its moment."""
    minutes = np.concatenate([happened.minutes, at / 60])
    kind = np.concatenate([happened.kind, np.full(len(at), origin)])
    which = np.concatenate([happened.which, np.zeros(len(at), np.int64)])
    amount = np.concatenate([happened.amount, np.zeros(len(at))])
    order = np.lexsort((np.arange(len(kind)), kind == origin, minutes))
    return Events(minutes[order], kind[order], which[order], amount[order])
