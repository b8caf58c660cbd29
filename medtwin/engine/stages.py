"""Illness that moves in stages: how likely each move is, what a follow-up says about it, and lives.

A person is in one of a few stages and leaves stage r for stage s at the intensity q[r, s] (per
unit of time). Over a time dt the chances of ending in each stage are the rows of
P(dt) = exp(q dt). People are seen now and then (a panel): between two looks anything may have
happened that leads from one to the other, so each pair of looks tells P(dt)[r, s]; a death whose
time is known tells the chance of being anywhere alive just before, times the intensity of dying
from there. A look may also be wrong: the stage seen is then drawn from the true one.

Kalbfleisch & Lawless (1985), JASA 80:863 (panel data); Jackson et al. (2003), The Statistician
52:193 (stages seen with error); Gillespie (1977), J Phys Chem 81:2340 (exact paths).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import expm

from medtwin.maths.keyed import uniforms

unknown = -1

Intensities = Float[np.ndarray, "*batch stage stage"]


class NotIntensities(ValueError):
    """A matrix that cannot be the intensities of moves between stages."""


@dataclass(frozen=True)
class Panel:
    """Who was seen in which stage, and when: a row for each look.

    A person's rows stand together, in time order. `seen` is the stage's number from 0, or
    `unknown` for somebody alive whose stage was not looked at. `entered` marks a look that is
    the very moment the stage was entered, as a death is.
    """

    person: Int[np.ndarray, " look"]
    at: Float[np.ndarray, " look"]
    seen: Int[np.ndarray, " look"]
    entered: Bool[np.ndarray, " look"]


@dataclass(frozen=True)
class Paths:
    """Whole lives: member k is in `stage[n, k]` from `since[n, k]` on; what never comes is inf."""

    since: Float[np.ndarray, "move member"]
    stage: Int[np.ndarray, "move member"]

    def at(self, time: float) -> Int[np.ndarray, " member"]:
        """Everybody's stage at this time (from the beginning of the paths on)."""
        latest = (self.since <= time).sum(axis=0) - 1
        return self.stage[latest, np.arange(self.stage.shape[1])]


def generator(stages: int, rates: Mapping[tuple[int, int], Any]) -> Intensities:
    """The matrix of intensities from the rate of each move (from, to), which may be arrays.

    Raises NotIntensities for a negative rate or a move to the same stage.
    """
    batch = np.broadcast_shapes(*(np.shape(r) for r in rates.values()))
    q = np.zeros((*batch, stages, stages))
    for (leaves, enters), rate in rates.items():
        if leaves == enters or np.any(np.asarray(rate) < 0):
            raise NotIntensities(
                f"the rate {rate} from stage {leaves} to {enters}: give rates of 0 or more "
                f"between two different stages"
            )
        q[..., leaves, enters] = rate
        q[..., leaves, leaves] -= rate
    return q


def probabilities(q: Intensities, dt: Any) -> Float[np.ndarray, "*batch stage stage"]:
    """The chance of being in each stage (column) a time `dt` after being in another (row).

    `q` and `dt` may each be one or a batch. Raises NotIntensities where rows of `q` do not sum
    to zero, or a rate or a time is negative.
    """
    times = np.asarray(dt, float)
    _checked(q, times)
    if q.ndim == 2:
        values, vectors = np.linalg.eig(q)
        if np.linalg.cond(vectors) < 1e5:  # else stages share a rate, and the vectors meet
            grown = vectors * np.exp(values * times[..., None])[..., None, :]
            return np.clip((grown @ np.linalg.inv(vectors)).real, 0.0, 1.0)
    return np.clip(expm(q * times[..., None, None]), 0.0, 1.0)


def mean_stay(q: Intensities) -> Float[np.ndarray, "*batch stage"]:
    """How long a stage lasts on average before it is left; inf where nobody leaves."""
    leaving = -np.diagonal(q, axis1=-2, axis2=-1)
    return np.divide(1.0, leaving, out=np.full_like(leaving, np.inf), where=leaving > 0)


def panel_loglik(
    q: Intensities,
    panel: Panel,
    mistaken: Float[np.ndarray, "stage stage"] | None = None,
    first: Float[np.ndarray, " stage"] | None = None,
) -> float:
    """The log-likelihood of what was seen.

    `q` is one matrix for all, or one for each look, which then holds until that person's next
    look. `mistaken[r, s]` is the chance that stage r is seen as s; None: looks are true. `first`
    are the chances of each stage at a person's first look; None: the first look is taken as
    told. Raises NotIntensities for bad rates, ValueError for a panel out of order.
    """
    _in_order(panel)
    stages = q.shape[-1]
    told = _told(panel, np.eye(stages) if mistaken is None else mistaken, q)
    begins = np.flatnonzero(np.diff(panel.person, prepend=panel.person[0] - 1))
    looks = np.diff(np.append(begins, len(panel.at)))
    since = panel.at - np.roll(panel.at, 1)
    since[begins] = 0.0
    before = np.roll(q, 1, axis=0) if q.ndim == 3 else q
    moved = probabilities(before, since)
    moved[panel.entered] = _entering(before, moved, panel)
    at_first = told[begins] / told[begins].sum(axis=1, keepdims=True)
    belief = at_first if first is None else first * told[begins]
    total = np.zeros(len(begins)) + _scaled(belief)
    for look in range(1, looks.max(initial=1)):
        going = np.flatnonzero(looks > look)
        rows = begins[going] + look
        belief[going] = np.einsum("kr,krs->ks", belief[going], moved[rows]) * told[rows]
        total[going] += _scaled(belief, going)
    return float(total.sum())


