"""A population by a linear mixed model, again and again, around everybody's own fit.

Lindstrom & Bates (1990, Biometrics 46:673), as R's nlme does it: the curve is made straight at
the present typical places and differences; the straight model has a likelihood in closed form,
whose best typical places and differences are the next. Where it stands still, its likelihood
is the answer. It differs from FOCE in that the slopes are held while the likelihood is climbed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model
from medtwin.record.codes import Code
from medtwin.twin.cohort import Cohort, Person
from medtwin.twin.map_fit import Error, judged, slopes
from medtwin.twin.population import Population, Structure
from medtwin.twin.population_task import Parts, Task, asked, told

still = 1e-6
most_turns = 100


@dataclass(frozen=True)
class Straight:
    """Everybody's curve made straight, side by side: the response, its slopes along what is
    typical and along the differences, and what was foreseen of each reading and code.

    Who has fewer readings than the others has rows that are not `there`.
    """

    response: Float[np.ndarray, "person reading"]
    typical: Float[np.ndarray, "person reading fixed"]
    differs: Float[np.ndarray, "person reading random"]
    foreseen: Float[np.ndarray, "person reading"]
    code: Int[np.ndarray, "person reading"]
    there: Bool[np.ndarray, "person reading"]


def linearised(
    model: Model[Any], people: Sequence[Person], structure: Structure, data: str = ""
) -> Population:
    """The population of these people by Lindstrom and Bates' method.

    Raises TooFew, Untold, NotFree or ValueError as `population_task.asked` does.
    """
    task = asked(model, people, structure)
    everybody = task.cohort(1, 2 * len(task.blank.names) + 1)
    vector, away = task.start(), np.zeros((len(people), task.moves.shape[1]))
    errors = np.full(len(vector), np.nan)
    because = f"after {most_turns} turns the typical places still move; begin nearer"
    deviance = np.inf
    for _ in range(most_turns):
        lines = _straight(task, everybody, vector, away)
        deviance, moved, away, covariance = _mixed(task, lines, vector)
        errors[: len(covariance)] = np.sqrt(np.diag(covariance))
        step, vector = np.max(np.abs(moved - vector)), moved
        if step < still:
            because = ""
            break
    parts = [task.parts(vector)]
    fit = judged(everybody, task.prior(parts), task.sizes(everybody, parts), away)
    return told(task, vector, fit, errors, deviance, "Lindstrom-Bates", because, data)


def _straight(task: Task, everybody: Cohort, vector: np.ndarray, away: np.ndarray) -> Straight:
    """Everybody's curve made straight where they stand."""
    parts = task.parts(vector)
    prior = task.prior([parts])
    place = prior.centre.T + away @ task.moves.T
    f, jac = slopes(everybody, prior, place, np.eye(len(task.blank.names)))
    leaning = np.einsum("rk,rke->re", jac, task.leaning[everybody.whose])
    typical, differs = np.hstack([jac, leaning]), jac @ task.moves
    at = np.concatenate([parts.place, parts.effects])
    own = np.einsum("rq,rq->r", differs, away[everybody.whose])
    response = everybody.values - f + typical @ at + own
    row = np.arange(len(f)) - everybody.first[everybody.whose]

    def apart(flat: np.ndarray) -> np.ndarray:
        table = np.zeros((len(task.people), row.max() + 1, *flat.shape[1:]), flat.dtype)
        table[everybody.whose, row] = flat
        return table

    flat = (response, typical, differs, f, everybody.code, np.ones(len(f), bool))
    return Straight(*(apart(a) for a in flat))


def _mixed(
    task: Task, lines: Straight, vector: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """The best straight model: -2 log likelihood, the vector, everybody's differences, and the
    covariance of the typical places."""
    fixed, shown = lines.typical.shape[2], shown_codes(task.model)

    def deviance(spreads: np.ndarray) -> float:
        return _weighed(lines, task.parts(np.concatenate([vector[:fixed], spreads])), shown)[0]

    done = minimize(deviance, vector[fixed:], jac="3-point", method="BFGS", options={"gtol": 1e-6})
    parts = task.parts(np.concatenate([vector[:fixed], done.x]))
    height, best, covariance = _weighed(lines, parts, shown)
    miss = lines.response - lines.typical @ best
    pull = np.linalg.solve(_variance(lines, parts, shown), miss[:, :, None])
    away = (parts.spread @ lines.differs.transpose(0, 2, 1) @ pull)[:, :, 0]
    return height, np.concatenate([best, done.x]), away, covariance


def _variance(
    lines: Straight, parts: Parts, shown: tuple[Code, ...]
) -> Float[np.ndarray, "person reading reading"]:
    """The covariance of everybody's readings; 1 where a row is not there."""
    told = [parts.error.get(code, Error(1.0)) for code in shown]
    additive, proportional = np.array([(e.additive, e.proportional) for e in told]).T
    own = additive[lines.code] ** 2 + (proportional[lines.code] * lines.foreseen) ** 2
    own = np.where(lines.there, own, 1.0)
    shared = lines.differs @ parts.spread @ lines.differs.transpose(0, 2, 1)
    return shared + own[:, :, None] * np.eye(own.shape[1])


def _weighed(
    lines: Straight, parts: Parts, shown: tuple[Code, ...]
) -> tuple[float, np.ndarray, np.ndarray]:
    """-2 log likelihood with the best typical places for these spreads, those places, and their
    covariance."""
    root = np.linalg.cholesky(_variance(lines, parts, shown))
    both = np.concatenate([lines.typical, lines.response[:, :, None]], axis=2)
    white = np.linalg.solve(root, both).reshape(-1, both.shape[2])
    ahead, responses = white[:, :-1], white[:, -1]
    covariance = np.linalg.inv(ahead.T @ ahead)
    best = covariance @ ahead.T @ responses
    miss = responses - ahead @ best
    volume = 2 * float(np.log(np.einsum("nii->ni", root)).sum())
    height = volume + float(miss @ miss) + float(lines.there.sum()) * np.log(2 * np.pi)
    return height, best, covariance
