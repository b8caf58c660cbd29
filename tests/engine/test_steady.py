"""A member whose numbers run away is run again in smaller steps, or named."""

import numpy as np
import pytest

from medtwin.engine.following import Readings, follow
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import Unstable, simulate, whoever_stays

hours = np.arange(0.0, 601.0, 60.0)


def stiff(washout, *clearances):
    return washout.Parameters(np.array(clearances), 40.0)


def test_a_stiff_member_is_saved_by_smaller_steps_and_no_other_is_touched(washout):
    given = [Given(0.0, washout.infusion, 10.0, np.inf)]
    # 40,000 L/h empties it in four seconds: steady below 2.785 / 16.67 = 0.167 min
    p = stiff(washout, 2.0, 40_000.0, 3.0)
    run = simulate(washout.model, p, None, given, hours)
    assert run.halved.tolist() == [0, 3, 0]
    assert run.of(washout.level)[-1, 1] == pytest.approx(10 / 40_000, rel=1e-9)
    alone = simulate(washout.model, stiff(washout, 2.0), None, given, hours)
    assert np.array_equal(run.shown[..., 0], alone.shown[..., 0])


def test_a_member_that_sways_without_leaving_bounds_is_found_too(washout):
    p = stiff(washout, 2.0, 40 * 60 * 2.9)  # a step of 1 multiplies its error by 1.2
    run = simulate(washout.model, p, [1e-3], [Given(0.0, washout.infusion, 10.0, np.inf)], hours)
    assert run.halved.tolist() == [0, 1]
    assert run.of(washout.level)[-1, 1] == pytest.approx(10 / (40 * 60 * 2.9), rel=1e-6)


def test_whom_no_step_saves_is_named_and_not_averaged_in(washout):
    p = stiff(washout, 2.0, -1e6, 2.0)
    run = whoever_stays(washout.model, p, None, [Given(0.0, washout.drug, 1.0)], hours)
    assert run.lost.tolist() == [1]
    assert run.kept.tolist() == [True, False, True]
    assert np.isnan(run.shown[..., 1]).all()
    assert np.isfinite(run.shown[..., run.kept]).all()
    with pytest.raises(Unstable, match=r"1 of 3 members .*member 1.*a 64th of that"):
        simulate(washout.model, p, None, [Given(0.0, washout.drug, 1.0)], hours)


def test_a_followed_member_is_saved_before_it_is_replaced(washout):
    members, rng = 40, np.random.default_rng(0)
    x, p, u = np.zeros((1, members)), np.full((2, members), 40.0), np.zeros((2, members))
    p[0], p[0, 5] = 2.0, 1e5
    times = 60.0 * np.arange(1, 5)
    seen = Readings(washout.level, times, np.full(4, np.nan), np.ones(4))
    given = [Given(0.0, washout.infusion, 10.0, np.inf)]
    done = follow(washout.model, x, p, u, 0.0, seen, given, [], rng)
    assert not done.replaced.any()
    assert done.forecast[-1, 5] == pytest.approx(10 / 1e5, rel=1e-9)
