"""A population by SAEM: everybody's differences are drawn, not approximated.

Stochastic approximation of EM (Delyon, Lavielle & Moulines 1999, Ann Stat 27:94; Kuhn &
Lavielle 2005, Comput Stat Data Anal 49:1020). Each turn draws every person's differences anew
by a few Metropolis steps (from the spread itself, and random walks in the shape of that
person's Laplace approximation), then moves the population to what the draws, averaged over
turns, make most likely. At first each turn counts fully, and errors and spreads may fall only
slowly; later turn k counts 1/k. Parameters that do not differ between people follow
Gauss-Newton steps over all draws. The likelihood at the end is by importance sampling;
standard errors are those of FOCEI at this place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln, logsumexp

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model
from medtwin.record.codes import Code
from medtwin.twin.cohort import Cohort, Person
from medtwin.twin.map_fit import Error, climbed, foreseen
from medtwin.twin.population import Population, Structure
from medtwin.twin.population_focei import Search, uncertainty
from medtwin.twin.population_task import Parts, Task, asked, told

exploring, settling = 200, 200
draws_for = 60
slowest_fall = 0.95
samples, freedom = 2000, 5
nudge = 1e-4


def saem(
    model: Model[Any],
    people: Sequence[Person],
    structure: Structure,
    rng: np.random.Generator,
    data: str = "",
) -> Population:
    """The population of these people by SAEM.

    Raises TooFew, Untold, NotFree as the other methods do, and ValueError for an effect that
    SAEM cannot learn.
    """
    task = asked(model, people, structure)
    _possible(structure)
    walk, trace = Walk.begun(task), []
    for turn in range(exploring + settling):
        count = 1.0 if turn < exploring else 1.0 / (turn - exploring + 1)
        slowest = slowest_fall if turn < exploring // 2 else 0.0
        walk = walk.drawn(rng).learned(count, slowest)
        trace.append(task.vector(walk.parts))
    vector = trace[-1]
    search = Search(task)
    errors, _ = uncertainty(search, vector)
    objective = -2 * log_likelihood(task, walk.parts, search, rng)
    because = _unsettled(task, np.ptp(trace[-settling // 2 :], axis=0), errors)
    fit = search.fit(vector)
    return told(task, vector, fit, errors, objective, "SAEM", because, data)


def _possible(structure: Structure) -> None:
    if fixed := {e.parameter for e in structure.effects} - set(structure.differs):
        raise ValueError(f"{', '.join(fixed)} does not differ between people; use FOCEI for that")
    if structure.effects and structure.along:
        raise ValueError("SAEM does not learn effects beside `along`; use FOCEI for that")


def _unsettled(task: Task, late: np.ndarray, errors: np.ndarray) -> str:
    limit = np.where(np.isfinite(errors), 0.5 * errors, 0.1)
    restless = [n for n, a, b in zip(task.labels, late, limit, strict=True) if not a < b]
    if not restless:
        return ""
    return f"{', '.join(restless)} had not settled at the end; begin nearer, or fit fewer numbers"


@dataclass(frozen=True)
class Walk:
    """The draws of everybody's differences, and the population that they lead to.

    `root` is the shape and `pace` the size of each person's walk. `first` is each person's mean
    place along the differences, `second` the summed square of these places, both averaged over
    draws and turns.
    """

    task: Task
    everybody: Cohort
    parts: Parts
    away: Float[np.ndarray, "person draw random"]
    expected: Float[np.ndarray, "reading draw"]
    root: Float[np.ndarray, "person random random"]
    pace: float
    first: Float[np.ndarray, "person random"] | None = None
    second: Float[np.ndarray, "random random"] | None = None

    @staticmethod
    def begun(task: Task) -> "Walk":
        """Everybody at their own best fit."""
        draws = max(2, -(-draws_for // len(task.people)))
        everybody, parts = task.cohort(1, draws), task.parts(task.start())
        fit = climbed(everybody, task.prior([parts]), task.sizes(everybody, [parts]))
        root = np.linalg.cholesky(np.linalg.inv(fit.curvature))
        away = np.repeat(fit.away[:, None], draws, axis=1)
        expected = np.repeat(fit.expected[:, None], draws, axis=1)
        return Walk(task, everybody, parts, away, expected, root, 1.0)

    def shown(self, away: np.ndarray) -> Float[np.ndarray, "reading draw"]:
        """What every reading would have been with these differences."""
        prior = self.task.prior([self.parts])
        return foreseen(self.everybody, prior, prior.centre.T[:, None] + away @ self.task.moves.T)

    def heights(self, away: np.ndarray, f: np.ndarray) -> Float[np.ndarray, "2 person draw"]:
        """-2 log likelihood of everybody's readings, and of everybody's differences."""
        return heights(self.task, self.everybody, self.parts, away, f)

    def drawn(self, rng: np.random.Generator) -> "Walk":
        """After one proposal from the spread, and three steps of a walk that keeps its pace."""
        # the population has moved since: the same differences now foresee something else
        walk = replace(self, expected=self.shown(self.away))
        fresh = rng.standard_normal(self.away.shape) @ np.linalg.cholesky(self.parts.spread).T
        walk, _ = walk.judged(fresh, rng, np.array([1.0, 0.0]))  # drawn from the prior already
        for _ in range(3):
            steps = np.einsum("nij,ndj->ndi", self.root, rng.standard_normal(self.away.shape))
            walk, taken = walk.judged(walk.away + walk.pace * steps, rng, np.ones(2))
            pace = float(np.clip(walk.pace * np.exp(0.3 * (taken - 0.35)), 0.05, 5.0))
            walk = replace(walk, pace=pace)
        return walk

    def judged(
        self, proposed: np.ndarray, rng: np.random.Generator, counts: np.ndarray
    ) -> tuple["Walk", float]:
        """With the proposals that are taken (Metropolis), and the share of them."""
        f = self.shown(proposed)
        gain = self.heights(self.away, self.expected) - self.heights(proposed, f)
        takes = 2 * np.log(rng.random(gain.shape[1:])) < np.einsum("k,knd->nd", counts, gain)
        away = np.where(takes[:, :, None], proposed, self.away)
        expected = np.where(takes[self.everybody.whose], f, self.expected)
        return replace(self, away=away, expected=expected), float(takes.mean())

    def learned(self, count: float, slowest: float) -> "Walk":
        """The population that the draws make most likely, counted in so much; errors and spreads
        keep at least this share of what they were."""
        task, parts = self.task, self.parts
        design, held = _design(task), np.concatenate([_own(task, parts.place), parts.effects])
        places = (design @ held)[:, None] + self.away
        first, second = self._averaged(places, count)
        precision = np.linalg.inv(parts.spread)
        best = np.linalg.solve(
            np.einsum("niv,ij,njw->vw", design, precision, design),
            np.einsum("niv,ij,nj->v", design, precision, first),
        )
        mean = design @ best
        cross = first.T @ mean
        spread = (second - cross - cross.T + mean.T @ mean) / len(mean)
        q = self.away.shape[2]
        moved = Parts(
            place=parts.place + task.moves @ (best - held)[:q] + count * self._unshared(),
            effects=best[q:],
            spread=_allowed(task, spread, parts.spread, slowest),
            error=self._errors(count, slowest),
        )
        # everybody stays where they stand: only what counts as difference has changed
        away = places - mean[:, None]
        return replace(self, parts=moved, away=away, first=first, second=second)

    def _averaged(self, places: np.ndarray, count: float) -> tuple[np.ndarray, np.ndarray]:
        first = places.mean(axis=1)
        second = np.einsum("ndi,ndj->ij", places, places) / places.shape[1]
        if self.first is None or self.second is None:
            return first, second
        return self.first + count * (first - self.first), self.second + count * (
            second - self.second
        )

    def _variance(self, f: np.ndarray) -> np.ndarray:
        sizes = self.task.sizes(self.everybody, [self.parts])[:, :, None]
        return sizes[0] ** 2 + (sizes[1] * f) ** 2

    def _unshared(self) -> Float[np.ndarray, " free"]:
        """A Gauss-Newton step, over all draws, of the parameters that do not differ."""
        names = self.task.blank.names
        fixed = [k for k, n in enumerate(names) if n not in self.task.structure.differs]
        step = np.zeros(len(names))
        if not fixed:
            return step
        prior = self.task.prior([self.parts])
        place = prior.centre.T[:, None] + self.away @ self.task.moves.T
        shown = partial(foreseen, self.everybody, prior)
        each = nudge * np.eye(len(names))[fixed]
        jac = np.stack([(shown(place + e) - shown(place - e)) / (2 * nudge) for e in each], axis=-1)
        v, miss = self._variance(self.expected), self.everybody.values[:, None] - self.expected
        curvature = np.einsum("rdi,rdj,rd->ij", jac, jac, 1 / v)
        step[fixed] = np.linalg.solve(curvature, np.einsum("rdi,rd->i", jac, miss / v))
        return np.clip(step, -0.5, 0.5)

    def _errors(self, count: float, slowest: float) -> dict[Code, Error]:
        """Each code's error: a Fisher scoring step of the logarithms of its two variances."""
        errors = {}
        for k, code in enumerate(shown_codes(self.task.model)):
            mine = self.everybody.code == k
            if code in self.parts.error:
                f, now = self.expected[mine], self.parts.error[code]
                squared = (self.everybody.values[mine][:, None] - f) ** 2
                errors[code] = _scored(now, f.ravel(), squared.ravel(), count, slowest)
        return errors


