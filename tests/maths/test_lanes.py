"""The compiled functions of a lane against the plain ones, over all they may be asked."""

import numpy as np
import pytest
from numba import njit

from medtwin.maths import functions, lanes

kinds = [(lanes.double, np.float64, 5e-15), (lanes.single, np.float32, 5e-7)]


def over(function, x):
    @njit
    def run(x, y):
        for i in range(len(x)):
            y[i] = function(x[i])

    y = np.empty_like(x)
    run(x, y)
    return y


@pytest.mark.parametrize(("lane", "dtype", "close"), kinds)
@pytest.mark.parametrize("name", ["tanh", "exp", "positive", "cos", "sin", "floor"])
def test_a_lane_computes_what_numpy_computes(lane, dtype, close, name):
    x = np.linspace(-30, 30, 20_001).astype(dtype)
    plain = getattr(functions, name)(x.astype(float))
    np.testing.assert_allclose(over(getattr(lane, name), x), plain, rtol=close, atol=close)


@pytest.mark.parametrize(("lane", "dtype", "close"), kinds)
def test_what_is_unknown_stays_unknown(lane, dtype, close):
    unknown = np.array([np.nan], dtype)
    for name in ("tanh", "exp", "positive"):
        assert np.isnan(over(getattr(lane, name), unknown))


@pytest.mark.parametrize(("lane", "dtype", "close"), kinds)
def test_logarithms_and_roots_are_numpys_from_tiny_to_huge(lane, dtype, close):
    x = np.concatenate([[1e-40, 0.0], np.geomspace(1e-37, 1e37, 20_001), [np.inf]]).astype(dtype)
    with np.errstate(divide="ignore"):
        plain = np.log(x.astype(float))
    np.testing.assert_allclose(over(lane.log, x), plain, rtol=close, atol=close)
    np.testing.assert_allclose(over(lane.sqrt, x), np.sqrt(x.astype(float)), rtol=close)
    assert np.isnan(over(lane.log, np.array([-1.0, np.nan], dtype))).all()


@pytest.mark.parametrize(("lane", "dtype", "close"), kinds)
def test_powers_are_numpys_for_bases_of_zero_or_more(lane, dtype, close):
    base, to = np.meshgrid(np.linspace(0, 50, 301), np.linspace(0, 6, 25))
    base, to = base.ravel().astype(dtype), to.ravel().astype(dtype)
    power = lane.power

    @njit
    def run(x, y, out):
        for i in range(len(x)):
            out[i] = power(x[i], y[i])

    found = np.empty_like(base)
    run(base, to, found)
    plain = base.astype(float) ** to.astype(float)
    np.testing.assert_allclose(found, plain, rtol=20 * close)
    run(np.zeros_like(base), -np.ones_like(to), found)
    assert np.isposinf(found).all()
    run(-np.ones_like(base), 0.5 * np.ones_like(to), found)
    assert np.isnan(found).all()


def test_a_sine_is_exact_after_many_turns():
    x = np.linspace(0, 1e5, 5001)
    np.testing.assert_allclose(over(lanes.double.sin, x), np.sin(x), atol=1e-14)


def test_a_smooth_step_goes_from_zero_to_one_and_is_a_half_half_way():
    x = np.array([-1.0, 2.0, 3.0, 4.0, 9.0])
    plain = functions.smooth_step(x, 2.0, 4.0)
    np.testing.assert_allclose(plain, [0, 0, 0.5, 1, 1])
    step, number = lanes.double.smooth_step, np.float64

    @njit
    def at(y):
        return step(y, number(2.0), number(4.0))

    assert [at(y) for y in x] == pytest.approx(plain)


def test_every_function_a_model_may_use_has_a_compiled_twin():
    offered = [
        n for n, f in vars(functions).items() if callable(f) and f.__module__ == functions.__name__
    ]
    assert all(hasattr(kind, name) for kind in (lanes.single, lanes.double) for name in offered)


def test_large_arguments_saturate_and_do_not_overflow():
    assert over(lanes.double.tanh, np.array([1e9, -1e9])).tolist() == [1.0, -1.0]
    assert np.isfinite(over(lanes.single.exp, np.array([500.0], np.float32)))


@pytest.mark.parametrize(("lane", "dtype", "close"), kinds)
def test_the_gap_between_two_tanh_is_one_division_and_as_exact(lane, dtype, close):
    gap, x = lane.tanh_gap, np.linspace(-25, 25, 4001).astype(dtype)

    @njit
    def run(x, y, out):
        for i in range(len(x)):
            out[i] = gap(x[i], y[i])

    y = (0.3 * x[::-1] + 1).astype(dtype)
    found = np.empty_like(x)
    run(x, y, found)
    plain = np.tanh(x.astype(float)) - np.tanh(y.astype(float))
    np.testing.assert_allclose(found, plain, atol=2 * close)
