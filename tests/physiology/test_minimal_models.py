"""The minimal models: balances by hand, the classical subject, and people whose truth is known."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import minimal_ivgtt, minimal_oral
from medtwin.physiology.minimal_ivgtt import insulin_line
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error, individual
from medtwin.twin.prior import prior_of

# Pacini & Bergman (1986), Comput Methods Programs Biomed 23:113: the example of MINMOD
times = np.array(
    [0, 2, 4, 6, 8, 10, 12, 14, 16, 19, 22, 27, 32, 42, 52, 62, 72, 82, 92, 102, 122, 142, 162,
     182.0]
)  # fmt: skip
glucose = np.array(
    [92, 350, 287, 251, 240, 216, 211, 205, 196, 192, 172, 163, 142, 124, 105, 92, 84, 77, 82, 81,
     82, 82, 85, 90.0]
)  # fmt: skip
insulin = np.array(
    [11, 26, 130, 85, 51, 49, 45, 41, 35, 30, 30, 27, 30, 22, 15, 15, 11, 10, 8, 11, 7, 8, 8, 7.0]
)
late = times >= 8
free = ("effectiveness", "sensitivity", "p2", "V")
told = {"weight": 75.0, "basal_glucose": 92.0, "basal_insulin": 11.0}
test = (Given(0.0, codes.glucose_injected, 0.3 * 75.0), *insulin_line(times, insulin))


def fitted(values, at=times[late], spread=2.0):
    person = Person("one", test, {codes.glucose: (at, values)}, told, begin=0.0)
    prior = prior_of(minimal_ivgtt.model, free, spread=spread**2 * np.eye(4))
    return individual(minimal_ivgtt.model, person, prior, {codes.glucose: Error(2.0)})


def test_nothing_changes_at_rest():
    run = simulate(minimal_ivgtt.model, minimal_ivgtt.Parameters(), None, [], [0.0, 180.0])
    assert run.of(codes.glucose)[1, 0] == pytest.approx(92.0, rel=1e-12)


def test_without_insulin_glucose_falls_with_its_effectiveness_alone():
    p = minimal_ivgtt.Parameters()
    run = simulate(
        minimal_ivgtt.model, p, None, [Given(0.0, codes.glucose_injected, 24.0)], [0, 60]
    )
    rise = 24_000 / (1.6 * 75)
    assert run.of(codes.glucose)[1, 0] == pytest.approx(92 + rise * np.exp(-0.021 * 60), rel=1e-8)


def test_insulin_held_high_acts_by_si_in_the_end():
    # X -> SI (I - Ib): glucose settles at SG Gb / (SG + X), by hand
    p = minimal_ivgtt.Parameters()
    held = insulin_line([0.0, 1.0, 2000.0], [11.0, 31.0, 31.0])
    x = 2.62e-4 * 20
    run = simulate(minimal_ivgtt.model, p, None, held, [0.0, 2000.0])
    assert run.of(codes.glucose)[1, 0] == pytest.approx(92 * 0.021 / (0.021 + x), rel=1e-6)


def test_what_made_a_test_is_found_again_from_it():
    truth = {"effectiveness": 0.026, "sensitivity": 5.0, "p2": 0.025, "V": 300 / 187}
    p = minimal_ivgtt.Parameters(**told, **truth)
    course = simulate(minimal_ivgtt.model, p, None, test, times).of(codes.glucose)[late, 0]
    found = fitted(course, spread=20.0).values
    for name, value in truth.items():
        assert found[name] == pytest.approx(value, rel=0.01), name


def test_the_classical_subject_is_fitted_as_an_independent_program_fits_it():
    def shown(z):
        sg, si, p2, g0 = np.exp(z)
        action = lambda t: np.interp(t, times, insulin)  # noqa: E731  one line of the equations

        def rate(t, x):
            return [-(sg + x[1]) * x[0] + sg * 92, p2 * (si * 1e-4 * (action(t) - 11) - x[1])]

        return solve_ivp(rate, (0, 182), [g0, 0.0], t_eval=times[late], rtol=1e-8, max_step=2).y[0]

    guess = np.log([0.02, 5.0, 0.03, 280.0])
    theirs = least_squares(lambda z: shown(z) - glucose[late], guess)
    ours = fitted(glucose[late], spread=20.0)
    assert ours.values["sensitivity"] == pytest.approx(np.exp(theirs.x[1]), rel=0.01)
    assert np.sum((ours.expected - glucose[late]) ** 2) <= 2 * theirs.cost * 1.001


def test_all_that_is_drunk_and_absorbed_appears():
    p = minimal_oral.Parameters(effectiveness=0.002, sensitivity=0.01, basal_insulin=10.0)
    drink = [Given(0.0, codes.carbohydrate, 75.0)]
    grid = np.arange(0.0, 1501.0, 5.0)
    run = simulate(minimal_oral.model, p, None, drink, grid)
    gone = 0.002 * np.trapezoid(run.of(codes.glucose)[:, 0] - 95.0, grid)
    kept = run.of(codes.glucose)[-1, 0] - 95.0
    assert (gone + kept) * 1.45 * 80 == pytest.approx(0.9 * 75_000, rel=1e-3)


def test_a_more_sensitive_person_is_found_more_sensitive_by_the_drink():
    at, level = np.array([0, 30, 60, 90, 120.0]), np.array([10, 60, 70, 60, 45.0])
    found = []
    for si in (1.0, 3.0, 9.0):
        p = minimal_oral.Parameters(sensitivity=si)
        plan = (Given(0.0, codes.carbohydrate, 75.0), *insulin_line(at, level))
        shown = simulate(minimal_oral.model, p, None, plan, at).of(codes.glucose)[1:, 0]
        known = {"weight": 80.0, "basal_glucose": 95.0, "basal_insulin": 10.0}
        person = Person("one", plan, {codes.glucose: (at[1:], shown)}, known, begin=0.0)
        fit = individual(
            minimal_oral.model, person, ("sensitivity", "kempty"), {codes.glucose: Error(0, 0.02)}
        )
        found.append(fit.values["sensitivity"])
    np.testing.assert_allclose(found, [1.0, 3.0, 9.0], rtol=0.1)


@pytest.mark.parametrize("module", [minimal_ivgtt, minimal_oral])
def test_three_thousand_people_stay_finite(module):
    p = sample(module.Parameters, 3000, np.random.default_rng(0))
    code = module.model.inputs[0]
    line = insulin_line([0.0, 30.0, 120.0], [10.0, 80.0, 10.0])
    run = simulate(
        module.model, p, None, [Given(0.0, code, 75.0), *line], np.arange(0.0, 241.0, 30)
    )
    assert np.all(np.isfinite(run.shown))
    assert np.all(run.of(codes.glucose) > 0)


@pytest.mark.parametrize("module", [minimal_ivgtt, minimal_oral])
def test_every_parameter_says_its_unit_and_where_it_is_from(module):
    for f in fields(module.Parameters):
        assert f.metadata["unit"], f.name
        assert f.metadata["source"], f.name
        assert f.metadata["low"] <= f.default <= f.metadata["high"], f.name
