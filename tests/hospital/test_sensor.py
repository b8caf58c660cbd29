"""The sensor's error: as Breton and Kovatchev published it, scaled to today's sensors."""

import numpy as np

from medtwin.hospital.devices import pricked
from medtwin.hospital.sensor import errors, johnson, on_the_scale


def many_days(days):
    last, found = 0.0, []
    for d in range(days):
        day = errors(last, np.random.default_rng([7, d]))
        last = day.last
        found.append(day)
    return found


def test_no_shock_is_an_error_of_nearly_nothing():
    # by hand: 0.65 (-5.471 + 15.9574 sinh(0.5444 / 1.6898)) = 0.65 * (-0.24096) = -0.157
    assert abs(johnson(np.array([0.0]))[0] + 0.157) < 0.005


def test_errors_resemble_each_other_by_seven_tenths_from_quarter_to_quarter():
    e = np.concatenate([np.arcsinh((d.nodes[:-1] / 0.65 + 5.471) / 15.9574) for d in many_days(60)])
    assert 0.65 < np.corrcoef(e[:-1], e[1:])[0, 1] < 0.75


def test_the_mean_absolute_error_at_130_is_that_of_sensors_in_use():
    noise = np.concatenate([d.readings for d in many_days(60)])
    assert 0.03 < np.mean(np.abs(noise)) / 130 < 0.10


def test_an_error_goes_on_over_midnight():
    first, second = many_days(2)
    assert first.nodes[-1] == second.nodes[0]


def test_the_display_says_whole_numbers_between_its_ends():
    assert on_the_scale(np.array([12.0, 99.6, 612.0])).tolist() == [40, 100, 400]


def test_a_good_meter_is_within_fifteen_percent_nineteen_times_of_twenty():
    rng = np.random.default_rng(3)
    read = np.array([pricked(200, 1.0, rng) for _ in range(2000)])
    assert np.mean(np.abs(read - 200) <= 30) >= 0.95
