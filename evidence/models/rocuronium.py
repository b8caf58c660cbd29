"""Rocuronium: fit the first half of each operation, foresee the second."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from evidence.models.line import Line
from evidence.own_past import (
    Against,
    Foreseen,
    Split,
    divided,
    foretold,
    honest,
    last_seen,
    plainly_off,
    versus,
)
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import rocuronium
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error, individuals
from medtwin.twin.prior import Prior, prior_of

free = (
    *("clearance", "volume", "near_volume", "far_volume", "ke0", "half_effect", "hill", "full"),
    *("fourth", "spacing", "sharp", "deep", "deep_hill"),
)
error = {
    codes.train_of_four: Error(additive=0.12),
    codes.train_of_four_count: Error(additive=0.9),
    codes.post_tetanic_count: Error(additive=3.0),
}
"""One and a half times what a fit to all readings leaves: neighbouring readings err together."""

arm = 0.2
"""Minutes from the vein to the muscle: the middle of what NMBsim found (5 to 20 s)."""
shown = {
    "TOFR": codes.train_of_four,
    "TOFC": codes.train_of_four_count,
    "PTC": codes.post_tetanic_count,
}
bromide = 609.68e3
"""mg in a mole; the table's 1.3668e-8 mol/s are 30.0 mg/h."""

bodies = (
    *((47, 53.9), (64, 71.0), (78, 60.0), (52, 70.0), (69, 66.2), (46, 63.6), (69, 66.7)),
    *((74, 88.5), (49, 90.1), (66, 43.1), (69, 74.0), (42, 50.3), (35, 55.2), (28, 52.2)),
    *((38, 65.0), (68, 60.1), (69, 53.4), (71, 62.8), (46, 58.2), (46, 49.4), (64, 105.5)),
)
"""Age (years) and weight (kg) of patients 01 to 21: data_description.md."""


def people(shared: Path) -> list[Person]:
    """The 21 operations."""
    folder = shared / "data" / "nmb_rocuronium"
    with gzip.open(folder / "profiles_infusion.csv.gz", "rt") as text:
        rates = list(csv.DictReader(text))
    with (folder / "tof_observations.csv").open() as text:
        seen = list(csv.reader(text))[1:]
    return [_person(f"{k + 1:02d}", *bodies[k], rates, seen) for k in range(len(bodies))]


def _person(
    name: str, age: float, weight: float, rates: list[dict[str, str]], seen: list[list[str]]
) -> Person:
    mine = [r for r in rates if r["patient"] == name]
    at = np.array([float(r["Time"]) for r in mine]) / 60
    rate = np.array([float(r["Rate"]) for r in mine]) * bromide * 60
    turns = np.flatnonzero(np.diff(rate, prepend=np.nan) != 0)
    ends = np.append(at[turns[1:]], at[-1] + 1.0)
    given = tuple(
        Given(float(at[k]) + arm, codes.rocuronium_rate, float(rate[k]), float(end - at[k]))
        for k, end in zip(turns, ends, strict=True)
        if rate[k] > 0
    )
    told = {"age": float(age), "weight": weight, "sevoflurane": 0.0}
    read = {code: _read(seen, name, what) for what, code in shown.items()}
    return Person(name, given, {c: r for c, r in read.items() if len(r[0])}, told, begin=0.0)


def _read(seen: list[list[str]], name: str, what: str) -> tuple[np.ndarray, np.ndarray]:
    rows = sorted((float(r[2]) / 60, float(r[3])) for r in seen if r[:2] == [name, what])
    times, values = np.array(rows).reshape(-1, 2).T
    return times, values


def lines(shared: Path) -> Iterator[Line]:
    """How long a bolus lasts, as published; then the second half of each operation."""
    yield from _recoveries()
    everybody = people(shared)
    splits = [_halved(p) for p in everybody]
    parts = [_alone(k, everybody, splits[k]) for k in range(len(everybody))]
    f = Foreseen(*(np.concatenate(c, axis=-1) for c in zip(*map(_columns, parts), strict=True)))
    published = foretold(rocuronium.model, splits, prior_of(rocuronium.model, free), error)
    yield from _together(f, published, splits)
    for k, code in enumerate(shown.values()):
        yield from _held(f, published, k, code, splits)


