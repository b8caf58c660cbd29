"""The living glucose model: what is linear, what balances, what insulin and carbohydrate do."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.maths.kalman import affine, chain
from medtwin.physiology.glucose_living import Parameters, drift, model, noise, start, take
from medtwin.physiology.insulin_need import insulin_need
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.exact import system

p = Parameters()
midnight = datetime(2024, 3, 1, tzinfo=UTC)


def test_at_rest_with_usual_insulin_nothing_moves() -> None:
    rates = np.array(drift(0.0, start(p), (p.usual_rate,), p))
    expected = [model.states.index(name) for name in ("expected depot",)]
    rates[expected] = 0.0  # boluses, which come and go, stand behind part of the usual rate
    np.testing.assert_allclose(rates, 0.0, atol=1e-12)


def test_the_drift_is_affine_in_the_states_called_linear() -> None:
    rng = np.random.default_rng(5)
    linear = [model.states.index(name) for name in model.linear]
    driven = rng.uniform(0.5, 2, len(model.states))
    for _ in range(20):
        a, b, weight = driven.copy(), driven.copy(), rng.uniform(-1, 2)
        a[linear], b[linear] = rng.normal(0, 50, len(linear)), rng.normal(0, 50, len(linear))
        between = weight * a + (1 - weight) * b
        at = [np.array(drift(300.0, tuple(x), (1.0,), p)) for x in (a, b, between)]
        np.testing.assert_allclose(weight * at[0] + (1 - weight) * at[1], at[2], atol=1e-9)


def test_the_driven_states_do_not_depend_on_the_linear_ones() -> None:
    driven = [i for i, name in enumerate(model.states) if name not in model.linear]
    calm, wild = list(start(p)), list(start(p))
    wild[8:] = [50.0, 20.0, 3.0, 1.0, 300.0, 280.0, 15.0]
    for i in driven:
        assert drift(0.0, tuple(calm), (1.0,), p)[i] == drift(0.0, tuple(wild), (1.0,), p)[i]


def test_its_linear_states_form_a_chain_so_that_triangles_suffice() -> None:
    assert chain(system(model))
    assert affine(system(model)).shape == (7, 7)


def test_what_leaves_the_first_gut_compartment_enters_the_second() -> None:
    x = take(start(p), codes.carbohydrate, 60.0, p)
    near, far = drift(0.0, x, (p.usual_rate,), p)[8:10]
    assert near == pytest.approx(-60 / p.gut_time)
    assert near + far == pytest.approx(0.0)


def test_all_the_carbohydrate_eaten_is_absorbed() -> None:
    x, dt, absorbed = np.array(take(start(p), codes.carbohydrate, 60.0, p)), 0.5, 0.0
    for _ in range(4000):
        absorbed += dt * x[8] / p.gut_time
        x = x + dt * np.array(drift(0.0, tuple(x), (p.usual_rate,), p))
    assert absorbed + x[7] + x[8] == pytest.approx(60.0, rel=1e-6)
    assert absorbed == pytest.approx(60.0, rel=1e-3)


def test_a_unit_of_bolus_is_sixty_unit_minutes_per_hour_in_the_depot() -> None:
    before, after = start(p), take(start(p), codes.insulin_bolus, 1.0, p)
    assert (after[0] - before[0]) * p.insulin_time == pytest.approx(60.0)


def test_glucose_and_meals_make_the_unexplained_louder() -> None:
    calm, high, fed = list(start(p)), list(start(p)), list(start(p))
    calm[11], high[11] = 100.0, 250.0
    fed[11], fed[3] = 100.0, 1.0
    loud = [noise(0.0, tuple(x), (1.0,), p)[9] for x in (calm, high, fed)]
    assert loud[1] == pytest.approx(loud[0] * (1 + 1.5 * p.flux_with_glucose))
    assert loud[2] == pytest.approx(loud[0] * (1 + p.flux_with_meals))


def test_every_parameter_has_unit_median_spread_bounds_and_provenance() -> None:
    for f in fields(Parameters):
        m = f.metadata
        assert m["low"] <= f.default <= m["high"], f.name
        assert m["unit"], f.name
        assert m["source"], f.name
        assert m["cv"] > 0 or m["sd"] > 0, f.name


def test_physiology_bounds_what_a_free_fit_would_shrink_away() -> None:
    bounds = {f.name: (f.metadata["low"], f.metadata["high"]) for f in fields(Parameters)}
    assert bounds["sensitivity"][0] == 0.8
    assert bounds["insulin_time"][1] == 60
    assert bounds["action_time"][1] == 40
    assert bounds["effectiveness"][1] == 0.008


def _given(code: codes.Code, hour: float, value: float, lasting: float = 0.0) -> Observation:
    at = midnight + timedelta(hours=hour)
    until = at + timedelta(hours=lasting) if lasting else None
    return Observation(at, code, value, "pump", at, until)


def test_daily_insulin_is_boluses_and_basal_by_hand() -> None:
    pump = [_given(codes.insulin_basal, h, 1.0, 1.0) for h in range(49)]
    boluses = [_given(codes.insulin_bolus, h, 4.0) for h in (8, 13, 19, 32, 37, 43)]
    need = insulin_need(Record("a").add([*pump, *boluses]))
    assert need is not None
    assert need.basal == pytest.approx(1.0)
    assert need.daily == pytest.approx(24 + 12)
    assert need.rate == pytest.approx(1.5)


def test_on_injections_without_recorded_basal_the_daily_need_is_twice_the_boluses() -> None:
    boluses = [_given(codes.insulin_bolus, h, 5.0) for h in (0, 8, 16, 24, 32, 40, 48)]
    need = insulin_need(Record("a").add(boluses))
    assert need is not None
    assert need.daily == pytest.approx(2 * 35 / 2)
    assert need.basal == 0.0


def test_less_than_a_day_tells_nothing_of_daily_need() -> None:
    assert insulin_need(Record("a").add([_given(codes.insulin_bolus, 1, 5.0)])) is None
