"""Faster fits beside the yardstick: MAP with Laplace's doubt, FOCEI and SAEM, against NUTS.

    python -m evidence.nuts

One person of R's Theoph (three parameters, theophylline's own prior), then all twelve as a
population with three spreads. Means and standard deviations on the fitting scale (logarithms);
`chance` is the sampler's own standard error. MAP is a mode and NUTS gives means, and the yardstick
believes a little beforehand where FOCEI and SAEM maximise: what differs for that reason is small
beside `sd`, and stands in the table. Kept in evidence/results/nuts.json and on the page
docs/calibration.md.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evidence.models.__main__ import shared
from evidence.models.population import theophylline
from medtwin.physiology import pk_one
from medtwin.record import codes
from medtwin.twin.map_fit import Error, individual
from medtwin.twin.nuts import Drawn, cohort_posterior, person_posterior
from medtwin.twin.population import Population, Structure
from medtwin.twin.population_focei import focei
from medtwin.twin.population_saem import saem

Row = dict[str, Any]
draws = 500
kept = Path(__file__).parent / "results" / "nuts.json"
page = Path(__file__).parent.parent / "docs" / "calibration.md"
free = ("clearance", "volume", "ka")
error = {codes.drug_level: Error(0.7)}
structure = Structure(
    typical={"clearance": 2.8, "volume": 32.0, "ka": 1.6},
    differs={"clearance": 0.2, "volume": 0.15, "ka": 0.6},
    error=error,
)


def one_person(place: Path) -> list[Row]:
    """The doubt about one person."""
    person = theophylline(place)[0]
    began = time.perf_counter()
    fit = individual(pk_one.model, person, free, error)
    fast = time.perf_counter() - began
    drawn = person_posterior(pk_one.model, person, free, error, draws=2000)
    slow = time.perf_counter() - began - fast
    print(f"one person: MAP {1000 * fast:.0f} ms, NUTS {slow:.1f} s, {drawn.divergent} divergent")
    ours = {name: (float(np.log(fit.values[name])), fit.errors[name]) for name in free}
    return [row("MAP, one person", name, ours[name], drawn) for name in free]


def row(method: str, name: str, ours: tuple[float, float], drawn: Drawn) -> Row:
    """One number by a fast method and by the sampler; `off` in the sampler's own spreads."""
    mean, sd, chance = drawn.mean(name), drawn.sd(name), drawn.chance(name)
    told = {"value": ours[0], "error": ours[1], "mean": mean, "sd": sd, "chance": chance}
    return {"method": method, "of": name, **told, "off": (ours[0] - mean) / sd}


def found(population: Population, label: str) -> float:
    """A population's number by its label, on the fitting scale."""
    if label in population.typical:
        return float(np.log(population.typical[label]))
    if label.startswith("spread of "):
        k = population.differs.index(label.removeprefix("spread of "))
        return float(np.log(population.spread[k, k]) / 2)
    return float(np.log(population.error["drug_level"].additive))


def a_population(place: Path) -> list[Row]:
    """The doubt about a population."""
    people = theophylline(place)
    began = time.perf_counter()
    fits = [focei(pk_one.model, people, structure, "Theoph")]
    first = time.perf_counter()
    fits.append(saem(pk_one.model, people, structure, np.random.default_rng(1), "Theoph"))
    second = time.perf_counter()
    drawn = cohort_posterior(pk_one.model, people, structure, draws=draws)
    print(
        f"12 people: FOCEI {first - began:.1f} s, SAEM {second - first:.1f} s, NUTS "
        f"{time.perf_counter() - second:.0f} s, {drawn.divergent} divergent, R-hat at most "
        f"{max(drawn.split.values()):.3f}"
    )
    return [
        row(f"{fit.method}, 12 people", label, (found(fit, label), fit.errors[label]), drawn)
        for fit in fits
        for label in drawn.draws
    ]


def table(rows: Sequence[Row]) -> str:
    """The page's table."""
    lines = [
        "| method | of (logarithm) | fit | its error | NUTS | its sd | apart, in sd |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        told = " | ".join(f"{r[k]:.3f}" for k in ("value", "error", "mean", "sd"))
        lines.append(f"| {r['method']} | {r['of']} | {told} | {r['off']:+.2f} |")
    return "\n".join(lines)


def write(rows: Sequence[Row]) -> None:
    """The table on docs/calibration.md."""
    mark = "<!-- written by python -m evidence.nuts -->"
    head, _, rest = page.read_text().partition(mark)
    _, _, tail = rest.partition(mark)
    page.write_text(f"{head}{mark}\n{table(rows)}\n{mark}{tail}")


def main() -> None:
    """Compare, keep, and write the page's table."""
    rows = [*one_person(shared()), *a_population(shared())]
    kept.write_text(json.dumps(rows, indent=1) + "\n")
    write(rows)
    print(table(rows))


if __name__ == "__main__":
    main()
