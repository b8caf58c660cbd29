"""PSA under intermittent suppression: the balances of its equations, and a forecast of real men."""

from dataclasses import fields, replace

import numpy as np
import pytest

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import psa
from medtwin.record import codes

model, man = psa.model, psa.Parameters()
steady = replace(man, renewal=0.0)


def on(at, lasting):
    return Given(at, codes.androgen_suppression, 100.0, lasting)


def level(p, given, times):
    return simulate(model, p, None, given, times).of(codes.psa)[:, 0]


def test_suppressed_for_long_psa_rests_where_what_is_made_is_what_is_lost():
    # d' = 0: d = lambda s / alpha, and P' = 0: P = d / phi
    floor = man.division * man.stem * man.phi * man.first / man.kill / man.phi
    assert level(steady, [on(0.0, np.inf)], [0.0, 2000.0])[1] == pytest.approx(floor, rel=1e-4)


def test_without_suppression_psa_grows_by_what_the_stem_cells_make():
    # renewal 0: d = d0 + lambda s t; P follows phi behind: P = (d - lambda s / phi) / phi
    made = man.division * man.stem * man.phi * man.first
    late = (man.phi * man.first + made * 3000 - made / man.phi) / man.phi
    assert level(steady, [], [0.0, 3000.0])[1] == pytest.approx(late, rel=0.01)


def test_right_after_the_start_psa_falls_with_its_own_and_the_cells_rate():
    # no stem cells: P = P0 (phi e^-at - a e^-phi t) / (phi - a), a day late: it takes hold in one
    bare = replace(man, stem=1e-6, kill=0.04, phi=0.09, renewal=0.0)
    expected = 10.7 * (0.09 * np.exp(-0.04 * 30) - 0.04 * np.exp(-0.09 * 30)) / 0.05
    assert level(bare, [on(0.0, np.inf)], [0.0, 31.0])[1] == pytest.approx(expected, rel=3e-3)


def test_with_each_cycle_the_floor_rises_and_renewal_makes_it_rise_faster():
    cycles = [on(0.0, 250.0), on(600.0, 250.0), on(1200.0, 250.0)]
    slow = level(replace(man, renewal=0.02), cycles, [0.0, 250.0, 850.0, 1450.0])[1:]
    fast = level(replace(man, renewal=0.06), cycles, [0.0, 250.0, 850.0, 1450.0])[1:]
    assert np.all(np.diff(slow) > 0)
    assert np.all(fast / slow > 1)
    assert fast[2] / fast[0] > slow[2] / slow[0]


def test_suppression_wears_off_with_its_own_time():
    run = simulate(model, man, None, [on(0.0, 100.0)], [0.0, 100.0, 100.0 + man.wearing_off])
    assert run.states[3, 0] == pytest.approx(np.exp(-1), rel=1e-3)


def test_three_thousand_men_stay_finite_through_four_cycles():
    p = sample(psa.Parameters, 3000, np.random.default_rng(0))
    cycles = [on(600.0 * k, 270.0) for k in range(4)]
    run = simulate(model, p, None, cycles, np.arange(0.0, 2401.0, 120.0))
    assert np.all(np.isfinite(run.shown))
    assert np.all(run.of(codes.psa) >= 0)


def test_every_parameter_says_its_unit_and_where_it_is_from():
    for f in fields(psa.Parameters):
        assert f.metadata["unit"], f.name
        assert f.metadata["source"], f.name
        assert f.metadata["low"] <= f.default <= f.metadata["high"], f.name
