"""Filters whose belief is a mean and a covariance: exact where all is linear, else unscented.

Both predict and correct by the same few lines; they differ in how a Gaussian passes through a
function. Kalman (1960), J Basic Eng 82:35; Julier & Uhlmann (1997), Proc SPIE 3068:182, with
the chance on the way as more dimensions of the same points (Julier & Uhlmann 2004, Proc IEEE
92:401).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from medtwin.maths.filters.filter import (
    Doing,
    Dynamics,
    Event,
    Filter,
    Gaussian,
    Reading,
    Told,
    density,
    most,
    root,
    trusted,
)

Array = np.ndarray
Function = Callable[[Array], Array]


class NotLinear(ValueError):
    """The exact filter was asked to follow what is not linear."""


@dataclass(frozen=True)
class Passed:
    """A Gaussian after a function: its mean, covariance, and covariance with what went in."""

    mean: Float[np.ndarray, " out"]
    covariance: Float[np.ndarray, "out out"]
    cross: Float[np.ndarray, "state out"]


Passing = Callable[[Function, Array, Array], Passed]


def exact(dynamics: Dynamics, limit: float = most) -> Filter:
    """The Kalman filter; raises NotLinear where a function bends."""
    return _filter("exact", dynamics, through_line, limit)


def unscented(dynamics: Dynamics, limit: float = most) -> Filter:
    """The unscented filter: 2n sigma points and, below three dimensions, one in the middle."""
    return _filter("unscented", dynamics, through_points, limit)


def through_line(function: Function, mean: Array, covariance: Array) -> Passed:
    """A Gaussian through a linear function, whose matrix is found by probing.

    Raises NotLinear if the function at twice the deviations is not where the matrix says.
    """
    step = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    points = mean[:, None] + np.column_stack([0 * step, np.diag(step), 2 * step])
    values = function(points)
    middle = values[:, 0]
    slope = (values[:, 1:-1] - middle[:, None]) / step
    bend = np.abs(values[:, -1] - middle - slope @ (2 * step))
    if np.any(bend > 1e-6 * (np.abs(values).max(axis=1) + 1e-9)):
        raise NotLinear(
            f"the function bends by {bend.max():.2g} over two deviations; "
            "follow it with unscented, ensemble or particle"
        )
    return Passed(middle, slope @ covariance @ slope.T, covariance @ slope.T)


def through_points(function: Function, mean: Array, covariance: Array) -> Passed:
    """A Gaussian through any smooth function by sigma points (Julier & Uhlmann 1997, eq. 12).

    n + kappa is 3 up to three dimensions and n beyond, so that no weight is negative.
    """
    n = len(mean)
    kappa = max(0.0, 3.0 - n)
    spread = np.sqrt(n + kappa) * root(covariance)
    points = mean[:, None] + np.column_stack([np.zeros(n), spread, -spread])
    weights = np.r_[kappa, np.full(2 * n, 0.5)] / (n + kappa)
    values = function(points)
    middle = values @ weights
    out, into = values - middle[:, None], points - mean[:, None]
    return Passed(middle, (out * weights) @ out.T, (into * weights) @ out.T)


def predicted(
    dynamics: Dynamics, passing: Passing, belief: Gaussian, end: float
) -> tuple[Gaussian, Float[np.ndarray, "state state"]]:
    """The belief at a later time, and its covariance with the belief now."""
    n = len(belief.mean)
    if end <= belief.at:
        return belief, belief.covariance
    mean = np.r_[belief.mean, np.zeros(dynamics.chances)]
    covariance = np.eye(len(mean))
    covariance[:n, :n] = belief.covariance
    passed = passing(lambda a: dynamics.moved(a[:n], a[n:], belief.at, end), mean, covariance)
    return Gaussian(end, passed.mean, _even(passed.covariance)), passed.cross[:n]


def corrected(
    dynamics: Dynamics, passing: Passing, belief: Gaussian, reading: Reading, limit: float
) -> tuple[Gaussian, Told]:
    """The belief after a reading, and what was expected of it."""
    passed = passing(
        lambda a: dynamics.shown(a, reading.which)[None], belief.mean, belief.covariance
    )
    error = float(dynamics.error(belief.mean[:, None], reading.which)[0])
    expected, variance = float(passed.mean[0]), float(passed.covariance[0, 0]) + error**2
    surprise = reading.value - expected
    told = Told(expected, float(np.sqrt(variance)), density(surprise, variance))
    gain = passed.cross[:, 0] / trusted(surprise, variance, limit)
    covariance = belief.covariance - np.outer(gain, passed.cross[:, 0])
    return Gaussian(belief.at, belief.mean + gain * surprise, _even(covariance)), told


def _filter(name: str, dynamics: Dynamics, passing: Passing, limit: float) -> Filter:
    def init(prior: Gaussian, rng: np.random.Generator) -> Gaussian:
        return prior

    def step(belief: Gaussian, event: Event, rng: np.random.Generator) -> tuple[Gaussian, Told]:
        before, cross = predicted(dynamics, passing, belief, event.at)
        if isinstance(event, Doing):
            return _done(dynamics, passing, before, event), Told(np.nan, np.nan, 0.0)
        if np.isnan(event.value):
            return before, Told(np.nan, np.nan, 0.0, before, cross)
        after, told = corrected(dynamics, passing, before, event, limit)
        return after, replace(told, before=before, cross=cross)

    return Filter(name, init, step)


def _done(dynamics: Dynamics, passing: Passing, belief: Gaussian, doing: Doing) -> Gaussian:
    passed = passing(lambda a: dynamics.done(a, doing), belief.mean, belief.covariance)
    return Gaussian(belief.at, passed.mean, _even(passed.covariance))


def _even(covariance: Array) -> Array:
    return (covariance + covariance.T) / 2
