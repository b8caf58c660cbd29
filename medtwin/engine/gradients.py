"""A model's course and how it depends on each parameter, exactly: the same file through JAX.

The steps and events are the engine's own; the arithmetic is JAX's, in float64, on a GPU if JAX
finds one. It is several times slower than the compiled loop on processors; what it gives instead
is derivatives without a step to choose (forward mode: Griewank & Walther, Evaluating Derivatives,
2nd ed. 2008).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.engine.schedule import Plan, Schedule, schedule
from medtwin.engine.simulate import Simulated, named, parameter_array
from medtwin.maths.ode import steps_between

on, show, first_event = 0, 1, 2


class NeedsJax(ImportError):
    """The extra that brings JAX is not installed."""


@dataclass(frozen=True)
class Slopes:
    """What a sensor shows, and what one unit more of each parameter would add to it."""

    codes: tuple[Any, ...]
    shown: Float[np.ndarray, "time code member"]
    by: dict[str, Float[np.ndarray, "time code member"]]


@dataclass(frozen=True)
class Moves:
    """A plan as one long list of small things to do: step on, show, or give something.

    `kind` says which, `at` and `length` when and how far, `row` which time is shown or which
    row of `amount` (given to the members of `whom`) is meant.
    """

    kind: Int[np.ndarray, " move"]
    at: Float[np.ndarray, " move"]
    length: Float[np.ndarray, " move"]
    row: Int[np.ndarray, " move"]
    amount: Float[np.ndarray, "event member"]
    whom: Bool[np.ndarray, "event member"]


def simulate_by_jax(
    model: Model[Any],
    p: Any,
    x0: Any,
    events: Plan,
    times: Sequence[float] | Float[np.ndarray, " time"],
    step: float | None = None,
) -> Simulated:
    """What `simulate` gives, in float64 by JAX (`x0` None starts at rest; no chance in it).

    Raises NeedsJax without the extra `medtwin[gpu]`, and else as `simulate` does.
    """
    jax = _jax()
    with jax.enable_x64(True):
        moves = listed(model, events, times, step or model.step)
        told = parameter_array(model, p)
        done = _run(model)(_start(model, told, x0, moves), told, moves, len(times))
        numbers = (np.asarray(a) for a in done)
    return Simulated(np.asarray(times, float), shown_codes(model), *numbers)


def slopes(
    model: Model[Any],
    p: Any,
    events: Plan,
    times: Sequence[float] | Float[np.ndarray, " time"],
    which: Sequence[str] = (),
    step: float | None = None,
) -> Slopes:
    """The course from rest, and its exact derivative by each parameter of `which` (none: all).

    One number per member and parameter: a member depends on its own parameters alone.
    Raises NeedsJax without the extra `medtwin[gpu]`, ValueError for an unknown parameter.
    """
    jax = _jax()
    names = parameter_names(model)
    asked = tuple(which) or names
    if unknown := sorted(set(asked) - set(names)):
        raise ValueError(f"{model.name} has no parameter {', '.join(unknown)}; it has {names}")
    with jax.enable_x64(True):
        told = jax.numpy.asarray(parameter_array(model, p))
        followed = course(model, events, times, step)
        ways = np.zeros((len(asked), *told.shape))
        ways[np.arange(len(asked)), [names.index(n) for n in asked]] = 1.0
        along = jax.vmap(lambda way: jax.jvp(followed, (told,), (way,))[1])
        shown, by = (np.asarray(a) for a in (jax.jit(followed)(told), jax.jit(along)(ways)))
    return Slopes(shown_codes(model), shown, dict(zip(asked, by, strict=True)))


def course(
    model: Model[Any],
    events: Plan,
    times: Sequence[float] | Float[np.ndarray, " time"],
    step: float | None = None,
) -> Callable[[Any], Any]:
    """A function of the parameters (parameter, member) for JAX to jit, differentiate or sample.

    It gives what is shown from rest (time, code, member). Call it inside
    `jax.enable_x64(True)`, or the numbers are float32. Raises as `simulate_by_jax` does.
    """
    _jax()
    moves = listed(model, events, times, step or model.step)
    run = _run(model)

    def shown(p: Any) -> Any:
        return run(_start(model, p, None, moves), p, moves, len(times))[0]

    return shown


def _jax() -> Any:
    try:
        import jax
    except ImportError as missing:
        raise NeedsJax(
            "exact derivatives and the GPU need JAX; install medtwin[gpu], or use "
            "simulate, which needs neither"
        ) from missing
    return jax


def _start(model: Model[Any], p: Any, x0: Any, moves: Moves) -> Any:
    """The first states, a column for each member."""
    from jax import numpy as jnp

    x = model.start(model.parameters(*jnp.asarray(p))) if x0 is None else tuple(x0)
    members = max(p.shape[1], moves.amount.shape[1], *(jnp.size(s) for s in x))
    return jnp.stack([jnp.broadcast_to(jnp.asarray(s, float), members) for s in x])


@cache
def _run(model: Model[Any]) -> Callable[..., Any]:
    """The loop over a list of moves: (x, p, moves, times) to what is shown, states and rates."""
    import jax
    from jax import numpy as jnp

    def run(x: Any, p: Any, moves: Any, times: int) -> Any:
        kinds, at, length, row, amount, whom = moves
        doing = _doing(model, amount, whom)
        shown = jnp.zeros((times, len(shown_codes(model)), x.shape[1]))
        own = jnp.broadcast_to(p, (p.shape[0], x.shape[1]))
        begun = (x, jnp.zeros((len(model.channels), x.shape[1])), own, shown)

        def move(so_far: Any, what: Any) -> Any:
            return jax.lax.switch(what[0], doing, so_far, *what[1:]), None

        (x, rates, own, shown), _ = jax.lax.scan(move, begun, (kinds, at, length, row))
        return shown, x, rates, own

    fast = jax.jit(run, static_argnums=3)
    return lambda x, p, moves, times: fast(x, p, _told(moves), times)


def _doing(model: Model[Any], amount: Any, whom: Any) -> list[Callable[..., Any]]:
    """What each kind of move does to (states, rates, parameters, what was shown)."""
    from jax import numpy as jnp

    def go_on(so_far: Any, t: Any, h: Any, row: Any) -> Any:
        x, u, p, shown = so_far
        return _carried(model, named(model, p), x, u, t, h), u, p, shown

    def look(so_far: Any, t: Any, h: Any, row: Any) -> Any:
        x, u, p, shown = so_far
        told = _full(model.observe(tuple(x), named(model, p)).values(), x)
        return x, u, p, shown.at[row].set(told)

    def taking(code: Any) -> Callable[..., Any]:
        def give(so_far: Any, t: Any, h: Any, row: Any) -> Any:
            x, u, p, shown = so_far
            taken = _full(model.take(tuple(x), code, amount[row], named(model, p)), x)
            return jnp.where(whom[row], taken, x), u, p, shown

        return give

    def running(channel: int) -> Callable[..., Any]:
        def change(so_far: Any, t: Any, h: Any, row: Any) -> Any:
            x, u, p, shown = so_far
            return x, u.at[channel].add(jnp.where(whom[row], amount[row], 0.0)), p, shown

        return change

    def changing(place: int) -> Callable[..., Any]:
        def change(so_far: Any, t: Any, h: Any, row: Any) -> Any:
            x, u, p, shown = so_far
            return x, u, p.at[place].multiply(jnp.where(whom[row], amount[row], 1.0)), shown

        return change

    given = [*map(taking, model.inputs), *map(running, range(len(model.channels)))]
    return [go_on, look, *given, *map(changing, range(len(parameter_names(model))))]


def _carried(model: Model[Any], person: Any, x: Any, u: Any, t: Any, h: Any) -> Any:
    """By the closed form where the model has one, else by one Runge-Kutta step."""
    if model.solution is not None:
        return _full(model.solution(h, tuple(x), tuple(u), person), x)

    def rate(now: Any, y: Any) -> Any:
        return _full(model.drift(now, tuple(y), tuple(u), person), x)

    a = rate(t, x)
    b = rate(t + h / 2, x + h / 2 * a)
    c = rate(t + h / 2, x + h / 2 * b)
    d = rate(t + h, x + h * c)
    return x + h / 6 * (a + 2 * (b + c) + d)


def _full(values: Any, x: Any) -> Any:
    """One row for each value, one column for each member."""
    from jax import numpy as jnp

    return jnp.stack([jnp.broadcast_to(v, x.shape[1:]) for v in values])


def _told(moves: Moves) -> tuple[Any, ...]:
    return (moves.kind, moves.at, moves.length, moves.row, moves.amount, moves.whom)


def listed(model: Model[Any], events: Plan, times: Any, step: float) -> Moves:
    """The engine's rule as a list: events due, equal steps to the next event or time, show."""
    plan = events if isinstance(events, Schedule) else schedule(model, events)
    clock = np.asarray(times, float)
    if not len(clock) or np.any(np.diff(clock) < 0) or np.any(plan.at < clock[0]):
        raise ValueError("times to show must be in order, and nothing given before the first")
    rows, amounts, whom = _events(plan)
    moves: list[tuple[int, float, float, int]] = []
    t, following = float(clock[0]), 0
    for number, goal in enumerate(clock):
        while t < goal:
            while following < len(rows) and rows[following][0] <= t:
                moves.append((first_event + rows[following][1], t, 0.0, following))
                following += 1
            stop = min(goal, rows[following][0]) if following < len(rows) else goal
            steps = 1 if model.solution is not None else steps_between(t, float(stop), step)
            h = (stop - t) / steps
            moves += [(on, t + k * h, h, 0) for k in range(steps)]
            t = float(stop)
        moves.append((show, t, 0.0, number))
    kind, at, length, row = (np.array(c) for c in zip(*moves, strict=True))
    return Moves(kind, at, length, row, amounts, whom)


def _events(plan: Schedule) -> tuple[list[tuple[float, int]], np.ndarray, np.ndarray]:
    """Each (time, what) that happens to anybody, in order; how much, and to whom."""
    members = max(plan.at.shape[1], plan.amount.shape[1], plan.what.shape[1])
    wide = (np.broadcast_to(a, (len(plan.at), members)) for a in (plan.at, plan.what, plan.amount))
    at, what, amount = wide
    found = []
    for row in range(len(at)):
        ever = np.isfinite(at[row])
        pairs = sorted({(t, w) for t, w in zip(at[row, ever], what[row, ever], strict=True)})
        found += [(t, row, w) for t, w in pairs]
    found.sort(key=lambda f: f[:2])
    chosen = [(at[row] == t) & (what[row] == w) for t, row, w in found]
    nobody = np.zeros((1, members), bool)
    amounts = np.array([amount[row] for _, row, _ in found]) if found else np.zeros((1, members))
    return [(float(t), int(w)) for t, _, w in found], amounts, np.array(chosen or nobody)
