"""What keeps coming back in the misses is learned, from nothing that had not come due."""

import numpy as np
import pytest

from medtwin.twin.lasting import comes_back, moved, nothing, rehearsed

rng = np.random.default_rng(4)
quarter = 900.0
made = 1.8e9 // 86400 * 86400 + quarter * np.arange(96 * 21)


def test_one_miss_of_four_hundred_moves_by_one_at_midnight():
    # pace 1/400; at midnight the sine is 0 and the cosine 1, which moves as well
    after = moved(nothing, made[0], 400.0)
    assert after == pytest.approx((1.0, 0.0, 1.0))
    assert comes_back(after, made[0]) == pytest.approx(2.0)
    assert comes_back(after, made[0] + 43200) == pytest.approx(0.0)  # noon: they cancel


def test_a_bias_and_a_daily_swing_are_found():
    swing = 6 + 8 * np.sin(2 * np.pi * made / 86400)
    lasting, corrections = rehearsed(made, swing + rng.normal(0, 10, len(made)), 60)
    assert lasting == pytest.approx((6, 8, 0), abs=1.5)
    assert np.abs(corrections[-96:] - swing[-96:]).max() < 3


def test_a_miss_teaches_only_once_it_has_come_due():
    missed = np.zeros(len(made))
    missed[100] = 400.0
    _, corrections = rehearsed(made, missed, 60)
    assert not corrections[:104].any()
    assert corrections[104] > 0


def test_a_forecast_nothing_came_to_judge_teaches_nothing():
    lasting, corrections = rehearsed(made, np.full(len(made), np.nan), 60)
    assert lasting == nothing
    assert not corrections.any()
