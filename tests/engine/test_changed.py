"""Parameters that change on the way: an illness, a drug that inhibits, a weight newly measured."""

import numpy as np
import pytest

from medtwin.engine.following import Readings, follow
from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Changed, Given, NotTaken
from medtwin.engine.simulate import advance, simulate

hours = np.arange(0.0, 601.0, 60.0)


def test_a_clearance_halved_for_three_hours_washes_out_by_hand(washout):
    given = [Given(0.0, washout.drug, 100.0), Changed(120.0, "clearance", 0.5, 180.0)]
    run = simulate(washout.model, washout.Parameters(), None, given, hours)
    ill = np.clip(hours - 120, 0, 180)
    expected = 100 * np.exp(-2 / 40 / 60 * (hours - 0.5 * ill))
    np.testing.assert_allclose(run.of(washout.level)[1:, 0] * 40, expected[1:], rtol=1e-9)
    np.testing.assert_allclose(run.parameters[:, 0], [2.0, 40.0], rtol=1e-15)


def test_each_member_falls_ill_in_their_own_way(washout):
    ill = Changed(np.array([30.0, np.inf]), "clearance", np.array([2.0, 9.0]))
    run = simulate(washout.model, washout.Parameters(), [100.0], [ill], [0.0, 90.0])
    expected = 100 * np.exp(-0.05 * np.array([30 + 2 * 60, 90]) / 60)
    np.testing.assert_allclose(run.states[0], expected, rtol=1e-9)
    assert run.parameters[0].tolist() == [4.0, 2.0]


def test_changes_that_overlap_multiply_and_plain_lines_agree(washout):
    given = [
        Given(0.0, washout.drug, 100.0),
        Changed(10.0, "clearance", 3.0, 200.0),
        Changed(100.0, "clearance", 0.5, 200.0),
        Changed(50.0, "volume", 1.25),
    ]
    p = washout.Parameters(np.array([1.0, 2.0]), 40.0)
    fast = simulate(washout.model, p, None, given, hours)
    slow = simulate_plainly(washout.model, p, given, hours)
    np.testing.assert_allclose(fast.shown, slow.shown, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(fast.parameters, slow.parameters, rtol=1e-14)


def test_an_illness_goes_on_in_the_next_call(washout):
    p, still, x = np.array([[2.0], [40.0]]), np.zeros((2, 1)), np.array([[100.0]])
    ill = [Changed(20.0, "clearance", 3.0)]
    first = advance(washout.model, x, p, 0.0, 60.0, still, ill)
    then = advance(washout.model, first.states, first.parameters, 60.0, 90.0, first.rates)
    expected = 100 * np.exp(-0.05 * (20 + 3 * 70) / 60)
    np.testing.assert_allclose(then.states[0], expected, rtol=1e-9)


def test_a_followed_ensemble_stays_ill_between_readings(washout):
    members, rng = 50, np.random.default_rng(0)
    x, p, u = np.full((1, members), 100.0), np.full((2, members), 40.0), np.zeros((2, members))
    p[0] = 2.0
    times = 60.0 * np.arange(1, 5)
    seen = Readings(washout.level, times, np.full(4, np.nan), np.ones(4))
    ill = [Changed(90.0, "clearance", 3.0)]
    done = follow(washout.model, x, p, u, 0.0, seen, ill, ["clearance"], rng)
    expected = 100 / 40 * np.exp(-0.05 * (times + 2 * np.clip(times - 90, 0, None)) / 60)
    np.testing.assert_allclose(done.forecast[:, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(done.parameters[0], 6.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Changed(0.0, "weight", 2.0), "no parameter weight to change; it has clearance, volume"),
        (Changed(0.0, "clearance", 0.0), "a factor is above 0"),
        (Changed(0.0, "clearance", np.array([1.0, np.nan])), "a factor is above 0"),
        (Changed(0.0, "clearance", 2.0, -5.0), "lasts for 0 or more"),
    ],
)
def test_a_change_that_means_nothing_is_refused(washout, wrong, said):
    with pytest.raises(NotTaken, match=said):
        simulate(washout.model, washout.Parameters(), None, [wrong], hours)


def test_a_plan_with_a_negative_dose_is_refused(washout):
    for lasting in (0.0, 30.0):
        negative = [Given(0.0, washout.drug, np.array([1.0, -5.0]), lasting)]
        with pytest.raises(NotTaken, match="a plan with a negative dose: drug -5 mg"):
            simulate(washout.model, washout.Parameters(), None, negative, hours)
    with pytest.raises(NotTaken, match="a plan with a negative dose: drug nan mg"):
        simulate(
            washout.model, washout.Parameters(), None, [Given(0.0, washout.drug, np.nan)], hours
        )
