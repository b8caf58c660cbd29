"""Intervals that learn: they come to hold what they promise."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import norm

from medtwin.record import codes
from medtwin.twin.honest import Stretch, learned, rehearsed, stretched
from medtwin.twin.ledger import LedgerEntry, levels
from medtwin.twin.mix import alone

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(measured: float, by: str = "shown") -> LedgerEntry:
    quantiles = tuple(100 + 10 * norm.ppf(levels))
    due = noon + timedelta(hours=1)
    return LedgerEntry("p", codes.glucose, by, noon, due, 60, quantiles, 100, 10, measured, 1.0)


def test_a_miss_widens_by_nine_hits_worth_of_narrowing():
    missed = learned(Stretch(), [entry(140.0)])
    assert missed.of[60] == pytest.approx(0.018)
    held = learned(missed, [entry(100.0)] * 9)
    assert held.of[60] == pytest.approx(0.0, abs=1e-12)


def test_only_what_was_shown_counts():
    assert learned(Stretch(), [entry(140.0, by="mechanism")]) == Stretch()


def test_intervals_twice_too_narrow_become_twice_as_wide():
    off = np.abs(np.random.default_rng(0).normal(0, 2, 4000)) / norm.ppf(0.95)
    assert rehearsed(Stretch(), 60, off).at(60) == pytest.approx(2.0, rel=0.25)


def test_stretching_leaves_the_middle_where_it_is():
    plain = alone((60.0,))
    wide = stretched(plain, Stretch({60.0: float(np.log(2))}))
    assert wide.misses == pytest.approx(2 * plain.misses)
    assert Stretch().at(30) == 1.0


def test_what_keeps_coming_back_moves_the_next_forecast():
    # a miss of 40 at noon: a four-hundredth of it, and the same turned to midday (cosine -1)
    taught = learned(Stretch(), [entry(140.0)])
    assert taught.lasting[60] == pytest.approx((0.1, 0.0, -0.1))
    moved = stretched(alone((60.0,)), taught)
    assert moved.comes_back(noon.timestamp()) == pytest.approx([0.2])
    assert alone((60.0,)).comes_back(noon.timestamp()) == pytest.approx([0.0])
