"""Which states are linear is found from a model's lines; they then run exactly."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from medtwin.engine.lane_source import linear_part
from medtwin.engine.model import Model, varies
from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Changed, Given
from medtwin.engine.simulate import simulate
from medtwin.maths.functions import positive
from medtwin.physiology import type1
from medtwin.record.codes import Code, Kind

drug = Code("test_two_drug", "drug", "mg", kind=Kind.dose)
seen = Code("test_two_seen", "effect", "1")


@dataclass(frozen=True)
class Parameters:
    absorbed: Any = varies(0.02, unit="/min", cv=0.3)
    cleared: Any = varies(0.01, unit="/min", cv=0.3)
    effect: Any = varies(0.5, unit="/min", cv=0.3)


def start(p):
    none = 0.0 * p.absorbed
    return (none, none, 1.0 + none)


def drift(t, x, u, p):
    depot, blood, effect = x
    (given,) = u
    entering = p.absorbed * depot
    return (
        given - entering,
        entering - p.cleared * blood + 0.001,
        p.effect * (1.0 / (1.0 + positive(blood) / 5.0) - effect**2),
    )


def take(x, code, amount, p):
    depot, *rest = x
    if code == drug:
        depot = depot + amount
    return (depot, *rest)


def observe(x, p):
    return {seen: x[2]}


model = Model(
    name="two lines and a bend",
    reference="by hand",
    states=("depot", "blood", "effect"),
    units=("mg", "mg", "1"),
    parameters=Parameters,
    inputs=(drug,),
    channels=(drug,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.5,
    pace=((0.0, 1.0), (30.0, 5.0)),
)


def by_clock(t, x, u, p):
    depot, blood, effect = x
    return (-p.absorbed * depot * t, p.absorbed * depot - p.cleared * blood, -effect * blood)


def test_linear_states_are_those_whose_rates_add_up():
    found = linear_part(model)
    assert found.linear == (0, 1)
    assert found.read == (1,)
    assert found.reach() == {0: (0,), 1: (0, 1)}


def test_what_depends_on_the_clock_or_on_a_bent_state_is_not_linear():
    assert linear_part(replace(model, drift=by_clock)).linear == ()


def test_insulin_and_the_solid_stomach_of_type_1_are_linear():
    names = [type1.model.states[i] for i in linear_part(type1.model).linear]
    assert names[:3] == ["stomach solid", "plasma insulin", "liver insulin"]
    assert names[3:] == [
        *("tissue insulin", "delayed insulin", "liver signal"),
        *("insulin depot", "far depot", "meal"),
    ]


@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-6), (np.float32, 5e-6)])
def test_the_paced_course_is_the_one_of_short_steps(dtype, close):
    p = Parameters(np.array([0.02, 0.03]), np.array([0.01, 0.9]), 0.5)
    given = [
        Given(10.0, drug, 50.0),
        Given(60.0, drug, 30.0, 45.5),
        Changed(200.0, "cleared", 2.0, 100.0),
    ]
    times = np.arange(0.0, 601.0, 20.0)
    paced = simulate(model, p, None, given, times, dtype=dtype)
    fine = simulate_plainly(model, p, given, times, step=0.02)
    np.testing.assert_allclose(paced.shown, fine.shown, rtol=close)
    np.testing.assert_allclose(paced.states[:2], fine.states[:2], rtol=20 * close)


def test_linear_states_are_exact_however_long_the_step_and_stiff_the_person():
    p = Parameters(0.02, np.array([0.01, 40.0]), 0.5)
    ends = simulate(model, p, [100.0, 0.0, 1.0], [], [0.0, 300.0]).states
    a, k = 0.02, p.cleared
    blood = 100 * a / (k - a) * (np.exp(-a * 300) - np.exp(-k * 300))
    blood += 0.001 / k * (1 - np.exp(-k * 300))
    np.testing.assert_allclose(ends[1], blood, rtol=1e-9)


def test_who_is_at_rest_stays_at_rest_in_short_floats():
    p = type1.Parameters()
    given = [Given(0.0, type1.model.channels[1], type1.basal(p), np.inf)]
    run = simulate(type1.model, p, None, given, [0.0, 14_400.0], dtype=np.float32)
    np.testing.assert_allclose(run.shown[1], run.shown[0], rtol=1e-5)


def test_members_of_a_paced_run_do_not_touch_one_another():
    rng = np.random.default_rng(0)
    p = Parameters(rng.uniform(0.01, 0.05, 300), rng.uniform(0.005, 0.5, 300), 0.5)
    given, times = [Given(5.0, drug, 100.0)], np.arange(0.0, 301.0, 30.0)
    everybody = simulate(model, p, None, given, times)
    for k in (0, 31, 32, 299):
        one = Parameters(p.absorbed[k], p.cleared[k], 0.5)
        alone = simulate(model, one, None, given, times)
        assert np.array_equal(alone.shown[..., 0], everybody.shown[..., k])
