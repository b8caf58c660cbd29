"""Compartment models: closed forms against the matrix exponential, and real levels.

Vectors were made by scipy's `expm`. Indomethacin (R's Indometh, 6 people) tells one compartment
from two; theophylline (R's Theoph, 12 people) is foreseen for each person from the first half
of their own levels, beside the population's forecast.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from evidence.models.line import Line
from evidence.models.population import theophylline
from evidence.own_past import Against, divided, foretold, honest, last_seen, plainly_off, versus
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import pk_one, pk_three, pk_two
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error
from medtwin.twin.population import Population, Structure
from medtwin.twin.population_linear import linearised
from medtwin.twin.prior import prior_of

level = codes.drug_level
words: dict[str, tuple[ModuleType, dict[str, str]]] = {
    "1cpt": (pk_one, {"CL": "clearance", "V": "volume", "ka": "ka"}),
    "2cpt": (
        pk_two,
        {"CL": "clearance", "V": "volume", "Q": "exchange", "V2": "tissue_volume", "ka": "ka"},
    ),
    "3cpt": (
        pk_three,
        {"CL": "clearance", "V": "volume", "Q": "near_exchange", "V2": "near_volume"}
        | {"Q3": "far_exchange", "V3": "far_volume", "ka": "ka"},
    ),
}


def lines(shared: Path) -> Iterator[Line]:
    """The vectors, indomethacin in two compartments, theophylline foreseen."""
    rows = (shared / "vectors" / "trials" / "pk_compartment.csv").read_text().splitlines()
    for kind, own in groupby(csv.DictReader(rows), key=lambda r: r["model"]):
        yield _vectors(kind, list(own))
    yield from _indomethacin(shared)
    yield from _foreseen(shared)


def _vectors(kind: str, rows: list[dict[str, str]]) -> Line:
    worst = max(_worst(list(g)) for _, g in groupby(rows, key=lambda r: (r["params"], r["tau"])))
    return Line(
        *(words[kind[:4]][0].model.name, f"{kind}: largest relative error of a level", worst, ""),
        *("matrix exponential (scipy)", 0.0, "within 1e-9", worst < 1e-9),
        f"pk_compartment.csv, {len(rows)} levels",
    )


def _worst(rows: list[dict[str, str]]) -> float:
    first, (module, named) = rows[0], words[rows[0]["model"][:4]]
    told = {k: float(v) for k, v in (one.split("=") for one in first["params"].split(";"))}
    p = replace(module.Parameters(), **{named[k]: v for k, v in told.items()})
    code = codes.drug_swallowed if first["model"].endswith("oral") else codes.drug_injected
    every, doses = float(first["tau"] or 0), int(first["n_doses"])
    lasting = float(first["tinf"] or 0)
    given = [Given(every * n, code, float(first["dose"]), lasting) for n in range(doses)]
    after = np.array([float(r["time_after_last_dose"]) for r in rows]) + every * (doses - 1)
    exact = np.array([float(r["conc"]) for r in rows])
    shown = simulate(module.model, p, None, given, np.append(0.0, after)).of(level)[1:, 0]
    return float(np.max(np.abs(shown / exact - 1)))


def indomethacin(shared: Path) -> list[Person]:
    """R's Indometh: 25 mg injected into each of 6 people (Kwan 1976)."""
    with gzip.open(shared / "data/rdatasets_medical/datasets/Indometh.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    people = []
    for name, own in groupby(rows, key=lambda r: r["Subject"]):
        mine = list(own)
        seen = [float(r["time"]) for r in mine], [float(r["conc"]) for r in mine]
        dose = Given(0.0, codes.drug_injected, 25.0)
        people.append(Person(name, (dose,), {level: seen}, {"weight": 70.0}, begin=0.0))
    return people


def _indomethacin(shared: Path) -> Iterator[Line]:
    people, data = indomethacin(shared), "R's Indometh: 6 people, 66 levels"
    error = {level: Error(0.05, 0.1)}
    differs = {"clearance": 0.2, "volume": 0.2}
    one = Structure({"clearance": 8.0, "volume": 12.0}, differs, error)
    more = {"clearance": 8.15, "volume": 7.6, "exchange": 6.25, "tissue_volume": 11.8}
    two = Structure(more, {**differs, "exchange": 0.3}, error)
    flat = linearised(pk_one.model, people, one, data)
    curved = linearised(pk_two.model, people, two, data)
    yield Line(
        *("two compartments", "indomethacin, AIC of the population fit", _aic(curved, 9), ""),
        *(
            "one compartment",
            _aic(flat, 6),
            "at least 10 lower",
            _aic(curved, 9) + 10 < _aic(flat, 6),
        ),
        *(data, f"{_flag(curved)}; typical {_typical(curved)}"),
    )
    by_hand = _noncompartmental(people)
    ours = curved.typical["clearance"]
    yield Line(
        *("two compartments", "indomethacin, typical clearance", ours, "L/h"),
        *("dose over area under the curve, geometric mean", by_hand, "within 10 %"),
        *(abs(ours / by_hand - 1) < 0.1, data, "trapezia, tail by its last three levels"),
    )


def _aic(fit: Population, numbers: int) -> float:
    return fit.objective + 2 * numbers


def _flag(fit: Population) -> str:
    return "converged" if fit.converged else f"NOT converged ({fit.because})"


def _typical(fit: Population) -> str:
    return ", ".join(f"{n} {v:.3g}" for n, v in fit.typical.items())


def _noncompartmental(people: list[Person]) -> float:
    """Clearance without a model: dose over area, the part before the first level by its slope."""
    cleared = []
    for person in people:
        t, c = (np.asarray(a, float) for a in person.read[level])
        start = float(np.exp(np.polyval(np.polyfit(t[:2], np.log(c[:2]), 1), 0.0)))
        tail = -np.polyfit(t[-3:], np.log(c[-3:]), 1)[0]
        area = np.trapezoid(np.append(start, c), np.append(0.0, t)) + c[-1] / tail
        cleared.append(25.0 / area)
    return float(np.exp(np.mean(np.log(cleared))))


def _foreseen(shared: Path) -> Iterator[Line]:
    people = theophylline(shared)
    splits = [divided(p, 6.0) for p in people]
    prior: Any = prior_of(pk_one.model, ("clearance", "volume", "ka"))
    f = foretold(pk_one.model, splits, prior, {level: Error(0.7)})
    last = np.array([last_seen(s, level) for s in splits])[f.split]
    data = f"R's Theoph: {f.people} people, {len(f.values)} levels after 6 h"
    others = [Against("population forecast", f.crowd), Against("last level again", last)]
    note = "split by time; the population's medians are of these 12 people"
    name = "one compartment, theophylline after 6 h"
    yield from versus(name, f, others, data, "mg/L", plainly_off, np.mean, note)
    yield honest(name, f, data)
