"""Integrate many trajectories at once, in plain NumPy: the slow way that anyone can check.

The compiled kernels of `engine` do the same arithmetic some hundred times faster; this
is what they are tested against, and what to step through with a debugger.
"""

from collections.abc import Callable
from math import ceil
from typing import Any

State = tuple[Any, ...]


def rk4(drift: Callable[[float, State], State], x: State, t: float, h: float) -> State:
    """One step of the classical Runge-Kutta method (Kutta 1901), from t to t + h.

    `x` is a tuple of numbers or of arrays, one for each state; `drift(t, x)` their rates.
    """
    a = drift(t, x)
    b = drift(t + h / 2, moved(x, h / 2, a))
    c = drift(t + h / 2, moved(x, h / 2, b))
    d = drift(t + h, moved(x, h, c))
    return tuple(
        s + h / 6 * (i + 2 * (j + k) + m) for s, i, j, k, m in zip(x, a, b, c, d, strict=True)
    )


def moved(x: State, h: float, rate: State) -> State:
    """Where a straight line leads in the time h."""
    return tuple(s + h * r for s, r in zip(x, rate, strict=True))


def carried(
    drift: Callable[[float, State], State], x: State, begin: float, end: float, step: float
) -> State:
    """The state at `end`, in equal steps no longer than `step`."""
    steps = steps_between(begin, end, step)
    h = (end - begin) / steps
    for k in range(steps):
        x = rk4(drift, x, begin + k * h, h)
    return x


def steps_between(begin: float, end: float, step: float) -> int:
    """How many equal steps no longer than `step` lead from `begin` to `end`."""
    return max(1, ceil((end - begin) / step - 1e-9))
