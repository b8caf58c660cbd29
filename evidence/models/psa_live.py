"""PSA followed live: each PSA of cycle 3 foretold at the one before it, man by man.

Five folds of men, as in `psa`: what men are like is learned from the other folds; the twin is born
with the first treatment, lives through all that came before, and is asked for the next PSA under
the treatment as it was given. Beside it the last value, with an interval as wide as other men's
changes were, and the fit (maximum a posteriori) made anew at every PSA, with Laplace's doubt.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from evidence.models.line import Line
from evidence.models.psa import Man, detected, folds, free, learned, men, two
from medtwin.engine.simulate import simulate
from medtwin.physiology import psa
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.twin.assimilate import assimilate
from medtwin.twin.cohort import Person
from medtwin.twin.forecast import forecast
from medtwin.twin.map_fit import Individual, individuals
from medtwin.twin.prior import Prior
from medtwin.twin.twin import born

name, draws, workers = "psa_live", 200, max(1, (os.cpu_count() or 1) // 2)
birth = datetime(2000, 1, 1, tzinfo=UTC)
ways = ("twin", "fit made anew", "last value")


@dataclass(frozen=True)
class Foretold:
    """One man's PSA values of cycle 3 (log), and by each way the middle and the 90 % interval."""

    level: Any
    by: dict[str, Any]


def facts(man: Man) -> list[Observation]:
    """His record: treatment on and off as it changed, and every PSA."""
    changed = np.flatnonzero(np.diff(man.treated, prepend=0))
    told = [_fact(man.day[k], codes.androgen_suppression, 100.0 * man.treated[k]) for k in changed]
    read = np.flatnonzero(np.isfinite(man.level))
    level = np.maximum(np.exp(man.level) - detected, 0.0)
    told += [_fact(man.day[k], codes.psa, float(level[k])) for k in read]
    return sorted(told, key=lambda o: (o.at, o.code.id))


def lived(man: Man, prior: Prior, seed: int) -> Any:
    """The twin's 90 % interval and middle of each PSA of cycle 3, in log units: (value, 3)."""
    twin = born(str(man.number), psa.model, birth, seed=seed, prior=prior)
    third, said, since = {_at(d) for d in man.day[man.seen(3)]}, [], []
    for fact in facts(man):
        since.append(fact)
        if fact.code == codes.psa:
            if fact.at in third:
                said.append(forecast(twin, codes.psa, [fact.at], since[:-1]).band(0.9)[:, 0])
            twin, since = assimilate(twin, since), []
    return np.log(np.maximum(np.array(said), 0.0) + detected)


def refitted(man: Man, prior: Prior, seed: int) -> Any:
    """The same by the fit made anew from all PSA values before each one."""
    rows, rng = np.flatnonzero(man.seen(3)), np.random.default_rng(seed)
    every = np.flatnonzero(np.isfinite(man.level))
    known = [every[every < k] for k in rows]
    people = [
        Person(str(k), man.given(), {psa.log_psa: (man.day[r], man.level[r])}, begin=0.0)
        for k, r in zip(rows, known, strict=True)
    ]
    fits = individuals(psa.model, people, prior)
    pairs = zip(fits, man.day[rows], strict=True)
    return np.stack([_spread(fit, man, prior, day, rng) for fit, day in pairs])


def _spread(fit: Individual, man: Man, prior: Prior, day: float, rng: Any) -> Any:
    place = prior.places(np.array([[fit.values[n]] for n in free]))[:, 0]
    near = rng.multivariate_normal(place, fit.covariance, draws).T
    values = dict(zip(free, prior.values(near), strict=True))
    p = psa.Parameters(**{**{f.name: f.default for f in fields(psa.Parameters)}, **values})
    seen = simulate(psa.model, p, None, man.given(), [0.0, day]).of(psa.log_psa)[1]
    seen = seen + psa.log_psa.noise * rng.standard_normal(draws)
    return np.quantile(seen, [0.05, 0.5, 0.95])


def last_value(man: Man, others: Sequence[Man]) -> Any:
    """The PSA before, with what other men's PSA of cycle 3 changed by around it."""
    changes = np.concatenate([_changes(m)[1] for m in others if m.seen(3).any()])
    before, _ = _changes(man)
    return before[:, None] + np.quantile(changes, [0.05, 0.5, 0.95]) * np.array([1.0, 0.0, 1.0])


def _changes(man: Man) -> tuple[Any, Any]:
    """The PSA before each one of cycle 3, and what it then changed by."""
    every = np.flatnonzero(np.isfinite(man.level))
    rows = np.flatnonzero(man.seen(3))
    before = man.level[every[np.searchsorted(every, rows) - 1]]
    return before, man.level[rows] - before


def foretold(man: Man, prior: Prior, others: Sequence[Man], seed: int) -> Foretold:
    """Every way's forecasts of one man."""
    told = (lived(man, prior, seed), refitted(man, prior, seed), last_value(man, others))
    return Foretold(man.level[man.seen(3)], dict(zip(ways, told, strict=True)))


def tasks(everybody: Sequence[Man]) -> Iterator[tuple[Man, Prior, list[Man], int]]:
    """Every man with a third cycle, and what the other folds teach."""
    fold = np.random.default_rng(0).permutation(len(everybody)) % folds
    for f in range(folds):
        others = [m for m, k in zip(everybody, fold, strict=True) if k != f]
        prior = learned(others)
        for man, k in zip(everybody, fold, strict=True):
            if k == f and two(man) and man.seen(3).sum() >= 3:
                yield man, prior, others, 0


def lines(shared: Path) -> Iterator[Line]:
    """Error and coverage of each way."""
    todo = list(tasks(men(shared)))
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        told = list(pool.map(foretold, *zip(*todo, strict=True)))
    rms = {w: np.array([np.mean((t.by[w][:, 1] - t.level) ** 2) for t in told]) for w in ways}
    held = {w: np.concatenate([_held(t, w) for t in told]) for w in ways}
    values = sum(len(t.level) for t in told)
    data = f"psa_intermittent_adt: {len(told)} men, {values} PSA values of cycle 3"
    ours = float(np.sqrt(rms["twin"].mean()))
    for way in ways[1:]:
        theirs, (low, high) = float(np.sqrt(rms[way].mean())), _interval(rms["twin"] - rms[way])
        yield Line(
            *(name, "the next PSA foretold, RMS of log(PSA + 0.1)", ours, "1", way, theirs),
            *("below it", ours < theirs, data),
            f"mean squares differ by {float((rms['twin'] - rms[way]).mean()):+.3f}, 95 % interval "
            f"over men {low:+.3f} to {high:+.3f}; better for "
            f"{int((rms['twin'] < rms[way]).sum())} of {len(told)} men",
        )
    for way in ways:
        share = float(held[way].mean())
        yield Line(
            *(name, f"{way}: share of PSA values that its 90 % interval held", share, "1"),
            *("asked", 0.9, "0.87 to 0.93", 0.87 <= share <= 0.93, data),
            f"width {np.mean([np.ptp(t.by[way][:, [0, 2]], axis=1).mean() for t in told]):.2f}",
        )


def _held(told: Foretold, way: str) -> Any:
    low, _, high = told.by[way].T
    return (low <= told.level) & (told.level <= high)


def _interval(apart: Any) -> tuple[float, float]:
    pick = np.random.default_rng(1).integers(0, len(apart), (2000, len(apart)))
    low, high = np.quantile(apart[pick].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _at(day: float) -> datetime:
    return birth + timedelta(days=float(day))


def _fact(day: float, code: Any, value: float) -> Observation:
    return Observation(_at(day), code, value, "trial", _at(day))
