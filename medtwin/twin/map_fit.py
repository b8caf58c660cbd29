"""The most likely parameters of one person, given their readings and what people are like.

Maximum a posteriori by damped Gauss-Newton (Levenberg 1944, Marquardt 1963): for each person

    O(z) = sum over readings of (y - f)^2 / v + log v  +  (z - c)' W^-1 (z - c)
    v = additive^2 + (proportional f)^2

with z the free parameters on their prior's scale, c and W the prior's centre and covariance.
The curvature is the expected one (Fisher information), so that its inverse is the Laplace
approximation of what remains in doubt. Each person carries a damping of their own; everybody
is moved in the same call of the engine, with a copy for each parameter a little up and down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.record.codes import Code
from medtwin.twin.cohort import Cohort, Person, cohort, expected
from medtwin.twin.prior import Prior, prior_of

nudge = 1e-4
"""How far a copy stands from its person on the fitting scale."""

enough = 1e-8
"""Converged when one more step would gain less than this in -2 log posterior."""

most_turns = 60
stuck = 1e6
"""Who must be damped so much has nowhere better to go (a bound stands in the way)."""


@dataclass(frozen=True)
class Error:
    """What separates a reading from the truth: a part of its own, and a share of the value."""

    additive: float = 0.0
    proportional: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError where there is no error at all, or a negative one."""
        if min(self.additive, self.proportional) < 0 or self.additive + self.proportional <= 0:
            raise ValueError("a reading has some error: additive, proportional, or both, above 0")


@dataclass(frozen=True)
class Individual:
    """What one person's readings say of them.

    `values` are the fitted parameters; `errors` their standard errors on the fitting scale and
    `covariance` the whole of it; `learned` is the share of each prior variance that the
    readings took away (0: nothing was learned). `expected` is what the fit makes of each
    reading, in the order of the person's `read`. `objective` is -2 log posterior, up to
    constants. A fit with `converged` False must not be used without looking: `because` says why.
    """

    name: str
    model: str
    values: dict[str, float]
    errors: dict[str, float]
    covariance: Float[np.ndarray, "free free"]
    learned: dict[str, float]
    expected: Float[np.ndarray, " reading"]
    objective: float
    converged: bool
    because: str


def individual(
    model: Model[Any],
    person: Person,
    free: Sequence[str] | Prior,
    error: Mapping[Code, Error] | None = None,
) -> Individual:
    """The most likely parameters of one person. Arguments and errors as for `individuals`."""
    return individuals(model, [person], free, error)[0]


def individuals(
    model: Model[Any],
    people: Sequence[Person],
    free: Sequence[str] | Prior,
    error: Mapping[Code, Error] | None = None,
) -> tuple[Individual, ...]:
    """The most likely parameters of each of these people, all fitted side by side.

    `free` names the parameters to fit, with the model's own priors, or is a prior. `error` of
    each code defaults to an additive one, the code's own noise.
    Raises NotFree, Untold, NotTaken, or ValueError for a code whose error nobody knows.
    """
    prior = free if isinstance(free, Prior) else prior_of(model, free)
    everybody = cohort(model, people, prior.names, 2 * prior.moves.shape[1] + 1)
    sizes = error_sizes(model, everybody, error or {})
    return _told(everybody, prior, climbed(everybody, prior, sizes))


def error_sizes(
    model: Model[Any], everybody: Cohort, error: Mapping[Code, Error]
) -> Float[np.ndarray, "2 reading"]:
    """The additive and the proportional error of each reading."""
    sizes = np.zeros((2, len(everybody.values)))
    for k, code in enumerate(shown_codes(model)):
        mine = everybody.code == k
        if not mine.any():
            continue
        if code not in error and code.noise <= 0:
            raise ValueError(f"nobody knows the error of {code.name}; give it as `error`")
        told = error.get(code) or Error(additive=code.noise)
        sizes[0, mine], sizes[1, mine] = told.additive, told.proportional
    return sizes


@dataclass(frozen=True)
class Fit:
    """Where everybody stands: how far from their prior's centre, and so in which place; the
    objective there, its curvature and slope, what is foreseen, and what one more step gains."""

    away: Float[np.ndarray, "person random"]
    place: Float[np.ndarray, "person free"]
    objective: Float[np.ndarray, " person"]
    curvature: Float[np.ndarray, "person random random"]
    slope: Float[np.ndarray, "person random"]
    expected: Float[np.ndarray, " reading"]
    gain: Float[np.ndarray, " person"]

    def where(self, better: Bool[np.ndarray, " person"], other: "Fit", whose: np.ndarray) -> "Fit":
        """This fit for those who are better off with it, the other for the rest."""
        mixed = {}
        for name, mine in vars(self).items():
            which = better[whose] if name == "expected" else better
            which = which.reshape(-1, *(1,) * (mine.ndim - 1))
            mixed[name] = np.where(which, mine, getattr(other, name))
        return Fit(**mixed)


def climbed(
    everybody: Cohort,
    prior: Prior,
    sizes: Float[np.ndarray, "2 reading"],
    start: Float[np.ndarray, "person random"] | None = None,
    gain: float = enough,
) -> Fit:
    """Everybody at the top of their own posterior, or as near as so many turns came.

    `start` is how far from the centre the climb begins; it ends when one more step would gain
    everybody less than `gain`.
    """
    here = np.zeros((len(everybody.people), prior.moves.shape[1])) if start is None else start
    best = judged(everybody, prior, sizes, here)
    damping = np.full(len(everybody.people), 1e-3)
    for _ in range(most_turns):
        still = (best.gain >= gain) & (damping < stuck)
        if not still.any():
            break
        damped = best.curvature + damping[:, None, None] * _diagonal(best.curvature)
        step = np.linalg.solve(damped, best.slope[:, :, None])[:, :, 0]
        tried = judged(everybody, prior, sizes, best.away + np.clip(step, -2.0, 2.0), still)
        # near the top the last digits decide by chance, so there the smaller slope does
        level = tried.objective <= best.objective + 1e-9
        higher = tried.objective < best.objective
        better = still & (higher | (level & (tried.gain < best.gain)))
        best = tried.where(better, best, everybody.whose)
        damping = np.clip(np.where(better, damping / 10, damping * 8), 1e-9, stuck)
    return best


