"""Warfarin: level and clotting of one dose, and the INR of months by genotype."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import warfarin, warfarin_inr
from medtwin.record import codes

person = warfarin.Parameters()


def once(dose, times, p=person):
    return simulate(warfarin.model, p, None, [Given(0.0, codes.warfarin, dose)], times)


def test_the_level_after_one_dose_is_batemans_curve_after_the_lag():
    times = np.array([0.0, 6.0, 24.0, 72.0, 120.0])
    ka, k = np.log(2) / 0.944, 0.131 / 8.06
    late = times[1:] - 1.03
    by_hand = 100 / 8.06 * ka / (ka - k) * (np.exp(-k * late) - np.exp(-ka * late))
    seen = once(100.0, times).of(codes.warfarin_level)[1:, 0]
    np.testing.assert_allclose(seen, by_hand, rtol=2e-3)


def test_clotting_follows_the_level_as_lsoda_says():
    ka, k, turn = np.log(2) / 0.944, 0.131 / 8.06, np.log(2) / 13.3

    def rates(t, x):
        level = x[1] / 8.06
        return (
            -ka * x[0],
            ka * x[0] - k * x[1],
            turn * (95.9 * 1.17 / (1.17 + level) - x[2]),
        )

    times = np.array([24.0, 48.0, 96.0, 144.0])
    end = solve_ivp(
        *(rates, (1.03, 144.0), (105.0, 0.0, 95.9), "LSODA", times), rtol=1e-9, atol=1e-9
    ).y[2]
    seen = once(105.0, np.append(0.0, times)).of(codes.prothrombin_activity)[1:, 0]
    np.testing.assert_allclose(seen, end, rtol=2e-3)


def test_clotting_is_lowest_a_day_and_more_after_the_level_is_highest():
    times = np.arange(0.0, 145.0)
    run = once(105.0, times)
    top = times[np.argmax(run.of(codes.warfarin_level)[:, 0])]
    bottom = times[np.argmin(run.of(codes.prothrombin_activity)[:, 0])]
    assert 3 < top < 12
    assert 36 < bottom - top < 72


def test_without_warfarin_nothing_changes():
    run = simulate(warfarin.model, person, None, [], np.array([0.0, 500.0]))
    np.testing.assert_allclose(run.of(codes.prothrombin_activity)[:, 0], 95.9)


def test_s_warfarin_of_a_71_year_old_without_weak_alleles_halves_in_28_and_a_half_hours():
    p = warfarin_inr.Parameters(age=71.0, cyp2c9_2=0.0, cyp2c9_3=0.0)
    run = simulate(
        *(warfarin_inr.model, p, None, [Given(0.0, codes.warfarin, 10.0)]),
        np.array([0.0, 24.0, 24.0 + np.log(2) / 0.0243357]),  # 2 x 0.174 / 14.3, Hamberg 2010
    )
    level = run.of(codes.s_warfarin_level)[:, 0]
    assert level[2] / level[1] == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize(
    ("two", "three", "per_hour"),
    [(0, 0, 0.348), (1, 0, 0.2619), (0, 1, 0.2162), (2, 0, 0.1758), (0, 2, 0.0844)],
)
def test_each_cyp2c9_allele_brings_the_clearance_of_the_paper(two, three, per_hour):
    p = warfarin_inr.Parameters(age=71.0, cyp2c9_2=float(two), cyp2c9_3=float(three))
    assert warfarin_inr.clearance(p) == pytest.approx(per_hour, rel=1e-3)


@pytest.mark.parametrize(("a", "level"), [(0, 4.10), (1, 3.01), (2, 1.92)])
def test_each_vkorc1_allele_brings_the_half_effect_of_the_paper(a, level):
    assert warfarin_inr.half_effect(warfarin_inr.Parameters(vkorc1_a=float(a))) == pytest.approx(
        level, rel=1e-3
    )


def test_the_steady_dose_holds_its_inr():
    p = warfarin_inr.Parameters(age=60.0, cyp2c9_2=0.0, cyp2c9_3=0.0, vkorc1_a=1.0)
    dose = warfarin_inr.steady_dose(2.5, p) / 7
    every_day = [Given(24.0 * d, codes.warfarin, dose) for d in range(90)]
    run = simulate(warfarin_inr.model, p, None, every_day, np.arange(0.0, 2160.0, 24.0))
    inr = run.of(codes.inr)[:, 0]
    assert inr[0] == pytest.approx(1.0)
    assert inr[-1] == pytest.approx(2.5, abs=0.02)


def test_two_a_alleles_need_about_half_the_dose():
    sensitive, usual = (
        warfarin_inr.steady_dose(2.5, warfarin_inr.Parameters(vkorc1_a=a)) for a in (2.0, 0.0)
    )
    assert sensitive / usual == pytest.approx(0.96 / 2.05, rel=1e-3)
