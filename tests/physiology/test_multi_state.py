"""aneurysm, transplant_vasculopathy and stage_scans: published chances, rates and likelihoods."""

from dataclasses import fields
from math import exp

import numpy as np
import pytest

from medtwin.engine.model import sample
from medtwin.engine.simulate import simulate
from medtwin.engine.stage_scans import (
    Impossible,
    after_scan,
    followed,
    later,
    likeliest,
    mean_wait,
    reached_by,
    waited,
)
from medtwin.engine.stages import Panel, generator, probabilities
from medtwin.physiology import aneurysm, transplant_vasculopathy
from medtwin.record import codes

aorta = aneurysm.Parameters()
q = aneurysm.intensities(aorta)
well = np.array([1.0, 0.0, 0.0, 0.0])
moderate = np.array([0.0, 0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("stage", "years", "percent", "close"),
    [(1, 5, 1, 0.5), (1, 15, 12, 1.0), (3, 5, 91, 0.6), (3, 15, 99, 1.0)],  # Couto 2002, abstract
)
def test_the_chance_of_a_large_aneurysm_is_the_published_one(stage, years, percent, close):
    p = aneurysm.Parameters(stage=stage)
    run = simulate(aneurysm.model, p, None, [], [0.0, years]).of(codes.aneurysm_large)
    assert run[1, 0] == pytest.approx(percent, abs=close)


@pytest.mark.parametrize("module", [aneurysm, transplant_vasculopathy])
def test_the_engine_moves_the_chances_as_the_matrix_exponential_does(module):
    p = module.Parameters(stage=2.0)
    run = simulate(module.model, p, None, [], [0.0, 7.0])
    expected = probabilities(module.intensities(p), 7.0)[1]
    np.testing.assert_allclose(run.states[:, 0], expected, rtol=1e-7, atol=1e-12)


def test_five_years_after_a_transplant_the_chances_are_those_msm_prints():
    # pmatrix.msm(cav.msm, t = 5) in the package's own pages
    printed = [
        [0.51965804, 0.13851775, 0.09119847, 0.2506257],
        [0.24386420, 0.13881410, 0.18090731, 0.4364144],
        [0.06121333, 0.06897186, 0.16909991, 0.7007149],
    ]
    p = transplant_vasculopathy.Parameters()
    found = probabilities(transplant_vasculopathy.intensities(p), 5.0)
    np.testing.assert_allclose(found[:3], printed, atol=2e-4)


def test_waits_add_up_along_the_chain():
    assert mean_wait(well, q, 3) == pytest.approx(1 / 0.018 + 1 / 0.16 + 1 / 0.49)


def test_a_moderate_aneurysm_reaches_repair_exponentially():
    np.testing.assert_allclose(
        reached_by(moderate, q, 3, [1.0, 5.0]), [1 - exp(-0.49), 1 - exp(-2.45)]
    )


def test_who_cannot_reach_a_stage_waits_for_ever():
    stuck = generator(3, {(0, 1): 0.1})
    assert mean_wait(np.array([1.0, 0, 0]), stuck, 2) == float("inf")


def test_a_mistaken_scan_is_weighed_by_bayes():
    # by hand: believed 0.9 normal, 0.1 mild; seen mild: 0.9 * 0.0097 and 0.1 * 0.8848
    belief = after_scan(np.array([0.9, 0.1, 0.0, 0.0]), 1, aneurysm.mistaken)
    assert belief[1] == pytest.approx(0.08848 / (0.08848 + 0.00873))


def test_a_scan_that_cannot_be_is_refused():
    with pytest.raises(Impossible, match="stage 3 was seen"):
        after_scan(well, 3)


def test_looking_twice_is_as_good_as_waiting_the_whole_time():
    np.testing.assert_allclose(later(later(well, q, 3.0), q, 4.0), later(well, q, 7.0))


def test_half_of_moderate_aneurysms_are_due_for_repair_in_seventeen_months():
    # ln 2 / 0.49 a year, by hand
    assert waited(moderate, q, 3, 0.5) == pytest.approx(np.log(2) / 0.49, rel=1e-9)
    assert waited(moderate, q, 2, 0.5) == 0.0


def test_scan_after_scan_is_one_bayes_step_after_another():
    scans = [(65.0, 0), (67.0, 1), (68.0, 1)]
    by_hand = after_scan(well, 0, aneurysm.mistaken)
    by_hand = after_scan(later(by_hand, q, 2.0), 1, aneurysm.mistaken)
    by_hand = after_scan(later(by_hand, q, 1.0), 1, aneurysm.mistaken)
    np.testing.assert_allclose(followed(scans, q, well, aneurysm.mistaken), by_hand)
    with pytest.raises(ValueError, match="sort them"):
        followed(scans[::-1], q, well)


@pytest.mark.parametrize(("mm", "stage"), [(29, 0), (30, 1), (44, 1), (45, 2), (54, 2), (55, 3)])
def test_a_diameter_has_its_stage(mm, stage):
    assert aneurysm.stage_of(mm) == stage


def test_an_aorta_in_centimetres_is_refused():
    with pytest.raises(ValueError, match="is it in cm"):
        aneurysm.stage_of(4.5)


def test_what_was_made_with_known_rates_is_found_again():
    from medtwin.engine.stages import paths

    truth = generator(3, {(0, 1): 0.3, (1, 2): 0.15})
    life = paths(truth, np.zeros(800, int), 0.0, 12.0, seed=1)
    times = np.arange(0.0, 12.0, 1.5)
    seen = np.stack([life.at(t) for t in times], axis=1).ravel()
    person, at = np.repeat(np.arange(800), len(times)), np.tile(times, 800)
    fit = likeliest(3, {(0, 1): 1.0, (1, 2): 1.0}, Panel(person, at, seen, np.zeros(len(at), bool)))
    assert fit.converged
    for move, value in {(0, 1): 0.3, (1, 2): 0.15}.items():
        low, high = fit.interval(move)
        assert low < value < high


def test_the_cav_fit_is_the_published_one(shared):
    place = shared / "data/msm_multistate/cav.csv.gz"
    table = np.genfromtxt(place, delimiter=",", names=True, dtype=None, encoding="utf-8")
    looks = Panel(table["PTNUM"], table["years"], table["state"] - 1, table["state"] == 4)
    moves = [(0, 1), (0, 3), (1, 0), (1, 2), (1, 3), (2, 1), (2, 3)]
    fit = likeliest(4, dict.fromkeys(moves, 0.2), looks)
    # Jackson 2011 (and the package's pages): cav.msm
    printed = [0.12787, 0.04250, 0.22512, 0.34261, 0.04021, 0.13062, 0.30648]
    assert fit.deviance == pytest.approx(3968.798, abs=1e-3)
    np.testing.assert_allclose([fit.rates[m] for m in moves], printed, rtol=0.01)
    low, high = fit.interval((0, 1))
    assert (low, high) == pytest.approx((0.11135, 0.14684), rel=0.01)


@pytest.mark.parametrize("module", [aneurysm, transplant_vasculopathy])
def test_three_thousand_people_keep_chances_that_sum_to_one(module):
    p = sample(module.Parameters, 3000, np.random.default_rng(0))
    run = simulate(module.model, p, None, [], [0.0, 5.0, 40.0])
    np.testing.assert_allclose(run.states.sum(axis=0), 1.0, rtol=1e-9)
    assert np.all(run.states >= -1e-9)


@pytest.mark.parametrize("module", [aneurysm, transplant_vasculopathy])
def test_every_parameter_says_its_unit_and_where_it_is_from(module):
    for f in fields(module.Parameters):
        assert f.metadata["unit"], f.name
        assert f.metadata["source"], f.name
        assert f.metadata["low"] <= f.default <= f.metadata["high"], f.name
