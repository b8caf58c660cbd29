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
@pytest.mark.parametrize("name", ["tanh", "exp", "positive", "cos"])
def test_a_lane_computes_what_numpy_computes(lane, dtype, close, name):
    x = np.linspace(-30, 30, 20_001).astype(dtype)
    plain = getattr(functions, name)(x.astype(float))
    np.testing.assert_allclose(over(getattr(lane, name), x), plain, rtol=close, atol=close)


@pytest.mark.parametrize(("lane", "dtype", "close"), kinds)
def test_what_is_unknown_stays_unknown(lane, dtype, close):
    unknown = np.array([np.nan], dtype)
    for name in ("tanh", "exp", "positive"):
        assert np.isnan(over(getattr(lane, name), unknown))


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
