"""An ensemble that follows a person's readings, compiled, against the same in plain steps."""

import numpy as np
import pytest

from medtwin.engine import following
from medtwin.engine.following import Readings, follow
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import advance, parameter_array, simulate
from medtwin.maths import enkf
from medtwin.physiology import type1
from medtwin.physiology.virtual_people import people
from medtwin.record import codes

members = 400


def ensemble(washout, rng):
    p = np.stack([2.0 * np.exp(0.4 * rng.standard_normal(members)), np.full(members, 40.0)])
    return np.zeros((1, members)), p, np.zeros((2, members))


def readings(washout, values, noise=0.05):
    times = 60.0 * np.arange(1, len(values) + 1)
    return Readings(washout.level, times, np.array(values), np.full(len(values), noise))


def test_following_is_carrying_and_correcting_in_turn(washout):
    rng = np.random.default_rng(0)
    x, p, u = ensemble(washout, rng)
    seen, given = readings(washout, [2.3, np.nan, 2.0]), [Given(5.0, washout.drug, 100.0)]
    done = follow(
        *(washout.model, x, p, u, 0.0, seen, given), ["clearance"], np.random.default_rng(9)
    )

    draws = np.random.default_rng(9).standard_normal((3, members))
    for r, begin in enumerate((0.0, 60.0, 120.0)):
        carried = advance(washout.model, x, p, begin, begin + 60, u, given if r == 0 else [])
        x, expected = carried.states, carried.shown[-1, 0]
        np.testing.assert_allclose(done.forecast[r], expected, rtol=1e-9)
        if not np.isnan(seen.values[r]):
            belief = np.vstack([x, np.log(p[:1])])
            heard = seen.values[r] + 0.05 * draws[r]
            belief = enkf.corrected(belief, expected, heard, 0.05)
            x, p = np.maximum(belief[:1], 0), np.vstack([np.exp(belief[1:]), p[1:]])
    np.testing.assert_allclose(done.states, x, rtol=1e-8)
    np.testing.assert_allclose(done.parameters, p, rtol=1e-8)
    assert not done.replaced.any()


def test_readings_teach_the_clearance(washout):
    rng = np.random.default_rng(1)
    x, p, u = ensemble(washout, rng)
    truth = 100 / 40 * np.exp(-3.0 / 40 * np.arange(1, 13))
    seen = readings(washout, truth)
    done = follow(
        washout.model, x, p, u, 0.0, seen, [Given(0.0, washout.drug, 100.0)], ["clearance"], rng
    )
    assert abs(done.parameters[0].mean() - 3.0) < 0.2
    assert done.parameters[0].std() < 0.3 * p[0].std()


def test_a_member_gone_out_of_bounds_is_put_back_and_counted(washout):
    rng = np.random.default_rng(2)
    x, p, u = ensemble(washout, rng)
    x[0, 17] = np.nan
    done = follow(washout.model, x, p, u, 0.0, readings(washout, [0.1, 0.1]), [], [], rng)
    assert done.replaced.tolist() == [1, 0]
    assert np.all(np.isfinite(done.states))


def test_parameters_stay_within_the_bounds_of_physiology(washout):
    rng = np.random.default_rng(3)
    x, p, u = ensemble(washout, rng)
    seen = readings(washout, [40.0, 80.0, 160.0], noise=0.001)
    done = follow(
        washout.model, x, p, u, 0.0, seen, [Given(0.0, washout.drug, 100.0)], ["clearance"], rng
    )
    assert done.parameters[0].min() >= 0.1
    assert done.parameters[0].max() <= 20.0


def test_what_does_not_fit_is_refused(washout):
    rng = np.random.default_rng(4)
    x, p, u = ensemble(washout, rng)
    with pytest.raises(ValueError, match="no parameter weight"):
        follow(washout.model, x, p, u, 0.0, readings(washout, [1.0]), [], ["weight"], rng)
    with pytest.raises(ValueError, match="noise must be above 0"):
        follow(washout.model, x, p, u, 0.0, readings(washout, [1.0], 0.0), [], [], rng)
    with pytest.raises(ValueError, match="not before 90"):
        follow(washout.model, x, p, u, 90.0, readings(washout, [1.0]), [], [], rng)
    each = [Given(np.arange(float(members)), washout.drug, 1.0)]
    with pytest.raises(ValueError, match="same times for every member"):
        follow(washout.model, x, p, u, 0.0, readings(washout, [1.0]), each, [], rng)


def test_longer_steps_in_quiet_hours_keep_the_course_of_short_ones():
    them = people(40, np.random.default_rng(5))
    plan = [
        Given(0.0, codes.insulin_basal, them.basal, np.inf),
        Given(420.0, codes.carbohydrate, 60.0, 12.0),
        Given(420.0, codes.insulin_bolus, 60.0 / them.ratio),
    ]
    times = np.arange(0.0, 1441.0, 5.0)
    model = type1.model
    short = simulate(model, them.parameters, None, plan, times, step=0.05).of(codes.glucose)
    told = np.broadcast_to(
        parameter_array(model, them.parameters), (len(type1.Parameters.__dataclass_fields__), 40)
    )
    x = np.stack(np.broadcast_arrays(*model.start(them.parameters)))
    silent = Readings(codes.glucose, times[1:], np.full(288, np.nan), np.full(288, 10.0))
    rng = np.random.default_rng(0)
    done = follow(model, x, told, np.zeros((3, 40)), 0.0, silent, plan, [], rng)
    np.testing.assert_allclose(done.forecast, short[1:], rtol=1e-5)


def test_members_carried_by_several_processors_are_the_same_to_the_last_bit(washout, monkeypatch):
    x, p, u = ensemble(washout, np.random.default_rng(6))
    seen, given = readings(washout, [2.3, 2.1, 2.0]), [Given(5.0, washout.drug, 100.0)]
    told = (washout.model, x, p, u, 0.0, seen, given, ["clearance"])
    alone = follow(*told, np.random.default_rng(9))
    monkeypatch.setattr(following, "worth_sharing", 1)
    shared = follow(*told, np.random.default_rng(9))
    np.testing.assert_array_equal(shared.states, alone.states)
    np.testing.assert_array_equal(shared.parameters, alone.parameters)
    np.testing.assert_array_equal(shared.forecast, alone.forecast)
