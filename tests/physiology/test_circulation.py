"""The circulation: rest as in Ursino's tables, a litre lost, drugs by class, and the step."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from medtwin.physiology import circulation
from medtwin.physiology.model import sample
from medtwin.physiology.schedule import Given
from medtwin.physiology.simulate import simulate
from medtwin.record import codes

model, adult = circulation.model, circulation.Parameters()
looks = np.array([0.0, 60.0, 150.0])


def shown(code, *given, p=adult):
    """What a monitor shows after one minute and after two and a half."""
    return simulate(model, p, None, given, looks).of(code)[1:, 0]


@cache
def resting():
    return simulate(model, adult, None, [], looks).states[:, 0]


def of(x, name):
    return x[model.states.index(name)]


@pytest.mark.parametrize(
    ("basal", "value"),
    [
        ("Rsp", 3.307),  # Table 1, mmHg s/mL
        ("Rep", 1.407),
        ("Vusv", 1121.0),  # mL
        ("Vuev", 1375.0),
        ("Emaxlv", 2.95),  # Table 2, mmHg/mL
        ("Emaxrv", 1.75),
    ],
)
def test_at_rest_the_reflex_settles_where_tables_1_and_2_say(basal, value):
    drives = {"R": "drive of resistance", "V": "drive of veins", "E": "drive of contractility"}
    drive = of(resting(), drives[basal[0]])
    found = getattr(adult, f"{basal}0") + getattr(adult, f"G{basal}") * drive
    assert found == pytest.approx(value, rel=0.05)


@pytest.mark.parametrize(
    ("code", "low", "high"),
    [
        (codes.heart_rate, 60, 80),
        (codes.ejection_fraction, 55, 70),
        (codes.cardiac_output, 4.5, 6.0),
        (codes.central_venous, 2, 8),
        (codes.mean_arterial, 85, 105),
    ],
)
def test_rest_is_that_of_a_healthy_adult(code, low, high):
    assert np.all((shown(code) > low) & (shown(code) < high))


def test_blood_is_neither_made_nor_lost():
    p = sample(circulation.Parameters, 4, np.random.default_rng(1))
    lost = simulate(model, p, None, [Given(60.0, codes.blood_lost, 500.0, 30.0)], looks)
    kept = simulate(model, p, None, [], looks)
    volumes = [("gut veins", 1.0), ("other veins", 1.0), ("right ventricle", 1.0)]
    volumes += [("left ventricle", 1.0)]
    s = circulation.size(p)
    held = [("arterial pressure", p.Csa / p.stiffness), ("small vessel pressure", p.Csp + p.Cep)]
    held += [("right atrial pressure", p.Cra), ("left atrial pressure", p.Cla)]
    held += [
        ("lung artery pressure", p.Cpa),
        ("lung pressure", p.Cpp),
        ("lung vein pressure", p.Cpv),
    ]
    for run, gone in ((kept, 0.0), (lost, 500.0)):
        total = sum(of(run.states, n) * k for n, k in volumes)
        total += s * sum(of(run.states, n) * c for n, c in held)
        total += s * (p.Vusp + p.Vuep + 2 * p.Vua + p.Vupp + p.Vupv)
        np.testing.assert_allclose(total, p.blood_volume * p.filling - gone, rtol=1e-9)


def test_a_litre_lost_lowers_pressure_and_quickens_the_heart():
    litre = Given(60.0, codes.blood_lost, 1000.0, 30.0)
    before, after = shown(codes.mean_arterial, litre)
    assert -30 < after - before < -5
    before, after = shown(codes.heart_rate, litre)
    assert 5 < after - before < 40
    before, after = shown(codes.central_venous, litre)
    assert -5 < after - before < -1


def test_without_the_reflex_the_same_litre_costs_far_more_pressure():
    litre = Given(60.0, codes.blood_lost, 1000.0, 30.0)
    before, after = shown(codes.mean_arterial, litre)
    weak_before, weak_after = shown(codes.mean_arterial, litre, p=replace(adult, sensitivity=0.0))
    assert weak_after - weak_before < 1.4 * (after - before)


def test_what_was_lost_and_given_back_leaves_no_trace():
    back = [Given(10.0, codes.blood_lost, 500.0, 10.0), Given(30.0, codes.fluid_given, 500.0, 10.0)]
    assert shown(codes.mean_arterial, *back)[1] == pytest.approx(
        shown(codes.mean_arterial)[1], abs=0.3
    )


@pytest.mark.parametrize(
    ("drug", "percent", "code", "up"),
    [
        (codes.vasoconstrictor, 50.0, codes.mean_arterial, True),
        (codes.vasoconstrictor, 50.0, codes.heart_rate, False),
        (codes.inotrope, 50.0, codes.ejection_fraction, True),
        (codes.inotrope, 50.0, codes.cardiac_output, True),
        (codes.chronotrope, -20.0, codes.heart_rate, False),
        (codes.chronotrope, -20.0, codes.stroke_volume, True),
        (codes.venodilator, 5.0, codes.central_venous, False),
        (codes.venodilator, 5.0, codes.mean_arterial, False),
    ],
)
def test_a_drug_class_acts_as_it_does_at_the_bedside(drug, percent, code, up):
    with_it = shown(code, Given(0.0, drug, percent, 150.0))[1]
    assert (with_it > shown(code)[1]) == up


def test_size_changes_flows_and_leaves_pressures():
    small = replace(adult, blood_volume=0.7 * 5300.0)
    assert shown(codes.systolic, p=small) == pytest.approx(shown(codes.systolic), rel=1e-6)
    flow = shown(codes.cardiac_output)
    assert shown(codes.cardiac_output, p=small) == pytest.approx(0.7 * flow, rel=1e-6)


def test_a_beat_agrees_with_lsoda():
    x0 = resting()
    t = np.array([0.0, 0.11, 0.21, 0.5, 0.9])

    def rate(now, y):
        return np.array([float(d) for d in model.drift(now, tuple(y), (0.0,) * 6, adult)])

    told = solve_ivp(rate, (0.0, 0.9), x0, "LSODA", t_eval=t, rtol=1e-7, atol=1e-7, max_step=0.005)
    run = simulate(model, adult, x0.reshape(-1, 1), [], t)
    pressure = told.y[model.states.index("arterial pressure")]
    np.testing.assert_allclose(run.of(codes.arterial)[:, 0], pressure, rtol=1e-3)


def test_three_hundred_different_people_bleed_and_stay_finite():
    rng = np.random.default_rng(2)
    p = sample(circulation.Parameters, 300, rng)
    litre = Given(10.0, codes.blood_lost, 0.2 * p.blood_volume, 10.0)
    drugs = [Given(10.0, codes.vasoconstrictor, rng.uniform(-40, 60, 300), 30.0)]
    run = simulate(model, p, None, [litre, *drugs], [0.0, 20.0, 40.0])
    assert np.all(np.isfinite(run.shown))
    assert np.all(run.of(codes.stroke_volume)[1:] > 0)


def test_every_parameter_says_its_unit_and_where_it_is_from():
    for f in fields(circulation.Parameters):
        assert f.metadata["unit"], f.name
        assert f.metadata["source"], f.name
        assert f.metadata["low"] <= f.default <= f.metadata["high"], f.name
