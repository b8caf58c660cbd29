"""What is believed about the past once the whole of it is known.

Fixed interval: Rauch, Tung & Striebel (1965), AIAA J 3:1445, for any filter with Gaussian beliefs
(Sarkka 2008, IEEE Trans Autom Control 53:845). Iterated: the functions are made linear where the
smoothed belief lies, and the pass is made again (Garcia-Fernandez, Svensson & Sarkka 2017, IEEE
Trans Autom Control 62:2056). Ensemble: the readings are learned several times with wider
errors that together count once (Emerick & Reynolds 2013, Comput Geosci 55:3).
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from medtwin.maths.filters.filter import Dynamics, Gaussian, Reading, Told, inverse, root
from medtwin.maths.filters.gaussian import Passed, through_points

Array = np.ndarray


def smoothed(beliefs: Sequence[Gaussian], told: Sequence[Told]) -> list[Gaussian]:
    """The beliefs of `along` in the light of all readings.

    Raises ValueError for a filter that does not tell how its beliefs hang together.
    """
    after = [beliefs[-1]]
    for belief, step in zip(beliefs[-2::-1], told[::-1], strict=True):
        if step.before is None or step.cross is None:
            raise ValueError("only filters with Gaussian beliefs are smoothed backwards")
        after.append(_looked_back(belief, step.before, step.cross, after[-1]))
    return after[::-1]


def _looked_back(now: Gaussian, before: Gaussian, cross: Array, later: Gaussian) -> Gaussian:
    """One step back: this belief moved by what was learned after it."""
    gain = inverse(before.covariance) @ cross.T
    mean = now.mean + (later.mean - before.mean) @ gain
    covariance = now.covariance + gain.T @ (later.covariance - before.covariance) @ gain
    return Gaussian(now.at, mean, (covariance + covariance.T) / 2)


def iterated(
    dynamics: Dynamics, prior: Gaussian, readings: Sequence[Reading], rounds: int = 5
) -> list[Gaussian]:
    """The belief at birth and at each reading, made linear where all readings say it lies.

    The first round is made linear where the filter is. For what is linear, one round is enough.
    """
    places: list[Gaussian] | None = None
    for _ in range(rounds):
        beliefs, told = [prior], []
        for k, reading in enumerate(readings):
            here = (places[k], places[k + 1]) if places else None
            belief, said = _step(dynamics, beliefs[-1], reading, here)
            beliefs.append(belief)
            told.append(said)
        places = smoothed(beliefs, told)
    return places or [prior]


def _step(
    dynamics: Dynamics,
    belief: Gaussian,
    reading: Reading,
    places: tuple[Gaussian, Gaussian] | None,
) -> tuple[Gaussian, Told]:
    before, cross = belief, belief.covariance
    if reading.at > belief.at:
        line = _moving(dynamics, belief if places is None else places[0], reading.at)
        passed = _along_line(line, belief)
        before, cross = Gaussian(reading.at, passed.mean, passed.covariance), passed.cross
    if np.isnan(reading.value):
        return before, Told(np.nan, np.nan, 0.0, before, cross)
    seen = _along_line(_seeing(dynamics, places[1] if places else before, reading), before)
    gain = seen.cross[:, 0] / seen.covariance[0, 0]
    mean = before.mean + gain * (reading.value - seen.mean[0])
    covariance = before.covariance - np.outer(gain, seen.cross[:, 0])
    return Gaussian(reading.at, mean, (covariance + covariance.T) / 2), Told(
        float(seen.mean[0]), float(np.sqrt(seen.covariance[0, 0])), 0.0, before, cross
    )


Line = tuple[Array, Array, Array]
"""Slope, level and left-over covariance of a function made linear."""


def _moving(dynamics: Dynamics, place: Gaussian, end: float) -> Line:
    n, m = len(place.mean), dynamics.chances
    covariance = np.eye(n + m)
    covariance[:n, :n] = place.covariance
    passed = through_points(
        lambda a: dynamics.moved(a[:n], a[n:], place.at, end),
        np.r_[place.mean, np.zeros(m)],
        covariance,
    )
    return _line(place, Passed(passed.mean, passed.covariance, passed.cross[:n]))


def _seeing(dynamics: Dynamics, place: Gaussian, reading: Reading) -> Line:
    passed = through_points(
        lambda a: dynamics.shown(a, reading.which)[None], place.mean, place.covariance
    )
    slope, level, left = _line(place, passed)
    error = float(dynamics.error(place.mean[:, None], reading.which)[0])
    return slope, level, left + error**2


def _line(place: Gaussian, passed: Passed) -> Line:
    """The straight line that fits best over a belief (statistical linear regression)."""
    slope = passed.cross.T @ inverse(place.covariance)
    left = passed.covariance - slope @ place.covariance @ slope.T
    over = root((left + left.T) / 2)  # what rounding made negative is nothing
    return slope, passed.mean - slope @ place.mean, over @ over.T


def _along_line(line: Line, belief: Gaussian) -> Passed:
    slope, level, left = line
    covariance = slope @ belief.covariance @ slope.T + left
    return Passed(slope @ belief.mean + level, covariance, belief.covariance @ slope.T)


def learned_again(
    members: Float[np.ndarray, "unknown member"],
    course: Callable[[Array], Array],
    values: Float[np.ndarray, " reading"],
    errors: Float[np.ndarray, " reading"],
    rng: np.random.Generator,
    rounds: int = 4,
) -> Float[np.ndarray, "unknown member"]:
    """Members of what is unknown in the light of all readings at once.

    `course(members)` runs them all and gives (reading, member). Each of `rounds` learns every
    reading with its variance so many times as large.
    """
    for _ in range(rounds):
        shown = course(members)
        wide = np.sqrt(rounds) * errors
        heard = values[:, None] + wide[:, None] * rng.standard_normal(shown.shape)
        members = members + _gain(members, shown, wide) @ (heard - shown)
    return members


def _gain(members: Array, shown: Array, errors: Array) -> Array:
    apart = shown - shown.mean(axis=1, keepdims=True)
    centred = members - members.mean(axis=1, keepdims=True)
    n = shown.shape[1] - 1
    expected = apart @ apart.T / n + np.diag(errors**2)
    return np.linalg.solve(expected, apart @ centred.T / n).T
