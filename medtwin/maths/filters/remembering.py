"""Particles that remember what they lived through, and live it again where they are moved.

A cloud that learns what nothing moves (a parameter) runs out of different members: few survive
a telling reading, and copies of them are not doubt. Here every member keeps its beginning and the
chance it met. Where fewer than half still count, the heavy ones are copied and each copy's
beginning is moved by steps that leave what is believed as it is, for which all of its past is run
again: resample-move, Gilks & Berzuini (2001), J R Stat Soc B 63:127; Chopin (2002), Biometrika
89:539. A reading that would leave fewer than half is learned in parts (Neal 2001, Stat Comput
11:125). Chance is kept as it fell, so that states that wander and regimes that switch come along.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from medtwin.maths.filters.clouds import Likelihood, heavy
from medtwin.maths.filters.filter import (
    Cloud,
    Doing,
    Dynamics,
    Event,
    Filter,
    Gaussian,
    Reading,
    Told,
    inverse,
    root,
)

Array = np.ndarray
Begun = Callable[[Array], Array]
"""The states of members at birth from what is unknown of them there."""


@dataclass(frozen=True)
class Lives:
    """Members, each with its beginning, the chance it met, and how likely its readings were.

    `first` are the unknowns at birth, `now` the states they have led to, with weights; `chance`
    what each member met on the way to each of the `past` events; `likelihood` the log density of
    each member's readings so far; `prior` what was believed of `first` before any.
    """

    first: Float[np.ndarray, "unknown member"]
    now: Cloud
    likelihood: Float[np.ndarray, " member"]
    chance: Float[np.ndarray, "event chance member"]
    past: tuple[Event, ...]
    prior: Gaussian

    @property
    def at(self) -> float:
        """The time of the last event."""
        return self.now.at

    @property
    def mean(self) -> Float[np.ndarray, " state"]:
        """The weighted mean of the members now."""
        return self.now.mean

    @property
    def covariance(self) -> Float[np.ndarray, "state state"]:
        """The weighted covariance of the members now."""
        return self.now.covariance


def remembering(
    dynamics: Dynamics,
    begun: Begun,
    members: int = 1000,
    likelihood: Likelihood = heavy,
    rounds: int = 4,
) -> Filter:
    """A particle filter whose members are moved back to where they might have begun.

    The prior given to `init` is of the unknowns at birth; `begun` makes states of them. `rounds`
    steps are tried by every member each time that too few count.
    """

    def init(prior: Gaussian, rng: np.random.Generator) -> Lives:
        z = rng.standard_normal((len(prior.mean), members))
        first = prior.mean[:, None] + root(prior.covariance) @ z
        now = Cloud(prior.at, begun(first), np.full(members, 1 / members))
        none = np.zeros((0, dynamics.chances, members))
        return Lives(first, now, np.zeros(members), none, (), prior)

    def step(belief: Lives, event: Event, rng: np.random.Generator) -> tuple[Lives, Told]:
        count = belief.first.shape[1]
        chance = rng.standard_normal((1, dynamics.chances, count))
        before = _onward(dynamics, belief, event, chance)
        if isinstance(event, Doing) or np.isnan(event.value):
            return before, Told(np.nan, np.nan, 0.0)
        shown, said = _surprises(dynamics, before.now.members, event, likelihood)
        told = _expected(dynamics, before.now, event, shown, said)
        again = _Again(dynamics, begun, likelihood, rounds)
        return _learned(again, before, said, rng), told

    return Filter("remembering", init, step)


@dataclass(frozen=True)
class _Again:
    """What is needed to live a past again."""

    dynamics: Dynamics
    begun: Begun
    likelihood: Likelihood
    rounds: int

    def lived(
        self, first: Array, chance: Array, past: Sequence[Event], born: float
    ) -> tuple[Array, Array, Array]:
        """Where these beginnings lead; how likely the past is for them, and its last reading."""
        z, at = self.begun(first), born
        total, last = np.zeros(first.shape[1]), np.zeros(first.shape[1])
        for met, event in zip(chance, past, strict=True):
            z, at = _moved(self.dynamics, z, met, at, event), event.at
            if isinstance(event, Reading) and not np.isnan(event.value):
                total = total + last
                last = _surprises(self.dynamics, z, event, self.likelihood)[1]
        return z, total, last


def _onward(dynamics: Dynamics, belief: Lives, event: Event, chance: Array) -> Lives:
    members = _moved(dynamics, belief.now.members, chance[0], belief.at, event)
    now = Cloud(max(event.at, belief.at), members, belief.now.weights)
    met = np.concatenate([belief.chance, chance])
    return replace(belief, now=now, chance=met, past=(*belief.past, event))


def _moved(dynamics: Dynamics, z: Array, chance: Array, at: float, event: Event) -> Array:
    after = dynamics.moved(z, chance, at, event.at) if event.at > at else z
    return dynamics.done(after, event) if isinstance(event, Doing) else after


def _surprises(
    dynamics: Dynamics, z: Array, reading: Reading, likelihood: Likelihood
) -> tuple[Array, Array]:
    shown = dynamics.shown(z, reading.which)
    error = np.broadcast_to(dynamics.error(z, reading.which), shown.shape)
    return shown, likelihood(reading.value - shown, error)


def _expected(dynamics: Dynamics, now: Cloud, reading: Reading, shown: Array, said: Array) -> Told:
    error = np.broadcast_to(dynamics.error(now.members, reading.which), shown.shape)
    middle = float(shown @ now.weights)
    variance = float(((shown - middle) ** 2 + error**2) @ now.weights)
    with np.errstate(divide="ignore"):
        dense = float(np.logaddexp.reduce(np.log(now.weights) + said))
    return Told(middle, float(np.sqrt(variance)), dense)


def _learned(again: _Again, belief: Lives, said: Array, rng: np.random.Generator) -> Lives:
    """The reading that the belief's past ends with, learned in parts where it tells much."""
    share = 0.0
    while True:
        part = _part(belief.now.weights, said, 1.0 - share)
        share += part
        belief = _weighed(belief, part * said)
        if belief.now.effective >= len(said) / 2 and share >= 1.0:
            return replace(belief, likelihood=belief.likelihood + said)
        belief, said = _moved_apart(again, _copied(belief, rng), share, rng)


