"""Run a model forward: one person, an ensemble, or a population, by the same call."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from medtwin.engine.kernel import Kernel, compiled
from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.engine.schedule import Chance, Plan, Schedule, left_by, schedule
from medtwin.maths.compiled import one_at_a_time
from medtwin.record.codes import Code

worth_sharing = 256
halvings = 6


class Unstable(ArithmeticError):
    """A member's states left every bound: the numbers are no longer those of a body."""


@dataclass(frozen=True)
class Simulated:
    """What a sensor shows of every member at every time, and where they all end.

    `shown` is in each code's own unit; `states` and `rates` are those at the last time, just
    before anything given at that very moment, and `parameters` those that a plan has left.
    `halved` counts, for each member, how often the step had to be halved to keep it steady.
    `lost` are the members whom no step could save, in `whoever_stays` only: nothing of them is
    known (NaN), and a mean over the others is `shown[..., kept]`.
    """

    times: Float[np.ndarray, " time"]
    codes: tuple[Code, ...]
    shown: Float[np.ndarray, "time code member"]
    states: Float[np.ndarray, "state member"]
    rates: Float[np.ndarray, "channel member"]
    parameters: Float[np.ndarray, "parameter *member"] = field(
        default_factory=lambda: np.zeros((0, 0))
    )
    halved: Int[np.ndarray, " member"] = field(default_factory=lambda: np.zeros(0, np.int64))
    lost: Int[np.ndarray, " lost"] = field(default_factory=lambda: np.zeros(0, np.int64))

    def of(self, code: Code) -> Float[np.ndarray, "time member"]:
        """The course of one code."""
        return self.shown[:, self.codes.index(code)]

    @property
    def kept(self) -> Bool[np.ndarray, " member"]:
        """Which members got through."""
        kept = np.ones(self.shown.shape[2], bool)
        kept[self.lost] = False
        return kept


def simulate(
    model: Model[Any],
    p: Any,
    x0: Sequence[Any] | Float[np.ndarray, "state *member"] | None,
    events: Plan,
    times: Sequence[float] | Float[np.ndarray, " time"],
    step: float | None = None,
    dtype: Any = np.float64,
    chance: Chance | None = None,
) -> Simulated:
    """Everybody's course from the first of `times` to the last, under what is given.

    `p` is the model's parameters, each one number or one per member, or an array
    (parameter, member). `x0` are the states at the first time; None starts at rest
    (`model.start`). `step` defaults to the model's own; a closed form needs none, and a member
    that it does not keep steady is run again in halves of it, down to a 64th. Times are in the
    model's own unit (`model.clock`, as a rule minutes). With `chance` the model's own noise
    runs too. float64 is for inference; float32 is exact enough for populations and twice as fast.
    Raises Unstable if a member's states leave every bound, NotTaken for what the model has
    no place for, ValueError where shapes or times do not fit.
    """
    done = whoever_stays(model, p, x0, events, times, step, dtype, chance)
    _all_there(model, done, step or model.step)
    return done


def whoever_stays(
    model: Model[Any],
    p: Any,
    x0: Sequence[Any] | Float[np.ndarray, "state *member"] | None,
    events: Plan,
    times: Sequence[float] | Float[np.ndarray, " time"],
    step: float | None = None,
    dtype: Any = np.float64,
    chance: Chance | None = None,
) -> Simulated:
    """As `simulate`, but a member whom no step can save is named in `lost` instead of raised."""
    kernel = compiled(model, dtype)
    told = parameter_array(model, p)
    states = np.stack(
        np.broadcast_arrays(*(x0 if x0 is not None else model.start(named(model, told))))
    )
    states = np.ascontiguousarray(states.reshape(len(model.states), -1), kernel.dtype)
    plan = events if isinstance(events, Schedule) else schedule(model, events)
    members = max(states.shape[1], told.shape[1], plan.at.shape[1], plan.amount.shape[1])
    members = max(members, 1 if chance is None else chance.members)
    clock = _clock(times, plan)
    still = np.zeros((len(model.channels), 1))
    crowd = _Crowd(told, _spread(states, members), still, plan, _whose(model, chance, members))
    return _steadied(kernel, crowd, clock, step or model.step)


def advance(
    model: Model[Any],
    x: Float[np.ndarray, "state member"],
    p: Float[np.ndarray, "parameter member"],
    begin: float,
    end: float,
    u: Float[np.ndarray, "channel member"],
    events: Plan = (),
    step: float | None = None,
    chance: Chance | None = None,
) -> Simulated:
    """An ensemble carried from `begin` to `end` with the rates `u` already running.

    Call it again with the answer's `states`, `rates` and `parameters`: what is given at `end`
    itself belongs to the next call. Raises as `simulate` does.
    """
    kernel = compiled(model)
    plan = events if isinstance(events, Schedule) else schedule(model, events)
    rates = np.asarray(u, float)
    rates = rates.reshape(len(model.channels), -1) if rates.size else np.zeros((0, 1))
    clock = _clock([begin, end], plan)
    states = np.ascontiguousarray(x, float)
    noisy = _whose(model, chance, states.shape[1])
    crowd = _Crowd(parameter_array(model, p), states, rates, plan, noisy)
    done = _steadied(kernel, crowd, clock, step or model.step)
    _all_there(model, done, step or model.step)
    return done


