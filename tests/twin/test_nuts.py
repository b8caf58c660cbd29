"""The sampler, held against what can be integrated by hand; and what its extra is called."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from medtwin.engine.schedule import Given
from medtwin.physiology import pk_one
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error
from medtwin.twin.nuts import NeedsBayes, cohort_posterior, person_posterior
from medtwin.twin.population import Power, Structure

level = codes.drug_level
anna = Person(
    "anna",
    (Given(0.0, codes.drug_injected, 300.0),),
    {level: ([1.0, 6.0, 12.0], [9.1, 5.0, 2.4])},
    {"weight": 70.0},
)


@pytest.mark.slow
def test_one_persons_clearance_is_drawn_as_by_integration():
    pytest.importorskip("numpyro")
    drawn = person_posterior(pk_one.model, anna, ["clearance"], {level: Error(0.5)}, draws=500)
    z = np.linspace(np.log(1.0), np.log(8.0), 20001)
    hours, levels = (np.array(a) for a in anna.read[level])
    f = 300 / 32.3 * np.exp(-np.exp(z)[:, None] / 32.3 * hours)
    sd = np.sqrt(np.log1p(0.17**2))
    weight = np.exp(-(((levels - f) / 0.5) ** 2).sum(1) / 2 - ((z - np.log(2.78)) / sd) ** 2 / 2)
    weight /= np.trapezoid(weight, z)
    mean = np.trapezoid(weight * z, z)
    spread = np.sqrt(np.trapezoid(weight * (z - mean) ** 2, z))
    assert abs(drawn.mean("clearance") - mean) < 4 * drawn.chance("clearance")
    assert drawn.sd("clearance") == pytest.approx(spread, rel=0.1)
    assert drawn.split["clearance"] < 1.02
    assert drawn.divergent == 0


def test_without_the_extra_its_name_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpyro", None)
    with pytest.raises(NeedsBayes, match=r"medtwin\[bayes\]"):
        person_posterior(pk_one.model, anna, ["clearance"])


def test_effects_are_not_drawn():
    pytest.importorskip("numpyro")
    structure = Structure({"clearance": 3.0}, {"clearance": 0.3}, {level: Error(0.5)})
    leaning = replace(structure, effects=(Power("clearance", "age", 40.0),))
    with pytest.raises(ValueError, match="no effects"):
        cohort_posterior(pk_one.model, [anna], leaning)