def _part(weights: Array, said: Array, left: float) -> float:
    """How much of a reading may be learned before fewer than half of the members count."""

    def enough(part: float) -> bool:
        return _counted(weights, part * said) >= 0.45 * len(weights)

    if enough(left):
        return left
    low, high = 0.0, left
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return max(low, 1e-3 * left)


def _counted(weights: Array, said: Array) -> float:
    heavy_ = weights * np.exp(said - said.max())
    return float(heavy_.sum() ** 2 / (heavy_ @ heavy_))


def _weighed(belief: Lives, said: Array) -> Lives:
    weights = belief.now.weights * np.exp(said - said.max())
    now = replace(belief.now, weights=weights / weights.sum())
    return replace(belief, now=now)


def _copied(belief: Lives, rng: np.random.Generator) -> Lives:
    """As many members, equally likely (systematic resampling)."""
    n = len(belief.likelihood)
    places = (np.arange(n) + rng.uniform()) / n
    who = np.minimum(np.searchsorted(np.cumsum(belief.now.weights), places), n - 1)
    return replace(
        belief,
        first=belief.first[:, who],
        now=Cloud(belief.at, belief.now.members[:, who], np.full(n, 1 / n)),
        likelihood=belief.likelihood[who],
        chance=belief.chance[:, :, who],
    )


def _moved_apart(
    again: _Again, belief: Lives, share: float, rng: np.random.Generator
) -> tuple[Lives, Array]:
    """Copies moved by steps that keep the belief, with `share` of the last reading learned."""
    prior, born = inverse(belief.prior.covariance), belief.prior.at
    first, (n, m) = belief.first, belief.first.shape
    width = root(np.cov(first).reshape(n, n)) * 2.38 / np.sqrt(n)
    z, total, last = again.lived(first, belief.chance, belief.past, born)
    believed = total + share * last + _prior(first, belief.prior.mean, prior)
    for k in range(again.rounds):
        size = 1.0 if k % 2 == 0 else 0.4  # wide steps and narrow ones by turns
        tried = first + size * width @ rng.standard_normal((n, m))
        z_, total_, last_ = again.lived(tried, belief.chance, belief.past, born)
        with np.errstate(invalid="ignore"):
            better = total_ + share * last_ + _prior(tried, belief.prior.mean, prior)
        taken = np.log(rng.uniform(size=m)) < better - believed
        first, z = np.where(taken, tried, first), np.where(taken, z_, z)
        total, last = np.where(taken, total_, total), np.where(taken, last_, last)
        believed = np.where(taken, better, believed)
    now = Cloud(belief.at, z, belief.now.weights)
    return replace(belief, first=first, now=now, likelihood=total), last


def _prior(first: Array, mean: Array, inverse_: Array) -> Array:
    apart = first - mean[:, None]
    return -0.5 * np.einsum("im,ij,jm->m", apart, inverse_, apart)
