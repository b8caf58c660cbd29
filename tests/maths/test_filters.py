"""Filters held against closed forms, dense joint posteriors, grids and enumeration."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm, t

from medtwin.maths.filters.clouds import ensemble, heavy, particle
from medtwin.maths.filters.filter import Dynamics, Gaussian, Reading, along, evidence
from medtwin.maths.filters.gaussian import NotLinear, exact, through_points, unscented
from medtwin.maths.filters.regimes import regimes
from medtwin.maths.filters.smoothing import iterated, learned_again, smoothed

A = np.array([[1.0, 0.5], [-0.2, 0.9]])
L = np.array([[0.3, 0.0], [0.1, 0.2]])
H, R = np.array([1.0, 0.4]), 0.7
prior = Gaussian(0.0, np.array([1.0, -1.0]), np.array([[2.0, 0.3], [0.3, 1.0]]))
no_chance = np.random.default_rng(0)
values = np.array([1.2, 0.1, -0.8, 0.4, 1.9, 2.2])
readings = [Reading(k + 1.0, v) for k, v in enumerate(values)]
line = Dynamics(
    moved=lambda x, z, begin, end: A @ x + L @ z,
    shown=lambda x, which: H @ x,
    error=lambda x, which: np.full(x.shape[1], R),
    chances=2,
)


def joint():
    """All states of all times as one Gaussian, conditioned on all readings, by linear algebra."""
    n = len(values)
    step = np.eye(2 * (n + 1))  # from (x0, chance 1, chance 2 ...) to the states
    for k in range(1, n + 1):
        rows = slice(2 * k, 2 * k + 2)
        step[rows] = A @ step[2 * k - 2 : 2 * k]
        step[rows, rows] = L
    source = np.eye(2 * (n + 1))
    source[:2, :2] = prior.covariance
    mean = step[:, :2] @ prior.mean
    covariance = step @ source @ step.T
    seen = np.zeros((n, 2 * (n + 1)))
    for k in range(n):
        seen[k, 2 * k + 2 : 2 * k + 4] = H
    variance = seen @ covariance @ seen.T + R**2 * np.eye(n)
    gain = covariance @ seen.T @ np.linalg.inv(variance)
    after = mean + gain @ (values - seen @ mean), covariance - gain @ seen @ covariance
    return *after, multivariate_normal(seen @ mean, variance).logpdf(values)


@pytest.mark.parametrize("make", [exact, unscented])
def test_gaussian_filters_end_where_the_dense_joint_posterior_ends(make):
    mean, covariance, likelihood = joint()
    beliefs, told = along(make(line), prior, readings, np.random.default_rng(0))
    np.testing.assert_allclose(beliefs[-1].mean, mean[-2:], atol=1e-10)
    np.testing.assert_allclose(beliefs[-1].covariance, covariance[-2:, -2:], atol=1e-10)
    assert evidence(told) == pytest.approx(likelihood, abs=1e-10)


@pytest.mark.parametrize("make", [exact, unscented])
def test_looking_back_gives_the_dense_joint_posterior_at_every_time(make):
    mean, covariance, _ = joint()
    back = smoothed(*along(make(line), prior, readings, np.random.default_rng(0)))
    for k, belief in enumerate(back):
        rows = slice(2 * k, 2 * k + 2)
        np.testing.assert_allclose(belief.mean, mean[rows], atol=1e-9)
        np.testing.assert_allclose(belief.covariance, covariance[rows, rows], atol=1e-9)


def test_iterating_over_what_is_linear_changes_nothing():
    mean, covariance, _ = joint()
    for rounds in (1, 3):
        back = iterated(line, prior, readings, rounds)
        np.testing.assert_allclose(np.concatenate([b.mean for b in back]), mean, atol=1e-9)
        np.testing.assert_allclose(back[0].covariance, covariance[:2, :2], atol=1e-9)


@pytest.mark.parametrize(("make", "members"), [(ensemble, 20_000), (particle, 20_000)])
def test_clouds_end_where_the_exact_filter_ends_within_their_chance(make, members):
    mean, covariance, likelihood = joint()
    beliefs, told = along(make(line, members), prior, readings, np.random.default_rng(3))
    sd = np.sqrt(np.diag(covariance)[-2:])
    # five standard errors of a mean (of a quarter as many members where copies were drawn)
    np.testing.assert_allclose(
        beliefs[-1].mean, mean[-2:], atol=5 * sd.max() / np.sqrt(members / 4)
    )
    np.testing.assert_allclose(
        np.diag(beliefs[-1].covariance), sd**2, rtol=5 * np.sqrt(2 / (members / 4))
    )
    assert evidence(told) == pytest.approx(likelihood, abs=0.2)  # 6 readings, each to sqrt(6 / n)


def growth():
    """Kitagawa (1987), JASA 82:1032; the benchmark of Gordon, Salmond & Smith (1993)."""

    def moved(x, z, begin, end):
        return x / 2 + 25 * x / (1 + x**2) + 8 * np.cos(1.2 * end) + np.sqrt(10) * z

    return Dynamics(moved, lambda x, _: x[0] ** 2 / 20, lambda x, _: np.ones(x.shape[1]), chances=1)


def on_a_grid(seen, grid):
    """The growth model's evidence and last mean, point by point: an independent filter."""
    width = grid[1] - grid[0]
    p, total = norm.pdf(grid, 0, np.sqrt(2)), 0.0
    for k, y in enumerate(seen):
        middle = grid / 2 + 25 * grid / (1 + grid**2) + 8 * np.cos(1.2 * (k + 1))
        p = norm.pdf(grid[:, None], middle[None, :], np.sqrt(10)) @ p * width
        p = p * norm.pdf(y, grid**2 / 20, 1)
        total += np.log(p.sum() * width)
        p = p / (p.sum() * width)
    return total, (p * grid).sum() * width


