"""How far a trial's statistic must go before it may stop early, so that alpha is kept.

The statistic after information t is a Brownian path S(t) = Z sqrt(t). What has not crossed is
carried from look to look as a density on Gauss-Legendre nodes, and what crosses is integrated.

Armitage, McPherson & Rowe (1969), J R Stat Soc A 132:235; Jennison & Turnbull (2000), Group
Sequential Methods, ch. 19; Lan & DeMets (1983), Biometrika 70:659.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

nodes = 160
farthest = 8.5  # standard errors beyond which nothing is left: 1 - ndtr(8.5) is 1e-17


@dataclass(frozen=True)
class Going:
    """The trials that have not stopped: at which information, where, and how many of them."""

    information: float
    at: Float[np.ndarray, " node"]
    share: Float[np.ndarray, " node"]


@cache
def rule() -> tuple[Float[np.ndarray, " node"], Float[np.ndarray, " node"]]:
    """Gauss-Legendre points and weights on -1 to 1."""
    return np.polynomial.legendre.leggauss(nodes)


def begun() -> Going:
    """Every trial at its start."""
    return Going(0.0, np.zeros(1), np.ones(1))


def crossing(going: Going, z: float, information: float, sides: int) -> float:
    """The share of all trials that crosses `z` at this information, on one side or both."""
    step = np.sqrt(information - going.information)
    bound = z * np.sqrt(information)
    up = ndtr((going.at - bound) / step)
    down = ndtr((-bound - going.at) / step) if sides == 2 else 0.0
    return float(going.share @ (up + down))


def staying(going: Going, z: float, information: float, sides: int) -> Going:
    """The trials that go on past this look."""
    scale, step = np.sqrt(information), np.sqrt(information - going.information)
    high = min(z, farthest) * scale
    low = -high if sides == 2 else -farthest * scale
    x, weight = rule()
    at = (high - low) / 2 * x + (high + low) / 2
    density = np.exp(-(((at[:, None] - going.at) / step) ** 2) / 2) / step / np.sqrt(2 * np.pi)
    return Going(information, at, (density @ going.share) * weight * (high - low) / 2)


def spent(z: Sequence[float], information: Sequence[float], sides: int) -> list[float]:
    """The share of trials without any effect that stops at each look.

    >>> [round(a, 4) for a in spent([1.959964], [1.0], 2)]
    [0.05]
    """
    going, crossed = begun(), []
    for bound, t in zip(z, information, strict=True):
        crossed.append(crossing(going, bound, t, sides))
        going = staying(going, bound, t, sides)
    return crossed


def wang_tsiatis(
    shape: float, information: Sequence[float], alpha: float, sides: int
) -> list[float]:
    """Boundaries c t^(shape - 1/2): 0 is O'Brien-Fleming, 1/2 is Pocock.

    Wang & Tsiatis (1987), Biometrics 43:193; O'Brien & Fleming (1979), Biometrics 35:549;
    Pocock (1977), Biometrika 64:191. `alpha` is that of all sides together.
    """
    form = np.asarray(information, dtype=float) ** (shape - 0.5)

    def excess(c: float) -> float:
        return sum(spent(list(c * form), information, sides)) - alpha

    c = float(brentq(excess, 0.5, 10.0, xtol=1e-10))  # type: ignore[arg-type]
    return list(c * form)


def obrien_fleming(information: Sequence[float], alpha: float, sides: int) -> list[float]:
    """Hard to cross early, almost the fixed boundary at the end."""
    return wang_tsiatis(0.0, information, alpha, sides)


def pocock(information: Sequence[float], alpha: float, sides: int) -> list[float]:
    """The same boundary at every look."""
    return wang_tsiatis(0.5, information, alpha, sides)


def spending(
    spend: Callable[[float], float], information: Sequence[float], sides: int
) -> list[float]:
    """Boundaries at which `spend(t)` of alpha has been used up by information t."""
    going, bounds, used = begun(), [], 0.0
    for t in information:
        due = spend(t) - used

        def excess(z: float, going: Going = going, t: float = t, due: float = due) -> float:
            return crossing(going, z, t, sides) - due

        bounds.append(float(brentq(excess, -2.0, 12.0, xtol=1e-12)))  # type: ignore[arg-type]
        used += crossing(going, bounds[-1], t, sides)
        going = staying(going, bounds[-1], t, sides)
    return bounds


def like_obrien_fleming(alpha: float, sides: int) -> Callable[[float], float]:
    """Lan and DeMets' spending that is like O'Brien and Fleming's, for looks at any time."""
    z = ndtri(1 - alpha / sides / 2)
    return lambda t: float(sides * 2 * ndtr(-z / np.sqrt(t)))


def like_pocock(alpha: float) -> Callable[[float], float]:
    """Lan and DeMets' spending that is like Pocock's."""
    return lambda t: float(alpha * np.log1p((np.e - 1) * t))