def slopes(
    everybody: Cohort,
    prior: Prior,
    place: Float[np.ndarray, "person free"],
    moves: Float[np.ndarray, "free move"],
    only: Bool[np.ndarray, " person"] | None = None,
) -> tuple[Float[np.ndarray, " reading"], Float[np.ndarray, "reading move"]]:
    """What every reading would have been, and how that changes along each of these moves."""
    k = moves.shape[1]
    nudges = nudge * np.concatenate([np.zeros((1, len(moves))), moves.T, -moves.T])
    f = foreseen(everybody, prior, place[:, None, :] + nudges, only)
    return f[:, 0], (f[:, 1 : k + 1] - f[:, k + 1 :]) / (2 * nudge)


def foreseen(
    everybody: Cohort,
    prior: Prior,
    places: Float[np.ndarray, "person copy free"],
    only: Bool[np.ndarray, " person"] | None = None,
) -> Float[np.ndarray, "reading copy"]:
    """What every reading would have been with each copy's place on the fitting scale (of the
    people among `only`, if that is said)."""
    p = np.repeat(everybody.told[:, :, None], places.shape[1], axis=2)
    which = [parameter_names(everybody.model).index(n) for n in prior.names]
    p[which] = prior.values(np.moveaxis(places, 2, 0))
    return expected(everybody, p, only)


def judged(
    everybody: Cohort,
    prior: Prior,
    sizes: Float[np.ndarray, "2 reading"],
    away: Float[np.ndarray, "person random"],
    only: Bool[np.ndarray, " person"] | None = None,
) -> Fit:
    """The posterior so far from the centre: its height, its slope (downhill is minus), its
    curvature; only of these people, if that is said."""
    place = prior.centre.T + away @ prior.moves.T
    f, jac = slopes(everybody, prior, place, prior.moves, only)
    v = sizes[0] ** 2 + (sizes[1] * f) ** 2
    v_slope = 2 * sizes[1] ** 2 * f
    miss = everybody.values - f
    k = away.shape[1]
    precision = np.broadcast_to(np.linalg.inv(prior.spread), (len(away), k, k))
    drawn_back = np.einsum("nij,nj->ni", precision, away)
    height = everybody.total(miss**2 / v + np.log(v)) + np.sum(away * drawn_back, axis=1)
    # half the derivative of the objective, downhill
    pull = miss / v + 0.5 * v_slope * (miss**2 / v**2 - 1 / v)
    slope = everybody.total(jac * pull[:, None]) - drawn_back
    weight = 1 / v + 0.5 * (v_slope / v) ** 2
    curvature = everybody.total(np.einsum("r,ri,rj->rij", weight, jac, jac)) + precision
    lost = ~np.isfinite(height) | ~np.isfinite(slope).all(axis=1)
    height = np.where(lost, np.inf, height)
    curvature[lost], slope[lost] = precision[lost], 0.0
    gain = np.einsum("ni,ni->n", slope, np.linalg.solve(curvature, slope[:, :, None])[:, :, 0])
    return Fit(away, place, height, curvature, slope, f, np.where(lost, np.inf, gain))


def _diagonal(curvature: np.ndarray) -> np.ndarray:
    return np.einsum("nii->ni", curvature)[:, :, None] * np.eye(curvature.shape[-1])


def _told(everybody: Cohort, prior: Prior, fit: Fit) -> tuple[Individual, ...]:
    covariance = prior.moves @ np.linalg.inv(fit.curvature) @ prior.moves.T
    before = np.diag(prior.moves @ prior.spread @ prior.moves.T)
    after = np.einsum("nii->ni", covariance)
    natural = prior.values(fit.place.T).T

    def named(row: np.ndarray) -> dict[str, float]:
        return dict(zip(prior.names, row.tolist(), strict=True))

    told = []
    for i, person in enumerate(everybody.people):
        because = _why_not(prior, fit, i, natural[i])
        told.append(
            Individual(
                name=person.name,
                model=everybody.model.name,
                values=named(natural[i]),
                errors=named(np.sqrt(after[i])),
                covariance=covariance[i],
                learned=named(1 - after[i] / before),
                expected=fit.expected[everybody.whose == i],
                objective=float(fit.objective[i]),
                converged=not because,
                because=because,
            )
        )
    return tuple(told)


def _why_not(prior: Prior, fit: Fit, i: int, values: np.ndarray) -> str:
    """Why a person's fit is not to be trusted; nothing if it is."""
    if not np.isfinite(fit.objective[i]):
        return "no body could be simulated with these parameters; look at what was given and read"
    edges = (values <= prior.low) | (values >= prior.high)
    if edges.any():
        held = ", ".join(n for n, e in zip(prior.names, edges, strict=True) if e)
        return f"{held} stands at its bound; look at the readings, or at the bound"
    if fit.gain[i] >= enough:
        return (
            f"where the climb ended a step would still gain {fit.gain[i]:.2g}; "
            f"free fewer parameters, or look for a reading that does not fit"
        )
    return ""
