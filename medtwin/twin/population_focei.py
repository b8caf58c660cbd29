"""A population by FOCEI: each person's likelihood as a normal around their own best fit.

-2 log likelihood is, person by person, the objective of their MAP fit, log |spread| and
log |curvature| there (Laplace's approximation with the expected curvature: first-order
conditional estimation with interaction; Lindstrom & Bates 1990, Biometrics 46:673; Wang 2007,
J Pharmacokinet Pharmacodyn 34:575). With an additive error it is FOCE. The outer search is
BFGS; all vectors of a difference quotient are climbed side by side in the lanes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from medtwin.engine.model import Model
from medtwin.twin.cohort import Cohort, Person
from medtwin.twin.map_fit import Fit, climbed
from medtwin.twin.population import Population, Structure
from medtwin.twin.population_task import Task, asked, told

nudge = 1e-3
inner = 1e-11
flat = 0.02
"""Converged when a standard error's step along no number changes -2 log likelihood by more."""


def focei(
    model: Model[Any], people: Sequence[Person], structure: Structure, data: str = ""
) -> Population:
    """The population of these people by FOCEI. `data` says where the readings are from.

    Raises TooFew, Untold, NotFree or ValueError as `population_task.asked` does.
    """
    search = Search(asked(model, people, structure))
    begin = search.task.start()
    done = minimize(
        search.height,
        begin,
        jac=search.slope,
        method="BFGS",
        options={"gtol": 1e-3, "maxiter": 200},
    )
    errors, steep = uncertainty(search, done.x)
    because = "" if steep < flat else _unfinished(steep, len(begin))
    fit = search.fit(done.x)
    return told(search.task, done.x, fit, errors, float(done.fun), "FOCEI", because, data)


def _unfinished(steep: float, numbers: int) -> str:
    if not np.isfinite(steep):
        return (
            f"the readings do not teach all {numbers} numbers (the likelihood has no top); let "
            f"fewer parameters differ, or fix some"
        )
    return (
        f"the search ended where a standard error's step still changes -2 log likelihood by "
        f"{steep:.2g}; begin nearer, or fit fewer numbers"
    )


@dataclass
class Search:
    """The objective of one task, with everybody's last fit to begin the next from."""

    task: Task
    copies: dict[int, Cohort] = field(default_factory=dict)
    last: Float[np.ndarray, "person random"] | None = None

    def cohort(self, copies: int) -> Cohort:
        """So many copies of the cohort; laid out once."""
        if copies not in self.copies:
            lanes = 2 * self.task.moves.shape[1] + 1
            self.copies[copies] = self.task.cohort(copies, lanes)
        return self.copies[copies]

    def many(self, vectors: Float[np.ndarray, "copy number"]) -> tuple[np.ndarray, Fit]:
        """-2 log likelihood under each vector, and everybody's fits under each."""
        parts = [self.task.parts(v) for v in vectors]
        everybody = self.cohort(len(vectors))
        prior, sizes = self.task.prior(parts), self.task.sizes(everybody, parts)
        start = None if self.last is None else np.tile(self.last, (len(vectors), 1))
        fit = climbed(everybody, prior, sizes, start, inner)
        volume = np.linalg.slogdet(prior.spread)[1] + np.linalg.slogdet(fit.curvature)[1]
        each = (fit.objective + volume).reshape(len(vectors), -1).sum(axis=1)
        readings = len(everybody.values) / len(vectors)
        return each + readings * np.log(2 * np.pi), fit

    def height(self, vector: Float[np.ndarray, " number"]) -> float:
        """-2 log likelihood; very high where nobody can be simulated."""
        heights, fit = self.many(vector[None])
        if np.isfinite(heights[0]):
            self.last = fit.away
        return float(heights[0]) if np.isfinite(heights[0]) else 1e10

    def slope(self, vector: Float[np.ndarray, " number"]) -> Float[np.ndarray, " number"]:
        """How -2 log likelihood changes with each number."""
        each = nudge * np.eye(len(vector))
        heights, _ = self.many(np.concatenate([vector + each, vector - each]))
        up, down = np.split(heights, 2)
        return (up - down) / (2 * nudge)

    def fit(self, vector: Float[np.ndarray, " number"]) -> Fit:
        """Everybody's own fit under a vector."""
        return self.many(vector[None])[1]


def uncertainty(
    search: Search, vector: Float[np.ndarray, " number"]
) -> tuple[Float[np.ndarray, " number"], float]:
    """The standard error of each number, from the curvature of the likelihood there; and how
    much -2 log likelihood still changes with a step of that size (inf where there is no top)."""
    search.height(vector)
    far = 10 * nudge
    rows = [
        (search.slope(vector + far * e) - search.slope(vector - far * e)) / (2 * far)
        for e in np.eye(len(vector))
    ]
    bend = np.array(rows)
    bend = (bend + bend.T) / 2
    if np.linalg.eigvalsh(bend)[0] <= 0:
        return np.full(len(vector), np.nan), np.inf
    errors = np.sqrt(np.diag(2 * np.linalg.inv(bend)))
    return errors, float(np.max(np.abs(search.slope(vector)) * errors))
