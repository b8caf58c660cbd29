"""Models as SBML: libroadrunner runs the file as we run the model, and it reads back the same."""

import numpy as np
import pytest
import washout

from medtwin.engine.sbml_in import from_sbml
from medtwin.engine.sbml_out import OnePerson, to_sbml
from medtwin.engine.schedule import Changed, Given
from medtwin.engine.simulate import simulate
from medtwin.engine.terms import NotWritten, Term, named
from medtwin.physiology import pk_one, type1
from medtwin.physiology.virtual_people import people
from medtwin.record import codes


def by_roadrunner(text, shown, until, points):
    roadrunner = pytest.importorskip("roadrunner", reason="the extra medtwin[oracles] is missing")
    road = roadrunner.RoadRunner(text)
    road.integrator.absolute_tolerance = 1e-12
    road.integrator.relative_tolerance = 1e-11
    road.integrator.maximum_num_steps = 100_000
    return np.asarray(road.simulate(0, until, points, ["time", *shown]))


def test_libroadrunner_runs_the_exported_type_1_day():
    one = people(1, np.random.default_rng(4))
    day = [
        Given(0.0, codes.insulin_basal, one.basal, np.inf),
        Given(61.0, codes.carbohydrate, 50.0, 15.0),
        Given(55.5, codes.insulin_bolus, 50.0 / one.ratio),
        Given(301.0, codes.carbohydrate, 30.0),
        Given(301.0, codes.insulin_bolus, 30.0 / one.ratio),
    ]
    text = to_sbml(type1.model, one.parameters, day)
    expected = by_roadrunner(text, ["shown_glucose"], 720.0, 145)
    run = simulate(type1.model, one.parameters, None, day, expected[:, 0], step=0.25)
    np.testing.assert_allclose(run.of(codes.glucose)[:, 0], expected[:, 1], rtol=1e-6)
    assert np.ptp(expected[:, 1]) > 20


def test_a_model_goes_out_and_comes_back_the_same():
    p = washout.Parameters(3.0, 30.0)
    plan = [
        Given(0.0, washout.drug, 90.0),
        Given(31.0, washout.infusion, 4.0, 60.0),
        Changed(100.0, "clearance", 0.5),
    ]
    text = to_sbml(washout.model, p, plan)
    read = from_sbml(text, 300.0)
    assert read.model.clock == "min"
    times = np.arange(0.0, 301.0, 25.0)
    expected = simulate(washout.model, p, None, plan, times).of(washout.level)
    back = simulate(read.model, read.model.parameters(), None, read.events, times)
    shown = next(c for c in back.codes if c.name == "shown_test_level")
    np.testing.assert_allclose(back.of(shown), expected, rtol=1e-7)


def test_a_model_with_a_closed_form_goes_out_by_its_drift():
    p = pk_one.Parameters()
    plan = [Given(1.0, codes.drug_swallowed, 300.0)]
    text = to_sbml(pk_one.model, p, plan)
    expected = by_roadrunner(text, ["shown_drug_level"], 24.0, 97)
    run = simulate(pk_one.model, p, None, plan, expected[:, 0])
    np.testing.assert_allclose(run.of(codes.drug_level)[:, 0], expected[:, 1], rtol=1e-6, atol=1e-9)


def test_a_population_is_not_one_person():
    p = washout.Parameters(np.array([2.0, 3.0]))
    with pytest.raises(OnePerson, match="not 2"):
        to_sbml(washout.model, p)


def test_what_has_no_formula_is_refused():
    with pytest.raises(NotWritten, match="where"):
        bool(named("a") > 1.0)
    with pytest.raises(NotWritten, match="arcsin"):
        np.arcsin(named("a"))
    assert isinstance(np.float64(2.0) * named("a"), Term)