def test_particles_follow_the_growth_model_as_a_grid_of_points_does():
    rng, x, seen = np.random.default_rng(5), np.zeros((1, 1)), []
    for k in range(20):
        x = growth().moved(x, rng.standard_normal((1, 1)), k, k + 1)
        seen.append(float(x[0, 0] ** 2 / 20 + rng.standard_normal()))
    total, middle = on_a_grid(seen, np.linspace(-40, 40, 1601))
    told = [Reading(k + 1.0, y) for k, y in enumerate(seen)]
    begin = Gaussian(0.0, np.zeros(1), np.array([[2.0]]))
    beliefs, said = along(particle(growth(), 20_000), begin, told, np.random.default_rng(1))
    assert evidence(said) == pytest.approx(total, abs=0.15)
    assert beliefs[-1].mean[0] == pytest.approx(middle, abs=0.3)


def test_sigma_points_turn_range_and_bearing_into_a_place():
    # Julier & Uhlmann (1997), section 4: range 1 (0.02), bearing 90 degrees (15): the true mean is
    # 1 * exp(-sigma^2 / 2) along the bearing; a straight line through it gives 1.
    sigma = np.radians(15.0)
    mean, covariance = np.array([1.0, np.pi / 2]), np.diag([0.02**2, sigma**2])
    passed = through_points(
        lambda a: np.stack([a[0] * np.cos(a[1]), a[0] * np.sin(a[1])]), mean, covariance
    )
    assert passed.mean[0] == pytest.approx(0.0, abs=1e-12)
    assert passed.mean[1] == pytest.approx(np.exp(-(sigma**2) / 2), abs=2e-5)
    assert passed.mean[1] == pytest.approx(2 / 3 + np.cos(np.sqrt(3) * sigma) / 3, abs=1e-12)
    # true variances: E[r^2] (1 -+ exp(-2 s^2)) / 2, less the mean squared
    square = 1 + 0.02**2
    across = square * (1 - np.exp(-2 * sigma**2)) / 2
    ahead = square * (1 + np.exp(-2 * sigma**2)) / 2 - np.exp(-(sigma**2))
    assert passed.covariance[0, 0] == pytest.approx(across, rel=0.01)
    assert passed.covariance[1, 1] == pytest.approx(ahead, rel=0.1)


def test_the_square_of_a_standard_normal_keeps_its_mean_and_variance():
    # n + kappa = 3 matches the fourth moment: mean 1, variance 2
    passed = through_points(np.square, np.zeros(1), np.eye(1))
    assert passed.mean[0] == pytest.approx(1.0)
    assert passed.covariance[0, 0] == pytest.approx(2.0)


def test_the_exact_filter_refuses_what_bends():
    with pytest.raises(NotLinear, match="unscented"):
        along(exact(growth()), Gaussian(0.0, np.ones(1), np.eye(1)), readings, no_chance)


def walk(drift):
    return Dynamics(
        lambda x, z, begin, end: x + drift + 0.1 * z,
        lambda x, _: x[0],
        lambda x, _: np.full(x.shape[1], 0.5),
        chances=1,
    )


switching = np.array([[0.9, 0.1], [0.3, 0.7]])
jumps = [0.1, 0.2, 2.1, 4.2, 4.1, 4.3]


def enumerated(seen):
    """Every sequence of regimes by itself: an exact Kalman filter each, weighed."""
    logs, means, lasts = [], [], []
    for path in product((0, 1), repeat=len(seen)):
        m, spread, total, now = 0.0, 1.0, 0.0, np.array([0.5, 0.5])
        for k, y in zip(path, seen, strict=True):
            now = now @ switching if now.ndim else switching[int(now)]
            total += np.log(now[k])
            now = np.array(k)
            m, spread = m + 2.0 * k, spread + 0.01
            variance = spread + 0.25
            total += norm.logpdf(y, m, np.sqrt(variance))
            m, spread = m + spread / variance * (y - m), spread - spread * spread / variance
        logs.append(total)
        means.append(m)
        lasts.append(path[-1])
    weight = np.exp(np.array(logs) - max(logs))
    weight /= weight.sum()
    likelihood = max(logs) + np.log(np.sum(np.exp(np.array(logs) - max(logs))))
    return likelihood, weight @ means, weight @ lasts


