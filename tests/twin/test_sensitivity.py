"""Shares of variance: known in closed form where the outcome is a simple function."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from medtwin.engine.model import Model, fixed, offset
from medtwin.engine.schedule import Given
from medtwin.physiology import type1
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.twin.sensitivity import NothingVaries, sensitivity, varying

seen = Code("sum", "sum", "1")


@dataclass(frozen=True)
class Parameters:
    first: Any = offset(0.0, unit="1", sd=1.0)
    second: Any = offset(0.0, unit="1", sd=2.0)
    third: Any = offset(0.0, unit="1", sd=3.0)
    same: Any = fixed(5.0, unit="1")


def start(p):
    return (p.first + p.second + p.third + p.same,)


def drift(t, x, u, p):
    return (0.0 * x[0],)


def take(x, code, amount, p):
    return x


def observe(x, p):
    return {seen: x[0]}


line = Model(
    *("a sum", "by hand", ("sum",), ("1",), Parameters, (), ()),
    *(start, drift, take, observe, 1.0),
)


def test_of_a_sum_each_part_has_its_own_share_of_the_variance():
    found = sensitivity(line, [], [0.0, 1.0], lambda s: s.of(seen)[-1], np.random.default_rng(1))
    shares = {s.parameter: s for s in found}
    for name, expected in {"first": 1 / 14, "second": 4 / 14, "third": 9 / 14}.items():
        assert shares[name].alone == pytest.approx(expected, abs=0.02)
        assert shares[name].with_others == pytest.approx(expected, abs=0.02)
        low, high = shares[name].with_others_interval
        assert low <= expected <= high
    assert [s.parameter for s in found] == ["third", "second", "first"]


def test_of_a_squared_sum_the_parts_decide_more_together_than_alone():
    # (a + b + c)^2 of centred normals: alone (s/S)^2, with others 1 - ((S - s)/S)^2, s the
    # part's variance and S = 14 the sum of them
    found = sensitivity(
        line,
        [],
        [0.0, 1.0],
        lambda s: (s.of(seen)[-1] - 5.0) ** 2,
        np.random.default_rng(2),
        draws=8192,
    )
    shares = {s.parameter: s for s in found}
    for name, variance in {"first": 1, "second": 4, "third": 9}.items():
        assert shares[name].alone == pytest.approx((variance / 14) ** 2, abs=0.03)
        assert shares[name].with_others == pytest.approx(1 - (1 - variance / 14) ** 2, abs=0.03)


def test_what_is_the_same_for_everybody_is_not_asked_about():
    assert set(varying(line)) == {"first", "second", "third"}
    assert "Fsnc" not in varying(type1.model)


def test_an_outcome_that_nobody_differs_in_is_refused():
    rng = np.random.default_rng(3)
    with pytest.raises(NothingVaries, match="same for everybody"):
        sensitivity(line, [], [0.0, 1.0], lambda s: 0 * s.of(seen)[-1] + 1.0, rng, draws=64)


def test_how_high_a_virtual_adult_wakes_is_their_fasting_glucose():
    day = [Given(0.0, codes.insulin_basal, 1.0, np.inf)]
    found = sensitivity(
        type1.model,
        day,
        [0.0, 30.0],
        lambda s: s.of(codes.glucose)[0],
        np.random.default_rng(4),
        draws=256,
    )
    assert found[0].parameter == "fasting_glucose"
    assert found[0].alone > 0.95
