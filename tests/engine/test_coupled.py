"""Two models in one body equal the model that a hand would write for both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import effect
import numpy as np
import pytest
import washout

from medtwin.engine.coupled import NotCoupled, Signal, couple
from medtwin.engine.model import Model, sample, varies
from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Given, NotTaken
from medtwin.engine.simulate import simulate
from medtwin.record.codes import Code

# the drug counts minutes, the effect hours; both speak of a clearance and of an amount
both = couple(
    washout.model,
    effect.model,
    [Signal(washout.level, effect.level)],
    prefixes=("drug_", "effect_"),
)


@dataclass(frozen=True)
class Joint:
    clearance: Any = varies(2.0, unit="L/h", cv=0.3)
    volume: Any = varies(40.0, unit="L", cv=0.2)
    kin: Any = varies(6.0, unit="%/h", cv=0.2)
    kout: Any = varies(0.06, unit="/h", cv=0.2)
    half: Any = varies(1.0, unit="mg/L", cv=0.4)


def joint_start(p: Any) -> tuple[Any, ...]:
    return (0.0 * p.volume, p.kin / p.kout)


def joint_drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    drug, response = x
    swallowing, dripping = u
    level = drug / p.volume
    return (
        swallowing + dripping / 60 - p.clearance / p.volume / 60 * drug,
        (p.kin * p.half / (p.half + level) - p.kout * response) / 60,
    )


def joint_take(x: Any, code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    drug, response = x
    if code == washout.drug:
        drug = drug + amount
    return (drug, response)


def joint_observe(x: Any, p: Any) -> Mapping[Code, Any]:
    return {washout.level: x[0] / p.volume, effect.response: x[1]}


joint = Model(
    name="joint",
    reference="by hand",
    states=("drug", "response"),
    units=("mg", "%"),
    parameters=Joint,
    inputs=(washout.drug,),
    channels=(washout.drug, washout.infusion),
    start=joint_start,
    drift=joint_drift,
    take=joint_take,
    observe=joint_observe,
    step=1.0,
)
plan = [Given(30.0, washout.drug, 100.0), Given(600.0, washout.infusion, 8.0, 300.0)]
times = np.arange(0.0, 1441.0, 60.0)


def people(n):
    p = sample(Joint, n, np.random.default_rng(3))
    same = (p.clearance, p.volume, p.kin, p.kout, p.half)
    return p, both.parameters(*same)


def test_a_drug_and_its_effect_equal_the_joint_model_written_by_hand():
    by_hand, coupled = people(40)
    expected = simulate(joint, by_hand, None, plan, times)
    told = simulate(both, coupled, None, plan, times)
    np.testing.assert_allclose(told.shown, expected.shown, rtol=1e-9, atol=1e-12)
    course = told.of(effect.response)
    assert np.all(course.min(axis=0) < 0.95 * course[0])


def test_the_whole_is_a_model_for_plain_numpy_and_for_jax_too():
    gradients = pytest.importorskip("medtwin.engine.gradients")
    pytest.importorskip("jax", reason="the extra medtwin[gpu] is not installed")
    _, p = people(3)
    fast = simulate(both, p, None, plan, times)
    plain = simulate_plainly(both, p, plan, times)
    traced = gradients.simulate_by_jax(both, p, None, plan, times)
    np.testing.assert_allclose(fast.shown, plain.shown, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(traced.shown, plain.shown, rtol=1e-10, atol=1e-12)


def test_names_that_clash_get_the_models_prefix_and_others_stay():
    names = list(both.parameters.__dataclass_fields__)
    assert names == ["drug_clearance", "volume", "kin", "effect_clearance", "half"]
    assert both.states == ("drug amount", "effect amount")


def test_a_shared_parameter_is_one_parameter():
    one = couple(
        washout.model, effect.model, [Signal(washout.level, effect.level)], shared=["clearance"]
    )
    assert list(one.parameters.__dataclass_fields__) == ["clearance", "volume", "kin", "half"]


def test_a_channel_that_a_signal_drives_is_no_longer_given_from_outside():
    assert both.channels == (washout.drug, washout.infusion)
    with pytest.raises(NotTaken):
        simulate(both, both.parameters(), None, [Given(0.0, effect.level, 1.0, 60.0)], times)


def test_signals_may_lead_both_ways():
    seen = Code("test_seen_response", "response that feeds back", "mg/h")

    def observe(x: Any, p: Any) -> Mapping[Code, Any]:
        return {seen: x[0] / 100.0}

    feeding = replace(effect.model, observe=observe)
    ring = couple(
        washout.model,
        feeding,
        [Signal(washout.level, effect.level), Signal(seen, washout.infusion)],
    )
    at_rest = simulate(ring, ring.parameters(), None, [], [0.0, 60.0 * 2000]).shown[-1, :, 0]
    # at rest: infusion r/100 = 2 L/h * level, r = 100 / (1 + level)
    level = (-1 + 3**0.5) / 2
    np.testing.assert_allclose(at_rest, [level, 1 / (1 + level)], rtol=1e-8)


def test_a_third_model_may_be_coupled_to_the_two():
    other = Code("test_other", "other response", "%")

    def observe(x: Any, p: Any) -> Mapping[Code, Any]:
        return {other: x[0]}

    third = replace(effect.model, observe=observe)
    three = couple(both, third, [Signal(washout.level, effect.level)], shared=["kin", "half"])
    p = three.parameters(clearance=0.06)
    run = simulate(three, p, None, plan, times)
    np.testing.assert_allclose(run.of(other), run.of(effect.response), rtol=1e-9)


def test_units_that_do_not_match_are_refused_until_the_factor_is_said():
    gram = Code("test_level_ug", "level", "ug/L")

    def observe(x: Any, p: Any) -> Mapping[Code, Any]:
        return {gram: 1000.0 * x[0] / p.volume}

    fine = replace(washout.model, observe=observe)
    with pytest.raises(NotCoupled, match=r"in ug/L.*runs in mg/L.*times"):
        couple(fine, effect.model, [Signal(gram, effect.level)])
    scaled = couple(fine, effect.model, [Signal(gram, effect.level, times=0.001)])
    one = simulate(scaled, scaled.parameters(), None, plan, times).of(effect.response)
    two = simulate(both, both.parameters(), None, plan, times).of(effect.response)
    np.testing.assert_allclose(one, two, rtol=1e-12)


def test_a_signal_from_or_to_nowhere_is_refused():
    nothing = Code("test_nothing", "nothing", "mg/L")
    with pytest.raises(NotCoupled, match="0 of the two models show nothing"):
        couple(washout.model, effect.model, [Signal(nothing, effect.level)])
    with pytest.raises(NotCoupled, match="has no channel for nothing; its channels are: level"):
        couple(washout.model, effect.model, [Signal(washout.level, nothing)])
    with pytest.raises(NotCoupled, match="colour cannot be shared"):
        couple(washout.model, effect.model, [Signal(washout.level, effect.level)], ["colour"])


def test_two_models_that_show_the_same_are_refused():
    with pytest.raises(NotCoupled, match="both models show level"):
        couple(washout.model, washout.model, [])
