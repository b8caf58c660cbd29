"""Population fits: R's nlme on theophylline, and warfarin by two methods that must agree.

The warfarin population (log clearance, volume and absorption rate, clearance and volume by
weight in the model) is printed against the one the other method finds; the fits are kept as
JSON beside the results, with their provenance.
"""

import csv
import gzip
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from evidence.models.line import Line
from medtwin.engine.schedule import Given
from medtwin.physiology import pk_one
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error
from medtwin.twin.population import Population, Structure, written
from medtwin.twin.population_focei import focei
from medtwin.twin.population_linear import linearised
from medtwin.twin.population_saem import saem

level = codes.drug_level
kept = Path(__file__).parents[1] / "results" / "populations"
theoph = "R's Theoph: 12 people, 132 levels"
# lKe does not differ between people, so that a difference in clearance moves the volume too
as_nlme = Structure(
    typical={"clearance": 2.8, "volume": 32.0, "ka": 1.6},
    differs={"ka": 0.6, "clearance": 0.2},
    along={"clearance": ("volume",)},
    together=(("ka", "clearance"),),
    error={level: Error(0.7)},
)
of_warfarin = Structure(
    typical={"clearance": 0.13, "volume": 8.0, "ka": 0.8, "lag": 0.7},
    differs={"clearance": 0.3, "volume": 0.2, "ka": 0.7},
    error={level: Error(0.3, 0.1)},
)


def theophylline(shared: Path) -> list[Person]:
    """R's Theoph: doses and levels per kg, told as of a body of 70 kg."""
    place = shared / "data" / "rdatasets_medical" / "datasets" / "Theoph.csv.gz"
    with gzip.open(place, "rt") as file:
        rows = list(csv.DictReader(file))
    people = []
    for name, own in groupby(rows, key=lambda r: int(r["Subject"])):
        mine = list(own)
        hours, levels = (np.array([float(r[k]) for r in mine]) for k in ("Time", "conc"))
        dose = Given(0.0, codes.drug_swallowed, 70.0 * float(mine[0]["Dose"]))
        people.append(Person(str(name), (dose,), {level: (hours, levels)}, {"weight": 70.0}))
    return people


def warfarin(shared: Path) -> list[Person]:
    """O'Reilly's 32 people: levels of warfarin after one dose by mouth."""
    place = shared / "data" / "warfarin" / "warfarin_pkpd_32.csv"
    rows = list(csv.DictReader(place.read_text().splitlines()))
    people = []
    for name, own in groupby(rows, key=lambda r: r["id"]):
        mine = list(own)
        read = [r for r in mine if r["dvid"] == "cp" and r["evid"] == "0" and float(r["dv"]) > 0]
        dose = Given(0.0, codes.drug_swallowed, max(float(r["amt"]) for r in mine))
        seen = [float(r["time"]) for r in read], [float(r["dv"]) for r in read]
        told = {"weight": float(mine[0]["wt"])}
        people.append(Person(name, (dose,), {level: seen}, told, begin=0.0))
    return people


def lines(shared: Path) -> Iterator[Line]:
    """Theophylline as in nlme; warfarin by FOCEI and by SAEM."""
    yield from _as_in_nlme(shared)
    yield from _both_ways(shared)


def _as_in_nlme(shared: Path) -> Iterator[Line]:
    rows = (shared / "vectors" / "trials" / "nlme_reference.csv").read_text().splitlines()
    told = {r["par"]: float(r["value"]) for r in csv.DictReader(rows)}
    fit = linearised(pk_one.model, theophylline(shared), as_nlme, theoph)
    _keep("theophylline", fit)
    cl, v, ka = (float(np.log(fit.typical[n])) for n in ("clearance", "volume", "ka"))
    sds = np.sqrt(np.diag(fit.spread))
    wider = float(np.sqrt(fit.readings / (fit.readings - 3)))
    ours = {
        "lKe": cl - v,
        "lKa": ka,
        "lCl": cl - float(np.log(70.0)),
        "se_lKa": fit.errors["ka"] * wider,
        "se_lCl": fit.errors["clearance"] * wider,
        "sd_lKa": float(sds[0]),
        "sd_lCl": float(sds[1]),
        "corr": float(fit.spread[0, 1] / sds.prod()),
        "sd_resid": fit.error[level.id].additive,
    }
    note = "Lindstrom-Bates as in nlme; its standard errors widened by N/(N - p), as nlme does"
    for name, value in ours.items():
        yield Line(
            *("one compartment, population", f"theophylline {name}", value, ""),
            *("R nlme 3.1.162", told[name], "within 1e-3", abs(value - told[name]) < 1e-3),
            *(theoph, note),
        )
    height = -fit.objective / 2
    off = abs(height / told["logLik"] - 1)
    yield Line(
        *("one compartment, population", "theophylline log likelihood", height, ""),
        *("R nlme 3.1.162", told["logLik"], "within 1e-3 of its size", off < 1e-3, theoph, note),
    )


def _both_ways(shared: Path) -> Iterator[Line]:
    people = warfarin(shared)
    data = f"warfarin_pkpd_32: {len(people)} people"
    one = focei(pk_one.model, people, of_warfarin, data)
    other = saem(pk_one.model, people, of_warfarin, np.random.default_rng(1), data)
    for name, fit in (("warfarin-focei", one), ("warfarin-saem", other)):
        _keep(name, fit)
    data = f"{data}, {one.readings} levels"
    for name in of_warfarin.typical:
        a, b = one.typical[name], other.typical[name]
        off = abs(float(np.log(a / b))) / one.errors[name]
        yield Line(
            *("one compartment, population", f"warfarin {name}, FOCEI", a, "L, h"),
            *("SAEM", b, "within one standard error", off < 1.0, data),
            note=f"{off:.2f} standard errors apart; FOCEI {_flag(one)}, SAEM {_flag(other)}; -2LL "
            f"{one.objective:.1f} (Laplace) and {other.objective:.1f} (sampled)",
        )


def _flag(fit: Population) -> str:
    return "converged" if fit.converged else f"NOT converged ({fit.because})"


def _keep(name: str, fit: Population) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"{name}.json").write_text(written(fit) + "\n")
