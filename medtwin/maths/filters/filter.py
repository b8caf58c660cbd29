"""What it takes to be a filter: how a belief begins, and how it goes on to the next reading.

What is carried (a belief) is apart from what is told (`Told`); random numbers are arguments.
Any filter follows any `Dynamics`, so that they can be held against one another. The manner is
that of Cabezas et al. (2024), BlackJAX, arXiv:2402.10797.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

Array = np.ndarray
most = 4.0
"""A reading further off than so many standard deviations is believed less."""


@dataclass(frozen=True)
class Dynamics:
    """How a state moves between two times, and what a reading of it shows.

    Many states at once: state first, member last. `moved(x, z, begin, end)` is where each goes,
    with `z` standard normal chance (`chances` rows); `shown(x, which)` what a reading would be
    without its error, `error(x, which)` the error's standard deviation. `done(x, doing)` is
    where each is after something was done to it at once; nothing, if not said.
    """

    moved: Callable[[Array, Array, float, float], Array]
    shown: Callable[[Array, int], Array]
    error: Callable[[Array, int], Array]
    chances: int
    done: "Callable[[Array, Doing], Array]" = lambda x, doing: x


@dataclass(frozen=True)
class Reading:
    """A value read at a time; NaN where only time passes. `which` of the quantities shown."""

    at: float
    value: float
    which: int = 0


@dataclass(frozen=True)
class Doing:
    """Something done to the body at a time: which of the things that may be, and how much."""

    at: float
    which: int
    amount: float


Event = Reading | Doing


@runtime_checkable
class Belief(Protocol):
    """What is believed at a time: at least its mean and covariance."""

    @property
    def at(self) -> float: ...
    @property
    def mean(self) -> Float[np.ndarray, " state"]: ...
    @property
    def covariance(self) -> Float[np.ndarray, "state state"]: ...


@dataclass(frozen=True)
class Gaussian:
    """A belief that is a mean and a covariance."""

    at: float
    mean: Float[np.ndarray, " state"]
    covariance: Float[np.ndarray, "state state"]


@dataclass(frozen=True)
class Cloud:
    """A belief that is members, each with its weight; weights add up to 1."""

    at: float
    members: Float[np.ndarray, "state member"]
    weights: Float[np.ndarray, " member"]

    @property
    def mean(self) -> Float[np.ndarray, " state"]:
        """The weighted mean of the members."""
        return self.members @ self.weights

    @property
    def covariance(self) -> Float[np.ndarray, "state state"]:
        """The weighted covariance of the members, without the bias of small numbers."""
        centred = self.members - self.mean[:, None]
        return (centred * self.weights) @ centred.T / (1 - self.weights @ self.weights)

    @property
    def effective(self) -> float:
        """How many equally weighted members would say as much (Kong, Liu & Wong 1994)."""
        return float(1 / (self.weights @ self.weights))


@dataclass(frozen=True)
class Told:
    """What a step had expected before it saw the reading, and how likely the reading was.

    `expected` and `sd` are of the reading itself; `likelihood` is its log density. `before` and
    `cross` (covariance with the belief before) are what a smoother needs; clouds leave them out.
    """

    expected: float
    sd: float
    likelihood: float
    before: Gaussian | None = None
    cross: Float[np.ndarray, "state state"] | None = None


@dataclass(frozen=True)
class Filter:
    """A way to follow a state: `init(prior, rng)` and `step(belief, event, rng)`."""

    name: str
    init: Callable[[Gaussian, np.random.Generator], Any]
    step: Callable[[Any, Event, np.random.Generator], tuple[Any, Told]]


def along(
    filter_: Filter, prior: Gaussian, events: Iterable[Event], rng: np.random.Generator
) -> tuple[list[Any], list[Told]]:
    """The belief at birth and after each event, and what each step told."""
    beliefs, told = [filter_.init(prior, rng)], []
    for event in events:
        belief, said = filter_.step(beliefs[-1], event, rng)
        beliefs.append(belief)
        told.append(said)
    return beliefs, told


def evidence(told: Sequence[Told]) -> float:
    """How likely all readings were: the log of their joint density."""
    return float(sum(t.likelihood for t in told))


def density(surprise: float, variance: float) -> float:
    """Log density of a normal surprise."""
    return float(-0.5 * (np.log(2 * np.pi * variance) + surprise**2 / variance))


def trusted(surprise: float, variance: float, limit: float) -> float:
    """The variance to correct with: wider where a surprise is over `limit` deviations."""
    return max(variance, (surprise / limit) ** 2)


def root(covariance: Float[np.ndarray, "state state"]) -> Float[np.ndarray, "state state"]:
    """A matrix whose square is the covariance, also where some states are certain.

    Scaled to correlations first, so that small units lose no digits.
    """
    scale = _scale(covariance)
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    return scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))


def inverse(covariance: Float[np.ndarray, "state state"]) -> Float[np.ndarray, "state state"]:
    """The inverse over what is uncertain, and nothing over what is certain."""
    scale = np.outer(_scale(covariance), _scale(covariance))
    return np.linalg.pinv(covariance / scale, rcond=1e-9, hermitian=True) / scale


def _scale(covariance: Array) -> Array:
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return np.where(sd > 0, sd, 1.0)
