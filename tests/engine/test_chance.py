"""A model's own noise, drawn for each member by name, against the Ornstein-Uhlenbeck process."""

from dataclasses import replace

import numpy as np
import pytest

from medtwin.engine.schedule import Chance, Given
from medtwin.engine.simulate import advance, simulate
from medtwin.maths.keyed import uniforms
from medtwin.maths.keyed_lane import two_normals

days = 60.0 * np.arange(0.0, 121.0, 10.0)


def trembling(t, x, u, p):
    return (0.2,)


@pytest.fixture
def noisy(washout):
    return replace(washout.model, noise=trembling)


def test_the_mean_and_variance_are_those_of_ornstein_and_uhlenbeck(washout, noisy):
    run = simulate(
        noisy, washout.Parameters(20.0, 40.0), [50.0], [], days, chance=Chance(1, members=20_000)
    )
    amount, rate = run.of(washout.level) * 40, 0.5 / 60
    expected = 50 * np.exp(-rate * days)
    variance = 0.2**2 * (1 - np.exp(-2 * rate * days)) / (2 * rate)
    assert np.abs(amount.mean(axis=1) - expected).max() < 4 * np.sqrt(variance[-1] / 20_000)
    np.testing.assert_allclose(amount.var(axis=1)[1:], variance[1:], rtol=4 * np.sqrt(2 / 20_000))


def test_a_member_has_the_same_draws_whoever_else_is_run(washout, noisy):
    p = washout.Parameters()
    many = simulate(noisy, p, [50.0], [], days, chance=Chance(7, members=500))
    for whose in ([3], [499, 3], np.arange(300)):
        few = simulate(noisy, p, np.full((1, len(whose)), 50.0), [], days, chance=Chance(7, whose))
        assert np.array_equal(few.shown, many.shown[..., whose])
    other = simulate(noisy, p, [50.0], [], days, chance=Chance(8, members=500))
    assert not np.any(other.states == many.states)


def test_branches_of_a_what_if_differ_by_the_dose_alone(washout, noisy):
    p, luck = washout.Parameters(), Chance(7, members=3)
    one = simulate(noisy, p, [50.0], [], days, chance=luck)
    other = simulate(noisy, p, [50.0], [Given(93.7, washout.drug, 10.0)], days, chance=luck)
    gap = (other.of(washout.level) - one.of(washout.level))[1:] * 40
    expected = 10 * np.exp(-0.05 / 60 * (days[1:] - 93.7))
    np.testing.assert_allclose(gap, np.repeat(expected[:, None], 3, axis=1), rtol=1e-9)


def test_one_call_equals_two_that_meet_anywhere(washout, noisy):
    p, luck, x, still = np.array([[2.0], [40.0]]), Chance(7), np.array([[50.0]]), np.zeros((2, 1))
    whole = advance(noisy, x, p, 0.0, 90.0, still, chance=luck)
    first = advance(noisy, x, p, 0.0, 33.3, still, chance=luck)
    then = advance(noisy, first.states, p, 33.3, 90.0, first.rates, chance=luck)
    np.testing.assert_allclose(then.states, whole.states, rtol=1e-9)


def test_a_compiled_draw_is_the_plain_one():
    u, v = uniforms(2**40 + 5, np.array([9, 2**33]), 12, purpose=3)
    away = np.sqrt(-2 * np.log(u))
    expected = np.stack([away * np.cos(2 * np.pi * v), away * np.sin(2 * np.pi * v)], axis=1)
    found = [two_normals(np.uint64(2**40 + 5), m, 12, 3) for m in (9, 2**33)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_chance_is_refused_where_there_is_none_or_it_does_not_fit(washout, noisy):
    with pytest.raises(ValueError, match="no noise of its own"):
        simulate(washout.model, washout.Parameters(), None, [], days, chance=Chance(0))
    with pytest.raises(ValueError, match="chance names 2 members where 3 are run"):
        simulate(noisy, washout.Parameters(), np.ones((1, 3)), [], days, chance=Chance(0, [0, 1]))
