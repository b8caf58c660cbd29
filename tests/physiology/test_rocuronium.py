"""Rocuronium: levels of the paper's rate constants, the block, and what vanishes in which order."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import rocuronium
from medtwin.record import codes

adult = rocuronium.Parameters(age=43.0, weight=70.0, sevoflurane=0.0)


def after(mg, times, p=adult):
    return simulate(rocuronium.model, p, None, [Given(0.0, codes.rocuronium, mg)], times)


def test_levels_follow_magorians_rate_constants():
    k10, k12, k13, k21, k31 = 0.0364, 0.1082, 0.0203, 0.1807, 0.0176
    m = np.array([[-k10 - k12 - k13, k21, k31], [k12, -k21, 0.0], [k13, 0.0, -k31]])
    times = np.array([0.0, 2.0, 10.0, 60.0])
    by_hand = [(expm(m * t) @ [42.0, 0.0, 0.0])[0] / 5.96 for t in times]
    seen = after(42.0, times).of(codes.rocuronium_level)[:, 0]
    np.testing.assert_allclose(seen[1:], by_hand[1:], rtol=5e-3)  # flows are rounded to 1e-3


def test_at_its_half_effect_the_ratio_is_half_of_full():
    x = (0.0, 0.0, 0.0, 1.62 * 0.60968)  # 1.62 umol/L of the bromide: Kleijn 2011, table 4
    assert rocuronium.observe(x, adult)[codes.train_of_four] == pytest.approx(1.04 / 2, rel=2e-3)


def test_an_intubating_dose_blocks_within_three_minutes_and_half_an_hour_later_still_does():
    run = after(0.6 * 70, np.array([0.0, 3.0, 20.0, 30.0, 120.0]))
    ratio, count = run.of(codes.train_of_four)[:, 0], run.of(codes.train_of_four_count)[:, 0]
    assert ratio[0] == pytest.approx(1.04)
    assert count[1] < 0.5
    assert ratio[3] < 0.1
    assert ratio[4] > 0.9


def test_twitches_come_back_before_the_ratio_and_after_the_post_tetanic_count():
    times = np.arange(10.0, 120.0)
    run = after(42.0, np.append(0.0, times))
    back = [
        times[np.argmax(run.of(code)[1:, 0] > enough)]
        for code, enough in [
            (codes.post_tetanic_count, 1.0),
            (codes.train_of_four_count, 1.0),
            (codes.train_of_four_count, 3.5),
            (codes.train_of_four, 0.5),
            (codes.train_of_four, 0.9),
        ]
    ]
    assert back == sorted(back)
    assert back[0] < back[1] < back[3] < back[4]


def test_sevoflurane_deepens_the_block():
    site = (0.0, 0.0, 0.0, 0.8)
    with_it = rocuronium.observe(site, replace(adult, sevoflurane=1.0))[codes.train_of_four]
    assert with_it < 0.2 < rocuronium.observe(site, adult)[codes.train_of_four]


def test_the_old_clear_less():
    old = rocuronium.cleared(replace(adult, age=83.0)) / rocuronium.cleared(adult)
    assert old == pytest.approx(1 - 0.00678 * 40)


def test_its_step_is_small_enough_for_an_infusion():
    plan = [Given(0.0, codes.rocuronium, 42.0), Given(5.0, codes.rocuronium_rate, 0.5, 60.0)]
    times = np.array([0.0, 1.0, 5.0, 30.0, 90.0])
    usual, fine = (
        simulate(rocuronium.model, adult, None, plan, times, step=s).shown for s in (None, 0.005)
    )
    np.testing.assert_allclose(usual, fine, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("dose", "ratio", "minutes"),
    [
        (0.6, 0.7, 76.1),  # van Miert 1997, Br J Clin Pharmacol 44:139 (sd 28.8)
        (1.2, 0.9, 122.0),  # de Boer 2007, Anesthesiology 107:239, placebo
    ],
)
def test_a_bolus_lasts_as_long_as_it_did_in_trials(dose, ratio, minutes):
    times = np.arange(0.0, 240.0, 0.5)
    seen = after(dose * 70, times).of(codes.train_of_four)[:, 0]
    assert times[(times > 5) & (seen >= ratio)][0] == pytest.approx(minutes, rel=0.15)
