"""Faster fits beside the yardstick: MAP with Laplace's doubt, FOCEI and SAEM, against NUTS.

    python -m evidence.nuts

One person of R's Theoph (three parameters, theophylline's own prior), then all twelve as a
population with three spreads. Means and standard deviations on the fitting scale (logarithms);
`chance` is the sampler's own standard error. MAP is a mode and NUTS gives means, and the yardstick
believes a little beforehand where FOCEI and SAEM maximise: what differs for that reason is small
beside `sd`, and stands in the table.
"""

import sys
import time
from pathlib import Path

import numpy as np

from evidence.models.__main__ import shared
from evidence.models.population import theophylline
from medtwin.physiology import pk_one
from medtwin.record import codes
from medtwin.twin.map_fit import Error, individual
from medtwin.twin.nuts import cohort_posterior, person_posterior
from medtwin.twin.population import Population, Structure
from medtwin.twin.population_focei import focei
from medtwin.twin.population_saem import saem

free = ("clearance", "volume", "ka")
error = {codes.drug_level: Error(0.7)}
structure = Structure(
    typical={"clearance": 2.8, "volume": 32.0, "ka": 1.6},
    differs={"clearance": 0.2, "volume": 0.15, "ka": 0.6},
    error=error,
)


def one_person(place: Path) -> None:
    """The doubt about one person."""
    person = theophylline(place)[0]
    began = time.perf_counter()
    fit = individual(pk_one.model, person, free, error)
    fast = time.perf_counter() - began
    drawn = person_posterior(pk_one.model, person, free, error, draws=2000)
    slow = time.perf_counter() - began - fast
    print(f"one person: MAP {1000 * fast:.0f} ms, NUTS {slow:.1f} s, {drawn.divergent} divergent")
    _head("MAP")
    for name in free:
        ours, sd = float(np.log(fit.values[name])), fit.errors[name]
        _row(name, (ours, sd), (drawn.mean(name), drawn.sd(name), drawn.chance(name)))


def _row(name: str, ours: tuple[float, float], theirs: tuple[float, float, float]) -> None:
    off = (ours[0] - theirs[0]) / theirs[1]
    told = "".join(f"{n:9.4f}" for n in (*ours, *theirs))
    print(f"{name:34}{told}{off:9.2f}")


def _head(method: str) -> None:
    columns = ("fit", "se", "NUTS", "sd", "chance", "off, sd")
    print(f"{method:34}" + "".join(f"{c:>9}" for c in columns))


def found(population: Population, label: str) -> float:
    """A population's number by its label, on the fitting scale."""
    if label in population.typical:
        return float(np.log(population.typical[label]))
    if label.startswith("spread of "):
        k = population.differs.index(label.removeprefix("spread of "))
        return float(np.log(population.spread[k, k]) / 2)
    return float(np.log(population.error["drug_level"].additive))


def a_population(place: Path) -> None:
    """The doubt about a population."""
    people = theophylline(place)
    fits = [
        focei(pk_one.model, people, structure, "Theoph"),
        saem(pk_one.model, people, structure, np.random.default_rng(1), "Theoph"),
    ]
    began = time.perf_counter()
    drawn = cohort_posterior(pk_one.model, people, structure)
    print(f"\n12 people: NUTS {time.perf_counter() - began:.0f} s, {drawn.divergent} divergent")
    for fit in fits:
        _head(fit.method)
        for label in drawn.draws:
            pair = found(fit, label), fit.errors[label]
            _row(label, pair, (drawn.mean(label), drawn.sd(label), drawn.chance(label)))


def main() -> None:
    """Print both tables."""
    one_person(shared())
    a_population(shared())
    sys.stdout.flush()


if __name__ == "__main__":
    main()
