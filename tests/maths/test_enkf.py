"""The ensemble update against what the Kalman filter gives by hand."""

import numpy as np
import pytest

from medtwin.maths import enkf
from medtwin.maths.enkf_lanes import correct


def test_many_members_agree_with_the_kalman_filter_by_hand():
    # prior N(100, 20²), reading 130 with noise 10: gain 400/500, mean 124, variance 80
    rng = np.random.default_rng(1)
    prior = 100 + 20 * rng.standard_normal((1, 200_000))
    after = enkf.update(prior, prior[0], 130.0, 10.0, rng)
    assert after.mean() == pytest.approx(124.0, abs=0.15)
    assert after.var() == pytest.approx(80.0, rel=0.02)


def test_a_state_that_was_not_measured_moves_by_its_covariance():
    # y = 2 x: gain of x is cov(x, y)/(var y + r²) = 2/(4 + 4) per unit of surprise
    rng = np.random.default_rng(2)
    x = rng.standard_normal(200_000)
    after = enkf.update(np.stack([x, 2 * x]), 2 * x, 4.0, 2.0, rng)
    assert after[0].mean() == pytest.approx(1.0, abs=0.02)


def test_a_measurement_shrinks_the_doubt():
    rng = np.random.default_rng(3)
    prior = rng.standard_normal((4, 300))
    after = enkf.update(prior, prior[2], 0.0, 0.5, rng)
    assert after[2].std() < prior[2].std()


def test_the_compiled_update_is_the_plain_one():
    rng = np.random.default_rng(4)
    members, predicted = rng.standard_normal((7, 65)), rng.standard_normal(65)
    heard = enkf.perturbed(1.5, 0.3, 65, rng)
    in_place = members.copy()
    correct(in_place, predicted, heard, 0.3)
    np.testing.assert_allclose(
        in_place, enkf.corrected(members, predicted, heard, 0.3), rtol=1e-11, atol=1e-12
    )


@pytest.mark.parametrize("noise", [0.0, -1.0, float("nan")])
def test_a_measurement_without_noise_is_refused(noise):
    with pytest.raises(ValueError, match="above 0"):
        enkf.update(np.zeros((1, 3)), np.zeros(3), 1.0, noise, np.random.default_rng(0))
