"""Illness in stages: closed forms, the published likelihoods of the cav data, and exact lives."""

from math import exp, log

import numpy as np
import pytest
from scipy.linalg import expm

from medtwin.engine.stages import (
    NotIntensities,
    Panel,
    generator,
    mean_stay,
    panel_loglik,
    paths,
    probabilities,
    unknown,
)

# three stages one after the other: well, ill, dead
chain = generator(3, {(0, 1): 0.3, (1, 2): 0.1})


def looks(*rows):
    """A panel from (person, at, seen, entered)."""
    person, at, seen, entered = zip(*rows, strict=True)
    return Panel(np.array(person), np.array(at, float), np.array(seen), np.array(entered, bool))


def test_two_stages_that_come_and_go_follow_the_closed_form():
    q = generator(2, {(0, 1): 0.2, (1, 0): 0.5})
    p = probabilities(q, np.array([0.0, 1.0, 3.0]))
    expected = [0.2 / 0.7 * (1 - exp(-0.7 * t)) for t in (0.0, 1.0, 3.0)]
    np.testing.assert_allclose(p[:, 0, 1], expected, atol=1e-14)


def test_a_chain_follows_the_equations_of_bateman():
    p = probabilities(chain, 2.0)
    ill = 0.3 / (0.1 - 0.3) * (exp(-0.6) - exp(-0.2))
    np.testing.assert_allclose(p[0], [exp(-0.6), ill, 1 - exp(-0.6) - ill], rtol=1e-12)


def test_stages_with_the_same_rate_have_no_eigenvectors_and_still_an_answer():
    q = generator(3, {(0, 1): 0.3, (1, 2): 0.3})
    np.testing.assert_allclose(probabilities(q, 2.0)[0, 1], 0.6 * exp(-0.6), rtol=1e-12)


def test_intensities_of_many_people_are_worked_out_together():
    rates = np.array([0.1, 0.2, 0.4])
    q = generator(3, {(0, 1): rates, (1, 2): 0.1})
    p = probabilities(q, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(p[2], expm(q[2] * 3.0), atol=1e-14)
    np.testing.assert_allclose(p[:, 0, 0], np.exp(-rates * [1, 2, 3]), rtol=1e-12)


def test_a_stage_lasts_as_long_as_one_over_its_rate():
    assert mean_stay(chain).tolist() == pytest.approx([1 / 0.3, 10.0, np.inf])


def test_a_panel_tells_what_a_hand_reckons():
    seen = looks((1, 0, 0, False), (1, 2, 1, False), (1, 5, 2, True), (2, 1, 0, False))
    ill = 0.3 / (0.1 - 0.3) * (exp(-0.6) - exp(-0.2))
    dies = exp(-0.1 * 3) * 0.1  # still ill just before, then the intensity of dying
    assert panel_loglik(chain, seen) == pytest.approx(log(ill) + log(dies), rel=1e-12)


def test_a_death_found_later_tells_less_than_a_dated_one():
    found = looks((1, 0, 1, False), (1, 5, 2, False))
    assert panel_loglik(chain, found) == pytest.approx(log(1 - exp(-0.5)), rel=1e-12)


def test_somebody_alive_whose_stage_was_not_looked_at_is_in_either():
    seen = looks((1, 0, 0, False), (1, 2, unknown, False))
    dead = probabilities(chain, 2.0)[0, 2]
    assert panel_loglik(chain, seen) == pytest.approx(log(1 - dead), rel=1e-12)


def test_a_look_that_may_be_mistaken_is_weighed_over_the_true_stages():
    mistaken = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.0, 1.0]])
    first = np.array([1.0, 0.0, 0.0])
    seen = looks((1, 0, 0, False), (1, 2, 1, False))
    p = probabilities(chain, 2.0)[0]
    expected = log(0.9) + log(p[0] * 0.1 + p[1] * 0.8)
    assert panel_loglik(chain, seen, mistaken, first) == pytest.approx(expected, rel=1e-12)


def test_intensities_that_change_hold_from_one_look_to_the_next():
    seen = looks((1, 0, 0, False), (1, 2, 0, False), (1, 3, 0, False))
    each = generator(3, {(0, 1): np.array([0.1, 0.7, 99.0]), (1, 2): 0.1})
    assert panel_loglik(each, seen) == pytest.approx(-0.1 * 2 - 0.7, rel=1e-12)


