"""The plain integrator against solutions known in closed form."""

from math import cos, exp, sin

import numpy as np
import pytest

from medtwin.maths.ode import carried, rk4, steps_between


def decay(t, x):
    return (-0.5 * x[0],)


def test_one_step_of_decay_is_the_series_of_the_exponential_to_the_fourth_power():
    # h = 1, rate -1/2: 1 - 1/2 + 1/8 - 1/48 + 1/384
    (after,) = rk4(decay, (1.0,), 0.0, 1.0)
    assert after == pytest.approx(1 - 1 / 2 + 1 / 8 - 1 / 48 + 1 / 384, abs=1e-15)


def test_halving_the_step_divides_the_error_by_sixteen():
    errors = [abs(carried(decay, (1.0,), 0.0, 4.0, h)[0] - exp(-2.0)) for h in (0.125, 0.0625)]
    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.05)


def test_an_oscillator_comes_back():
    x, v = carried(lambda t, s: (s[1], -s[0]), (1.0, 0.0), 0.0, 3.0, 0.01)
    assert (x, v) == pytest.approx((cos(3.0), -sin(3.0)), abs=1e-8)


def test_many_members_move_as_each_alone():
    together = carried(decay, (np.array([1.0, 2.0, 5.0]),), 0.0, 2.0, 0.1)[0]
    alone = [carried(decay, (s,), 0.0, 2.0, 0.1)[0] for s in (1.0, 2.0, 5.0)]
    np.testing.assert_allclose(together, alone, rtol=1e-15)


@pytest.mark.parametrize(
    ("end", "step", "count"), [(5.0, 0.5, 10), (5.1, 0.5, 11), (0.3, 0.1, 3), (1e-12, 0.5, 1)]
)
def test_steps_are_equal_and_no_longer_than_asked(end, step, count):
    assert steps_between(0.0, end, step) == count
