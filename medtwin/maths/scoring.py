"""How good a forecast was: its error, its whole distribution, and how honest its intervals are.

Every score takes many forecasts at once and returns one number (CRPS: one per forecast, so
that it can be averaged by person or horizon). Smaller is better, except coverage, which
should equal the interval's own claim.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

Many = Float[np.ndarray, " forecast"]


def rmse(forecast: Many, measured: Many) -> float:
    """How far off it is typically, large misses counting most."""
    return float(np.sqrt(np.mean((forecast - measured) ** 2)))


def mae(forecast: Many, measured: Many) -> float:
    """How far off it is on average."""
    return float(np.mean(np.abs(forecast - measured)))


def crps_normal(mean: Many, spread: Many, measured: Many) -> Many:
    """How far a normal forecast lies from what happened, in the measurement's unit.

    `spread` is the standard deviation, above 0. Gneiting et al. (2005), Mon Weather Rev
    133:1098, equation 5.
    """
    z = (measured - mean) / spread
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return spread * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))


def crps_samples(paths: Float[np.ndarray, "forecast member"], measured: Many) -> Many:
    """How far an ensemble lies from what happened: E|X - y| - E|X - X'| / 2.

    Gneiting & Raftery (2007), J Am Stat Assoc 102:359, equation 21, members equally likely.
    """
    inside = np.sort(paths, axis=1)
    n = inside.shape[1]
    off = np.mean(np.abs(inside - measured[:, None]), axis=1)
    weight = 2 * np.arange(1, n + 1) - n - 1
    return off - inside @ weight / n**2


def pinball(quantile: Many, level: float, measured: Many) -> Many:
    """What a quantile forecast costs: missing below `level` of the time is what it claims.

    Koenker & Bassett (1978), Econometrica 46:33.
    """
    below = measured - quantile
    return np.maximum(level * below, (level - 1) * below)


def crps_quantiles(
    quantiles: Float[np.ndarray, "forecast level"], levels: Sequence[float], measured: Many
) -> Many:
    """How far forecast quantiles lie from what happened: twice the mean pinball loss.

    `levels` are spread evenly between 0 and 1. Gneiting & Ranjan (2011), J Bus Econ Stat
    29:411, equation 10.
    """
    losses = [pinball(quantiles[:, i], level, measured) for i, level in enumerate(levels)]
    return 2 * np.mean(losses, axis=0)


def coverage(low: Many, high: Many, measured: Many) -> float:
    """The share of measurements that fell inside the interval (its ends included)."""
    return float(np.mean((low <= measured) & (measured <= high)))


def calibration(
    quantiles: Float[np.ndarray, "forecast level"], measured: Many
) -> Float[np.ndarray, " level"]:
    """For each forecast quantile, how often the measurement was at or below it.

    An honest forecast gives back the levels themselves: the reliability diagram of Gneiting,
    Balabdaoui & Raftery (2007), J R Stat Soc B 69:243.
    """
    return np.mean(measured[:, None] <= quantiles, axis=0)
