"""The oral minimal model on 184 glucose drinks: does it rank people as Matsuda's index does?

Half of the people teach what people are like (iterated maximum a posteriori, with the effect of
fasting insulin on sensitivity) and which error of the model to believe; the other half is judged.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from evidence.models.line import Line
from medtwin.engine.schedule import Given
from medtwin.physiology import minimal_oral
from medtwin.physiology.minimal_ivgtt import insulin_line
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error, Individual, individuals
from medtwin.twin.prior import Prior, prior_of

model, name = minimal_oral.model, "minimal_oral"
free = ("sensitivity", "kempty")
splits = 6
times = np.array([0.0, 30.0, 60.0, 90.0, 120.0])
rounds = 8


def drinks(shared: Path) -> tuple[list[Person], Any]:
    """Everybody with all ten readings and a weight, and their Matsuda index."""
    people, matsuda = [], []
    with (shared / "data" / "ogtt" / "ogtt_glucose_insulin_184.csv").open() as file:
        for row in csv.DictReader(file):
            told = [row[f"ogtt_{what}_{t:03.0f}"] for what in ("glucose", "insulin") for t in times]
            if not all(v not in ("", "NA") for v in [*told, row["weight_kg"]]):
                continue
            values = np.array([float(v) for v in told])
            glucose, insulin = values[:5], values[5:]
            known = {"weight": float(row["weight_kg"]), "basal_glucose": float(glucose[0])}
            known["basal_insulin"] = float(insulin[0])
            plan = (Given(0.0, codes.carbohydrate, 75.0), *insulin_line(times, insulin))
            read = {codes.glucose: (times[1:], glucose[1:])}
            people.append(Person(row["id"], plan, read, known, begin=0.0))
            both = glucose[0] * insulin[0] * glucose.mean() * insulin.mean()
            matsuda.append(1e4 / np.sqrt(both))
    return people, np.array(matsuda)


def fasting(people: Sequence[Person]) -> Any:
    """One, and the logarithm of fasting insulin, for each person."""
    return np.array([[1.0, np.log(p.told["basal_insulin"] / 10.0)] for p in people])


def centred(prior: Prior, line: Any, people: Sequence[Person]) -> Prior:
    """The prior with each person's own centre of sensitivity."""
    centre = np.repeat(prior.centre[:, :1], len(people), axis=1)
    centre[0] = fasting(people) @ line
    return replace(prior, centre=centre)


def learned(people: Sequence[Person], error: Error, covariate: bool) -> tuple[Prior, Any]:
    """What these people are like, and how sensitivity falls with fasting insulin."""
    prior = prior_of(model, free, spread=np.diag([1.1, 0.3]) ** 2)
    line = np.array([prior.centre[0, 0], 0.0])
    for _ in range(rounds):
        fits = individuals(model, people, centred(prior, line, people), {codes.glucose: error})
        place = prior.places(np.array([[f.values[n] for f in fits] for n in free]))
        line = np.array([place[0].mean(), 0.0])
        if covariate:
            line = np.linalg.lstsq(fasting(people), place[0], rcond=None)[0]
        away = place - centred(replace(prior, centre=place.mean(1)[:, None]), line, people).centre
        doubt = np.mean([f.covariance for f in fits], axis=0)
        prior = replace(
            prior,
            centre=place.mean(axis=1, keepdims=True),
            spread=away @ away.T / len(people) + doubt,
        )
    return prior, line


def found(people: Sequence[Person], taught: tuple[Prior, Any], error: Error) -> Any:
    """Everybody's sensitivity, and their fits."""
    fits = individuals(model, people, centred(*taught, people), {codes.glucose: error})
    return np.array([f.values["sensitivity"] for f in fits]), fits


def rank(a: Any, b: Any) -> float:
    """Spearman's correlation."""
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def lines(shared: Path) -> Iterator[Line]:
    """Rank agreement with Matsuda in people that taught nothing, over several halvings."""
    people, matsuda = drinks(shared)
    rng = np.random.default_rng(0)
    halves = [rng.permutation(len(people)) < len(people) // 2 for _ in range(splits)]
    told = [judged(people, matsuda, half) for half in halves]
    agreed, logs, without, basal, off = (np.array(x) for x in zip(*told, strict=True))
    data = f"ogtt: {len(people)} of 184 people with all readings, half judged, {splits} halvings"
    yield Line(
        *(name, "insulin sensitivity, rank correlation with Matsuda", float(agreed.mean()), "1"),
        *("without fasting insulin in the prior", float(without.mean()), "0.8 or more"),
        bool(agreed.mean() >= 0.8),
        data,
        f"halvings {agreed.min():.3f} to {agreed.max():.3f}; Pearson's correlation of the "
        f"logarithms {logs.mean():.3f}; fasting insulin alone reaches "
        f"{basal.mean():.3f}: Matsuda holds it as a factor; model error chosen on the other half",
    )
    yield Line(
        *(name, "fitted glucose, RMS of the relative miss", 100 * float(off.mean()), "%"),
        *("model error believed", 15.0, "at most 15 %", bool(off.mean() <= 0.15), data),
    )


def judged(people: list[Person], matsuda: Any, half: Any) -> tuple[float, ...]:
    """What one half taught, judged on the other: rank, correlation of the logarithms, rank without
    fasting insulin, rank of fasting insulin itself, and the miss of the fitted course."""
    teach, judge = ([p for p, h in zip(people, half, strict=True) if h == k] for k in (True, False))
    tried = {}
    for share in (0.1, 0.15):  # beyond, the curve leaves the readings
        taught = learned(teach, Error(0.0, share), covariate=True)
        tried[share] = (rank(found(teach, taught, Error(0.0, share))[0], matsuda[half]), taught)
    best = max(tried, key=lambda s: tried[s][0])
    ours, fits = found(judge, tried[best][1], Error(0.0, best))
    plain, _ = found(judge, learned(teach, Error(0.0, best), covariate=False), Error(0.0, best))
    basal = [-p.told["basal_insulin"] for p in judge]
    seen = matsuda[~half]
    logs = float(np.corrcoef(np.log(ours), np.log(seen))[0, 1])
    return rank(ours, seen), logs, rank(plain, seen), rank(basal, seen), missed(fits, judge)


def missed(fits: Sequence[Individual], people: Sequence[Person]) -> float:
    """How far the fitted course is from the glucose readings, RMS of the relative miss."""
    shown = np.concatenate([f.expected for f in fits])
    seen = np.concatenate([p.read[codes.glucose][1] for p in people])
    return float(np.sqrt(np.mean((shown / seen - 1) ** 2)))
