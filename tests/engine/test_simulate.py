"""The engine against a model whose course is known in closed form."""

import math
from dataclasses import replace

import numpy as np
import pytest

from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Given, NotTaken, is_amount, schedule
from medtwin.engine.simulate import Unstable, advance, simulate
from medtwin.maths.functions import exp
from medtwin.record.codes import Code, Kind

hours = np.arange(0.0, 601.0, 60.0)


def test_a_dose_washes_out_by_its_half_life(washout):
    given = [Given(0.0, washout.drug, 100.0)]
    run = simulate(washout.model, washout.Parameters(), None, given, hours)
    expected = 100 / 40 * np.exp(-2 / 40 * hours[1:] / 60)
    np.testing.assert_allclose(run.of(washout.level)[1:, 0], expected, rtol=1e-9)


def test_an_infusion_reaches_dose_rate_over_clearance(washout):
    given = [Given(0.0, washout.infusion, 10.0, np.inf)]
    run = simulate(washout.model, washout.Parameters(), None, given, [0.0, 60.0 * 600])
    assert run.shown[-1, 0, 0] == pytest.approx(10 / 2, rel=1e-9)


def test_an_amount_that_lasts_is_given_in_full_and_then_stops(washout):
    p = washout.Parameters(clearance=1e-9)
    given = [Given(7.0, washout.drug, 30.0, 13.0)]
    run = simulate(washout.model, p, None, given, [0.0, 7.0, 13.5, 20.0, 100.0])
    np.testing.assert_allclose(run.states[0], 30.0, rtol=1e-8)
    np.testing.assert_allclose(run.of(washout.level)[:, 0] * 40, [0, 0, 15, 30, 30], atol=1e-6)
    assert run.rates.tolist() == [[0.0], [0.0]]


def test_each_member_is_given_its_own_amount_at_its_own_time(washout):
    at, amount = np.array([3.7, 61.2, np.inf]), np.array([10.0, 20.0, 30.0])
    given = [Given(at, washout.drug, amount)]
    run = simulate(washout.model, washout.Parameters(), None, given, [0.0, 120.0])
    left = [m * math.exp(-0.05 * (120 - t) / 60) for t, m in zip(at[:2], amount[:2], strict=True)]
    np.testing.assert_allclose(run.states[0], [*left, 0.0], rtol=1e-9)


def test_members_do_not_touch_one_another(washout):
    rng = np.random.default_rng(0)
    p = washout.Parameters(rng.uniform(1, 4, 300), rng.uniform(20, 60, 300))
    given = [Given(5.0, washout.drug, 100.0)]
    everybody = simulate(washout.model, p, None, given, hours).of(washout.level)
    for k in (0, 31, 32, 299):
        one = washout.Parameters(p.clearance[k], p.volume[k])
        alone = simulate(washout.model, one, None, given, hours).of(washout.level)
        assert np.array_equal(alone[:, 0], everybody[:, k])


def test_one_call_equals_two_that_meet_at_an_event(washout):
    p = np.array([[2.0, 3.0], [40.0, 50.0]])
    given = [Given(30.0, washout.drug, 50.0), Given(10.0, washout.infusion, 6.0, 40.0)]
    whole = simulate(washout.model, p, None, given, [0.0, 30.0, 90.0])
    none, still = np.zeros((1, 2)), np.zeros((2, 2))
    first = advance(washout.model, none, p, 0.0, 30.0, still, given[1:])
    rest = [Given(30.0, washout.drug, 50.0), Given(50.0, washout.infusion, -6.0, np.inf)]
    then = advance(washout.model, first.states, p, 30.0, 90.0, first.rates, rest)
    np.testing.assert_allclose(then.states, whole.states, rtol=1e-14)


def test_the_compiled_course_is_the_plain_one(washout):
    given = [Given(5.3, washout.drug, 100.0), Given(60.0, washout.infusion, 3.0, 90.0)]
    p = washout.Parameters(np.array([1.0, 2.0, 3.0]), 40.0)
    fast = simulate(washout.model, p, None, given, hours)
    slow = simulate_plainly(washout.model, p, given, hours)
    np.testing.assert_allclose(fast.shown, slow.shown, rtol=1e-13, atol=1e-15)


