"""The same model file by JAX: the engine's numbers, and derivatives without a step to choose."""

import subprocess
import sys

import numpy as np
import pytest

from medtwin.engine.gradients import course, simulate_by_jax, slopes
from medtwin.engine.model import sample
from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Changed, Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import pk_one, type1
from medtwin.physiology.virtual_people import people
from medtwin.record import codes

jax = pytest.importorskip("jax", reason="the extra medtwin[gpu] is not installed")


def test_compiled_plain_and_jax_agree_on_a_type_1_day():
    three = people(3, np.random.default_rng(4))
    day = [
        Given(0.0, codes.insulin_basal, three.basal, np.inf),
        Given(420.0, codes.carbohydrate, 50.0, 15.0),
        Given(415.5, codes.insulin_bolus, 50.0 / three.ratio),
        Given(780.0, codes.carbohydrate, np.array([80.0, 60.0, 40.0])),
        Given(780.0, codes.insulin_bolus, 60.0 / three.ratio),
        Given(1140.0, codes.carbohydrate, 70.0, 20.0),
        Given(1160.0, codes.insulin_bolus, 4.0, 30.0),
    ]
    times = np.arange(0.0, 1441.0, 5.0)
    # a step that is asked for is taken as it is; left alone, the compiled loop paces itself
    fast = simulate(type1.model, three.parameters, None, day, times, step=0.25)
    plain = simulate_plainly(type1.model, three.parameters, day, times, step=0.25)
    traced = simulate_by_jax(type1.model, three.parameters, None, day, times, step=0.25)
    np.testing.assert_allclose(fast.shown, plain.shown, rtol=1e-10)
    np.testing.assert_allclose(traced.shown, plain.shown, rtol=1e-10)
    np.testing.assert_allclose(traced.states, fast.states, rtol=1e-10, atol=1e-10)
    assert traced.rates.tolist() == fast.rates.tolist()


def test_compiled_plain_and_jax_agree_on_a_closed_form():
    p = sample(pk_one.Parameters, 5, np.random.default_rng(2))
    given = [
        Given(0.0, codes.drug_swallowed, 300.0),
        Given(6.0, codes.drug_injected, 100.0),
        Given(7.0, codes.drug_injected, 200.0, 2.0),
    ]
    times = np.arange(0.0, 24.5, 0.5)
    fast = simulate(pk_one.model, p, None, given, times)
    plain = simulate_plainly(pk_one.model, p, given, times)
    traced = simulate_by_jax(pk_one.model, p, None, given, times)
    np.testing.assert_allclose(fast.shown, plain.shown, rtol=1e-10)
    np.testing.assert_allclose(traced.shown, plain.shown, rtol=1e-10)


def test_each_member_may_be_given_things_at_its_own_time(washout):
    at = np.array([[3.7, 61.2, np.inf], [30.0, 2.0, 90.0]])
    given = [
        Given(at[0], washout.drug, np.array([10.0, 20.0, 30.0])),
        Given(at[1], washout.infusion, 6.0, 25.0),
    ]
    times = np.arange(0.0, 121.0, 10.0)
    fast = simulate(washout.model, washout.Parameters(), None, given, times)
    traced = simulate_by_jax(washout.model, washout.Parameters(), None, given, times)
    np.testing.assert_allclose(traced.shown, fast.shown, rtol=1e-12, atol=1e-14)


def test_a_parameter_that_changes_changes_here_too(washout):
    p = washout.Parameters(np.array([2.0, 3.0]), 40.0)
    given = [
        Given(0.0, washout.drug, 100.0),
        Changed(30.0, "clearance", np.array([0.5, 2.0]), 20.0),
    ]
    times = np.arange(0.0, 121.0, 10.0)
    fast = simulate(washout.model, p, None, given, times)
    traced = simulate_by_jax(washout.model, p, None, given, times)
    np.testing.assert_allclose(traced.shown, fast.shown, rtol=1e-12)
    np.testing.assert_allclose(traced.parameters, fast.parameters, rtol=1e-14)


def test_a_slope_is_the_derivative_of_the_closed_form(washout):
    p = washout.Parameters(np.array([2.0, 3.0]), np.array([40.0, 50.0]))
    times = np.array([0.0, 60.0, 300.0])
    told = slopes(washout.model, p, [Given(0.0, washout.drug, 100.0)], times)
    hours, clearance, volume = times[1:, None] / 60, p.clearance, p.volume
    level = 100 / volume * np.exp(-clearance / volume * hours)
    by_clearance = -level * hours / volume
    by_volume = -level / volume + level * clearance * hours / volume**2
    np.testing.assert_allclose(told.shown[1:, 0], level, rtol=1e-9)
    np.testing.assert_allclose(told.by["clearance"][1:, 0], by_clearance, rtol=1e-8)
    np.testing.assert_allclose(told.by["volume"][1:, 0], by_volume, rtol=1e-8)


def test_slopes_of_a_type_1_meal_are_those_of_small_changes():
    one = people(1, np.random.default_rng(4))
    meal = [
        Given(0.0, codes.insulin_basal, one.basal, np.inf),
        Given(10.0, codes.carbohydrate, 50.0, 15.0),
    ]
    times = [0.0, 60.0, 120.0]
    told = slopes(type1.model, one.parameters, meal, times, ["Vg", "kabs"], step=0.25)
    for name in ("Vg", "kabs"):
        value = getattr(one.parameters, name)
        moved = []
        for h in (1e-4 * value, -1e-4 * value):
            other = type1.Parameters(**{**vars(one.parameters), name: value + h})
            moved.append(simulate(type1.model, other, None, meal, times, step=0.25).shown)
        expected = (moved[0] - moved[1]) / (2e-4 * value)
        np.testing.assert_allclose(told.by[name], expected, rtol=1e-5, atol=1e-6)


def test_a_course_may_be_differentiated_backwards_too(washout):
    with jax.enable_x64(True):
        shown = course(washout.model, [Given(0.0, washout.drug, 100.0)], [0.0, 60.0])
        slope = jax.grad(lambda p: shown(p)[1, 0, 0])(np.array([[2.0], [40.0]]))
    expected = -100 / 40 * np.exp(-0.05) / 40
    assert float(slope[0, 0]) == pytest.approx(expected, rel=1e-8)


def test_an_unknown_parameter_is_refused(washout):
    with pytest.raises(ValueError, match="has no parameter colour"):
        slopes(washout.model, washout.Parameters(), [], [0.0, 1.0], ["colour"])


def test_without_jax_the_extra_is_named():
    lines = (
        "import sys; sys.modules['jax'] = None\n"
        "from medtwin.engine import gradients\n"
        "from medtwin.physiology import type1\n"
        "try:\n"
        "    gradients.slopes(type1.model, type1.Parameters(), [], [0.0, 1.0])\n"
        "except gradients.NeedsJax as told:\n"
        "    print(told)\n"
    )
    told = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert "medtwin[gpu]" in told.stdout
