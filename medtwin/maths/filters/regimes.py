"""A state that switches between ways of living: one filter for each, mixed by their chances.

The interacting multiple model: Blom & Bar-Shalom (1988), IEEE Trans Autom Control 33:780. Before
each step every regime starts from the mixture of where it may have come from; after it, the
chances follow how likely each found the reading.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from medtwin.maths.filters.filter import Event, Filter, Gaussian, Told

Switching = Float[np.ndarray, "regime regime"] | Callable[[float], Float[np.ndarray, "..."]]


@dataclass(frozen=True)
class Mixture:
    """What each regime believes, and how likely each is now."""

    at: float
    chances: Float[np.ndarray, " regime"]
    beliefs: tuple[Gaussian, ...]

    @property
    def mean(self) -> Float[np.ndarray, " state"]:
        """The mean over the regimes."""
        return merged(self.beliefs, self.chances).mean

    @property
    def covariance(self) -> Float[np.ndarray, "state state"]:
        """The covariance over the regimes, how far they lie apart included."""
        return merged(self.beliefs, self.chances).covariance


def regimes(
    filters: Sequence[Filter],
    switching: Switching,
    first: Float[np.ndarray, " regime"] | None = None,
) -> Filter:
    """A filter of filters with Gaussian beliefs. `switching[i, j]` is the chance to be in j at the
    next event for one in i now, or a function that gives these chances for the time between;
    `first` the chances at birth (all alike if not said).

    Raises ValueError where chances are negative or do not add up to 1.
    """
    start = np.full(len(filters), 1 / len(filters)) if first is None else first
    turns = switching if callable(switching) else lambda lasting: np.asarray(switching)
    for row in (start, *turns(1.0)):
        if len(row) != len(filters) or np.any(row < 0) or abs(row.sum() - 1) > 1e-9:
            raise ValueError(
                f"the chances {row} of {len(filters)} regimes do not add up to 1, one for each"
            )

    def init(prior: Gaussian, rng: np.random.Generator) -> Mixture:
        return Mixture(prior.at, start, tuple(f.init(prior, rng) for f in filters))

    def step(belief: Mixture, event: Event, rng: np.random.Generator) -> tuple[Mixture, Told]:
        coming, starts = mixed(belief, turns(event.at - belief.at))
        each = [f.step(b, event, rng) for f, b in zip(filters, starts, strict=True)]
        told = [t for _, t in each]
        weight = np.log(coming) + np.array([t.likelihood for t in told])
        total = float(np.logaddexp.reduce(weight))
        after = Mixture(event.at, np.exp(weight - total), tuple(b for b, _ in each))
        return after, _together(told, coming, total)

    return Filter("regimes", init, step)


def mixed(
    belief: Mixture, switching: Float[np.ndarray, "regime regime"]
) -> tuple[Float[np.ndarray, " regime"], tuple[Gaussian, ...]]:
    """The chance of each regime at the next step, and the belief that each of them starts from."""
    coming = belief.chances @ switching
    share = belief.chances[:, None] * switching / np.maximum(coming, 1e-300)
    return coming, tuple(merged(belief.beliefs, share[:, j]) for j in range(len(coming)))


def merged(beliefs: Sequence[Gaussian], chances: Float[np.ndarray, " regime"]) -> Gaussian:
    """One Gaussian with the mean and covariance of the mixture."""
    means = np.stack([b.mean for b in beliefs])
    mean = chances @ means
    apart = means - mean
    inside = sum(c * b.covariance for c, b in zip(chances, beliefs, strict=True))
    return Gaussian(beliefs[0].at, mean, inside + (chances[:, None] * apart).T @ apart)


def _together(told: Sequence[Told], coming: np.ndarray, total: float) -> Told:
    if np.isnan(told[0].expected):
        return Told(np.nan, np.nan, 0.0)
    expected = np.array([t.expected for t in told])
    middle = float(coming @ expected)
    variance = coming @ (np.array([t.sd for t in told]) ** 2 + (expected - middle) ** 2)
    return Told(middle, float(np.sqrt(variance)), total)
