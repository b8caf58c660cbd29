"""The regimes of a model as numbers: who switches where within a time, and what changes then."""

from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from medtwin.engine.model import Model, on_clock
from medtwin.engine.stages import generator, probabilities

most = 0.25
"""A regime is left so often, at the most, within one piece of a course."""


def switching(model: Model[Any], seconds: float) -> Float[np.ndarray, "regime regime"]:
    """The chance to be in each regime (column) so long after being in another (row)."""
    return probabilities(intensities(model), on_clock(model, seconds))


@lru_cache(maxsize=64)
def intensities(model: Model[Any]) -> Float[np.ndarray, "regime regime"]:
    """How often each regime is left for each other, per unit of the model's clock."""
    names = [r.name for r in model.regimes]
    rates = {
        (i, names.index(to)): rate
        for i, r in enumerate(model.regimes)
        for to, rate in r.leaves.items()
    }
    return generator(len(names), rates)


@lru_cache(maxsize=64)
def factors(model: Model[Any]) -> Float[np.ndarray, "regime parameter"]:
    """So many times as large is each parameter in each regime."""
    names = [f.name for f in fields(model.parameters)]
    return np.array([[r.times.get(name, 1.0) for name in names] for r in model.regimes])


def switched(
    model: Model[Any],
    regime: Int[np.ndarray, " member"],
    chance: Float[np.ndarray, " member"],
    seconds: float,
) -> Int[np.ndarray, " member"]:
    """Each member's regime after so long, by its own standard normal chance."""
    reached = np.cumsum(switching(model, seconds), axis=1)[regime]
    return np.minimum((ndtr(chance)[:, None] > reached).sum(axis=1), len(model.regimes) - 1)


def within(
    model: Model[Any], p: Float[np.ndarray, "parameter member"], regime: Any
) -> Float[np.ndarray, "parameter member"]:
    """The parameters in force for members (or all of them) in these regimes."""
    if not model.regimes:
        return p
    return p * np.broadcast_to(factors(model)[regime], p.shape[::-1]).T


def longest(model: Model[Any]) -> float:
    """So many seconds hardly anybody switches twice; inf where there is nothing to switch."""
    if not model.regimes:
        return np.inf
    quickest = float(-np.diagonal(intensities(model)).min())
    return np.inf if quickest == 0 else most / quickest / on_clock(model, 1.0)
