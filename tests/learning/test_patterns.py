"""Patterns: what is there is found, what is not is told no more often than the rate says."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.learning.patterns import patterns, standing
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record

monday = datetime(2026, 3, 2, 12, tzinfo=UTC)


def told(**courses):
    facts = []
    for name, values in courses.items():
        code = codes.known()[name]
        for i, v in enumerate(values):
            at = monday + timedelta(days=i)
            if np.isfinite(v):
                facts.append(Observation(at, code, float(v), "watch", at))
    return patterns(Record("ada").add(facts))


def resembling(rng, days, how):
    noise, out = rng.standard_normal(days), np.zeros(days)
    for i in range(1, days):
        out[i] = how * out[i - 1] + noise[i]
    return out


def test_less_sleep_and_a_faster_pulse_the_day_after_are_found_with_their_interval():
    rng = np.random.default_rng(1)
    sleep = 420 + 60 * rng.standard_normal(120)
    pulse = 60 - 0.1 * (np.roll(sleep, 1) - 420) + 3 * rng.standard_normal(120)
    found = told(sleep=sleep, heart_rate=pulse)
    (one,) = (p for p in found.told if p.kind == "together" and "day after" in p.says)
    assert one.says == "on days with more asleep, there was less heart rate the day after"
    assert -1 < one.low < one.estimate < one.high < -0.7
    # two orders at 2 lags and one on the same day; a change and a week of each
    assert found.looked == 5 + 2 + 2


def test_a_level_that_changed_is_dated():
    rng = np.random.default_rng(2)
    weight = 80 + 0.3 * rng.standard_normal(100) - 2.0 * (np.arange(100) >= 60)
    (one,) = (p for p in told(weight=weight).told if p.kind == "change")
    assert one.says.startswith("since 1 May 2026, body weight was lower by ")  # 2 March and 60 days
    assert one.low < -2.0 < one.high


def test_weekends_are_told_apart_from_weekdays():
    rng = np.random.default_rng(3)
    weekend = np.arange(112) % 7 >= 5
    (one,) = (
        p
        for p in told(heart_rate=60 + 4 * weekend + rng.standard_normal(112)).told
        if p.kind == "week"
    )
    assert one.says.startswith("on weekends, heart rate was higher by ")
    assert one.low < 4 < one.high


def test_silence_on_weekends_is_told():
    rng = np.random.default_rng(4)
    values = 60 + rng.standard_normal(112)
    values[(np.arange(112) % 7 >= 5) & (rng.random(112) < 0.7)] = np.nan
    kinds = {p.kind for p in told(heart_rate=values).told}
    assert "missing" in kinds


def test_unrelated_courses_that_resemble_their_own_past_are_rarely_called_related():
    """False discoveries at 5 %: of 60 records with nothing in them, at most 6 say something.

    P(X > 6) is 4 % at a chance of 1 in 20 each; the rule used is stricter than that.
    """
    wrong = 0
    for seed in range(60):
        rng = np.random.default_rng(100 + seed)
        them = {
            name: level + resembling(rng, 90, 0.5)
            for name, level in (("heart_rate", 70), ("weight", 80), ("temperature", 37))
        }
        wrong += bool(told(**them).told)
    assert wrong <= 6


def test_days_that_resemble_each_other_count_less():
    """Two courses with r1 = 0.5 each: n (1 - .25) / (1 + .25) of them stand for themselves."""
    rng = np.random.default_rng(5)
    sizes = [standing(resembling(rng, 400, 0.5), resembling(rng, 400, 0.5)) for _ in range(30)]
    assert np.mean(sizes) == pytest.approx(400 * 0.6, rel=0.1)


def test_too_few_days_are_looked_at_not_at_all():
    assert told(heart_rate=60 + np.arange(20.0) % 3).looked == 0