def paths(
    q: Intensities,
    stage: Int[np.ndarray, " member"],
    begin: float,
    end: float,
    seed: int,
    member: Int[np.ndarray, " member"] | None = None,
    purpose: int = 0,
) -> Paths:
    """Exact lives from `begin` to `end` of people who are in `stage` now.

    `q` is one matrix or one for each member. `member` are the keys of the draws (by default
    0, 1, 2 ...): the same seed, key and purpose give the same life whoever else is drawn.
    Where intensities change with time, call again from `end` with another purpose: the past
    of a stage does not matter.
    """
    _checked(q, np.asarray(end - begin))
    keys = np.arange(len(stage)) if member is None else member
    each = np.broadcast_to(q, (len(stage), *q.shape[-2:]))
    since, course = [np.full(len(stage), float(begin))], [np.asarray(stage)]
    while np.any(since[-1] < np.inf):
        wait, where = uniforms(seed, keys, len(since), purpose)
        row = np.take_along_axis(each, course[-1][:, None, None], axis=1)[:, 0]
        later, enters = _moved(row, course[-1], since[-1], wait, where)
        gone = later >= end
        since.append(np.where(gone, np.inf, later))
        course.append(np.where(gone, course[-1], enters))
    return Paths(np.stack(since), np.stack(course))


def _moved(
    row: np.ndarray, stage: np.ndarray, since: np.ndarray, wait: np.ndarray, where: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """When each leaves, and where to: an exponential wait, then a draw among the ways out."""
    out = np.where(np.arange(row.shape[1]) == stage[:, None], 0.0, row)
    ways = np.cumsum(out, axis=1)
    leaving = ways[:, -1]
    stay = np.divide(-np.log(wait), leaving, out=np.full_like(wait, np.inf), where=leaving > 0)
    return since + stay, (where[:, None] * leaving[:, None] >= ways).sum(axis=1) % row.shape[1]


def _told(panel: Panel, mistaken: np.ndarray, q: np.ndarray) -> np.ndarray:
    """How likely each look is from each true stage."""
    alive = np.any(np.diagonal(q, axis1=-2, axis2=-1).reshape(-1, q.shape[-1]) < 0, axis=0)
    seen = mistaken.T[panel.seen]
    return np.where((panel.seen == unknown)[:, None], alive.astype(float), seen)


def _entering(before: np.ndarray, moved: np.ndarray, panel: Panel) -> np.ndarray:
    """From each stage to anywhere but the one entered, and then into it at this very moment."""
    rows = np.flatnonzero(panel.entered)
    into = panel.seen[rows]
    rate = before[rows] if before.ndim == 3 else np.broadcast_to(before, (len(rows), *before.shape))
    density = np.take_along_axis(rate, into[:, None, None], axis=2)[:, :, 0]
    density = np.where(np.arange(rate.shape[-1]) == into[:, None], 0.0, density)
    entered = np.einsum("krs,ks->kr", moved[rows], density)
    return np.where(np.arange(rate.shape[-1]) == into[:, None, None], entered[:, :, None], 0.0)


def _scaled(belief: np.ndarray, rows: Any = slice(None)) -> np.ndarray:
    """The log of each row's sum; the rows are scaled to 1 in place."""
    total = belief[rows].sum(axis=1)
    belief[rows] /= np.where(total > 0, total, 1.0)[:, None]
    with np.errstate(divide="ignore"):
        return np.log(total)


def _in_order(panel: Panel) -> None:
    same = panel.person[1:] == panel.person[:-1]
    starts = np.concatenate([panel.person[:1], panel.person[1:][~same]])
    if len(np.unique(starts)) != len(starts):
        raise ValueError("a person's looks must stand together; sort the panel by person and time")
    if np.any(np.diff(panel.at)[same] < 0):
        late = panel.person[1:][same & (np.diff(panel.at) < 0)][0]
        raise ValueError(f"the looks at person {late} are not in time order; sort them")
    if np.any(panel.entered & (panel.seen == unknown)):
        raise ValueError("a stage that was entered at a known time must itself be known")


def _checked(q: np.ndarray, dt: np.ndarray) -> None:
    away = q * (1 - np.eye(q.shape[-1]))
    if np.any(away < 0) or not np.allclose(q.sum(axis=-1), 0.0, atol=1e-9 * (1 + np.abs(q).max())):
        raise NotIntensities(
            "rows of intensities must sum to 0, with rates of 0 or more off the diagonal; "
            "make them with generator(stages, rates)"
        )
    if np.any(dt < 0):
        raise NotIntensities(f"a time of {dt.min():g} has passed; 0 or more is allowed")
