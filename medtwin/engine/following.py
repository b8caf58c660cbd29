"""Follow one person's readings with an ensemble: carry, compare, correct, all in one call."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.kernel import compiled
from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.engine.schedule import Plan, Schedule, schedule
from medtwin.maths.compiled import one_at_a_time
from medtwin.record.codes import Code

worth_sharing = 1024
"""Members from which several processors carry them; fewer are done before the others have woken."""


@dataclass(frozen=True)
class Readings:
    """What a sensor said, at which times; NaN where it said nothing; and each value's error."""

    code: Code
    times: Float[np.ndarray, " time"]
    values: Float[np.ndarray, " time"]
    noise: Float[np.ndarray, " time"]


@dataclass(frozen=True)
class Followed:
    """The ensemble after the last reading, and what it had expected before each.

    `forecast` is what each member expected to be read. `replaced` counts the members that had
    gone out of bounds and were put back as a copy of a healthy one, reading by reading.
    """

    states: Float[np.ndarray, "state member"]
    parameters: Float[np.ndarray, "parameter member"]
    rates: Float[np.ndarray, "channel member"]
    forecast: Float[np.ndarray, "time member"]
    replaced: Int[np.ndarray, " time"]


def follow(
    model: Model[Any],
    states: Float[np.ndarray, "state member"],
    parameters: Float[np.ndarray, "parameter member"],
    rates: Float[np.ndarray, "channel member"],
    begin: float,
    readings: Readings,
    events: Plan,
    learned: Sequence[str],
    rng: np.random.Generator,
    dtype: Any = np.float64,
) -> Followed:
    """The ensemble carried from `begin` through every reading, learning from each.

    States and the logarithms of the `learned` parameters move together (ensemble Kalman
    update, `maths.enkf`); states stay at or above zero, parameters within their bounds.
    What is given comes at times that are the same for every member; amounts may differ.
    Steps are the model's own; where it has a `pace`, longer in the same measure once nothing
    has been given for as long. Many members are carried by all processors, with the same bits.
    Raises ValueError for an unknown parameter, a reading before `begin`, or times that differ.
    """
    plan = events if isinstance(events, Schedule) else schedule(model, events)
    _fits(model, plan, readings, begin, learned)
    kernel, members = compiled(model, dtype), states.shape[1]
    kind = kernel.dtype
    which = np.array([parameter_names(model).index(n) for n in learned], np.int64)
    told = _own(parameters, members, kind)
    belief = np.vstack([_own(states, members, kind), np.log(told[which])])
    running = _own(rates, members, kind)
    low, high = _bounds(model, learned, kind)
    shaken = _shaken(model, len(readings.times), members, rng).astype(kind)
    draws = rng.standard_normal((len(readings.times), members))
    forecast = np.empty((len(readings.times), members), kind)
    replaced = np.zeros(len(readings.times), np.int64)
    given = (
        *(float(begin), model.step, belief, told, running, which, low, high),
        *(plan.at, plan.what, plan.amount.astype(kind), readings.times),
        *(shown_codes(model).index(readings.code), readings.values, readings.noise),
        *(draws, shaken, forecast, replaced),
    )
    if members >= worth_sharing:
        with one_at_a_time:  # numba's thread pool is not to be entered by two threads
            kernel.module.follow_together(*given)
    else:
        kernel.module.follow(*given)
    return Followed(belief[: len(model.states)], told, running, forecast, replaced)


def _own(a: np.ndarray, members: int, kind: np.dtype[Any]) -> np.ndarray:
    """A copy of our own, a column for each member."""
    return np.array(np.broadcast_to(a.reshape(len(a), -1), (len(a), members)), kind, order="C")


def _bounds(
    model: Model[Any], learned: Sequence[str], kind: np.dtype[Any]
) -> tuple[np.ndarray, np.ndarray]:
    told = {f.name: f.metadata for f in fields(model.parameters)}
    low = np.array([told[n]["low"] for n in learned], kind)
    return low, np.array([told[n]["high"] for n in learned], kind)


def _shaken(model: Model[Any], times: int, members: int, rng: np.random.Generator) -> np.ndarray:
    """Draws for the model's own noise, if it has any."""
    if model.noise is None:
        return np.zeros((1, 1, 1))
    return rng.standard_normal((times, len(model.states), members))


def _fits(
    model: Model[Any], plan: Schedule, readings: Readings, begin: float, learned: Sequence[str]
) -> None:
    unknown = set(learned) - set(parameter_names(model))
    if unknown:
        raise ValueError(f"{model.name} has no parameter {', '.join(sorted(unknown))}")
    if plan.at.shape[1] > 1:
        raise ValueError("what is given must come at the same times for every member")
    if np.any(np.diff(readings.times) < 0) or np.any(readings.times < begin):
        raise ValueError(f"readings must be in time order and not before {begin:g}")
    if plan.at.size and plan.at.min() < begin:
        raise ValueError(f"something is given before {begin:g}; begin earlier")
    if not np.all(readings.noise > 0):
        raise ValueError("a reading's noise must be above 0")