@pytest.mark.parametrize(("steps", "close"), [(1, 1e-9), (2, 0.02), (6, 0.02)])
def test_a_mixture_of_regimes_agrees_with_every_sequence_counted(steps, close):
    filter_ = regimes([exact(walk(0.0)), exact(walk(2.0))], switching)
    told = [Reading(k + 1.0, y) for k, y in enumerate(jumps[:steps])]
    beliefs, said = along(filter_, Gaussian(0.0, np.zeros(1), np.eye(1)), told, no_chance)
    likelihood, mean, second = enumerated(jumps[:steps])
    assert evidence(said) == pytest.approx(likelihood, abs=5 * close)
    assert beliefs[-1].mean[0] == pytest.approx(mean, abs=close)
    assert beliefs[-1].chances[1] == pytest.approx(second, abs=close)


def test_two_steps_of_the_mixture_worked_by_hand():
    # Blom & Bar-Shalom (1988), eqs 1 to 10 in plain numbers, independent of the filters
    m, spread, mu = np.zeros(2), np.ones(2), np.array([0.5, 0.5])
    for y in jumps[:2]:
        c = mu @ switching
        w = mu[:, None] * switching / c
        m0 = m @ w
        spread0 = (w * (spread[:, None] + (m[:, None] - m0) ** 2)).sum(axis=0)
        m, spread = m0 + np.array([0.0, 2.0]), spread0 + 0.01
        variance = spread + 0.25
        mu = c * norm.pdf(y, m, np.sqrt(variance))
        mu /= mu.sum()
        m, spread = m + spread / variance * (y - m), spread - spread**2 / variance
    filter_ = regimes([exact(walk(0.0)), exact(walk(2.0))], switching)
    told = [Reading(k + 1.0, y) for k, y in enumerate(jumps[:2])]
    after = along(filter_, Gaussian(0.0, np.zeros(1), np.eye(1)), told, no_chance)[0][-1]
    np.testing.assert_allclose(after.chances, mu, rtol=1e-9)
    np.testing.assert_allclose([b.mean[0] for b in after.beliefs], m, rtol=1e-9)
    np.testing.assert_allclose([b.covariance[0, 0] for b in after.beliefs], spread, rtol=1e-9)


def test_chances_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="add up to 1"):
        regimes([exact(line), exact(line)], np.array([[0.9, 0.2], [0.5, 0.5]]))


@pytest.mark.parametrize("make", [exact, unscented, ensemble])
def test_one_wild_reading_moves_a_belief_no_further_than_four_deviations_would(make):
    begin = Gaussian(0.0, np.zeros(1), np.eye(1))
    wild = Reading(0.0, 1000.0)
    after = along(make(walk(0.0)), begin, [wild], np.random.default_rng(0))[0][-1]
    # by hand: gain 1 / (1000/4)^2 times 1000 = 0.016; with full belief it would be 800
    assert abs(after.mean[0]) < 0.2


def test_heavy_tails_are_students():
    surprise, sd = np.array([0.0, 1.0, 30.0]), np.array([2.0, 0.5, 1.0])
    np.testing.assert_allclose(heavy(surprise, sd), t(4, scale=sd).logpdf(surprise), rtol=1e-12)


def test_all_readings_learned_at_once_by_members_is_the_linear_posterior():
    rng = np.random.default_rng(2)
    design = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    seen, errors = np.array([1.0, 2.5, 3.0]), np.array([0.5, 0.5, 1.0])
    weight = design.T / errors**2
    covariance = np.linalg.inv(np.eye(2) + weight @ design)
    mean = covariance @ weight @ seen
    members = rng.standard_normal((2, 20_000))
    after = learned_again(members, lambda m: design @ m, seen, errors, rng)
    np.testing.assert_allclose(after.mean(axis=1), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(after), covariance, atol=0.02)


def test_iterating_brings_a_bent_reading_nearer_to_the_truth():
    # one reading of exp(x), prior N(0, 1), error 0.05: the posterior is found on a grid
    bent = Dynamics(
        lambda x, z, begin, end: x,
        lambda x, _: np.exp(x[0]),
        lambda x, _: np.full(x.shape[1], 0.05),
        chances=0,
    )
    grid = np.linspace(-6, 6, 100_001)
    p = norm.pdf(grid) * norm.pdf(4.0, np.exp(grid), 0.05)
    middle = (p * grid).sum() / p.sum()
    begin = Gaussian(0.0, np.zeros(1), np.eye(1))
    once, often = (iterated(bent, begin, [Reading(0.0, 4.0)], n)[-1].mean[0] for n in (1, 6))
    assert abs(often - middle) < 0.01 < abs(once - middle)
