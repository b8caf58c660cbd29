"""A model may count time in its own unit; whoever asks it converts at the door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.engine.model import moment_on_clock, on_clock
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.record.observation import Observation
from medtwin.twin.assimilate import assimilate
from medtwin.twin.twin import at_rest

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


def hourly(t, x, u, p):
    (amount,) = x
    swallowing, dripping = u
    return (swallowing + dripping - p.clearance / p.volume * amount,)


@pytest.fixture
def by_hours(washout):
    return replace(washout.model, drift=hourly, clock="h", step=1 / 60)


def test_a_model_that_counts_hours_runs_in_hours(washout, by_hours):
    given = [Given(0.0, washout.drug, 100.0), Given(1.0, washout.infusion, 3.0, 1.5)]
    minutes = [Given(60 * g.at, g.code, g.amount, 60 * g.lasting) for g in given]
    hours = np.arange(0.0, 11.0)
    own = simulate(by_hours, washout.Parameters(), None, given, hours)
    same = simulate(washout.model, washout.Parameters(), None, minutes, 60 * hours)
    np.testing.assert_allclose(own.shown, same.shown, rtol=1e-12)


def test_the_twin_of_a_model_that_counts_hours_lives_as_long_as_the_other(washout, by_hours):
    p = washout.Parameters(np.array([2.0, 3.0]), np.array([40.0, 40.0]))
    later = noon + timedelta(hours=5)
    facts = [Observation(t, washout.drug, d, "pump", t) for t, d in ((noon, 100.0), (later, 0.0))]
    for model in (washout.model, by_hours):
        twin = at_rest("them", model, noon.timestamp(), p, 2, seed=0)
        after = assimilate(twin, facts)
        expected = 100 * np.exp(-np.array([2.0, 3.0]) / 40 * 5)
        np.testing.assert_allclose(after.states[0], expected, rtol=1e-9)


def test_a_moment_is_told_since_midnight_or_since_1970(washout):
    at = noon.timestamp()
    assert moment_on_clock(washout.model, at) == 720
    assert moment_on_clock(replace(washout.model, clock="h"), at) == 12
    assert moment_on_clock(replace(washout.model, clock="d"), at) == at / 86400
    assert on_clock(replace(washout.model, clock="a"), 365.25 * 86400) == 1


def test_a_clock_that_does_not_exist_is_refused(washout):
    with pytest.raises(ValueError, match="choose one of s, min, h, d, wk, a"):
        replace(washout.model, clock="week")


def test_an_exact_filter_counts_minutes_only(washout, by_hours):
    exact = replace(by_hours, linear=("amount",))
    with pytest.raises(ValueError, match="the exact filter counts minutes"):
        at_rest("them", exact, noon.timestamp(), washout.Parameters(), 2, seed=0)