def heart_transplants(shared):
    table = np.genfromtxt(
        shared / "data/msm_multistate/cav.csv.gz", delimiter=",", names=True, dtype=None,
        encoding="utf-8",
    )  # fmt: skip
    stage = table["state"] - 1
    return Panel(table["PTNUM"], table["years"], stage, stage == 3)


def test_the_cav_likelihood_is_the_published_one(shared):
    q = np.array(
        [[-0.5, 0.25, 0, 0.25], [0.166, -0.498, 0.166, 0.166], [0, 0.25, -0.5, 0.25], [0] * 4]
    )
    # minus twice the log-likelihood in the tests of the R package msm (test_models)
    told = panel_loglik(q, heart_transplants(shared))
    assert -2 * told == pytest.approx(4908.81676837903, rel=1e-11)


def test_the_cav_likelihood_with_mistaken_looks_is_the_published_one(shared):
    q = generator(4, {(0, 1): 0.148, (0, 3): 0.0171, (1, 2): 0.202, (1, 3): 0.081, (2, 3): 0.126})
    mistaken = np.array([[0.9, 0.1, 0, 0], [0.1, 0.8, 0.1, 0], [0, 0.1, 0.9, 0], [0, 0, 0, 1]])
    seen = heart_transplants(shared)
    # test_models_misc and miscnew of the same package: all begin well, then by given chances
    well = panel_loglik(q, seen, mistaken, np.array([1.0, 0, 0, 0]))
    assert -2 * well == pytest.approx(4296.9155995778, rel=1e-11)
    any_stage = panel_loglik(q, seen, mistaken, np.array([0.7, 0.1, 0.1, 0.1]))
    assert -2 * any_stage == pytest.approx(4725.9078185031, rel=1e-11)


def test_lives_end_in_each_stage_as_often_as_the_probabilities_say():
    q = generator(3, {(0, 1): 0.3, (0, 2): 0.05, (1, 0): 0.2, (1, 2): 0.1})
    lives = paths(q, np.zeros(40_000, int), 0.0, 6.0, seed=5)
    for t in (1.0, 3.0, 5.9):
        shares = np.bincount(lives.at(t), minlength=3) / 40_000
        np.testing.assert_allclose(shares, probabilities(q, t)[0], atol=5 * 0.5 / 200)


def test_a_life_is_the_same_whoever_else_lives():
    everybody = paths(chain, np.zeros(500, int), 0.0, 50.0, seed=9)
    alone = paths(chain, np.zeros(1, int), 0.0, 50.0, seed=9, member=np.array([321]))
    moves = len(alone.since)
    assert alone.since[:, 0].tolist() == everybody.since[:moves, 321].tolist()
    assert alone.stage[:, 0].tolist() == everybody.stage[:moves, 321].tolist()


def test_a_treatment_that_halves_a_rate_delays_the_same_persons_move():
    slower = generator(3, {(0, 1): 0.15, (1, 2): 0.1})
    usual = paths(chain, np.zeros(300, int), 0.0, 50.0, seed=4)
    treated = paths(slower, np.zeros(300, int), 0.0, 50.0, seed=4)
    left = usual.since[1] < np.inf
    assert np.all(treated.since[1, left] > usual.since[1, left])


def test_what_cannot_be_intensities_is_refused():
    with pytest.raises(NotIntensities, match="from stage 0 to 1"):
        generator(2, {(0, 1): -0.1})
    with pytest.raises(NotIntensities, match="sum to 0"):
        probabilities(np.array([[0.0, 1.0], [0.0, 0.0]]), 1.0)
    with pytest.raises(NotIntensities, match="-2"):
        probabilities(chain, -2.0)


def test_a_panel_out_of_order_is_refused():
    with pytest.raises(ValueError, match="person 1 are not in time order"):
        panel_loglik(chain, looks((1, 2, 0, False), (1, 1, 0, False)))
    with pytest.raises(ValueError, match="stand together"):
        panel_loglik(chain, looks((1, 0, 0, False), (2, 0, 0, False), (1, 1, 0, False)))
