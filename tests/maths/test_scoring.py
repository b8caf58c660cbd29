"""Scores of a forecast, against values worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from medtwin.maths import scoring

two = np.array([100.0, 110.0])


def test_errors_of_three_and_four_have_an_rmse_of_root_12_and_a_half():
    measured = two + np.array([3.0, -4.0])
    assert scoring.rmse(two, measured) == pytest.approx(np.sqrt(12.5))
    assert scoring.mae(two, measured) == 3.5


def test_a_standard_normal_forecast_costs_what_gneiting_2005_gives():
    # 2 phi(0) - 1/sqrt(pi); and at one spread off: 0.6827 + 0.4839 - 0.5642
    cost = scoring.crps_normal(np.zeros(2), np.ones(2), np.array([0.0, 1.0]))
    assert cost == pytest.approx([0.233695, 0.602441], abs=1e-6)


def test_crps_of_a_normal_forecast_scales_with_its_unit():
    mg = scoring.crps_normal(np.array([180.0]), np.array([18.0]), np.array([198.0]))
    assert mg == pytest.approx([18 * 0.602441], abs=1e-4)


def test_two_members_around_the_truth_cost_half_their_distance():
    # E|X - 1| = 1, E|X - X'| = 1
    assert scoring.crps_samples(np.array([[0.0, 2.0]]), np.array([1.0])) == pytest.approx([0.5])


@given(st.floats(-200, 200), st.floats(-200, 200))
def test_one_member_costs_its_absolute_error(member: float, measured: float):
    cost = scoring.crps_samples(np.array([[member]]), np.array([measured]))
    assert cost == pytest.approx([abs(member - measured)])


def test_many_quantiles_of_a_normal_cost_what_the_normal_costs():
    levels = (np.arange(2000) + 0.5) / 2000
    cost = scoring.crps_quantiles(ndtri(levels)[None, :], list(levels), np.array([1.0]))
    assert cost == pytest.approx([0.602441], abs=1e-3)


def test_many_members_of_a_normal_cost_what_the_normal_costs():
    members = ndtri((np.arange(2000) + 0.5) / 2000)
    cost = scoring.crps_samples(members[None, :], np.array([1.0]))
    assert cost == pytest.approx([0.602441], abs=1e-3)


def test_a_high_quantile_is_cheap_to_stay_under():
    cost = scoring.pinball(np.array([10.0, 10.0]), 0.9, np.array([8.0, 12.0]))
    assert cost == pytest.approx([0.2, 1.8])


def test_three_of_four_inside_is_a_coverage_of_three_quarters():
    measured = np.array([0.0, 1.0, 2.0, 3.5])
    assert scoring.coverage(np.zeros(4), np.full(4, 3.0), measured) == 0.75


def test_honest_quantiles_give_back_their_levels():
    measured = np.arange(1.0, 11.0)
    quantiles = np.tile([5.0, 9.0], (10, 1))
    assert scoring.calibration(quantiles, measured) == pytest.approx([0.5, 0.9])
