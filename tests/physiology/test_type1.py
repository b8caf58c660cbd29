"""The type 1 adult: balances, published behaviour, and the engine held to LSODA."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from medtwin.engine.model import sample
from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import named, parameter_array, simulate
from medtwin.physiology import type1
from medtwin.record import codes

model = type1.model
day = np.arange(0.0, 1441.0, 15.0)
adults = sample(type1.Parameters, 12, np.random.default_rng(7))
meals = ((420.0, 50.0), (720.0, 75.0), (1080.0, 75.0))


def usual_day(p, rates=1.0):
    given = [Given(0.0, codes.insulin_basal, rates * type1.basal(p), np.inf)]
    for at, grams in meals:
        given.append(Given(at, codes.carbohydrate, grams, grams / 5))
        given.append(Given(at, codes.insulin_bolus, grams / 12, 5.0))
    return given


def fasting(p, **given):
    steady = Given(0.0, codes.insulin_basal, type1.basal(p), np.inf)
    return simulate(model, p, None, [steady, *given.values()], day)


def test_a_fasting_person_on_the_basal_rate_stays_where_they_are():
    run = fasting(adults)
    resting = np.stack(np.broadcast_arrays(*model.start(adults)))
    np.testing.assert_allclose(run.of(codes.glucose)[-1], adults.fasting_glucose, rtol=1e-9)
    np.testing.assert_allclose(run.states, resting, rtol=1e-8, atol=1e-8)


def test_the_basal_rate_balances_what_the_body_clears():
    # pmol/kg/min: cleared outside the liver m4 Ip, and by the liver 0.6 of m2 Ip; 6000 pmol/U
    p = type1.Parameters()
    cleared = 105.0 * 0.051 * (0.4 * 0.29 + 0.6 * 0.29)
    assert type1.basal(p) == pytest.approx(cleared * 80 * 60 / 6000, rel=1e-12)


def test_every_gram_eaten_reaches_the_blood_but_for_a_tenth():
    p = type1.Parameters()
    appeared, x = 0.0, model.start(p)
    run = fasting(p, meal=Given(0.0, codes.carbohydrate, 60.0, 20.0))
    assert run.states[:3, 0].sum() < 60_000 * 0.005  # a day later almost nothing is left
    times = np.arange(0.0, 1441.0, 1.0)
    gut = [
        simulate(model, p, x, [Given(0.0, codes.carbohydrate, 60.0, 20.0)], [0.0, t]).states[2, 0]
        for t in times[::20]
    ]
    appeared = np.trapezoid(p.f * p.kabs * np.array(gut), times[::20])
    assert appeared == pytest.approx(0.9 * 60_000, rel=0.01)


def test_insulin_lowers_and_carbohydrate_raises_everybody():
    still = fasting(adults).of(codes.glucose)
    dosed = fasting(adults, unit=Given(0.0, codes.insulin_bolus, 1.0)).of(codes.glucose)
    fed = fasting(adults, meal=Given(0.0, codes.carbohydrate, 20.0, 10.0)).of(codes.glucose)
    assert np.all(dosed[2:20] < still[2:20])
    assert np.all(fed[2:20].max(axis=0) > still[0])


def test_no_state_is_ever_below_zero_without_insulin_or_with_far_too_much():
    for rates in (0.0, 5.0):
        run = simulate(model, adults, None, usual_day(adults, rates), day)
        assert np.all(run.states >= -1e-9)
        assert np.all(run.of(codes.glucose) > 0)


def test_a_full_stomach_empties_fast_then_slowly_then_fast():
    # Dalla Man 2006, IEEE Trans Biomed Eng 53:2472: kmax when full, kmin between b and d
    p = type1.Parameters(b=0.8, d=0.2)
    falls, rises = 2.5 / (1 - p.b), 2.5 / p.d
    full, half, empty = (
        type1.emptying(q, 50_000.0, falls, rises, p) for q in (50_000.0, 25_000.0, 0.0)
    )
    assert full == pytest.approx(p.kmax, rel=0.02)
    assert half == pytest.approx(p.kmin, rel=0.15)
    assert empty == pytest.approx(p.kmax, rel=0.02)


def test_a_meal_eaten_in_a_minute_is_nearly_one_swallowed_at_once():
    p = type1.Parameters()
    once = fasting(p, meal=Given(60.0, codes.carbohydrate, 50.0)).of(codes.glucose)
    slowly = fasting(p, meal=Given(60.0, codes.carbohydrate, 50.0, 1.0)).of(codes.glucose)
    np.testing.assert_allclose(once, slowly, rtol=0.01)


def test_the_compiled_day_is_the_plain_day_to_ten_digits():
    given = usual_day(adults)
    fast = simulate(model, adults, None, given, day, step=0.4)
    slow = simulate_plainly(model, adults, given, day, step=0.4)
    np.testing.assert_allclose(fast.shown, slow.shown, rtol=1e-10)


def test_the_model_s_own_pace_is_the_day_of_short_steps_within_three_in_100_000():
    given = usual_day(adults)
    paced = simulate(model, adults, None, given, day)
    short = simulate(model, adults, None, given, day, step=0.1)
    np.testing.assert_allclose(paced.shown, short.shown, rtol=3e-5)


def lsoda(p, given_rates, times):
    """One person's day by an integrator that is not ours, restarted where an input changes."""
    x, u, shown, t = np.array([float(s) for s in model.start(p)]), {}, {}, 0.0
    stops = sorted({*times, *(at for at, _, _ in given_rates)})
    for stop in stops:
        if stop > t:
            rates = tuple(u.get(c, 0.0) for c in model.channels)

            def rate(now, y, rates=rates):
                return np.array([float(d) for d in model.drift(now, tuple(y), rates, p)])

            grid = [s for s in times if t < s <= stop]
            x = solve_ivp(rate, (t, stop), x, "LSODA", rtol=1e-8, atol=1e-7, max_step=30).y[:, -1]
            t = stop
            shown.update(dict.fromkeys(grid, x[12] / p.Vg))
        for at, code, change in given_rates:
            if at == stop:
                u[code] = u.get(code, 0.0) + change
                if change > 0 and code == codes.carbohydrate:
                    x = np.array(model.take(tuple(x), code, 0.0, p))
    return np.array([shown.get(s, p.fasting_glucose) for s in times])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_day_agrees_with_lsoda_within_one_in_ten_thousand(dtype):
    times = [0.0, 450.0, 480.0, 540.0, 720.0, 780.0, 1140.0, 1440.0]
    told = parameter_array(model, adults)
    course = simulate(model, adults, None, usual_day(adults), times, dtype=dtype).of(codes.glucose)
    for k in range(3):
        p = named(model, told[:, k])
        changes = [(0.0, codes.insulin_basal, type1.basal(p))]
        for at, grams in meals:
            changes += [(at, codes.carbohydrate, 5.0), (at + grams / 5, codes.carbohydrate, -5.0)]
            dose = grams / 12 / 5
            changes += [(at, codes.insulin_bolus, dose), (at + 5, codes.insulin_bolus, -dose)]
        np.testing.assert_allclose(course[:, k], lsoda(p, changes, times), rtol=1e-4)


def test_every_parameter_says_its_unit_its_spread_and_where_it_is_from():
    from dataclasses import fields

    for f in fields(type1.Parameters):
        assert f.metadata["unit"]
        assert f.metadata["source"]
        assert f.metadata["low"] <= f.default <= f.metadata["high"], f.name
