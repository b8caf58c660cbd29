"""The mix: shares from what was scored, intervals as wide as the misses were."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.record import codes
from medtwin.twin.forecast import Forecast, Unanswerable
from medtwin.twin.mix import Said, alone, mechanism, mixed, shown, stacked, weighed
from tests.twin.people import at, dawn

rng = np.random.default_rng(11)
truth = rng.normal(140, 40, 4000)
horizons = (30.0, 60.0)


def own(mean: float = 140.0, sd: float = 20.0) -> Forecast:
    times = tuple(dawn + timedelta(minutes=15 * k) for k in range(1, 13))
    paths = mean + sd * rng.standard_normal((12, 320))
    return Forecast("anna", codes.glucose, dawn, times, paths)


def says(by: str, mean: float, spread: float) -> Said:
    return Said(by, horizons, np.full(2, mean), np.full(2, spread))


@given(st.integers(1, 5), st.integers(1, 200), st.integers(0, 9))
def test_shares_are_never_negative_and_sum_to_one(heads: int, n: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    share = stacked(chance.normal(140, 30, (heads, n)), chance.normal(140, 30, n))
    assert np.all(share >= 0)
    assert share.sum() == pytest.approx(1.0)


def test_a_head_that_was_right_gets_the_share_of_one_that_was_not() -> None:
    mean = np.stack([truth + rng.normal(0, 5, 4000), truth + rng.normal(0, 40, 4000)])
    # independent misses: shares go as the inverse of their variances, 1600 : 25
    assert stacked(mean, truth)[0] == pytest.approx(1600 / 1625, abs=0.02)


def test_with_nothing_scored_equals_share_alike() -> None:
    few = stacked(np.array([[100.0], [120.0], [140.0]]), np.array([120.0]))
    assert np.allclose(few, 1 / 3, atol=0.02)


def test_intervals_are_stretched_to_what_the_misses_were() -> None:
    mean = truth[None] + rng.normal(0, 30, (1, 4000))
    w = weighed((mechanism,), horizons, [(mean, np.full((1, 4000), 15.0), truth)] * 2)
    wide = shown(own(sd=15.0), (), w, dawn, says(mechanism, 140.0, 15.0))
    low, _, high = wide.band(0.9)
    assert (high - low)[1] == pytest.approx(2 * 1.645 * 30, rel=0.06)


def test_between_horizons_the_paths_move_part_of_the_way_and_beyond_the_last_it_fades() -> None:
    half = np.full((2, 2), 0.5)
    w = alone(horizons)
    w = type(w)((mechanism, "ridge"), horizons, half, w.misses, 100)
    paths = own()
    moved = shown(paths, [says("ridge", 180.0, 20.0)], w, dawn, says(mechanism, 140.0, 20.0))
    by = moved.middle - paths.middle
    assert by[1] == pytest.approx(20, abs=1)  # 30 min: half of 40
    assert by[0] == pytest.approx(10, abs=1)  # 15 min: half of that
    assert by[7] == pytest.approx(20 * np.exp(-1), abs=1)  # an hour past the last horizon


def test_a_path_keeps_its_rank() -> None:
    paths = own()
    moved = shown(paths, (), alone(horizons), dawn, says(mechanism, 140.0, 20.0))
    assert np.array_equal(paths.paths.argsort(axis=1), moved.paths.argsort(axis=1))


def test_a_silent_head_lends_its_share_to_those_that_speak() -> None:
    w = alone(horizons)
    w = type(w)((mechanism, "ridge"), horizons, np.array([[0.2, 0.8]] * 2), w.misses, 100)
    mean, spread = mixed([says(mechanism, 150.0, 12.0)], w)
    assert np.allclose(mean, 150.0)
    assert np.allclose(spread, 12.0)


def test_a_head_without_a_number_is_silent() -> None:
    w = alone(horizons)
    w = type(w)((mechanism, "ridge"), horizons, np.array([[0.2, 0.8]] * 2), w.misses, 100)
    mean, spread = mixed([says(mechanism, 150.0, 12.0), says("ridge", np.nan, np.nan)], w)
    assert np.allclose(mean, 150.0)
    assert np.allclose(spread, 12.0)


def test_a_forecast_of_no_numbers_is_refused_not_shown() -> None:
    with pytest.raises(Unanswerable, match="not numbers"):
        own(np.nan)


def test_before_any_score_the_mechanism_speaks_for_itself() -> None:
    paths = own()
    moved = shown(paths, (), alone(horizons), dawn, says(mechanism, 140.0, 20.0))
    assert np.allclose(moved.middle, paths.middle, atol=1.5)
    assert at(15) == moved.times[0]
