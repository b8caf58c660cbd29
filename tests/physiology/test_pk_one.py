"""One compartment: the vectors, the textbook's formulas, and equal rates."""

from dataclasses import replace

import numpy as np
import pytest
from regimens import asked
from scipy.integrate import quad

from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.maths.ode import carried
from medtwin.physiology import pk_one
from medtwin.physiology.absorption import meeting, shrinking
from medtwin.record import codes

anybody = pk_one.Parameters()


def level(p, given, times):
    times = np.asarray(times, float)
    run = simulate_plainly(pk_one.model, p, given, np.concatenate([[0.0], times]))
    return run.of(codes.drug_level)[1:, 0]


def test_an_injection_gives_the_levels_of_the_matrix_exponential(vectors):
    for case in asked(vectors, "1cpt"):
        p = replace(anybody, clearance=case.p["CL"], volume=case.p["V"])
        np.testing.assert_allclose(level(p, case.given, case.times), case.levels, rtol=1e-9)


def test_bateman_two_hours_after_100_mg_by_mouth():
    # Gibaldi & Perrier eq. 1.94 by hand: F D ka / (V (ka - k)) (e^-kt - e^-ka t)
    p = replace(anybody, clearance=3.0, volume=30.0, ka=1.5, bioavailability=0.8)
    by_hand = 0.8 * 100 * 1.5 / (30 * 1.4) * (np.exp(-0.2) - np.exp(-3.0))
    given = [Given(0.0, codes.drug_swallowed, 100.0)]
    np.testing.assert_allclose(level(p, given, [2.0]), [by_hand], rtol=1e-12)


@pytest.mark.parametrize("away", [0.0, 1e-13, 1e-9, 1e-5, 1e-2])
def test_equal_rates_of_absorption_and_loss_cost_no_digit(away):
    k = 0.1
    expected = quad(lambda s: np.exp(-k * (6 - s) - k * (1 + away) * s), 0, 6, epsabs=1e-14)[0]
    np.testing.assert_allclose(meeting(k, k * (1 + away), 6.0), expected, rtol=1e-12)
    assert meeting(k, k, 6.0) == pytest.approx(6 * np.exp(-0.6), rel=1e-15)


def test_shrinking_is_one_at_zero_and_smooth_where_its_two_forms_meet():
    assert shrinking(0.0) == 1.0
    below, above = shrinking(0.01 * (1 - 1e-12)), shrinking(0.01 * (1 + 1e-12))
    assert abs(below - above) < 1e-13


def test_a_dose_with_a_lag_is_the_same_dose_later():
    given = [Given(0.0, codes.drug_swallowed, 100.0)]
    late = replace(anybody, lag=1.5)
    np.testing.assert_allclose(
        level(late, given, [1.0, 2.5, 6.0]), [0.0, *level(anybody, given, [1.0, 4.5])], rtol=1e-12
    )


def test_a_second_dose_within_the_lag_loses_nothing():
    given = [Given(t, codes.drug_swallowed, 100.0) for t in (0.0, 0.4)]
    p = replace(anybody, lag=1.0, clearance=1e-12)
    assert level(p, given, [200.0]) == pytest.approx(200 / p.volume, rel=1e-9)


def test_doses_after_the_lag_add_up():
    p = replace(anybody, lag=0.5)
    times = np.array([2.0, 9.0, 14.0])
    one = [Given(0.0, codes.drug_swallowed, 100.0)]
    two = [*one, Given(8.0, codes.drug_swallowed, 60.0)]
    later = np.concatenate([[0.0], 0.6 * level(p, one, times[1:] - 8.0)])
    np.testing.assert_allclose(level(p, two, times), level(p, one, times) + later, rtol=1e-12)


def test_a_drip_reaches_rate_over_clearance():
    given = [Given(0.0, codes.drug_injected, 2.78 * 5 * 500, 500.0)]
    np.testing.assert_allclose(level(anybody, given, [499.0]), [5.0], rtol=1e-12)


def test_a_heavier_person_clears_more_by_the_power_of_three_quarters():
    # by hand: (140/70)^0.75 = 1.6818
    assert pk_one.clearance(replace(anybody, weight=140.0)) == pytest.approx(
        2.78 * 1.681793, rel=1e-6
    )


def test_the_closed_form_solves_the_equations():
    p = replace(anybody, lag=0.0, bioavailability=0.7)
    x, u = (50.0, 20.0, 0.0, 30.0), (4.0, 2.0)
    stepped = carried(lambda t, y: pk_one.drift(t, y, u, p), x, 0.0, 5.0, 0.002)
    np.testing.assert_allclose(pk_one.solution(5.0, x, u, p), stepped, rtol=1e-10)


def test_the_engine_gives_the_same_levels_as_the_plain_loop():
    p = replace(anybody, lag=np.array([0.0, 0.3, 1.2]), ka=np.array([0.08, 1.0, 3.0]))
    given = [
        Given(0.0, codes.drug_swallowed, 300.0),
        Given(2.0, codes.drug_injected, 100.0, 3.0),
        Given(8.0, codes.drug_swallowed, 300.0),
    ]
    times = np.linspace(0, 24, 25)
    fast = simulate(pk_one.model, p, None, given, times)
    plain = simulate_plainly(pk_one.model, p, given, times)
    np.testing.assert_allclose(fast.shown, plain.shown, rtol=1e-10, atol=1e-12)
