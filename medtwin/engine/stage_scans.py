"""What we believe about a person's stage: moved by time, corrected by scans, learned from many.

A belief is the chance of each stage. Time moves it by the intensities (`later`); a look, which may
be mistaken, corrects it by Bayes' rule (`after_scan`, and `followed` for many); `reached_by`,
`mean_wait` and `waited` say when a stage will be reached. `likeliest` finds the intensities, and
how often looks are mistaken, that make a follow-up of many people most likely.

Jackson (2011), J Stat Softw 38(8); Jackson et al. (2003), The Statistician 52:193.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq, minimize

from medtwin.engine.stages import Panel, generator, panel_loglik, probabilities

nowhere = 1e12
"""The deviance of rates under which what was seen cannot be."""

Belief = Float[np.ndarray, " stage"]
Moves = Sequence[tuple[int, int]]


class Impossible(ValueError):
    """A scan shows what cannot be, by all that is believed."""


def later(belief: Belief, q: Any, years: float) -> Belief:
    """The belief after so many units of time without a look."""
    return belief @ probabilities(q, years)


def after_scan(belief: Belief, seen: int, mistaken: Any = None) -> Belief:
    """The belief after a look that showed stage `seen` (from 0).

    `mistaken[r, s]` is the chance that stage r is seen as s; None: looks are true. Raises
    Impossible where no believed stage can be seen so.
    """
    told = np.eye(len(belief)) if mistaken is None else np.asarray(mistaken)
    joint = belief * told[:, seen]
    if joint.sum() <= 0:
        raise Impossible(
            f"stage {seen} was seen, which nothing believed allows; check the scan, or let looks "
            f"be mistaken"
        )
    return joint / joint.sum()


def reached_by(belief: Belief, q: Any, stage: int, years: Any) -> Float[np.ndarray, " time"]:
    """The chance that this stage has been reached by each of these times, whatever comes after."""
    held = np.array(q, float)
    held[stage] = 0.0
    return np.asarray(belief @ probabilities(held, np.atleast_1d(np.asarray(years, float))))[
        :, stage
    ]


def mean_wait(belief: Belief, q: Any, stage: int) -> float:
    """The mean time until this stage is reached; inf where some never reach it."""
    others = [s for s in range(len(belief)) if s != stage]
    inner = np.asarray(q)[np.ix_(others, others)]
    try:
        waits = np.linalg.solve(-inner, np.ones(len(others)))
    except np.linalg.LinAlgError:
        return float("inf")
    return float(belief[others] @ waits)


def waited(belief: Belief, q: Any, stage: int, share: float, most: float = 100.0) -> float:
    """The time by which this share of such people has reached the stage (0.5: the median).

    inf where it takes longer than `most`.
    """

    def short(years: float) -> float:
        return float(reached_by(belief, q, stage, years)[0]) - share

    if short(0.0) >= 0:
        return 0.0
    root: Any = brentq(short, 0.0, most) if short(most) > 0 else float("inf")
    return float(root)


def followed(
    seen: Sequence[tuple[float, int]], q: Any, first: Belief, mistaken: Any = None
) -> Belief:
    """The belief after these looks (time, stage), from what was believed before the first.

    Raises Impossible for a look that cannot be, ValueError for looks out of order.
    """
    belief, now = first, seen[0][0] if seen else 0.0
    for at, stage in seen:
        if at < now:
            raise ValueError(f"a look at {at:g} stands after one at {now:g}; sort them by time")
        belief, now = after_scan(later(belief, q, at - now), stage, mistaken), at
    return belief


@dataclass(frozen=True)
class Likeliest:
    """The intensities that make a follow-up most likely, with standard errors of their logarithm.

    `rates` and `errors` are by (from, to); `mistaken` is the matrix of looks; `deviance` is -2
    log-likelihood.
    """

    rates: dict[tuple[int, int], float]
    errors: dict[tuple[int, int], float]
    mistaken: Float[np.ndarray, "stage stage"]
    deviance: float
    converged: bool

    def interval(self, move: tuple[int, int]) -> tuple[float, float]:
        """The 95 % interval of one intensity."""
        wide = np.exp(1.96 * self.errors[move])
        return self.rates[move] / wide, self.rates[move] * wide


def likeliest(
    stages: int,
    begin: Mapping[tuple[int, int], float],
    panel: Panel,
    mistakes: Mapping[tuple[int, int], float] | None = None,
    first: Belief | None = None,
) -> Likeliest:
    """Fit intensities, from these beginnings, and the chances of these mistakes, by likelihood."""
    moves, wrong = tuple(begin), tuple(mistakes or ())
    start = np.log([*begin.values(), *(mistakes or {}).values()])

    def matrix(z: Any) -> Any:
        looks = np.zeros((stages, stages))
        for (true, seen), value in zip(wrong, np.exp(z[len(moves) :]), strict=True):
            looks[true, seen] = value  # odds against the true stage being seen
        return (looks + np.eye(stages)) / (1.0 + looks.sum(axis=1, keepdims=True))

    def deviance(z: Any) -> float:
        rates = dict(zip(moves, np.exp(z[: len(moves)]), strict=True))
        looks = matrix(z) if wrong else None
        value = -2.0 * panel_loglik(generator(stages, rates), panel, looks, first)
        return value if np.isfinite(value) else nowhere

    found = minimize(deviance, start, method="BFGS", options={"gtol": 0.02})
    size = np.sqrt(np.diag(np.linalg.inv(_curvature(deviance, found.x))) * 2.0)
    return Likeliest(
        dict(zip(moves, np.exp(found.x[: len(moves)]).tolist(), strict=True)),
        dict(zip(moves, size[: len(moves)].tolist(), strict=True)),
        matrix(found.x),
        float(found.fun),
        bool(np.linalg.norm(found.jac, np.inf) < 0.5),
    )


def _curvature(f: Any, z: Any, h: float = 1e-3) -> Any:
    """Second derivatives by central differences."""
    k = len(z)
    e = h * np.eye(k)
    told = np.empty((k, k))
    for i in range(k):
        for j in range(i, k):
            corners = f(z + e[i] + e[j]) - f(z + e[i] - e[j]) - f(z - e[i] + e[j])
            told[i, j] = told[j, i] = (corners + f(z - e[i] - e[j])) / (4 * h * h)
    return told