def heights(
    task: Task, everybody: Cohort, parts: Parts, away: np.ndarray, f: np.ndarray
) -> Float[np.ndarray, "2 person draw"]:
    """-2 log likelihood of everybody's readings, and of everybody's differences, up to 2 pi."""
    sizes = task.sizes(everybody, [parts])[:, :, None]
    v = sizes[0] ** 2 + (sizes[1] * f) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        miss = everybody.total((everybody.values[:, None] - f) ** 2 / v + np.log(v))
    own = np.einsum("ndi,ij,ndj->nd", away, np.linalg.inv(parts.spread), away)
    own = own + np.linalg.slogdet(parts.spread)[1]
    return np.stack([np.where(np.isfinite(miss), miss, 1e300), own])


def _scored(now: Error, f: np.ndarray, squared: np.ndarray, count: float, slowest: float) -> Error:
    parts = np.array([now.additive, now.proportional]) ** 2
    free = parts > 0
    slope = (np.stack([np.ones(len(f)), f**2], axis=1) * parts)[:, free]
    v = slope.sum(axis=1)
    scaled = slope / v[:, None]
    step = np.linalg.solve(scaled.T @ scaled, scaled.T @ (squared / v - 1))
    lowest = 2 * np.log(slowest) if slowest else -1.0
    parts[free] *= np.exp(count * np.clip(step, lowest, 1.0))
    return Error(*np.sqrt(parts).tolist())