def solved(washout, clock="min"):
    """Washout with its closed form: drug in at a constant rate, out in proportion."""
    return replace(washout.model, solution=after, clock=clock)


def after(dt, x, u, p):
    (amount,) = x
    swallowing, dripping = u
    leaving = p.clearance / p.volume / 60
    level = (swallowing + dripping / 60) / leaving
    return (level + (amount - level) * exp(-leaving * dt),)


def test_a_closed_form_is_used_instead_of_steps(washout):
    given = [Given(5.3, washout.drug, 100.0), Given(60.0, washout.infusion, 3.0, 90.0)]
    p = washout.Parameters(np.array([1.0, 2.0, 3.0]), 40.0)
    stepped = simulate(washout.model, p, None, given, hours, step=0.5)
    exact = simulate(solved(washout), p, None, given, hours, step=1e9)
    np.testing.assert_allclose(exact.shown, stepped.shown, rtol=1e-11, atol=1e-13)
    slow = simulate_plainly(solved(washout), p, given, hours)
    np.testing.assert_allclose(exact.shown, slow.shown, rtol=1e-13, atol=1e-15)


def test_a_closed_form_carries_an_ensemble_on(washout):
    p, x, still = np.array([[2.0, 3.0], [40.0, 50.0]]), np.full((1, 2), 8.0), np.zeros((2, 2))
    ends = advance(solved(washout), x, p, 10.0, 130.0, still).states
    np.testing.assert_allclose(ends[0], 8.0 * np.exp(-p[0] / p[1] * 2), rtol=1e-14)


def test_a_member_that_goes_out_of_bounds_is_named(washout):
    p = washout.Parameters(np.array([2.0, 2.0, -1e6]), 40.0)
    with pytest.raises(Unstable, match=r"1 of 3 members.*member 2"):
        simulate(washout.model, p, None, [Given(0.0, washout.drug, 1.0)], hours)


def test_a_parameter_that_is_not_a_number_is_caught(washout):
    p = washout.Parameters(np.array([2.0, np.nan]), 40.0)
    with pytest.raises(Unstable, match="member 1"):
        simulate(washout.model, p, None, [Given(0.0, washout.drug, 1.0)], hours)


def test_what_the_model_does_not_take_is_refused(washout):
    with pytest.raises(NotTaken, match="does not take level at once; it takes drug"):
        simulate(washout.model, washout.Parameters(), None, [Given(0.0, washout.level, 1.0)], hours)
    with pytest.raises(NotTaken, match="no channel for level"):
        schedule(washout.model, [Given(0.0, washout.level, 1.0, 5.0)])
    with pytest.raises(NotTaken, match="0 or more"):
        schedule(washout.model, [Given(0.0, washout.drug, 1.0, -5.0)])


def test_something_given_before_the_start_is_refused(washout):
    with pytest.raises(ValueError, match="before the start"):
        simulate(washout.model, washout.Parameters(), None, [Given(-1.0, washout.drug, 1.0)], hours)


def test_times_out_of_order_are_refused(washout):
    with pytest.raises(ValueError, match="in order"):
        simulate(washout.model, washout.Parameters(), None, [], [0.0, 10.0, 5.0])


def test_states_of_another_number_of_members_are_refused(washout):
    p = washout.Parameters(np.array([1.0, 2.0, 3.0]), 40.0)
    with pytest.raises(ValueError, match="2 members do not fit 3"):
        simulate(washout.model, p, np.zeros((1, 2)), [], hours)


def test_amounts_are_spread_and_rates_and_levels_are_not():
    spread = [Code("a", "a", "g", kind=Kind.meal), Code("b", "b", "mg/kg", kind=Kind.dose)]
    as_it_is = [Code("c", "c", "mg/h", kind=Kind.dose), Code("d", "d", "%", kind=Kind.dose)]
    as_it_is += [Code("e", "e", "mm[Hg]"), Code("f", "f", "mmol/L"), Code("g", "g", "g/d")]
    assert all(is_amount(code) for code in spread)
    assert not any(is_amount(code) for code in as_it_is)
