"""Two and three compartments, and steady state: vectors, laws, and equal rates."""

from dataclasses import replace

import numpy as np
import pytest
from regimens import asked
from scipy.linalg import expm

from medtwin.engine.plain import simulate_plainly
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.engine.steady_state import steady_state
from medtwin.maths.ode import carried
from medtwin.physiology import pk_one, pk_three, pk_two
from medtwin.record import codes

all_three = [pk_one, pk_two, pk_three]
words = {
    pk_two: {"CL": "clearance", "V": "volume", "Q": "exchange", "V2": "tissue_volume", "ka": "ka"},
    pk_three: {
        "CL": "clearance",
        "V": "volume",
        "Q": "near_exchange",
        "V2": "near_volume",
        "Q3": "far_exchange",
        "V3": "far_volume",
        "ka": "ka",
    },
}


@pytest.mark.parametrize(("module", "kind", "cases"), [(pk_two, "2cpt", 5), (pk_three, "3cpt", 4)])
def test_every_regimen_gives_the_levels_of_the_matrix_exponential(vectors, module, kind, cases):
    regimens = list(asked(vectors, kind))
    assert len(regimens) == cases
    for case in regimens:
        p = replace(module.Parameters(), **{words[module][k]: v for k, v in case.p.items()})
        run = simulate(module.model, p, None, case.given, np.concatenate([[0.0], case.times]))
        np.testing.assert_allclose(run.of(codes.drug_level)[1:, 0], case.levels, rtol=1e-9)


@pytest.mark.parametrize("module", all_three)
def test_the_closed_form_solves_the_equations(module):
    states = len(module.model.states)
    p = replace(module.Parameters(), bioavailability=0.7, ka=0.6, weight=50.0)
    x, u = (50.0, 20.0, 0.0, 30.0, 12.0, 7.0)[:states], (4.0, 2.0)
    stepped = carried(lambda t, y: module.drift(t, y, u, p), x, 0.0, 2.0, 0.0005)
    np.testing.assert_allclose(module.solution(2.0, x, u, p), stepped, rtol=1e-9)


@pytest.mark.parametrize("module", all_three)
def test_absorption_as_fast_as_any_part_of_the_course_costs_no_digit(module):
    p = module.Parameters()
    rates = np.array([[r] for r in _constants(module, p)])
    given = [Given(0.0, codes.drug_swallowed, 100.0)]
    times = np.array([0.0, 0.01, 0.3, 2.0, 7.0])
    run = simulate_plainly(module.model, replace(p, ka=rates[:, 0]), given, times)
    for k, ka in enumerate(rates[:, 0]):
        system = _system(module, replace(p, ka=ka))
        start = np.zeros(len(system))
        start[0] = 100.0
        exact = [(expm(system * t) @ start)[1] / p.volume for t in times]
        # expm itself is good to some 1e-11 where rates are equal
        np.testing.assert_allclose(run.of(codes.drug_level)[:, k], exact, rtol=1e-9, atol=1e-13)


def _constants(module, p):
    if module is pk_one:
        return [float(pk_one.clearance(p) / pk_one.volume(p))]
    names = ("fast", "slow") if module is pk_two else ("fastest", "middle", "slowest")
    return [float(getattr(module, n)(p)) for n in names]


def _system(module, p):
    """Depot, blood and tissues: the matrix of their rates, column by column from `drift`."""
    states = len(module.model.states)
    places = [0, *range(3, states)]
    columns = []
    for k in places:
        unit = tuple(float(i == k) for i in range(states))
        columns.append([module.drift(0.0, unit, (0.0, 0.0), p)[i] for i in places])
    return np.array(columns, float).T


def test_the_rate_constants_of_three_compartments_are_the_eigenvalues():
    rng = np.random.default_rng(3)
    spread = np.exp(1.5 * rng.standard_normal((6, 200)))
    names = [n for n in words[pk_three].values() if n != "ka"]
    middle = pk_three.Parameters()
    drawn = {n: getattr(middle, n) * s for n, s in zip(names, spread, strict=True)}
    p = replace(middle, **drawn)
    for k in range(200):
        one = replace(middle, **{n: float(v[k]) for n, v in drawn.items()})
        exact = np.sort(np.linalg.eigvals(-_system(pk_three, one)[1:, 1:]).real)
        ours = [f(p)[k] for f in (pk_three.slowest, pk_three.middle, pk_three.fastest)]
        np.testing.assert_allclose(ours, exact, rtol=1e-9)


@pytest.mark.parametrize("module", all_three)
def test_the_engine_and_the_plain_loop_agree(module):
    p = replace(module.Parameters(), lag=np.array([0.0, 0.5]), weight=np.array([70.0, 12.0]))
    given = [
        Given(0.0, codes.drug_swallowed, 100.0, 4.0),
        Given(1.0, codes.drug_swallowed, 50.0),
        Given(6.0, codes.drug_injected, 100.0, 2.0),
    ]
    times = np.linspace(0.0, 12.0, 13)
    fast = simulate(module.model, p, None, given, times)
    plain = simulate_plainly(module.model, p, given, times)
    np.testing.assert_allclose(fast.shown, plain.shown, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("module", all_three)
@pytest.mark.parametrize(
    "dose",
    [
        Given(0.0, codes.drug_swallowed, 100.0),
        Given(0.0, codes.drug_injected, 100.0),
        Given(0.0, codes.drug_injected, 100.0, 3.0),
    ],
    ids=["by mouth", "bolus", "drip"],
)
def test_steady_state_is_where_a_thousand_doses_end(module, dose):
    p = replace(module.Parameters(), lag=np.array([0.0, 0.7]), ka=1.1)
    steady = steady_state(module.model, p, dose, 8.0)
    doses = [replace(dose, at=8.0 * n) for n in range(1000)]
    run = simulate(module.model, p, None, doses, [0.0, 8000.0])
    np.testing.assert_allclose(steady, run.states, rtol=1e-9, atol=1e-12)
    # and the level averaged over an interval is dose over clearance and interval
    turn = simulate(module.model, p, steady, [dose], np.linspace(0, 8, 2001)).of(codes.drug_level)
    mean = np.trapezoid(turn[:, 0], dx=8 / 2000) / 8
    # the trapezium sees a bolus only half a step after it
    bolus = dose.code is codes.drug_injected and not dose.lasting
    after = 100.0 * (0.5 * 8 / 2000 / 8) / p.volume * bolus
    assert mean + after == pytest.approx(100 / p.clearance / 8, rel=5e-3)


def test_what_has_no_steady_state_is_refused():
    dose = Given(0.0, codes.drug_swallowed, 100.0)
    with pytest.raises(ValueError, match="has no closed form"):
        steady_state(replace(pk_one.model, solution=None), pk_one.Parameters(), dose, 8.0)
    never = replace(pk_one.Parameters(), clearance=1e-18)
    with pytest.raises(ValueError, match="nothing leaves"):
        steady_state(pk_one.model, never, dose, 8.0)
    with pytest.raises(ValueError, match="does not fit"):
        steady_state(pk_one.model, pk_one.Parameters(), replace(dose, lasting=9.0), 8.0)
