"""Forecasts held against what came: over everybody together, and person by person."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.learning.glucose_scores import clarke_ab, mard
from medtwin.learning.head import Ahead
from medtwin.learning.readings import Moments
from medtwin.maths.scoring import coverage, crps_quantiles, mae, rmse
from medtwin.twin.exam import Spoken, normal
from medtwin.twin.ledger import levels

Table = dict[str, Any]
Each = Float[np.ndarray, " _"]  # one person's, each of their own length
draws = 2000


def halfway(a: Sequence[Ahead], b: Sequence[Ahead]) -> list[Spoken]:
    """The mean of two voices, person by person, each as sure as they are on average."""
    return [
        normal((one.mean + other.mean) / 2, (one.spread + other.spread) / 2)
        for one, other in zip(a, b, strict=True)
    ]


def scores(said: Sequence[Spoken], measured: Sequence[Each], horizon: int) -> Table:
    """How one voice did at one horizon, over everybody's forecasts that a reading came to judge."""
    judged = [np.isfinite(m) for m in measured]
    came = np.concatenate([m[j] for m, j in zip(measured, judged, strict=True)])
    mean = np.concatenate([s.mean[j, horizon] for s, j in zip(said, judged, strict=True)])
    edges = np.concatenate([s.quantiles[j, horizon] for s, j in zip(said, judged, strict=True)])
    return {
        "rmse": rmse(mean, came),
        "mae": mae(mean, came),
        "mard": mard(mean, came),
        "crps": float(np.mean(crps_quantiles(edges, levels, came))),
        **{f"cover{c}": _cover(edges, came, c) for c in (50, 80, 90)},
        "clarke_ab": clarke_ab(mean, came),
        "n": len(came),
        "people": int(sum(j.any() for j in judged)),
    }


def one_by_one(
    who: Sequence[str],
    said: Mapping[str, Sequence[Spoken]],
    measured: Sequence[Each],
    horizon: int,
) -> Table:
    """Each person's error (RMSE) by every voice, and how often the shown's 90 % interval held."""
    table: Table = {}
    for i, patient in enumerate(who):
        if not np.isfinite(measured[i]).any():
            continue
        alone = {v: scores([of[i]], [measured[i]], horizon) for v, of in said.items()}
        table[patient] = {v: s["rmse"] for v, s in alone.items()}
        table[patient] |= {"cover90": alone["shown"]["cover90"], "n": alone["shown"]["n"]}
    return table


def paired(each: Table, ours: str, theirs: str, seed: int = 0) -> Table:
    """For how many people one voice errs less than another, and the mean difference of their
    errors with its 95 % interval: people drawn again with replacement (bootstrap).

    Efron (1979), Ann Stat 7:1. Below 0: `ours` errs less.
    """
    gain = np.array([person[ours] - person[theirs] for person in each.values()])
    again = np.random.default_rng(seed).integers(0, len(gain), (draws, len(gain)))
    low, high = np.quantile(gain[again].mean(axis=1), [0.025, 0.975])
    return {
        "better": int(np.sum(gain < 0)),
        "people": len(gain),
        "mean": float(gain.mean()),
        "low": float(low),
        "high": float(high),
    }


def _cover(edges: Float[np.ndarray, "forecast level"], came: Moments, percent: int) -> float:
    low = levels.index(round((100 - percent) / 200, 2))
    return coverage(edges[:, low], edges[:, -1 - low], came)
