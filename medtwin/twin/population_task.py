"""A population fit as numbers: one vector for all that is sought, and what it means for people.

The vector holds the typical places, the sizes of the effects, the spreads (logarithms of the
diagonal of D and the entries of a unit triangle U, spread = D U U' D, so that every vector is
a covariance) and the logarithms of the errors. Many vectors can be judged in one call: each is
a copy of the whole cohort, side by side in the lanes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model
from medtwin.record.codes import Code
from medtwin.twin.cohort import Cohort, Person, cohort
from medtwin.twin.map_fit import Error, Fit
from medtwin.twin.population import (
    Population,
    Structure,
    known_of,
    large_enough,
    leaning,
    moves_of,
    moving,
    unspread,
)
from medtwin.twin.prior import Prior


@dataclass(frozen=True)
class Parts:
    """What one vector means."""

    place: Float[np.ndarray, " free"]
    effects: Float[np.ndarray, " effect"]
    spread: Float[np.ndarray, "random random"]
    error: dict[Code, Error]


@dataclass(frozen=True)
class Task:
    """One cohort and what is asked of it."""

    model: Model[Any]
    people: tuple[Person, ...]
    structure: Structure

    @cached_property
    def blank(self) -> Prior:
        """Names, scales and bounds of what is sought."""
        return unspread(self.model, self.structure.typical)

    @cached_property
    def moves(self) -> Float[np.ndarray, "free random"]:
        """Which parameters each difference between people moves."""
        return moving(self.blank.names, moves_of(self.structure))

    @cached_property
    def leaning(self) -> Float[np.ndarray, "person free effect"]:
        """How covariates move parameters."""
        told = [known_of(p) for p in self.people]
        whose = [p.name for p in self.people]
        return leaning(self.structure.effects, self.blank.names, told, whose)

    @cached_property
    def linked(self) -> list[tuple[int, int]]:
        """Which pairs of differences are correlated."""
        names = list(self.structure.differs)
        pairs = [
            (names.index(a), names.index(b))
            for group in self.structure.together
            for a in group
            for b in group
            if names.index(a) > names.index(b)
        ]
        return sorted(set(pairs))

    @cached_property
    def noisy(self) -> list[tuple[Code, str]]:
        """Which parts of which errors are sought."""
        parts = [(c, k) for c in self.structure.error for k in ("additive", "proportional")]
        return [(c, k) for c, k in parts if getattr(self.structure.error[c], k) > 0]

    @property
    def labels(self) -> list[str]:
        """What each number of the vector is."""
        differs = list(self.structure.differs)
        return [
            *self.blank.names,
            *(f"{e.covariate} on {e.parameter}" for e in self.structure.effects),
            *(f"spread of {n}" for n in differs),
            *(f"{differs[a]} with {differs[b]}" for a, b in self.linked),
            *(f"{k} error of {c.id}" for c, k in self.noisy),
        ]

    def start(self) -> Float[np.ndarray, " number"]:
        """The vector to begin with."""
        errors = [getattr(self.structure.error[c], k) for c, k in self.noisy]
        return np.concatenate(
            [
                self.blank.centre[:, 0],
                [e.size for e in self.structure.effects],
                np.log(list(self.structure.differs.values())),
                np.zeros(len(self.linked)),
                np.log(errors),
            ]
        )

    def parts(self, vector: Float[np.ndarray, " number"]) -> Parts:
        """What a vector means."""
        k, e, q = len(self.blank.names), len(self.structure.effects), len(self.structure.differs)
        ends = np.cumsum([k, e, q, len(self.linked)])
        place, effects, sds, links, errors = np.split(vector, ends)
        triangle = np.eye(q)
        for (a, b), value in zip(self.linked, links, strict=True):
            triangle[a, b] = value
        root = np.exp(sds)[:, None] * triangle
        sizes: dict[Code, dict[str, float]] = {c: {} for c in self.structure.error}
        for (code, kind), value in zip(self.noisy, errors, strict=True):
            sizes[code][kind] = float(np.exp(value))
        told = {code: Error(**size) for code, size in sizes.items()}
        return Parts(place, effects, root @ root.T, told)

    def vector(self, parts: Parts) -> Float[np.ndarray, " number"]:
        """The vector that means this."""
        root = np.linalg.cholesky(parts.spread)
        sds = np.diag(root)
        errors = [getattr(parts.error[c], k) for c, k in self.noisy]
        links = [root[a, b] / sds[a] for a, b in self.linked]
        return np.concatenate([parts.place, parts.effects, np.log(sds), links, np.log(errors)])

    def cohort(self, copies: int, lanes: int) -> Cohort:
        """The cohort so many times over, side by side."""
        return cohort(self.model, self.people * copies, self.blank.names, lanes)

    def prior(self, parts: Sequence[Parts]) -> Prior:
        """Everybody's prior under each of these, copy by copy."""
        centre = np.concatenate([p.place + self.leaning @ p.effects for p in parts]).T
        spread = np.repeat(np.stack([p.spread for p in parts]), len(self.people), axis=0)
        return replace(self.blank, centre=centre, spread=spread, moves=self.moves)

    def sizes(self, everybody: Cohort, parts: Sequence[Parts]) -> Float[np.ndarray, "2 reading"]:
        """The additive and proportional error of every reading, copy by copy."""
        shown = shown_codes(self.model)
        table = np.ones((2, len(parts), len(shown)))
        for m, p in enumerate(parts):
            for code, error in p.error.items():
                table[:, m, shown.index(code)] = error.additive, error.proportional
        return table[:, everybody.whose // len(self.people), everybody.code]


def asked(model: Model[Any], people: Sequence[Person], structure: Structure) -> Task:
    """The task of a population fit.

    Raises TooFew for a cohort that is too small, ValueError where the structure names what it
    does not fit, Untold where a covariate is missing.
    """
    task = Task(model, tuple(people), structure)
    named = set(structure.differs) | {e.parameter for e in structure.effects}
    named |= {n for many in structure.along.values() for n in many}
    if unknown := named - set(structure.typical):
        raise ValueError(f"{', '.join(sorted(unknown))} is not among the typical ones; add it")
    if not structure.differs:
        raise ValueError("nothing differs between these people; name what does in `differs`")
    large_enough(task.people, structure, len(task.labels))
    return task


def told(
    task: Task,
    vector: Float[np.ndarray, " number"],
    fit: Fit,
    errors: Float[np.ndarray, " number"],
    objective: float,
    method: str,
    because: str,
    data: str,
) -> Population:
    """The population that a vector means, with everybody's differences `fit` under it."""
    parts = task.parts(vector)
    sds = np.sqrt(np.diag(parts.spread))
    shrunk = 1 - np.std(fit.away, axis=0) / sds
    effects = zip(task.structure.effects, parts.effects, strict=True)
    differs = tuple(task.structure.differs)
    return Population(
        model=task.model.name,
        typical=_named(task.blank.names, task.blank.values(parts.place)),
        differs=differs,
        moves=moves_of(task.structure),
        spread=parts.spread,
        effects=tuple(replace(e, size=float(size)) for e, size in effects),
        error={c.id: e for c, e in parts.error.items()},
        errors={n: e for n, e in _named(task.labels, errors).items() if np.isfinite(e)},
        objective=objective,
        shrunk=_named(differs, shrunk),
        method=method,
        converged=not because,
        because=because,
        people=len(task.people),
        readings=len(fit.expected),
        data=data,
    )


def _named(names: Sequence[str], row: np.ndarray) -> dict[str, float]:
    return dict(zip(names, row.tolist(), strict=True))