def _alone(k: int, everybody: list[Person], split: Split) -> Foreseen:
    """One patient's second half, with what the other operations teach."""
    others = [p for i, p in enumerate(everybody) if i != k]
    f = foretold(rocuronium.model, [split], taught_by(others), error, seed=k)
    return replace(f, whose=f.whose + k, split=f.split + k)


def _columns(f: Foreseen) -> tuple[np.ndarray, ...]:
    return tuple(vars(f).values())


def _together(f: Foreseen, published: Foreseen, splits: list[Split]) -> Iterator[Line]:
    """All readings, each over its own error, so that ratio and counts can be added."""
    scale = np.array([error[c].additive for c in shown.values()])[f.code]
    kinds = list(shown.values())
    rows = zip(f.split, f.code, strict=True)
    last = np.array([last_seen(splits[i], kinds[k]) for i, k in rows])
    mine = replace(f, alone=f.alone / scale, values=f.values / scale)
    rivals = [
        Against("population (what the other 20 teach)", f.crowd / scale),
        Against("published medians", published.crowd / scale),
        Against("last reading again", last / scale),
    ]
    data = f"nmb_rocuronium: {f.people} operations, {len(f.values)} readings of second halves"
    note = "ratio, count and post-tetanic count, each over its own error; split by time"
    yield from versus("rocuronium, block", mine, rivals, data, "errors", plainly_off, np.mean, note)


def recovery(dose: float, ratio: float) -> float:
    """Minutes from a bolus (mg/kg) until the train-of-four ratio is back, in a typical adult."""
    minutes = np.arange(0.0, 300.0, 0.25)
    p = rocuronium.Parameters(age=43.0, weight=75.0, sevoflurane=0.0)
    bolus = [Given(0.0, codes.rocuronium, dose * 75.0)]
    seen = simulate(rocuronium.model, p, None, bolus, minutes).of(codes.train_of_four)[:, 0]
    return float(minutes[(minutes > 5.0) & (seen >= ratio)][0])


def _recoveries() -> Iterator[Line]:
    for dose, ratio, theirs, source in [
        (0.6, 0.7, 76.1, "van Miert 1997, Br J Clin Pharmacol 44:139: 21 people, sd 28.8"),
        (1.2, 0.9, 122.0, "de Boer 2007, Anesthesiology 107:239: placebo group"),
    ]:
        ours = recovery(dose, ratio)
        yield Line(
            *("rocuronium", f"{dose} mg/kg, until the ratio is {ratio} again", ours, "min"),
            *(source, theirs, "within 15 %", abs(ours / theirs - 1) < 0.15),
        )


def _halved(person: Person) -> Split:
    """Readings of the first and the second half of the time between first and last."""
    times = np.concatenate([t for t, _ in person.read.values()])
    return divided(person, (times.min() + times.max()) / 2)


def taught_by(others: list[Person], turns: int = 2) -> Prior:
    """What these operations teach of any patient: two turns of expectation and maximisation.

    The centre is the mean of their fits, the spread that of the fits and of the doubt about each.
    """
    prior = prior_of(rocuronium.model, free)
    for _ in range(turns):
        fits = individuals(rocuronium.model, others, prior, error)
        places = np.log([[f.values[n] for n in free] for f in fits])
        doubt = np.mean([f.covariance for f in fits], axis=0)
        prior = replace(
            prior,
            centre=places.mean(axis=0)[:, None],
            spread=np.cov(places.T, bias=True) + doubt,
        )
    return prior


def _held(
    f: Foreseen, published: Foreseen, k: int, code: Code, splits: list[Split]
) -> Iterator[Line]:
    mine, theirs = f.only(f.code == k), published.only(published.code == k)
    data = f"nmb_rocuronium: {mine.people} operations, {len(mine.values)} readings of second halves"
    last = np.array([last_seen(s, code) for s in splits])[mine.split]
    rivals = [
        Against("population (what the other 20 teach)", mine.crowd),
        Against("published medians", theirs.crowd),
        Against("last reading again", last),
    ]
    what = f"rocuronium, {code.name}"
    yield from versus(what, mine, rivals, data, "1", plainly_off, np.mean, "split by time")
    yield honest(what, mine, data)
