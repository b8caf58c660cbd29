"""Filters whose belief is members: an ensemble that moves together, particles that are chosen.

Ensemble: Burgers, van Leeuwen & Evensen (1998), Mon Weather Rev 126:1719 (`maths.enkf`).
Particles: Gordon, Salmond & Smith (1993), IEE Proc F 140:107, with systematic resampling (Kitagawa
1996, J Comput Graph Stat 5:1) when fewer than half of the members count; what never moves by itself
(a parameter) is blurred without widening it (Liu & West 2001, ch. 10 of Doucet et al.).
"""

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln

from medtwin.maths import enkf
from medtwin.maths.filters.filter import (
    Cloud,
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
Likelihood = Callable[[Array, Array], Array]
"""The log density of a surprise, given the reading's standard error."""


def normal(surprise: Array, sd: Array) -> Array:
    """A reading's error as a normal one."""
    return -0.5 * (np.log(2 * np.pi * sd**2) + (surprise / sd) ** 2)


def heavy(surprise: Array, sd: Array, freedom: float = 4.0) -> Array:
    """The same with Student's tails, for which an outlier says little (Lange 1989, JASA 84:881)."""
    size = gammaln((freedom + 1) / 2) - gammaln(freedom / 2)
    tail = (freedom + 1) / 2 * np.log1p((surprise / sd) ** 2 / freedom)
    return size - 0.5 * np.log(freedom * np.pi * sd**2) - tail


def ensemble(dynamics: Dynamics, members: int = 300, limit: float = most) -> Filter:
    """The ensemble Kalman filter."""

    def step(belief: Cloud, event: Event, rng: np.random.Generator) -> tuple[Cloud, Told]:
        before = _carried(dynamics, belief, event, rng)
        if isinstance(event, Doing) or np.isnan(event.value):
            return before, _nothing
        return _moved(dynamics, before, event, rng, limit)

    return Filter("ensemble", lambda prior, rng: drawn(prior, members, rng), step)


def particle(
    dynamics: Dynamics,
    members: int = 2000,
    likelihood: Likelihood = normal,
    still: tuple[int, ...] = (),
    kept: float = 0.98,
) -> Filter:
    """The bootstrap particle filter. `still` are states that nothing moves (parameters); at a
    resampling they keep the share `kept` of their deviations and are drawn anew for the rest."""

    def step(belief: Cloud, event: Event, rng: np.random.Generator) -> tuple[Cloud, Told]:
        before = _carried(dynamics, belief, event, rng)
        if isinstance(event, Doing) or np.isnan(event.value):
            return before, _nothing
        after, told = _weighed(dynamics, before, event, likelihood)
        if after.effective >= members / 2:
            return after, told
        return blurred(resampled(after, rng), list(still), kept, rng), told

    return Filter("particle", lambda prior, rng: drawn(prior, members, rng), step)


def drawn(prior: Gaussian, members: int, rng: np.random.Generator) -> Cloud:
    """Members from a Gaussian belief, equally likely."""
    z = rng.standard_normal((len(prior.mean), members))
    cloud = prior.mean[:, None] + root(prior.covariance) @ z
    return Cloud(prior.at, cloud, np.full(members, 1 / members))


def resampled(cloud: Cloud, rng: np.random.Generator) -> Cloud:
    """As many members, equally likely: heavy ones are there several times."""
    n = len(cloud.weights)
    places = (np.arange(n) + rng.uniform()) / n
    chosen = np.minimum(np.searchsorted(np.cumsum(cloud.weights), places), n - 1)
    return Cloud(cloud.at, cloud.members[:, chosen], np.full(n, 1 / n))


def blurred(cloud: Cloud, rows: list[int], kept: float, rng: np.random.Generator) -> Cloud:
    """The same mean and covariance of these rows, with copies drawn apart."""
    if not rows or kept >= 1:
        return cloud
    members, own = cloud.members.copy(), cloud.members[rows]
    mean = own.mean(axis=1, keepdims=True)
    fresh = root(np.cov(own).reshape(len(rows), -1)) @ rng.standard_normal(own.shape)
    members[rows] = kept * own + (1 - kept) * mean + np.sqrt(1 - kept**2) * fresh
    return Cloud(cloud.at, members, cloud.weights)


_nothing = Told(np.nan, np.nan, 0.0)


def _carried(dynamics: Dynamics, belief: Cloud, event: Event, rng: np.random.Generator) -> Cloud:
    members = belief.members
    if event.at > belief.at:
        z = rng.standard_normal((dynamics.chances, members.shape[1]))
        members = dynamics.moved(members, z, belief.at, event.at)
    if isinstance(event, Doing):
        members = dynamics.done(members, event)
    return Cloud(max(event.at, belief.at), members, belief.weights)


def _moved(
    dynamics: Dynamics, before: Cloud, reading: Reading, rng: np.random.Generator, limit: float
) -> tuple[Cloud, Told]:
    """Every member moved towards the reading, less where it surprises too much."""
    shown = dynamics.shown(before.members, reading.which)
    error = float(np.mean(dynamics.error(before.members, reading.which)))
    expected, doubt = float(shown.mean()), float(shown.var(ddof=1))
    surprise, variance = reading.value - expected, doubt + error**2
    noise = float(np.sqrt(trusted(surprise, variance, limit) - doubt))
    after = enkf.update(before.members, shown, reading.value, noise, rng)
    told = Told(expected, float(np.sqrt(variance)), density(surprise, variance))
    return Cloud(before.at, after, before.weights), told


def _weighed(
    dynamics: Dynamics, before: Cloud, reading: Reading, likelihood: Likelihood
) -> tuple[Cloud, Told]:
    """Every member weighed by how likely the reading is for it."""
    shown = dynamics.shown(before.members, reading.which)
    error = np.broadcast_to(dynamics.error(before.members, reading.which), shown.shape)
    with np.errstate(divide="ignore"):
        weight = np.log(before.weights) + likelihood(reading.value - shown, error)
    total = float(np.logaddexp.reduce(weight))
    expected = float(shown @ before.weights)
    doubt = float((shown - expected) ** 2 @ before.weights + error**2 @ before.weights)
    told = Told(expected, float(np.sqrt(doubt)), total)
    return Cloud(before.at, before.members, np.exp(weight - total)), told
