"""Tacrolimus: red cells, genotype, prednisolone, and the closed form."""

from dataclasses import replace

import numpy as np
import pytest

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import tacrolimus
from medtwin.record import codes

# a man of 175 cm and 79.6 kg has 60 kg of lean body: 9270 w / (6680 + 216 w / 1.75^2)
man = tacrolimus.Parameters(
    weight=79.553, height=175.0, female=0.0, expresser=0.0, haematocrit=45.0, prednisolone=0.0
)


def twice_daily(mg, days=30):
    return [Given(12.0 * k, codes.tacrolimus, mg) for k in range(2 * days)]


def trough(p, mg, *more):
    plan = [*twice_daily(mg), *more]
    run = simulate(tacrolimus.model, p, None, plan, [0.0, 708.0])
    return float(run.of(codes.tacrolimus_level)[1, 0])


def test_the_papers_standard_person_has_the_papers_parameters():
    assert tacrolimus.lean(man) == pytest.approx(1.0, abs=1e-4)
    assert tacrolimus.volume(man) == pytest.approx(6290, rel=1e-4)
    assert tacrolimus.cleared(man) * tacrolimus.volume(man) == pytest.approx(811, rel=1e-4)


def test_plasma_of_a_ug_per_litre_shows_40_in_blood_at_a_haematocrit_of_45():
    # 1 x (1 + 418 x 0.45 / (1 + 3.8)) = 40.19: Storset 2014, equation 3
    x = (0.0, 0.0, 0.0, 6.29, 0.0, 45.0, 0.0)
    level = tacrolimus.observe(x, man)[codes.tacrolimus_level]
    assert level == pytest.approx(40.19, rel=1e-3)


def test_over_a_day_in_steady_state_plasma_clears_what_arrives():
    times = np.arange(696.0, 708.01, 0.1)
    run = simulate(tacrolimus.model, man, None, twice_daily(3.0), np.append(0.0, times))
    blood = run.of(codes.tacrolimus_level)[1:, 0]
    # plasma from blood: c (1 + 188.1 / (c + 3.8)) = blood, a quadratic
    half = (blood - 3.8 - 188.1) / 2
    plasma = half + np.sqrt(half**2 + 3.8 * blood)
    mean = np.trapezoid(plasma, times) / 12.0
    assert mean == pytest.approx(3000 / 12.0 / 811.0, rel=0.01)


def test_the_closed_form_is_what_small_steps_give_for_anybody():
    p = sample(tacrolimus.Parameters, 100, np.random.default_rng(0))
    times = np.array([0.0, 2.0, 11.0, 60.0])
    plan = twice_daily(4.0, 2)
    exact = simulate(tacrolimus.model, p, None, plan, times).of(codes.tacrolimus_level)
    stepped = replace(tacrolimus.model, solution=None, step=0.005)
    steps = simulate(stepped, p, None, plan, times).of(codes.tacrolimus_level)
    np.testing.assert_allclose(exact[1:], steps[1:], rtol=5e-3)  # the lag ends within a step


def test_a_low_haematocrit_shows_a_low_level_of_the_same_plasma():
    low = trough(man, 3.0, Given(1.0, codes.haematocrit, 25.0))
    usual = trough(man, 3.0)
    assert low / usual == pytest.approx(25 / 45, rel=0.05)


def test_an_expresser_needs_over_half_as_much_again():
    carrier = replace(man, expresser=1.0)
    # cleared 1.30 times as fast, 0.82 absorbed: 0.82 / 1.30 of the exposure
    assert 0.5 < trough(carrier, 3.0) / trough(man, 3.0) < 0.82 / 1.30 + 0.02


def test_prednisolone_of_35_mg_takes_a_third_of_each_dose():
    # 0.67 x 35 / (35 + 35) = 0.335
    with_it = trough(man, 3.0, Given(0.0, codes.prednisolone, 35.0))
    first = trough(man, 3.0 * 0.665)
    assert with_it == pytest.approx(first, rel=0.02)


def test_whole_blood_is_cleared_as_fast_as_the_papers_abstract_says():
    p = tacrolimus.Parameters()
    # 16.1 L/h at a haematocrit of 45 % and 60 kg of lean body; low levels, so C + KD is KD
    assert p.clearance / (1 + p.sites * 0.45 / p.affinity) == pytest.approx(16.1, rel=0.01)
