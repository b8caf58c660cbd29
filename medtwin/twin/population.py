"""What a cohort taught about people: the typical body, how bodies differ, what covariates do.

On the fitting scale (logarithms, as a rule) the parameters of person i are

    z_i = typical + effects(covariates of i) + moves b_i,   b_i ~ normal(0, spread)
    reading = f(z_i) + error

A population is learned by one of three methods (`population_focei`, `population_saem`,
`population_linear`), keeps where it comes from, and is the prior of the next person.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import log
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model
from medtwin.record.codes import Code
from medtwin.twin.cohort import Person, Untold
from medtwin.twin.map_fit import Error
from medtwin.twin.prior import Prior, prior_of

least_people = 5


class TooFew(ValueError):
    """The cohort is too small to say how people differ."""


@dataclass(frozen=True)
class Power:
    """The parameter goes with a power of the covariate: (covariate / centre)^size."""

    parameter: str
    covariate: str
    centre: float
    size: float = 0.0

    def moved(self, value: float) -> float:
        """By how much the parameter moves on the fitting scale for each unit of size."""
        return log(value / self.centre)


@dataclass(frozen=True)
class Share:
    """Each unit of the covariate over the centre moves the parameter by `size` on its fitting
    scale: of a logarithm, by about so large a share."""

    parameter: str
    covariate: str
    centre: float = 0.0
    size: float = 0.0

    def moved(self, value: float) -> float:
        """By how much the parameter moves on the fitting scale for each unit of size."""
        return value - self.centre


Effect = Power | Share


@dataclass(frozen=True)
class Structure:
    """What is asked of a cohort, with where to begin.

    `typical` names the parameters to fit; `differs` those that differ between people, with a
    first guess of the standard deviation on the fitting scale. A difference moves its own
    parameter, and those that `along` adds to it. Differences named `together` are correlated.
    `error` is that of each code; a part that is 0 stays 0.
    """

    typical: Mapping[str, float]
    differs: Mapping[str, float]
    error: Mapping[Code, Error]
    effects: tuple[Effect, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    along: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Population:
    """What a cohort taught, with its provenance.

    `typical` is the body at the effects' centres; `spread` the covariance of the differences
    `differs` between people, each moving the parameters `moves` says. `error` of each code is
    by the code's id. `errors` are standard errors on the fitting scale (of spreads and errors:
    of their logarithms), by what is fitted. `objective` is -2 log likelihood; how it was
    approximated is in `method`. `shrunk` says by how much each difference was drawn to the
    centre (0: the readings alone decide). `data` says whose readings they were. A fit with
    `converged` False must not be used without looking: `because` says why.
    """

    model: str
    typical: dict[str, float]
    differs: tuple[str, ...]
    moves: dict[str, tuple[str, ...]]
    spread: Float[np.ndarray, "random random"]
    effects: tuple[Effect, ...]
    error: dict[str, Error]
    errors: dict[str, float]
    objective: float
    shrunk: dict[str, float]
    method: str
    converged: bool
    because: str
    people: int
    readings: int
    data: str


def prior(
    population: Population, model: Model[Any], told: Mapping[str, float] | None = None
) -> Prior:
    """What this population says of somebody of whom this much is told: births and fits take it.

    Raises Untold where a covariate of an effect is not told, ValueError for another model.
    """
    if population.model != model.name:
        raise ValueError(
            f"this population is of {population.model!r}, not of {model.name!r}; use its own model"
        )
    blank = unspread(model, population.typical)
    design = leaning(population.effects, blank.names, [told or {}], ["this person"])[0]
    sizes = np.array([e.size for e in population.effects])
    return Prior(
        *(blank.names, blank.signed, blank.centre + (design @ sizes)[:, None]),
        *(population.spread, blank.low, blank.high),
        moving(blank.names, population.moves),
    )


def unspread(model: Model[Any], typical: Mapping[str, float]) -> Prior:
    """The typical body as a prior whose spread is not known yet."""
    return prior_of(model, tuple(typical), typical, np.eye(len(typical)))


def moving(names: Sequence[str], moves: Mapping[str, Sequence[str]]) -> Float[np.ndarray, "f r"]:
    """Which parameters each difference moves."""
    return np.array([[float(n in moved) for moved in moves.values()] for n in names])


def moves_of(structure: Structure) -> dict[str, tuple[str, ...]]:
    """Each difference with every parameter it moves."""
    return {n: (n, *structure.along.get(n, ())) for n in structure.differs}


def leaning(
    effects: Sequence[Effect],
    names: Sequence[str],
    told: Sequence[Mapping[str, float]],
    whose: Sequence[str],
) -> Float[np.ndarray, "person free effect"]:
    """How each person's covariates move each parameter, for each unit of each effect."""
    design = np.zeros((len(told), len(names), len(effects)))
    for e, effect in enumerate(effects):
        for i, known in enumerate(told):
            if effect.covariate not in known:
                raise Untold(
                    f"{effect.covariate} of {whose[i]} is not told, and {effect.parameter} leans "
                    f"on it; tell it, or leave this person or this effect out"
                )
            design[i, list(names).index(effect.parameter), e] = effect.moved(
                known[effect.covariate]
            )
    return design


def known_of(person: Person) -> dict[str, float]:
    """Everything told of a person that an effect may lean on."""
    return {**person.told, **person.traits}


def large_enough(people: Sequence[Person], structure: Structure, numbers: int) -> None:
    """Raises TooFew for a cohort that cannot say how people differ."""
    need = max(least_people, len(structure.differs) + 2)
    readings = sum(len(np.atleast_1d(t)) for p in people for t, _ in p.read.values())
    if len(people) < need:
        raise TooFew(
            f"{len(people)} people cannot say how people differ in {len(structure.differs)} ways; "
            f"{need} or more are needed: let fewer parameters differ, or fit each person "
            f"(`individual`) with a published prior"
        )
    if readings <= numbers:
        raise TooFew(
            f"{readings} readings cannot teach {numbers} numbers; fit fewer, or read more often"
        )


def written(population: Population) -> str:
    """A population as JSON text."""
    told = asdict(population) | {"spread": population.spread.tolist()}
    told["effects"] = [{"form": type(e).__name__, **asdict(e)} for e in population.effects]
    return json.dumps(told, indent=1)


def read(text: str) -> Population:
    """A population from its JSON text. Raises ValueError for text that is no population."""
    try:
        told = json.loads(text)
        forms = {"Power": Power, "Share": Share}
        told["effects"] = tuple(forms[e.pop("form")](**e) for e in told["effects"])
        told["error"] = {k: Error(**e) for k, e in told["error"].items()}
        told["moves"] = {k: tuple(v) for k, v in told["moves"].items()}
        told["differs"], told["spread"] = tuple(told["differs"]), np.array(told["spread"])
        return Population(**told)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as lost:
        raise ValueError(
            f"this text is no population ({lost!r}); write it with written()"
        ) from lost
