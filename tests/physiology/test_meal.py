"""The meal model of type1 against simglucose: its patients at rest, and its own equations."""

import csv
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import type1
from medtwin.record import codes


@pytest.fixture(scope="module")
def patients(shared):
    place = shared / "data" / "simglucose_params" / "vpatient_params.csv"
    with place.open() as file:
        rows = [{k.replace(" ", ""): v for k, v in r.items() if k} for r in csv.DictReader(file)]
    return [SimpleNamespace(**{k: float(v) for k, v in r.items() if k != "Name"}) for r in rows]


def test_the_thirty_patients_rest_at_the_rate_their_table_gives(patients):
    from evidence.engine import as_ours

    for q in patients:
        p, x = as_ours(q)
        steady = [Given(0.0, codes.insulin_basal, 60 * q.u2ss * q.BW / 6000, np.inf)]
        glucose = simulate(type1.model, p, x, steady, [0.0, 600.0]).of(codes.glucose)[1, 0]
        assert glucose * q.Vg == pytest.approx(x[12], rel=1e-3)


def test_three_patients_days_are_those_of_simglucoses_equations(patients):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        its = pytest.importorskip(
            "simglucose.patient.t1dpatient", reason="simglucose is an extra of the evidence"
        )
    from evidence.engine import _gap

    for q in patients[::10]:
        assert _gap(q, its.T1DPatient.model, its.Action) < 1e-6
