"""Cases of the PK vectors, as what was given and what was then in blood."""

import csv
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from medtwin.engine.schedule import Given
from medtwin.record import codes


@dataclass(frozen=True)
class Case:
    """One regimen: parameters, what was given, times after the first dose, levels."""

    p: dict[str, float]
    given: list[Given]
    times: np.ndarray
    levels: np.ndarray


def asked(vectors, kind):
    """Every regimen whose model's name begins with `kind`."""
    rows = list(
        csv.DictReader((vectors / "trials" / "pk_compartment.csv").read_text().splitlines())
    )
    mine = [r for r in rows if r["model"].startswith(kind)]
    for _, group in groupby(mine, key=lambda r: (r["model"], r["params"], r["n_doses"])):
        yield _case(list(group))


def _case(rows):
    first = rows[0]
    p = {k: float(v) for k, v in (one.split("=") for one in first["params"].split(";"))}
    doses, every = int(first["n_doses"]), float(first["tau"] or 0)
    code = codes.drug_swallowed if first["model"].endswith("oral") else codes.drug_injected
    given = [
        Given(every * n, code, float(first["dose"]), float(first["tinf"] or 0))
        for n in range(doses)
    ]
    after = np.array([float(r["time_after_last_dose"]) for r in rows])
    return Case(p, given, after + every * (doses - 1), np.array([float(r["conc"]) for r in rows]))