def _own(task: Task, place: np.ndarray) -> np.ndarray:
    """The typical place of each parameter that differs."""
    return place[[task.blank.names.index(n) for n in task.structure.differs]]


def _design(task: Task) -> Float[np.ndarray, "person random number"]:
    """What typical places and effects make of everybody's place along the differences."""
    rows = [task.blank.names.index(n) for n in task.structure.differs]
    each = np.broadcast_to(np.eye(len(rows)), (len(task.people), len(rows), len(rows)))
    return np.concatenate([each, task.leaning[:, rows]], axis=2)


def _allowed(task: Task, spread: np.ndarray, before: np.ndarray, slowest: float) -> np.ndarray:
    """With the correlations asked for, falling no faster than allowed."""
    kept = np.eye(len(spread), dtype=bool)
    for a, b in task.linked:
        kept[a, b] = kept[b, a] = True
    least = np.maximum(slowest**2 * np.diag(before), 1e-8)
    wider = np.sqrt(np.maximum(1.0, least / np.maximum(np.diag(spread), 1e-12)))
    return np.where(kept, spread, 0.0) * np.outer(wider, wider)


def log_likelihood(task: Task, parts: Parts, search: Search, rng: np.random.Generator) -> float:
    """By importance sampling around everybody's best fit, from Student's t with 5 degrees."""
    fit = search.fit(task.vector(parts))
    everybody, prior = search.cohort(1), task.prior([parts])
    root = np.linalg.cholesky(np.linalg.inv(fit.curvature))
    n, q = fit.away.shape
    wide = np.sqrt(freedom / rng.chisquare(freedom, (n, samples, 1)))
    z = rng.standard_normal((n, samples, q)) * wide
    away = fit.away[:, None] + np.einsum("nij,ndj->ndi", root, z)
    f = foreseen(everybody, prior, prior.centre.T[:, None] + away @ task.moves.T)
    height = heights(task, everybody, parts, away, f).sum(axis=0)
    density = gammaln((freedom + q) / 2) - gammaln(freedom / 2) - q / 2 * np.log(freedom * np.pi)
    density = density - np.linalg.slogdet(root)[1][:, None]
    density = density - (freedom + q) / 2 * np.log1p((z**2).sum(axis=2) / freedom)
    each = logsumexp(-height / 2 - density, axis=1) - np.log(samples)
    constants = (len(everybody.values) + n * q) / 2 * np.log(2 * np.pi)
    return float(each.sum() - constants)
