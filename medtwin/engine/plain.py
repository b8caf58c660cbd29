"""The engine's answer in plain NumPy: slow, short, and open to a debugger.

Use it to read what a model does line by line, or to check a kernel. The arithmetic is that of
the compiled loops; a test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.engine.schedule import Changed, Given, Schedule, schedule
from medtwin.engine.simulate import Simulated, named, parameter_array
from medtwin.maths.ode import carried


def simulate_plainly(
    model: Model[Any],
    p: Any,
    events: Sequence[Given | Changed],
    times: Sequence[float] | Float[np.ndarray, " time"],
    step: float | None = None,
) -> Simulated:
    """What `simulate` gives from rest, where everybody is given things at the same times."""
    told, plan, clock = parameter_array(model, p), schedule(model, events), np.asarray(times)
    person, members = named(model, told), told.shape[1]
    x = tuple(np.broadcast_to(s, members) for s in model.start(person))
    u = [np.zeros(members) for _ in model.channels]
    t, shown, following = float(clock[0]), [], 0
    for goal in clock:
        while t < goal:
            x, u, person, following = _due(model, person, plan, following, t, x, u)
            stop = min(float(goal), _next(plan, following))
            x = _carried(model, person, x, tuple(u), t, stop, step or model.step)
            t = stop
        told_now = model.observe(x, person).values()
        shown.append([np.broadcast_to(v, members) for v in told_now])
    shown, rates = np.array(shown), np.stack(u) if u else np.zeros((0, members))
    left = parameter_array(model, person)
    return Simulated(clock, shown_codes(model), shown, np.stack(x), rates, left)


def _carried(
    model: Model[Any], person: Any, x: Any, u: Any, begin: float, end: float, step: float
) -> Any:
    """By the closed form where the model has one, else in steps."""
    if model.solution is not None:
        return model.solution(end - begin, x, u, person)
    return carried(lambda t, y: model.drift(t, y, u, person), x, begin, end, step)


def _next(plan: Schedule, following: int) -> float:
    return float(plan.at[following, 0]) if following < len(plan.at) else np.inf


def _due(
    model: Model[Any], person: Any, plan: Schedule, following: int, t: float, x: Any, u: list[Any]
) -> tuple[Any, list[Any], Any, int]:
    """The states, rates, parameters and next event once everything due at `t` has been given."""
    inputs, channels = len(model.inputs), len(model.channels)
    while _next(plan, following) <= t:
        what, amount = int(plan.what[following, 0]), plan.amount[following]
        if what < inputs:
            x = model.take(x, model.inputs[what], amount, person)
        elif what >= inputs + channels:
            name = parameter_names(model)[what - inputs - channels]
            person = replace(person, **{name: getattr(person, name) * amount})
        else:
            channel = what - inputs
            u = [r + amount if c == channel else r for c, r in enumerate(u)]
        following += 1
    return x, u, person, following
