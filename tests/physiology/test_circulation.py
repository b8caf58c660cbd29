"""The circulation: rest as in Ursino's tables, a litre lost, drugs by class, and the step."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import circulation
from medtwin.record import codes

model, adult = circulation.model, circulation.Parameters()
looks = np.array([0.0, 60.0, 150.0])


who = ("rest", "constricted", "stronger", "slowed", "dilated", "bled", "weak", "weak bled")
who = (*who, "small", "given back")


def only(**amounts):
    """An amount for each of `who`, by name; nothing for the rest."""
    return np.array([amounts.get(one.replace(" ", "_"), 0.0) for one in who])


@cache
def ward():
    """Ten people, each with something else, looked at after one minute and after two and a half."""
    weak = only(weak=1.0, weak_bled=1.0)
    p = replace(adult, sensitivity=1.0 - weak, blood_volume=5300.0 * (1.0 - only(small=0.3)))
    bled = only(bled=1000.0, weak_bled=1000.0, given_back=500.0)
    given = [
        Given(0.0, codes.vasoconstrictor, only(constricted=50.0), 150.0),
        Given(0.0, codes.inotrope, only(stronger=50.0), 150.0),
        Given(0.0, codes.chronotrope, only(slowed=-20.0), 150.0),
        Given(0.0, codes.venodilator, only(dilated=5.0), 150.0),
        Given(60.0, codes.blood_lost, bled, 30.0),
        Given(90.0, codes.fluid_given, only(given_back=500.0), 10.0),
    ]
    return simulate(model, p, None, given, looks)


def shown(code, one="rest"):
    """What a monitor shows of one of them, after one minute and after two and a half."""
    return ward().of(code)[1:, who.index(one)]


def resting():
    return ward().states[:, 0]


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
    before, after = shown(codes.mean_arterial, "bled")
    assert -30 < after - before < -5
    before, after = shown(codes.heart_rate, "bled")
    assert 5 < after - before < 40
    before, after = shown(codes.central_venous, "bled")
    assert -5 < after - before < -1


def test_without_the_reflex_the_same_litre_costs_far_more_pressure():
    before, after = shown(codes.mean_arterial, "bled")
    weak_before, weak_after = shown(codes.mean_arterial, "weak bled")
    assert weak_after - weak_before < 1.4 * (after - before)


def test_what_was_lost_and_given_back_leaves_little_trace():
    back = shown(codes.mean_arterial, "given back")[1]
    assert back == pytest.approx(shown(codes.mean_arterial)[1], abs=3.0)


@pytest.mark.parametrize(
    ("drug", "code", "up"),
    [
        ("constricted", codes.mean_arterial, True),
        ("constricted", codes.heart_rate, False),
        ("stronger", codes.ejection_fraction, True),
        ("stronger", codes.cardiac_output, True),
        ("slowed", codes.heart_rate, False),
        ("slowed", codes.stroke_volume, True),
        ("dilated", codes.central_venous, False),
        ("dilated", codes.mean_arterial, False),
    ],
)
def test_a_drug_class_acts_as_it_does_at_the_bedside(drug, code, up):
    assert (shown(code, drug)[1] > shown(code)[1]) == up


def test_size_changes_flows_and_leaves_pressures():
    assert shown(codes.systolic, "small") == pytest.approx(shown(codes.systolic), rel=1e-6)
    flow = shown(codes.cardiac_output)
    assert shown(codes.cardiac_output, "small") == pytest.approx(0.7 * flow, rel=1e-6)


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
