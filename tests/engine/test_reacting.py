"""Rules that dose by what a sensor shows: fixed points and switch times worked out by hand."""

from math import ceil, exp, log

import numpy as np
import pytest
import therapy
import washout

from medtwin.engine.model import sample
from medtwin.engine.reacting import TooLate, reacting
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import type1
from medtwin.physiology.virtual_people import people
from medtwin.record import codes


def test_a_rule_that_never_acts_is_the_fixed_plan():
    p = sample(washout.Parameters, 7, np.random.default_rng(1))
    given = [Given(3.5, washout.drug, 100.0), Given(10.0, washout.infusion, 6.0, 45.0)]
    times = np.arange(0.0, 121.0, 15.0)
    told = reacting(washout.model, p, None, given, times, lambda t, shown, running: [], 20.0)
    fixed = simulate(washout.model, p, None, given, times)
    np.testing.assert_allclose(told.course.shown, fixed.shown, rtol=1e-11, atol=1e-14)
    assert [t for t, _ in told.decided] == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]


def test_an_infusion_by_level_settles_where_rate_meets_clearance():
    # rate = gain (target - level); at rest rate = clearance level
    p, gain, target = sample(washout.Parameters, 20, np.random.default_rng(1)), 6.0, 3.0

    def by_level(t, shown, running):
        rate = gain * np.maximum(target - shown[washout.level], 0.0)
        return [Given(t, washout.infusion, rate, 10.0)]

    told = reacting(washout.model, p, None, [], [0.0, 60.0 * 400], by_level, 10.0)
    expected = gain * target / (gain + p.clearance)
    np.testing.assert_allclose(told.course.of(washout.level)[-1], expected, rtol=1e-6)


def test_a_pump_that_follows_the_sensor_lowers_what_a_missed_bolus_raises():
    crowd = people(12, np.random.default_rng(8))
    meal = [Given(60.0, codes.carbohydrate, 60.0, 15.0)]
    start = [*meal, Given(0.0, codes.insulin_basal, crowd.basal, np.inf)]
    times = np.arange(0.0, 601.0, 5.0)
    alone = simulate(type1.model, crowd.parameters, None, start, times).of(codes.glucose)

    def by_sensor(t, shown, running):
        above = shown[codes.glucose] - crowd.parameters.fasting_glucose
        rate = np.maximum(crowd.basal * (1 + above / 40.0), 0.0)
        return [Given(t, codes.insulin_basal, rate, 5.0)]

    told = reacting(type1.model, crowd.parameters, None, meal, times, by_sensor, 5.0)
    glucose = told.course.of(codes.glucose)
    fasting = times <= 60
    np.testing.assert_allclose(glucose[fasting], alone[fasting], rtol=1e-9)  # at rest: basal
    assert np.all(glucose.max(axis=0) < alone.max(axis=0))


def on_and_off(t, shown, running):
    level, on = shown[therapy.marker], running[therapy.therapy] > 0
    stays = np.where(on, level > 4.0, level >= 10.0)
    return [Given(t, therapy.therapy, np.where(stays, 100.0, 0.0), 1.0)]


def test_therapy_switches_on_above_ten_and_off_below_four_on_the_days_worked_out_by_hand():
    growth = np.array([0.01, 0.02])
    p = therapy.Parameters(growth, 0.05)
    told = reacting(therapy.model, p, None, [], np.arange(0.0, 401.0), on_and_off, 1.0)
    on = np.array([given[0].amount > 0 for _, given in told.decided])
    for member, g in enumerate(growth):
        first = ceil(log(10 / 4) / g)  # the first day at 10 or more
        level = 4 * exp(g * first)
        off = first + ceil(log(level / 4) / (0.05 - g))  # the first day at 4 or less
        again = off + ceil(log(10 / (level * exp(-(0.05 - g) * (off - first)))) / g)
        switched = np.flatnonzero(np.diff(on[:, member].astype(int))) + 1
        assert switched[:3].tolist() == [first, off, again]


def test_two_rules_see_the_same_luck():
    seen = []

    def never(t, shown, running):
        seen.append(shown[therapy.marker].copy())
        return []

    p = therapy.Parameters(np.array([0.01, 0.02, 0.03]))
    args = (therapy.model, p, None, [], [0.0, 10.0], never, 1.0)
    reacting(*args, sensor=5)
    first = np.array(seen)
    truth = 4 * np.exp(p.growth * np.arange(10.0)[:, None])
    noise = first - truth
    assert 0.2 < noise.std() < 0.9  # the code says 0.5
    seen.clear()

    def always(t, shown, running):
        seen.append(shown[therapy.marker].copy())
        return [Given(t, therapy.therapy, 100.0, 1.0)]

    reacting(*args[:5], always, 1.0, sensor=5)
    treated = 4 * np.exp((p.growth - 0.03) * np.arange(10.0)[:, None])
    np.testing.assert_allclose(np.array(seen) - treated, noise, atol=1e-9)


def test_nothing_can_be_given_in_the_past():
    def late(t, shown, running):
        return [Given(t - 1.0, washout.drug, 5.0)]

    with pytest.raises(TooLate, match="decided to give drug at -1"):
        reacting(washout.model, washout.Parameters(), None, [], [0.0, 60.0], late, 10.0)
