"""Does what was seen of one person improve what is foreseen of that same person?

Each person's readings are split by time. The earlier ones make the individual fit (maximum a
posteriori, `twin.map_fit`); the later ones are foreseen by it, by the population (the prior's
centre, the person's covariates known) and by simpler means. Intervals are those of draws from
the Laplace posterior (or from the prior) with the error of a reading on top.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evidence.models.line import Line
from medtwin.engine.model import Model
from medtwin.record.codes import Code
from medtwin.twin.cohort import Person, cohort
from medtwin.twin.map_fit import Error, Fit, climbed, error_sizes, foreseen
from medtwin.twin.prior import Prior

draws = 100


@dataclass(frozen=True)
class Split:
    """One person's earlier readings (`person.read`) and the later ones to be foreseen."""

    person: Person
    later: Mapping[Code, tuple[Any, Any]]


def divided(person: Person, at: float, until: float = np.inf) -> Split:
    """Readings up to `at`, and those after it (not later than `until`)."""
    early = replace(person, read=_within(person, -np.inf, at))
    return Split(early, _within(person, at, until))


def one_by_one(person: Person, least: int) -> list[Split]:
    """Each moment's readings foreseen from all before it, once `least` moments have been seen."""
    times = np.unique(np.concatenate([np.asarray(t, float) for t, _ in person.read.values()]))
    return [divided(person, times[k - 1], times[k]) for k in range(least, len(times))]


def _within(person: Person, after: float, until: float) -> dict[Code, tuple[Any, Any]]:
    kept = {}
    for code, (times, values) in person.read.items():
        rows = (times > after) & (times <= until)
        if rows.any():
            kept[code] = (times[rows], values[rows])
    return kept


def last_seen(split: Split, code: Code) -> float:
    """The last reading of this code before what is to be foreseen; NaN where there was none."""
    read = split.person.read.get(code)
    return np.nan if read is None else float(read[1][-1])


@dataclass(frozen=True)
class Foreseen:
    """Every later reading beside what was foreseen of it.

    `whose` counts the people and `split` the splits. `alone` is the individual forecast (the
    middle of its draws) and `crowd` the population's (at its typical values); `alone_band` and
    `crowd_band` hold the low and high of their 90 % intervals.
    """

    whose: np.ndarray
    split: np.ndarray
    code: np.ndarray
    times: np.ndarray
    values: np.ndarray
    alone: np.ndarray
    crowd: np.ndarray
    alone_band: np.ndarray
    crowd_band: np.ndarray

    def only(self, rows: np.ndarray) -> "Foreseen":
        """These readings alone."""
        held = {n: v[..., rows] for n, v in vars(self).items()}
        return replace(self, **held)

    @property
    def people(self) -> int:
        """How many people are judged."""
        return len(np.unique(self.whose))


def foretold(
    model: Model[Any],
    splits: Sequence[Split],
    prior: Prior,
    error: Mapping[Code, Error],
    seed: int = 0,
) -> Foreseen:
    """Everybody's later readings, foreseen from their own earlier ones and from the population."""
    before = cohort(model, [s.person for s in splits], prior.names, 2 * len(prior.names) + 1)
    fit = climbed(before, prior, error_sizes(model, before, error))
    after = cohort(model, [replace(s.person, read=s.later) for s in splits], prior.names, draws)
    sizes = error_sizes(model, after, error)
    rng = np.random.default_rng(seed)
    crowd = np.broadcast_to(prior.centre.T, fit.place.shape)
    shown = {"crowd": foreseen(after, prior, crowd[:, None, :])[:, 0]}
    for name, centre, spread in _believed(prior, fit, crowd):
        z = rng.standard_normal((*centre.shape, draws))
        places = centre[:, :, None] + np.einsum("nij,njd->nid", np.linalg.cholesky(spread), z)
        paths = foreseen(after, prior, np.moveaxis(places, 1, 2))
        shown.setdefault(name, np.median(paths, axis=1))
        off = np.sqrt(sizes[0][:, None] ** 2 + (sizes[1][:, None] * paths) ** 2)
        paths = paths + off * rng.standard_normal(paths.shape)
        shown[f"{name}_band"] = np.quantile(paths, [0.05, 0.95], axis=1)
    names = np.unique([s.person.name for s in splits], return_inverse=True)[1]
    return Foreseen(names[after.whose], after.whose, after.code, after.times, after.values, **shown)


def _believed(prior: Prior, fit: Fit, crowd: np.ndarray) -> list[tuple[str, Any, Any]]:
    wide = np.broadcast_to(prior.spread, fit.curvature.shape)
    return [("alone", fit.place, np.linalg.inv(fit.curvature)), ("crowd", crowd, wide)]


def percent_off(said: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Absolute performance error (%): Varvel et al. 1992, J Pharmacokinet Biopharm 20:63."""
    return 100.0 * np.abs(seen - said) / said


def plainly_off(said: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Absolute error in the reading's own unit."""
    return np.abs(seen - said)


def each_person(off: np.ndarray, whose: np.ndarray) -> np.ndarray:
    """The mean error of each person, so that everybody counts alike."""
    return np.array([off[whose == i].mean() for i in np.unique(whose)])


def inside(values: np.ndarray, band: np.ndarray) -> float:
    """The share of readings within the interval."""
    return float(np.mean((band[0] <= values) & (values <= band[1])))


def interval(
    wrong: np.ndarray, whose: np.ndarray, of: Callable[[np.ndarray], float], seed: int = 0
) -> tuple[float, float]:
    """90 % bootstrap interval over people of what `of` makes of rows (error columns in `wrong`)."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(whose == i) for i in np.unique(whose)]
    drawn = []
    for _ in range(1000):
        some = np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])
        drawn.append(of(wrong[..., some]))
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(low), float(high)


@dataclass(frozen=True)
class Against:
    """What the individual forecast is held against: in words, and its forecast of each reading."""

    words: str
    said: np.ndarray


def versus(
    name: str,
    f: Foreseen,
    others: Sequence[Against],
    data: str,
    unit: str,
    off: Callable[[np.ndarray, np.ndarray], np.ndarray] = percent_off,
    middle: Callable[[np.ndarray], Any] = np.median,
    note: str = "",
) -> list[Line]:
    """One line for each rival: the individual forecast's error beside the rival's, paired."""
    told = []
    for other in others:
        rows = np.isfinite(other.said)
        pair = np.stack([off(f.alone, f.values), off(other.said, f.values)])[:, rows]
        low, high = interval(pair, f.whose[rows], lambda w: float(middle(w[1]) - middle(w[0])))
        ours, theirs = float(middle(pair[0])), float(middle(pair[1]))
        told.append(
            Line(
                *(name, "individual forecast of later readings, error", ours, unit),
                *(other.words, theirs, "smaller, interval above 0", low > 0, data),
                note=f"smaller by {theirs - ours:.3g}, 90 % interval over people {low:.3g} to "
                f"{high:.3g}; {note}".rstrip("; "),
            )
        )
    return told


def honest(name: str, f: Foreseen, data: str) -> Line:
    """How often the individual's 90 % interval held, beside the population's."""
    held, crowd = inside(f.values, f.alone_band), inside(f.values, f.crowd_band)
    width = np.median(np.diff(f.alone_band, axis=0) / np.diff(f.crowd_band, axis=0))
    return Line(
        *(name, "90 % intervals of the individual forecast hold", 100 * held, "% of readings"),
        *("population's", 100 * crowd, "85 to 95 %", 0.85 <= held <= 0.95, data),
        note=f"median width {width:.2f} of the population's",
    )
