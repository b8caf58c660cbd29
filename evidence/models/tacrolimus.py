"""Tacrolimus: each recipient's next level, foreseen from the levels before it.

The table tells of occasions: a dose every 12 (once 8) hours in steady state, then a level. Each
is laid out as a fortnight of that dose with the haematocrit and prednisolone of the day, one
occasion after another; where the table lists doses instead, those are given.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from evidence.models.line import Line
from evidence.own_past import (
    Against,
    Foreseen,
    Split,
    foretold,
    honest,
    last_seen,
    one_by_one,
    percent_off,
    plainly_off,
    versus,
)
from medtwin.engine.schedule import Given
from medtwin.physiology import tacrolimus
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error
from medtwin.twin.prior import prior_of

free = ("clearance", "volume", "exchange")
error = {codes.tacrolimus_level: Error(proportional=0.28)}
"""0.245 of a reading and 0.136 from one occasion to the next: Andrews 2019, Br J Clin Pharmacol
85:601, table 2 (LC-MS/MS); Storset's own residual leaves the difference between occasions out."""

fortnight = 336.0
memory = (1, 2, 3, 99)
"""How many of a person's last occasions a fit may use."""


@dataclass(frozen=True)
class Reading:
    """One level with what the published formula needs: what was given, and when before it."""

    daily: float
    doses: tuple[tuple[float, float], ...]
    """(hours before the reading, mg), newest last"""
    every: float
    day: float
    weight: float
    haematocrit: float
    cyp3a5: int


@dataclass(frozen=True)
class Recipient:
    """One person, and the readings in the order of the person's own."""

    person: Person
    readings: tuple[Reading, ...]


def people(shared: Path) -> list[Recipient]:
    """The 49 recipients."""
    with (shared / "data" / "pk_tdm" / "tacrolimus_kidney_han.csv").open() as text:
        rows = [{k: _number(v) for k, v in r.items()} for r in csv.DictReader(text)]
    return [_laid(f"{name:g}", list(mine)) for name, mine in groupby(rows, lambda r: r["ID"])]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _laid(name: str, rows: list[dict[str, float]]) -> Recipient:
    """The occasions one after another on a clock of their own."""
    given: list[Given] = []
    times: list[float] = []
    values: list[float] = []
    readings: list[Reading] = []
    doses: list[tuple[float, float]] = []
    shift, now, every = 0.0, 0.0, 12.0
    for r in rows:
        if r["EVID"] == 1.0 and r["SS"] == 1.0:
            every, begin = r["II"], now
            shift = begin + fortnight - r["TIME"]
            given += _covariates(begin, r)
            doses = [(begin + k * every, r["AMT"] / 1000) for k in range(int(fortnight / every))]
            given += [Given(at, codes.tacrolimus, mg) for at, mg in doses]
        if r["EVID"] == 1.0:
            given += _covariates(r["TIME"] + shift, r)
            doses = [*doses, (r["TIME"] + shift, r["AMT"] / 1000)]
            given.append(Given(*_named(doses[-1])))
        else:
            times.append(r["TIME"] + shift)
            values.append(r["DV"])
            readings.append(_reading(r, doses, times[-1], every))
        now = r["TIME"] + shift
    told = {
        "weight": rows[0]["WT"],
        "height": rows[0]["Heigth"],
        "female": 1.0 - rows[0]["SEX"],
        "expresser": rows[0]["EXPRESSION"],
        "haematocrit": rows[0]["HCT"],
    }
    read = {codes.tacrolimus_level: (np.array(times), np.array(values))}
    return Recipient(Person(name, tuple(given), read, told, begin=0.0), tuple(readings))


def _named(dose: tuple[float, float]) -> tuple[float, codes.Code, float]:
    return dose[0], codes.tacrolimus, dose[1]


def _covariates(at: float, r: dict[str, float]) -> list[Given]:
    return [
        Given(at, codes.haematocrit, r["HCT"]),
        Given(at, codes.prednisolone, r["PDN_DOSE"]),
    ]


def _reading(
    r: dict[str, float], doses: list[tuple[float, float]], at: float, every: float
) -> Reading:
    before = tuple((at - t, mg) for t, mg in doses if t < at)
    return Reading(r["DD"], before, every, r["POD"], r["WT"], r["HCT"], int(r["CYP3A5"]))


