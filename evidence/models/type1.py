"""The type 1 adult and the meal in it, against simglucose's own patients and equations.

simglucose is an extra of the evidence (`pip install -r evidence/requirements.lock`); without it,
its table of patients in the shared folder still tells the states it holds to be at rest.
"""

import csv
import sys
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from evidence import engine
from evidence.models.line import Line
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import type1
from medtwin.record import codes

name = "type1"


def patients(shared: Path) -> list[Any]:
    """The thirty patients of simglucose 0.2.11."""
    place = shared / "data" / "simglucose_params" / "vpatient_params.csv"
    with place.open() as file:
        return [_patient(row) for row in csv.DictReader(file)]


def _patient(row: Mapping[str, str]) -> Any:
    words = {k.replace(" ", ""): v for k, v in row.items() if k}
    return SimpleNamespace(**{k: float(v) for k, v in words.items() if k != "Name"})


def lines(shared: Path) -> Iterator[Line]:
    """Steady states and whole days."""
    them = patients(shared)
    data = f"simglucose_params: {len(them)} virtual patients (synthetic)"
    worst = max(_moved(q) for q in them)
    yield Line(
        *(name, "their fasting states stay where they are for 10 h, largest change", 100 * worst),
        *("%", "simglucose's table", 0.0, "at most 0.1 %", worst < 1e-3, data),
    )
    yield from whole_days(them, data)


def _moved(q: Any) -> float:
    p, x = engine.as_ours(q)
    steady = [Given(0.0, codes.insulin_basal, 60 * q.u2ss * q.BW / 6000, np.inf)]
    run = simulate(type1.model, p, x, steady, [0.0, 600.0])
    return abs(float(run.of(codes.glucose)[1, 0]) * q.Vg / x[12] - 1.0)


def whole_days(them: list[Any], data: str) -> Iterator[Line]:
    """Three meals and boluses: our course against simglucose's own function of rates."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            its: Any = import_module("simglucose.patient.t1dpatient")
    except ImportError:
        print("type1: simglucose is not installed: evidence/requirements.lock", file=sys.stderr)
        return
    worst = max(engine._gap(q, its.T1DPatient.model, its.Action) for q in them)  # noqa: SLF001  the same day
    yield Line(
        *(name, "a day of three meals, largest relative difference of glucose", worst, "1"),
        *("simglucose's equations by DOP853", 0.0, "at most 1e-6", worst < 1e-6, data),
    )