@dataclass(frozen=True)
class _Noise:
    """Whose draws a run uses, and how long one draw lasts; `tick` is inf where there are none."""

    seed: np.uint64
    whose: Int[np.ndarray, " member"]
    tick: float


@dataclass(frozen=True)
class _Crowd:
    """Everybody who is run together: parameters, states, running rates, plan, noise."""

    p: np.ndarray
    x: np.ndarray
    u: np.ndarray
    plan: Schedule
    noise: _Noise

    def some(self, who: np.ndarray) -> "_Crowd":
        """These members only."""

        def columns(a: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(a[:, who]) if a.shape[1] > 1 else a

        plan = Schedule(*(columns(a) for a in (self.plan.at, self.plan.what, self.plan.amount)))
        noise = _Noise(self.noise.seed, self.noise.whose[who], self.noise.tick)
        return _Crowd(columns(self.p), self.x[:, who].copy(), columns(self.u), plan, noise)


def _whose(model: Model[Any], chance: Chance | None, members: int) -> _Noise:
    if chance is None:
        return _Noise(np.uint64(0), np.zeros(members, np.int64), np.inf)
    if model.noise is None:
        raise ValueError(f"{model.name} has no noise of its own; leave out `chance`")
    whose = np.arange(members) if chance.whose is None else np.asarray(chance.whose, np.int64)
    if whose.shape != (members,):
        raise ValueError(f"chance names {whose.size} members where {members} are run")
    return _Noise(np.uint64(chance.seed), whose, model.step)


def _steadied(kernel: Kernel, crowd: _Crowd, times: np.ndarray, step: float) -> Simulated:
    """Everybody run; whoever went astray again in smaller steps, for as long as that helps."""
    done, astray, rough = _run(kernel, crowd, times, step)
    halved = np.zeros(crowd.x.shape[1], np.int64)
    unsteady = np.flatnonzero(astray | rough)
    if kernel.model.solution is not None:
        return replace(done, lost=_emptied(done, astray))
    for k in range(1, halvings + 1):
        if not len(unsteady):
            break
        again, gone, still_rough = _run(kernel, crowd.some(unsteady), times, step / 2**k)
        settled = ~gone & (~still_rough | _agree(done.shown[..., unsteady], again.shown))
        for a, b in ((done.shown, again.shown), (done.states, again.states)):
            a[..., unsteady] = b
        done.rates[:, unsteady] = again.rates
        halved[unsteady], astray[unsteady] = k, gone
        unsteady = unsteady[~settled]
    return replace(done, halved=halved, lost=_emptied(done, astray))


def _agree(before: np.ndarray, after: np.ndarray) -> Bool[np.ndarray, " member"]:
    """Whose course did not change when the step was halved: a kink, not an instability."""
    with np.errstate(invalid="ignore"):  # who is lost agrees with nobody
        size, change = np.abs(after).max(axis=0), np.abs(after - before).max(axis=0)
    return np.all(change <= 1e-3 * size, axis=0)


def _emptied(done: Simulated, astray: np.ndarray) -> Int[np.ndarray, " lost"]:
    """Those who are lost; what was written of them is no longer anything."""
    lost = np.flatnonzero(astray)
    for a in (done.shown, done.states):
        a[..., lost] = np.nan
    return lost


def _run(
    kernel: Kernel, crowd: _Crowd, times: np.ndarray, step: float
) -> tuple[Simulated, np.ndarray, np.ndarray]:
    """One pass over everybody; who left every bound, and whose steps were too long."""
    members, kind, codes = crowd.x.shape[1], kernel.dtype, shown_codes(kernel.model)
    shown = np.empty((len(times), len(codes), members), kind)
    ends, rates = np.empty_like(crowd.x), np.empty((len(crowd.u), members), kind)
    lost = np.full((2, members), np.inf)
    plan, noise = crowd.plan, crowd.noise
    numbers = (crowd.p.astype(kind), crowd.u.astype(kind), plan.at, plan.what)
    told, running, at, what = (np.ascontiguousarray(a) for a in numbers)
    amount = np.ascontiguousarray(plan.amount.astype(kind))
    given = (times[0], step, crowd.x, told, running, at, what, amount)
    given = (*given, noise.seed, noise.whose, noise.tick, times, shown, ends, rates, lost)
    paced = step == kernel.model.step and kernel.paced
    if members >= worth_sharing:
        with one_at_a_time:  # numba's thread pool is not to be entered by two threads
            (kernel.module.paced_together if paced else kernel.together)(*given)
    else:
        (kernel.module.paced_one_by_one if paced else kernel.one_by_one)(*given)
    left = left_by(kernel.model, plan, crowd.p, times[-1])
    return Simulated(times, codes, shown, ends, rates, left), lost[0] < np.inf, lost[1] < np.inf


def _all_there(model: Model[Any], done: Simulated, step: float) -> None:
    if len(done.lost):
        smaller = (
            ""
            if model.solution is not None
            else (f" with steps of {step:g} {model.clock}, and with a 64th of that")
        )
        raise Unstable(
            f"{len(done.lost)} of {done.shown.shape[2]} members of {model.name} went out of "
            f"bounds (member {done.lost[0]} first){smaller}; look at their parameters, or let "
            f"`whoever_stays` name them"
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