def han(x: Reading) -> float:
    """The published population level (ug/L): Han et al. 2013, Eur J Clin Pharmacol 69:53.

    One compartment, ka 4.5 /h, CL/F = 22.9 day^-0.00762 e^CYP3A5 e^haematocrit and
    V/F = 716 e^(0.355 weight / 59.025), as two independent transcriptions give them.
    """
    genotype = {1: 0.2225, 2: 0.17, 3: 0.0525}[x.cyp3a5]
    blood = 0.297 if x.haematocrit <= 33.0 else 0.117
    clearance = 22.9 * max(x.day, 1.0) ** -0.00762 * np.exp(genotype + blood)
    volume = 716.0 * np.exp(0.355 * x.weight / 59.025)
    ka, k = 4.5, clearance / volume
    ago, mg = np.array(x.doses).T
    left = ka / (ka - k) * (np.exp(-k * ago) - np.exp(-ka * ago))
    return float(1000.0 * np.sum(mg * left) / volume)


def lines(shared: Path) -> Iterator[Line]:
    """Each level from the second on, foreseen from those before it."""
    yield _worked()
    everybody = people(shared)
    splits = [s for one in everybody for s in one_by_one(one.person, 1)]
    f = _best_of_others([_foretold([recent(s, n) for s in splits]) for n in memory])
    data = f"pk_tdm/tacrolimus_kidney_han: {f.people} people, {len(f.values)} next levels"
    rivals = [
        Against("population forecast (Storset 2014 as published)", f.crowd),
        Against("published population model (Han 2013)", _published(everybody, splits, f)),
        Against("last level, scaled with the dose", _scaled(everybody, splits, f)),
        Against("last level again", _again(splits, f)),
    ]
    note = (
        "split by time; nothing of these people is in the prior; each is fitted to the last "
        "occasion, or two, three, or all, as does best for everybody else"
    )
    yield from versus("tacrolimus", f, rivals, data, "ug/L", plainly_off, np.mean, note)
    yield from versus(
        "tacrolimus", f, rivals[:3], data, "%", percent_off, np.median, f"median; {note}"
    )
    yield honest("tacrolimus", f, data)


def _worked() -> Line:
    """The paper's abstract: whole blood cleared at a haematocrit of 45 % and 60 kg of lean body."""
    p = tacrolimus.Parameters()
    ours = p.clearance / (1.0 + p.sites * 0.45 / p.affinity)
    return Line(
        *("tacrolimus", "whole blood cleared, haematocrit 45 %, lean body 60 kg", ours, "L/h"),
        *("Storset 2014, abstract", 16.1, "within 1 %", abs(ours / 16.1 - 1) < 0.01),
    )


def recent(split: Split, occasions: int) -> Split:
    """The same, with no more than so many of the last occasions to learn from."""
    times, values = split.person.read[codes.tacrolimus_level]
    of = times // fortnight
    kept = of >= np.unique(of)[-min(occasions, len(np.unique(of)))]
    read = {codes.tacrolimus_level: (times[kept], values[kept])}
    return replace(split, person=replace(split.person, read=read))


def _foretold(splits: list[Split]) -> Foreseen:
    return foretold(tacrolimus.model, splits, prior_of(tacrolimus.model, free), error)


def _best_of_others(tried: list[Foreseen]) -> Foreseen:
    """For each person, the way that foresees the others best."""
    off = [np.abs(f.alone - f.values) for f in tried]
    whose, first = tried[0].whose, tried[0]
    best = np.array(
        [np.argmin([o[whose != i].mean() for o in off]) for i in range(whose.max() + 1)]
    )
    rows = np.arange(len(whose))
    return replace(
        first,
        alone=np.stack([f.alone for f in tried])[best[whose], rows],
        alone_band=np.stack([f.alone_band for f in tried])[best[whose], :, rows].T,
    )


def _published(everybody: list[Recipient], splits: list[Split], f: Foreseen) -> np.ndarray:
    return np.array([han(r) for r in _of(everybody, splits, f)])


def _of(everybody: list[Recipient], splits: list[Split], f: Foreseen) -> list[Reading]:
    """The published formula's view of each reading that is foreseen."""
    by = {one.person.name: one for one in everybody}
    found = []
    for split, at in zip(f.split, f.times, strict=True):
        one = by[splits[split].person.name]
        times = one.person.read[codes.tacrolimus_level][0]
        found.append(one.readings[int(np.searchsorted(times, at))])
    return found


def _again(splits: list[Split], f: Foreseen) -> np.ndarray:
    return np.array([last_seen(splits[s], codes.tacrolimus_level) for s in f.split])


def _scaled(everybody: list[Recipient], splits: list[Split], f: Foreseen) -> np.ndarray:
    """The last level times the daily dose now over the daily dose then."""
    by = {one.person.name: one for one in everybody}
    now = [r.daily for r in _of(everybody, splits, f)]
    then = [
        by[splits[s].person.name]
        .readings[len(splits[s].person.read[codes.tacrolimus_level][0]) - 1]
        .daily
        for s in f.split
    ]
    return _again(splits, f) * np.array(now) / np.array(then)
