"""One person's last days lived again: every forecast through the loop, none knowing the future."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from medtwin.engine.model import Model
from medtwin.learning.readings import Moments
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record, facts, moment
from medtwin.twin.forecast import compare
from medtwin.twin.honest import Stretch, learned, stretched
from medtwin.twin.ledger import LedgerEntry, entries, levels
from medtwin.twin.loop import Following, Head, follow, look_ahead, spoken
from medtwin.twin.mix import Weights, mechanism
from medtwin.twin.personal import Personal
from medtwin.twin.twin import Twin, born

warm_up = timedelta(days=3)
members = 4  # versions of one person followed; their spread is the doubt of the personal fit
asked_each = 96  # what one unit would do is asked once for so many forecasts: about once a day


@dataclass(frozen=True)
class Spoken:
    """What one voice said at each moment for each horizon: its mean and its quantiles."""

    mean: Float[np.ndarray, "moment horizon"]
    quantiles: Float[np.ndarray, "moment horizon level"]


@dataclass(frozen=True)
class Voice:
    """The statistical heads of one scenario, how much each counts, and how far this person's
    intervals were to be stretched before."""

    heads: tuple[Head, ...]
    weights: Weights
    stretch: Stretch = field(default_factory=Stretch)


@dataclass(frozen=True)
class Effect:
    """What one unit of insulin does, as a share of the correction factor, at each asking."""

    share: Float[np.ndarray, "asking horizon"]


def normal(
    mean: Float[np.ndarray, "moment horizon"], spread: Float[np.ndarray, "moment horizon"]
) -> Spoken:
    """A normal forecast by its quantiles."""
    return Spoken(mean, mean[..., None] + spread[..., None] * norm.ppf(levels))


def lived(
    record: Record,
    plan: Record,
    model: Model[Any],
    personal: Personal | None,
    moments: Moments,
    unannounced: Voice,
    announced: Voice,
) -> tuple[Mapping[tuple[str, str], Spoken], Effect]:
    """Both scenarios, forecast by forecast: (scenario, voice) to what was said.

    The person is followed by `follow` itself, from three days before the first moment; the
    scenario with plans asks the same twin once more, told what `plan` holds for the horizon.
    Intervals learn from the forecasts shown that have come due (`honest`).
    """
    start = moment(moments[0]) - warm_up
    twin = born(
        record.patient, model, start, record.known(by=moment(moments[0])), 0, members, personal
    )
    known = Record(record.patient, {c: s.by(start.timestamp()) for c, s in record.columns.items()})
    following = Following(known, (twin,), unannounced.heads)
    stretch = unannounced.stretch
    coming, planned = _by_known(record, start), _by_at(plan)
    when, at = np.array([o.known.timestamp() for o in coming]), _times(planned)
    kept: dict[tuple[str, str], list[list[LedgerEntry]]] = {}
    effects, done = [], 0
    for i, t in enumerate(moments):
        now, upto = moment(t), int(np.searchsorted(when, t, side="right"))
        following = replace(following, weights=stretched(unannounced.weights, stretch))
        following, _, scored = follow(following, coming[done:upto], now)
        stretch, done = learned(stretch, scored), upto
        _keep(kept, "unannounced", [e for e in following.waiting if e.made == now])
        told = replace(announced, weights=stretched(announced.weights, stretch))
        a, b = np.searchsorted(at, [t, t + following.ahead.total_seconds()], side="right")
        _keep(kept, "planned_meals", _under(following, told, now, planned[a:b]))
        if i % asked_each == 0:
            effects.append(of_one_unit(following.twin, announced.weights.horizons))
    return {key: _spoken(rows) for key, rows in kept.items()}, Effect(np.array(effects))


def of_one_unit(twin: Twin, horizons: Sequence[float]) -> list[float]:
    """How far one unit now lowers glucose, as a share of 1700 / daily insulin (Davidson 2008)."""
    now = moment(twin.at)
    unit = Observation(now, codes.insulin_bolus, 1.0, "what if", now)
    times = [now + timedelta(minutes=h) for h in horizons]
    lowered = -compare(twin, codes.glucose, times, (), (unit,)).middle
    names = list(twin.model.parameters.__dataclass_fields__)
    daily = float(twin.parameters[names.index("daily_insulin")].mean())
    return list(lowered / (1700 / daily))


def _under(
    following: Following, voice: Voice, now: datetime, plan: Sequence[Observation]
) -> list[LedgerEntry]:
    told = replace(following, heads=voice.heads, weights=voice.weights)
    seen, said = look_ahead(told, following.twin, now, plan)
    ours = spoken(following.twin, following.code, said[0], now)
    asked = [e for e in entries(seen, now) if round(e.horizon) in voice.weights.horizons]
    return [*ours, *asked]


def _keep(
    kept: dict[tuple[str, str], list[list[LedgerEntry]]], scenario: str, said: list[LedgerEntry]
) -> None:
    for by in (mechanism, "shown"):
        kept.setdefault((scenario, by), []).append([e for e in said if e.by == by])


def _spoken(rows: list[list[LedgerEntry]]) -> Spoken:
    mean = np.array([[e.mean for e in row] for row in rows])
    return Spoken(mean, np.array([[e.quantiles for e in row] for row in rows]))


def _by_known(record: Record, after: datetime) -> list[Observation]:
    late = (
        o for c, s in record.columns.items() for o in facts(c, s.keep(s.known > after.timestamp()))
    )
    return sorted(late, key=lambda o: o.known)


def _by_at(plan: Record) -> list[Observation]:
    return sorted((o for c, s in plan.columns.items() for o in facts(c, s)), key=lambda o: o.at)


def _times(planned: Sequence[Observation]) -> Float[np.ndarray, " fact"]:
    return np.array([o.at.timestamp() for o in planned])
