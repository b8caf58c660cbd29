"""What one person's data can tell of their parameters, and what it cannot.

Shrinkage: how much of the doubt at birth the readings took away. Sloppy directions: combinations of
parameters that no reading tells apart, from the Fisher information in units of what we
knew before (Gutenkunst et al. 2007, PLoS Comput Biol 3:e189; Raue et al. 2009, Bioinformatics
25:1923).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import parameter_array, simulate
from medtwin.record.codes import Code
from medtwin.twin.twin import Twin

little, much = 0.1, 0.75


@dataclass(frozen=True)
class Known:
    """One parameter before and after the readings: its spread (of the logarithm where it is
    positive), the share of its variance that they took away, and what that means."""

    parameter: str
    before: float
    after: float
    shrinkage: float
    because: str


@dataclass(frozen=True)
class Direction:
    """A combination of parameters, in standard deviations of what was known before.

    `left` is the share of the doubt (sd) along it that the readings leave; `weights` name the
    parameters that make it, the weightiest first.
    """

    left: float
    weights: tuple[tuple[str, float], ...]
    because: str


def shrinkage(before: Twin, now: Twin) -> tuple[Known, ...]:
    """What this twin has learned of each parameter since `before` (its birth, as a rule).

    The least known comes first. A negative share says that the readings contradict the prior.
    """
    found = [
        _known(f, row, later)
        for f, row, later in zip(
            fields(before.model.parameters), before.parameters, now.parameters, strict=True
        )
        if np.ptp(row) > 0
    ]
    return tuple(sorted(found, key=lambda k: k.shrinkage))


def _known(f: Any, before: np.ndarray, now: np.ndarray) -> Known:
    log = f.metadata["cv"] > 0
    was, later = (float(np.std(np.log(a) if log else a, ddof=1)) for a in (before, now))
    share = 1 - (later / was) ** 2
    return Known(f.name, was, later, share, _told(f.name, share))


def _told(name: str, share: float) -> str:
    if share < little:
        return f"The readings say next to nothing of {name}: what is believed is the population's."
    much_or_some = "most" if share >= much else "some"
    return f"The readings took away {share:.0%} of the variance of {name}: {much_or_some} of it."


def directions(
    model: Model[Any],
    p: Any,
    given: Sequence[Given],
    times: Sequence[float] | Float[np.ndarray, " time"],
    code: Code,
    error: float,
    begin: float = 0.0,
) -> tuple[Direction, ...]:
    """The combinations that readings of `code` at `times` would tell, the best told first.

    `p` is one person's parameters, around which the course is made linear; `error` the standard
    error of a reading; `given` and `times` in the model's own unit, from rest at `begin`.
    """
    names, slopes = sensitivities(model, p, given, times, code, begin)
    information = slopes.T @ slopes / error**2
    values, vectors = np.linalg.eigh(information)
    left = 1 / np.sqrt(1 + np.maximum(values, 0.0))
    return tuple(_direction(names, float(left[k]), vectors[:, k]) for k in np.argsort(left))


def sensitivities(
    model: Model[Any],
    p: Any,
    given: Sequence[Given],
    times: Sequence[float] | Float[np.ndarray, " time"],
    code: Code,
    begin: float = 0.0,
    step: float = 1e-3,
) -> tuple[tuple[str, ...], Float[np.ndarray, "time parameter"]]:
    """By how much each reading changes for one prior sd of each parameter that differs.

    Central differences; everybody runs in the lanes of one call.
    """
    told = list(enumerate(fields(model.parameters)))
    differ = [(i, f) for i, f in told if f.metadata["cv"] > 0 or f.metadata.get("sd", 0.0) > 0]
    own = parameter_array(model, p)[:, :1]
    crowd = np.repeat(own, 2 * len(differ), axis=1)
    for k, (i, f) in enumerate(differ):
        crowd[i, 2 * k : 2 * k + 2] = _either_side(f.metadata, own[i, 0], step)
    shown = simulate(model, crowd, None, given, np.r_[begin, times]).of(code)[1:]
    slopes = (shown[:, 0::2] - shown[:, 1::2]) / (2 * step)
    return tuple(f.name for _, f in differ), slopes


def _either_side(told: Any, value: float, step: float) -> list[float]:
    if told["cv"] > 0:
        sd = np.sqrt(np.log1p(told["cv"] ** 2))
        return [value * np.exp(sd * step), value * np.exp(-sd * step)]
    return [value + told["sd"] * step, value - told["sd"] * step]


def _direction(names: tuple[str, ...], left: float, vector: np.ndarray) -> Direction:
    order = np.argsort(-np.abs(vector))
    signed = vector * np.sign(vector[order[0]])
    weights = tuple((names[i], float(signed[i])) for i in order)
    loud = [(n, w) for n, w in weights if abs(w) >= 0.3]
    way = ", ".join(f"{n} {'up' if w > 0 else 'down'}" for n, w in loud)
    return Direction(left, weights, f"These readings leave {left:.0%} of the doubt: {way}.")
