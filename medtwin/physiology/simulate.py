"""Run a model forward: one person, an ensemble, or a population, by the same call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.maths.compiled import one_at_a_time
from medtwin.physiology.kernel import Kernel, compiled
from medtwin.physiology.kernel_source import width
from medtwin.physiology.lane_source import parameter_names, shown_codes
from medtwin.physiology.model import Model
from medtwin.physiology.schedule import Given, Schedule, schedule
from medtwin.record.codes import Code

worth_sharing = 8 * width


class Unstable(ArithmeticError):
    """A member's states left every bound: the numbers are no longer those of a body."""


@dataclass(frozen=True)
class Simulated:
    """What a sensor shows of every member at every time, and where they all end.

    `shown` is in each code's own unit; `states` and `rates` are those at the last time, just
    before anything given at that very moment.
    """

    times: Float[np.ndarray, " time"]
    codes: tuple[Code, ...]
    shown: Float[np.ndarray, "time code member"]
    states: Float[np.ndarray, "state member"]
    rates: Float[np.ndarray, "channel member"]

    def of(self, code: Code) -> Float[np.ndarray, "time member"]:
        """The course of one code."""
        return self.shown[:, self.codes.index(code)]


def simulate(
    model: Model[Any],
    p: Any,
    x0: Sequence[Any] | Float[np.ndarray, "state *member"] | None,
    events: Sequence[Given] | Schedule,
    times: Sequence[float] | Float[np.ndarray, " time"],
    step: float | None = None,
    dtype: Any = np.float64,
) -> Simulated:
    """Everybody's course from the first of `times` to the last, under what is given.

    `p` is the model's parameters, each one number or one per member, or an array
    (parameter, member). `x0` are the states at the first time; None starts at rest
    (`model.start`). `step` defaults to the model's own; a closed form needs none. Times are in
    the model's own unit (`model.clock`, as a rule minutes). float64 for inference;
    float32 is exact enough for populations and twice as fast.
    Raises Unstable if a member's states leave every bound, NotTaken for what the model has
    no place for, ValueError where shapes or times do not fit.
    """
    kernel = compiled(model, dtype)
    told = parameter_array(model, p)
    states = np.stack(
        np.broadcast_arrays(*(x0 if x0 is not None else model.start(named(model, told))))
    )
    states = np.ascontiguousarray(states.reshape(len(model.states), -1), kernel.dtype)
    plan = events if isinstance(events, Schedule) else schedule(model, events)
    members = max(states.shape[1], told.shape[1], plan.at.shape[1], plan.amount.shape[1])
    clock = _clock(times, plan)
    still = np.zeros((len(model.channels), 1))
    return _run(kernel, told, _spread(states, members), still, plan, clock, step or model.step)


def advance(
    model: Model[Any],
    x: Float[np.ndarray, "state member"],
    p: Float[np.ndarray, "parameter member"],
    begin: float,
    end: float,
    u: Float[np.ndarray, "channel member"],
    events: Sequence[Given] | Schedule = (),
    step: float | None = None,
) -> Simulated:
    """An ensemble carried from `begin` to `end` with the rates `u` already running.

    Call it again with the answer's `states` and `rates`: what is given at `end` itself
    belongs to the next call. Raises as `simulate` does.
    """
    kernel = compiled(model)
    plan = events if isinstance(events, Schedule) else schedule(model, events)
    rates = np.asarray(u, float)
    rates = rates.reshape(len(model.channels), -1) if rates.size else np.zeros((0, 1))
    clock = _clock([begin, end], plan)
    states = np.ascontiguousarray(x, float)
    return _run(kernel, parameter_array(model, p), states, rates, plan, clock, step or model.step)


def _run(
    kernel: Kernel,
    p: np.ndarray,
    x: np.ndarray,
    u: np.ndarray,
    plan: Schedule,
    times: np.ndarray,
    step: float,
) -> Simulated:
    members, kind, codes = x.shape[1], kernel.dtype, shown_codes(kernel.model)
    shown = np.empty((len(times), len(codes), members), kind)
    ends, rates = np.empty_like(x), np.empty((len(u), members), kind)
    lost = np.full(members, np.inf)
    numbers = (p.astype(kind), u.astype(kind), plan.at, plan.what, plan.amount.astype(kind))
    told, running, at, what, amount = (np.ascontiguousarray(a) for a in numbers)
    given = (times[0], step, x, told, running, at, what, amount, times, shown, ends, rates, lost)
    if members >= worth_sharing:
        with one_at_a_time:  # numba's thread pool is not to be entered by two threads
            kernel.together(*given)
    else:
        kernel.one_by_one(*given)
    _stable(kernel.model, lost, step)
    return Simulated(times, codes, shown, ends, rates)


def _stable(model: Model[Any], lost: np.ndarray, step: float) -> None:
    gone = np.flatnonzero(lost < np.inf)
    if len(gone):
        raise Unstable(
            f"{len(gone)} of {len(lost)} members of {model.name} went out of bounds, the first "
            f"(member {gone[np.argmin(lost[gone])]}) by {lost.min():g} {model.clock} with steps of "
            f"{step:g} {model.clock}; take a smaller step or look at their parameters"
        )


def parameter_array(model: Model[Any], p: Any) -> Float[np.ndarray, "parameter member"]:
    """Parameters by name, or already as rows, as rows: (parameter, member) or (parameter, 1)."""
    if isinstance(p, np.ndarray):
        return p.reshape(len(parameter_names(model)), -1)
    rows = [np.atleast_1d(np.asarray(getattr(p, n), float)) for n in parameter_names(model)]
    return np.stack(np.broadcast_arrays(*rows))


def named(model: Model[Any], p: Float[np.ndarray, "parameter member"]) -> Any:
    """Rows of parameters by name, as the model's own functions want them."""
    return model.parameters(*p)


def _spread(x: np.ndarray, members: int) -> np.ndarray:
    if x.shape[1] not in (1, members):
        raise ValueError(
            f"states of {x.shape[1]} members do not fit {members} members; give one or {members}"
        )
    return np.ascontiguousarray(np.broadcast_to(x, (len(x), members)))


def _clock(times: Any, plan: Schedule) -> np.ndarray:
    clock = np.asarray(times, float)
    if len(clock) == 0 or np.any(np.diff(clock) < 0):
        raise ValueError("the times to show must be at least one, and in order")
    early = plan.at[plan.at < clock[0]]
    if early.size:
        raise ValueError(
            f"something is given at {early.min():g}, before the start at {clock[0]:g}; "
            f"begin earlier"
        )
    return clock
