"""Plans that react: a dose by what the sensor shows, a therapy that a marker switches on and off.

Between two decisions everybody is carried on by the engine as under any plan; at a decision the
rule sees what a sensor would show and what is running, and answers with what to give. A rule
needs no memory of its own: whether a therapy is on can be seen in what runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model
from medtwin.engine.schedule import Chance, Changed, Given, Schedule, schedule
from medtwin.engine.simulate import Simulated, advance, named, parameter_array
from medtwin.maths.keyed import uniforms
from medtwin.record.codes import Code

Told = Mapping[Code, Float[np.ndarray, " member"]]
Rule = Callable[[float, Told, Told], Sequence[Given | Changed]]
"""`decide(t, shown, running)`: what to give, once the sensor has shown and while rates run."""

sensor_purpose = 0x5E25


@dataclass(frozen=True)
class Reacted:
    """Everybody's course, and what was decided at each time, in order."""

    course: Simulated
    decided: tuple[tuple[float, tuple[Given | Changed, ...]], ...]


class TooLate(ValueError):
    """A rule decided to give something in the past."""


def reacting(
    model: Model[Any],
    p: Any,
    x0: Sequence[Any] | Float[np.ndarray, "state *member"] | None,
    events: Sequence[Given | Changed],
    times: Sequence[float] | Float[np.ndarray, " time"],
    decide: Rule,
    every: float,
    step: float | None = None,
    chance: Chance | None = None,
    sensor: int | None = None,
) -> Reacted:
    """Everybody's course where `decide` is asked at the first of `times` and `every` so long.

    `events` are what is given whatever happens; times are in the model's own unit. What the rule
    sees is exact, or with a seed in `sensor` has each code's own noise: a member's noise at the
    n-th decision depends on the seed alone, so two rules see the same luck. `chance` is the
    body's own noise, as in `simulate`.
    Raises TooLate for a decision about the past, else as `simulate` does.
    """
    if not every > 0:
        raise ValueError(f"a decision every {every} {model.clock}; more than 0 is allowed")
    told = parameter_array(model, p)
    x, told = _everybody(model, told, x0, events, chance)
    members = x.shape[1]
    u = np.zeros((len(model.channels), members))
    clock = np.asarray(times, float)
    asked = np.arange(clock[0], clock[-1], every)
    waiting = schedule(model, events)
    shown, decided = {}, []
    grid = np.union1d(clock, asked)
    turns = {float(t): n for n, t in enumerate(asked)}
    for t, then in zip(grid, [*grid[1:], grid[-1]], strict=True):
        now = advance(model, x, told, t, t, u, (), step, chance)
        shown[float(t)] = now.shown[0]
        if float(t) in turns:
            seen = _seen(model, now.shown[0], turns[float(t)], sensor)
            running = dict(zip(model.channels, u, strict=True))
            given = tuple(decide(float(t), seen, running))
            waiting = _more(waiting, _in_time(model, given, float(t)), members)
            decided.append((float(t), given))
        if then > t:
            due, waiting = _until(waiting, then)
            done = advance(model, x, told, t, then, u, due, step, chance)
            x, u = done.states, done.rates
            told = np.broadcast_to(done.parameters, (len(told), members)).copy()
    course = np.stack([shown[float(t)] for t in clock])
    return Reacted(Simulated(clock, shown_codes(model), course, x, u, told), tuple(decided))


def _everybody(
    model: Model[Any],
    p: np.ndarray,
    x0: Any,
    events: Sequence[Given | Changed],
    chance: Chance | None,
) -> tuple[np.ndarray, np.ndarray]:
    """States and parameters, a column for each member that anything differs for."""
    rest = x0 if x0 is not None else model.start(named(model, p))
    x = np.stack(np.broadcast_arrays(*rest)).reshape(len(model.states), -1)
    plan = schedule(model, events)
    members = max(x.shape[1], p.shape[1], plan.at.shape[1], plan.amount.shape[1])
    members = max(members, 1 if chance is None else chance.members)
    wide = [np.array(np.broadcast_to(a, (len(a), members)), float) for a in (x, p)]
    return wide[0], wide[1]


def _seen(
    model: Model[Any], shown: np.ndarray, turn: int, sensor: int | None
) -> dict[Code, np.ndarray]:
    """What the sensor shows: the truth, or with each code's own noise."""
    codes = shown_codes(model)
    if sensor is None:
        return dict(zip(codes, shown, strict=True))
    noisy = {}
    for k, (code, value) in enumerate(zip(codes, shown, strict=True)):
        a, b = uniforms(sensor, np.arange(len(value)), turn, sensor_purpose + k)
        noisy[code] = value + code.noise * np.sqrt(-2 * np.log(a)) * np.cos(2 * np.pi * b)
    return noisy


def _in_time(model: Model[Any], given: Sequence[Given | Changed], now: float) -> Schedule:
    for one in given:
        if np.any(np.asarray(one.at) < now):
            what = one.code.name if isinstance(one, Given) else one.parameter
            raise TooLate(
                f"at {now:g} {model.clock} it was decided to give {what} at {np.min(one.at):g}; "
                f"only now or later is possible"
            )
    return schedule(model, given)


def _more(waiting: Schedule, new: Schedule, members: int) -> Schedule:
    """Everything that waits, in time order for each member."""
    if not len(new.at):
        return waiting

    def wide(name: str) -> np.ndarray:
        both = (getattr(s, name) for s in (waiting, new))
        return np.concatenate([np.broadcast_to(a, (len(a), members)) for a in both])

    at, what, amount = wide("at"), wide("what"), wide("amount")
    order = np.argsort(at, axis=0, kind="stable")
    return Schedule(*(np.take_along_axis(a, order, 0) for a in (at, what, amount)))


def _until(waiting: Schedule, end: float) -> tuple[Schedule, Schedule]:
    """What is due before `end`, and what goes on waiting."""
    shape = np.broadcast_shapes(waiting.at.shape, waiting.amount.shape, waiting.what.shape)
    at, what, amount = (
        np.broadcast_to(a, shape) for a in (waiting.at, waiting.what, waiting.amount)
    )
    due = at < end
    rows = slice(0, int(due.sum(axis=0).max(initial=0)))
    first = Schedule(np.where(due, at, np.inf)[rows], what[rows], amount[rows])
    left = np.any(~due & np.isfinite(at), axis=1)
    rest = Schedule(np.where(due, np.inf, at)[left], what[left], amount[left])
    order = np.argsort(rest.at, axis=0, kind="stable")
    sorted_rest = (np.take_along_axis(a, order, 0) for a in (rest.at, rest.what, rest.amount))
    return first, Schedule(*sorted_rest)
