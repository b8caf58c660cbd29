"""Clarke's grid and MARD, on pairs placed by hand from the paper's figure 1."""

import numpy as np
import pytest

from medtwin.learning.glucose_scores import clarke_ab, clarke_zones, mard

# (measured, forecast, zone): corners and middles of each region of Clarke 1987, figure 1
placed = [
    (100, 100, "A"),
    (100, 119, "A"),
    (100, 121, "B"),
    (60, 50, "A"),  # both below 70, though 17 % off
    (40, 69, "A"),
    (300, 250, "A"),
    (100, 79, "B"),
    (200, 300, "B"),
    (200, 120, "B"),
    (120, 240, "C"),  # 110 or more above an acceptable glucose
    (160, 40, "C"),  # under the line 7/5 x - 182
    (160, 43, "B"),
    (250, 100, "D"),  # a high that would not be treated
    (60, 100, "D"),  # a low that would not be treated
    (60, 180, "E"),
    (50, 250, "E"),
    (200, 60, "E"),
    (290, 400, "C"),
    (300, 400, "B"),
]


@pytest.mark.parametrize(("measured", "forecast", "zone"), placed)
def test_a_pair_lies_in_the_zone_that_clarke_drew(measured: float, forecast: float, zone: str):
    assert clarke_zones(np.array([float(forecast)]), np.array([float(measured)]))[0] == zone


def test_the_share_in_a_and_b_is_counted():
    measured = np.array([100.0, 100.0, 60.0, 200.0])
    forecast = np.array([100.0, 130.0, 200.0, 60.0])
    assert clarke_ab(forecast, measured) == 0.5


def test_ten_percent_off_both_ways_is_a_mard_of_a_tenth():
    assert mard(np.array([90.0, 220.0]), np.array([100.0, 200.0])) == pytest.approx(0.1)
