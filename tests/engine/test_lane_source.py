"""What a model file may say, and what the rewriting makes of it."""

from dataclasses import replace

import numpy as np
import pytest

from medtwin.engine.kernel import compiled
from medtwin.engine.lane_source import NotPlain, lane_source, shown_codes
from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.maths.functions import positive
from medtwin.physiology import glucose_living, type1
from medtwin.record import codes


def plainly(model, p, _, given, times):
    return simulate_plainly(model, p, given, times)


def doubled(x):
    return 2 * x


def with_a_helper(t, x, u, p):
    (amount,) = x
    return (-doubled(positive(amount)) * p.clearance,)


def elsewhere(factor):
    """Two functions of one name, which mean different things."""

    def drift(amount):
        return factor * amount

    return drift


half, threefold, rates = elsewhere(0.5), elsewhere(3.0), (0.25, 0.75)


def with_namesakes(t, x, u, p):
    (amount,) = x
    return (-(half(amount) + threefold(amount)) / 60 * sum_of(rates),)


def sum_of(rates):
    return rates[0] + rates[1]


def with_powers(t, x, u, p):
    (amount,) = x
    allometric = (amount / p.volume) ** p.clearance
    return (-(allometric + amount**0.5 + (amount + 1) ** -2 + amount**1.5) / 600,)


def with_words(t, x, u, p):
    return (x[0] * {"fast": 1}["fast"],)


def with_a_library(t, x, u, p):
    return (np.interp(x[0], [0, 1], [0, 1]),)


def test_what_depends_on_parameters_alone_is_worked_out_once(washout):
    source = lane_source(washout.model)
    worked = source.split("def worked_out")[1].split("@lane")[0]
    assert "p.clearance / p.volume" in worked
    assert "p.clearance" not in source.split("def drift")[1].split("@lane")[0]


def test_codes_become_numbers_by_their_place_among_the_inputs():
    take = lane_source(type1.model).split("def take")[1]
    assert "code == 0" in take
    assert "code == 1" in take


def test_every_model_in_the_house_can_be_compiled():
    for model in (type1.model, glucose_living.model):
        assert "def drift" in lane_source(model)
        assert shown_codes(model) == (codes.glucose,)


@pytest.mark.parametrize("drift", [with_words, with_a_library])
def test_a_line_that_no_lane_can_run_is_named(washout, drift):
    with pytest.raises(NotPlain, match=f"line .* of {drift.__name__}"):
        lane_source(replace(washout.model, drift=drift))


def test_helper_functions_of_the_model_file_come_along(washout):
    assert "def doubled(x)" in lane_source(replace(washout.model, drift=with_a_helper))


@pytest.mark.parametrize("drift", [with_namesakes, with_powers])
def test_what_compiles_computes_what_plain_lines_do(washout, drift):
    model, p = replace(washout.model, drift=drift), washout.Parameters(np.array([1.3, 2.5]))
    given, times = [Given(0.0, washout.drug, 100.0)], [0.0, 30.0, 60.0]
    fast, slow = (run(model, p, None, given, times) for run in (simulate, plainly))
    np.testing.assert_allclose(fast.states, slow.states, rtol=1e-13)


def test_a_function_without_lines_in_a_file_is_refused(washout):
    with pytest.raises(NotPlain, match="define it with def in a file"):
        lane_source(replace(washout.model, drift=eval("lambda t, x, u, p: x")))


def test_only_floats_of_four_and_eight_bytes_are_compiled(washout):
    with pytest.raises(ValueError, match="choose float32 or float64"):
        compiled(washout.model, np.int64)
