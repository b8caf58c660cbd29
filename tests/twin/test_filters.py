"""Each filter on model files, held against closed forms and brute force."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from medtwin.engine.model import Model, Regime, fixed, varies
from medtwin.maths.kalman import Events, look
from medtwin.physiology import glucose_living, pk_one, psa, type1
from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin import ensemble
from medtwin.twin.filters import as_twin, chosen, followed, kinks
from medtwin.twin.forecast import Unanswerable, compare
from medtwin.twin.identifiability import directions, shrinkage
from medtwin.twin.living import Sensor, dynamics, life, members, unknowns
from medtwin.twin.smoothed import smoothed
from medtwin.twin.timeline import of_facts
from medtwin.twin.twin import born
from medtwin.twin.worth_measuring import information, told_of, worth_measuring

drug = Code("example_bolus", "bolus", "mg", low=0, high=1000, kind=Kind.dose)
level = Code("example_in_blood", "level in blood", "mg/L", low=-9, high=100, noise=0.2)
noon = datetime(2024, 5, 6, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Parameters:
    clearance: Any = varies(4.0, unit="L/h", cv=0.3, low=0.1, high=40.0, source="made up")
    volume: Any = varies(40.0, unit="L", cv=0.2, low=5.0, high=200.0, source="made up")
    wander: Any = fixed(0.0, unit="mg", source="made up")


@dataclass(frozen=True)
class Alike:
    clearance: Any = fixed(4.0, unit="L/h", source="made up")


def start(p):
    return (0.0 * p.volume,)


def drift(t, x, u, p):
    (amount,) = x
    return (-p.clearance / p.volume * amount,)


def take(x, code, dose, p):
    return (x[0] + dose,)


def observe(x, p):
    return {level: x[0] / p.volume}


def noise(t, x, u, p):
    return (p.wander + 0.0 * x[0],)


model = Model(
    name="example bolus",
    reference="one compartment",
    states=("amount",),
    units=("mg",),
    parameters=Parameters,
    inputs=(drug,),
    channels=(),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.1,
    clock="h",
)
shaky = replace(model, name="example bolus that wanders", noise=noise)


def two_at_rest(p):
    return (50.0 + 0.0 * p.volume, 50.0 + 0.0 * p.volume)


def nothing_moves(t, x, u, p):
    return (0.0 * x[0], 0.0 * x[1])


def two_taken(x, code, dose, p):
    return (x[0] + dose, x[1])


def second_shown(x, p):
    return {level: x[1]}


def two_wander(t, x, u, p):
    return (p.wander + 0.0 * x[0], p.wander + 0.0 * x[1])


pair = replace(
    shaky,
    name="two that wander",
    states=("amount", "other"),
    units=("mg", "mg"),
    start=two_at_rest,
    drift=nothing_moves,
    take=two_taken,
    observe=second_shown,
    noise=two_wander,
)
ill_or_well = replace(
    model,
    name="example bolus, by turns",
    regimes=(
        Regime("well", leaves={"ill": 0.05}),
        Regime("ill", times={"clearance": 0.25}, leaves={"well": 0.02}),
    ),
)
hours = np.array([1.0, 3.0, 6.0, 10.0])
seen = 400 / 35 * np.exp(-5 / 35 * hours)


def fact(hour, code, value):
    at = noon + timedelta(hours=float(hour))
    return Observation(at, code, value, "example", at)


facts = [fact(0, drug, 400.0), *(fact(h, level, v) for h, v in zip(hours, seen, strict=True))]


def by_brute_force(times, values, people=400_000):
    """Everybody from the priors, weighed by the closed form: the posterior of both logarithms."""
    rng = np.random.default_rng(0)
    cl = 4 * np.exp(np.sqrt(np.log1p(0.3**2)) * rng.standard_normal(people))
    v = 40 * np.exp(np.sqrt(np.log1p(0.2**2)) * rng.standard_normal(people))
    shown = 400 / v * np.exp(-cl / v * np.asarray(times)[:, None])
    weight = -(((shown - np.asarray(values)[:, None]) / level.noise) ** 2).sum(axis=0) / 2
    weight = np.exp(weight - weight.max())
    both = np.log(np.stack([cl, v]))
    mean = both @ weight / weight.sum()
    return mean, np.sqrt((both - mean[:, None]) ** 2 @ weight / weight.sum())


def test_the_structure_of_a_model_chooses_its_filter_and_says_why():
    assert chosen(glucose_living.model).name == "exact"
    assert "linear" in chosen(glucose_living.model).because
    assert chosen(type1.model).name == "ensemble"
    assert "too many" in chosen(type1.model).because
    assert chosen(model).name == "unscented"
    assert kinks(pk_one.model) == ("where",)
    assert chosen(pk_one.model).name == "remembering"
    assert chosen(psa.model).name == "remembering"
    assert "stem" in chosen(psa.model).because
    assert chosen(ill_or_well).name == "regimes"
    everybody_alike = replace(pk_one.model, parameters=Alike)
    assert chosen(everybody_alike).name == "particle"


@pytest.mark.parametrize(
    ("by", "close", "spread"),
    [
        ("unscented", 0.5, 0.3),
        ("ensemble", 0.8, 0.4),
        ("particle", 0.35, 0.25),
        ("remembering", 0.2, 0.2),
    ],
)
def test_every_filter_finds_the_clearance_that_brute_force_finds(by, close, spread):
    # within so many posterior sds; the particles' tails are Student's, the others are linearised
    mean, sd = by_brute_force(hours, seen)
    twin = born("ann", model, noon, seed=2, members=3000)
    last = followed(twin, facts, by).last
    assert np.all(np.abs(last.mean[1:] - mean) < close * sd)
    np.testing.assert_allclose(np.sqrt(np.diag(last.covariance))[1:], sd, rtol=spread)


def test_a_filter_that_does_not_exist_is_named():
    with pytest.raises(
        ValueError, match="choose one of unscented, ensemble, particle, remembering"
    ):
        followed(born("ann", model, noon, members=20), facts, "crystal ball")


def test_a_twin_made_of_a_belief_has_its_mean_and_may_be_followed_on():
    twin = born("ann", model, noon, seed=2, members=2000)
    found = followed(twin, facts)
    after = as_twin(twin, found, 2000)
    assert after.at == facts[-1].at.timestamp()
    sd = np.sqrt(np.diag(found.last.covariance))
    assert abs(np.log(after.parameters[0]).mean() - found.last.mean[1]) < 5 * sd[1] / np.sqrt(2000)


def test_one_wild_reading_hardly_moves_any_filter():
    wild = [*facts[:-1], fact(10, level, 90.0)]
    twin = born("ann", model, noon, seed=2, members=2000)
    for by in ("unscented", "ensemble", "particle"):
        kept = followed(twin, facts[:-1], by).last
        after = followed(twin, wild, by).last
        moved = np.abs(after.mean[1:] - kept.mean[1:]) / np.sqrt(np.diag(kept.covariance))[1:]
        # at most what a surprise of four deviations may do
        assert np.all(moved < 4.2)


def test_a_living_ensemble_believes_a_wild_reading_less_too():
    twin = born("ann", model, noon, seed=2, members=2000)
    twin = ensemble.learned(twin, of_facts(model, facts[:-1]))
    wild = ensemble.learned(twin, of_facts(model, [fact(10, level, 90.0)]))
    before, after = (np.log(t.parameters[:2]) for t in (twin, wild))
    moved = np.abs(after.mean(axis=1) - before.mean(axis=1)) / before.std(axis=1)
    assert np.all(moved < 4.2)
    assert np.all(after.std(axis=1) > 0.5 * before.std(axis=1))


def test_the_bias_of_a_sensor_is_learned_where_the_body_is_known():
    known = born("ann", model, noon, seed=2, members=2)
    known = replace(known, parameters=np.array([[4.0] * 2, [40.0] * 2, [0.0] * 2]))
    told = [fact(h / 10, level, 1.0) for h in range(1, 4)]  # no drug: what is shown is bias
    found = followed(known, told, "unscented", Sensor(bias=1.0, bias_minutes=600.0))
    # by hand: an autoregression seen three times, six minutes apart
    kept, b, var = np.exp(-6 / 600), 0.0, 1.0
    for _ in range(3):
        b, var = kept * b, kept**2 * var + 1 - kept**2
        gain = var / (var + 0.2**2)
        b, var = b + gain * (1 - b), (1 - gain) * var
    row = found.what.names.index("sensor bias")
    assert found.last.mean[row] == pytest.approx(b, abs=1e-9)
    assert found.last.covariance[row, row] == pytest.approx(var, abs=1e-9)


def test_a_sensor_that_lags_shows_an_exponential_course_as_the_closed_form_says():
    known = born("ann", model, noon, seed=2, members=2)
    known = replace(known, parameters=np.array([[4.0] * 2, [40.0] * 2, [0.0] * 2]))
    known = replace(known, states=np.full((1, 2), 400.0))  # 10 mg/L, falling by 0.1 an hour
    what = unknowns(known, Sensor(lag_minutes=15.0))
    moves, z = dynamics(what, life(known, of_facts(model, []))), members(known, what)
    for k in range(60):
        at = known.at + 60.0 * k
        z = moves.moved(z, np.zeros((0, 2)), at, at + 60.0)
    # s' = 4 (c - s), c = 10 exp(-0.1 t), s(0) = 10
    closed = 40 / 3.9 * np.exp(-0.1) + (10 - 40 / 3.9) * np.exp(-4.0)
    assert moves.shown(z, 0)[0] == pytest.approx(closed, abs=1e-4)
    assert what.body(z, 0)[0] == pytest.approx(10 * np.exp(-0.1), abs=1e-9)


def test_looking_back_knows_the_beginning_better_than_living_forward_did():
    record = Record("ann").add(facts)
    twin = born("ann", model, noon, seed=2, members=3000)
    past = smoothed(twin, record, facts[-1].at, rounds=6)
    mean, sd = by_brute_force(hours, seen)
    begun, doubt = past.of("clearance")[:, 0]
    assert abs(begun - mean[0]) < 0.3 * sd[0]  # at birth, as well known as at the end
    assert doubt == pytest.approx(sd[0], rel=0.2)


def test_looking_back_with_members_learns_a_beginning_with_many_unknowns():
    record = Record("ann").add(
        [
            Observation(noon + timedelta(minutes=m), type1.codes.glucose, 150.0, "example", noon)
            for m in range(30, 151, 30)
        ]
    )
    twin = born("ann", type1.model, noon, seed=2)
    until = noon + timedelta(minutes=150)
    past = smoothed(twin, record, until)
    mean, sd = past.of("interstitial glucose")
    volume = np.exp(past.of("Vg")[0][0])
    assert mean[1] / volume == pytest.approx(150.0, abs=15.0)
    # what is left is the doubt about the volume (8 %) that turns mg/dL into mg/kg
    assert sd[1] < 1.1 * 150 * 1.86 * 0.08 < np.std(twin.states[12])


def test_branches_of_a_what_if_share_the_wandering_of_each_member():
    # the model is linear in the amount: without clearance, 100 mg more is 100 mg more for ever,
    # whatever chance does, if both branches met the same chance
    twin = born("ann", shaky, noon, seed=2, members=50)
    still = np.full(50, 1e-9)
    twin = replace(twin, parameters=np.stack([still, np.full(50, 10.0), np.full(50, 3.0)]))
    times = [noon + timedelta(hours=h) for h in (1, 2, 3)]
    change = compare(twin, level, times, (fact(0.5, drug, 100.0),), (fact(0.5, drug, 200.0),))
    np.testing.assert_allclose(change.paths, 10.0, atol=1e-6)
    apart = compare(twin, level, times, (), (fact(1.5, drug, 100.0),))
    np.testing.assert_allclose(apart.paths[0], 0.0, atol=1e-9)
    np.testing.assert_allclose(apart.paths[1:], 10.0, atol=1e-6)


def test_a_members_wandering_does_not_depend_on_who_else_is_followed():
    few, many = (
        replace(t, parameters=np.tile([[4.0], [10.0], [3.0]], (1, t.members)))
        for t in (born("ann", pair, noon, seed=2, members=n) for n in (5, 50))
    )
    times = [noon + timedelta(hours=h) for h in (1, 30)]  # over midnight too
    one, other = (ensemble.ahead(t, level, seen_at(t, times)) for t in (few, many))
    read = level.noise * 6  # each path has its reading's own error
    assert np.all(np.abs(one - other[:, :5]) < 2 * read)
    assert np.std(other[1]) > 2 * read


def seen_at(twin, times):
    which = np.zeros(len(times), int)
    minutes = np.array([t.timestamp() / 60 for t in times])
    return Events(minutes, np.full(len(times), look), which, np.zeros(len(times)))


def test_readings_shrink_the_doubt_about_what_they_tell_and_not_about_what_they_do_not():
    twin = born("ann", model, noon, seed=2, members=2000)
    early = [facts[0], fact(0.01, level, 10.0)]  # dose over volume; nothing is cleared yet
    told = {k.parameter: k for k in shrinkage(twin, as_twin(twin, followed(twin, early), 2000))}
    # by hand: prior sd of log volume .198, a reading of 10 with error .2 says .02: 1 - .02^2/.198^2
    assert told["volume"].shrinkage == pytest.approx(0.99, abs=0.01)
    assert abs(told["clearance"].shrinkage) < 0.1
    assert "next to nothing of clearance" in told["clearance"].because


def test_directions_are_those_of_the_closed_forms_fisher_information():
    p = Parameters()
    found = directions(model, p, [pk_given()], hours, level, 0.2)
    k, c = 0.1, 10 * np.exp(-0.1 * hours)
    # d c / d log CL = -k t c;  d c / d log V = -c + k t c; each times its prior sd
    slopes = np.stack([-k * hours * c, -c + k * hours * c], axis=1)
    slopes = slopes * np.sqrt(np.log1p(np.array([0.3, 0.2]) ** 2))
    values, vectors = np.linalg.eigh(slopes.T @ slopes / 0.2**2)
    np.testing.assert_allclose([d.left for d in found], 1 / np.sqrt(1 + values[::-1]), rtol=1e-4)
    best = dict(found[0].weights)
    np.testing.assert_allclose(
        np.abs([best["clearance"], best["volume"]]), np.abs(vectors[:, 1]), rtol=1e-3
    )


def test_one_reading_cannot_tell_two_parameters_apart():
    found = directions(model, Parameters(), [pk_given()], [6.0], level, 0.2)
    assert found[0].left < 0.2
    assert found[1].left == pytest.approx(1.0)
    assert "100%" in found[1].because


def pk_given():
    from medtwin.engine.schedule import Given

    return Given(0.0, drug, 400.0)


def test_the_best_time_to_learn_a_clearance_is_one_over_k():
    # with the volume known, d c / d CL ~ t exp(-k t), greatest at t = 1/k = 10 h
    rng = np.random.default_rng(0)
    twin = born("ann", model, noon, seed=2, members=4000)
    narrow = 4 * np.exp(0.02 * rng.standard_normal(4000))
    twin = replace(twin, parameters=np.stack([narrow, np.full(4000, 40.0), np.zeros(4000)]))
    times = [noon + timedelta(hours=h) for h in (1, 4, 7, 10, 13, 18, 30)]
    ranked = worth_measuring(twin, level, times, "clearance", [fact(0, drug, 400.0)])
    assert ranked[0].at == noon + timedelta(hours=10)
    # by hand: slope 0.1 * 10 * 10 exp(-1) = 3.679 per log unit, times .02, against noise .2
    signal = (3.679 * 0.02 / 0.2) ** 2
    assert ranked[0].information == pytest.approx(0.5 * np.log1p(signal), rel=0.06)
    assert ranked[0].because == (
        "level in blood at 06 May 22:00 would leave 94% of the doubt about clearance."
    )
    everything = worth_measuring(twin, level, times, "", [fact(0, drug, 400.0)])
    assert everything[0].information == pytest.approx(ranked[0].information, rel=0.2)


def test_information_is_that_of_the_closed_form_where_all_is_gaussian():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(700)
    for error in (0.3, 1.0, 3.0):
        closed = 0.5 * np.log1p(1 / error**2)
        assert information(x, np.full(700, error)) == pytest.approx(closed, abs=0.06)
        assert told_of(x, x, np.full(700, error)) == pytest.approx(closed, abs=0.06)


def test_a_living_twin_learns_less_from_a_reading_the_more_it_knows_already():
    twin = born("ann", glucose_living.model, noon, seed=2)
    soon = [noon + timedelta(minutes=m) for m in (5, 60)]
    first = worth_measuring(twin, type1.codes.glucose, soon, "glucose")
    assert first[0].at == soon[0]
    assert 0 < first[0].left < 0.6


def test_what_is_not_learned_or_shown_or_known_is_said():
    twin = born("ann", model, noon, seed=2, members=20)
    with pytest.raises(Unanswerable, match="ask about one of"):
        worth_measuring(twin, level, [noon], "sodium")
    with pytest.raises(Unanswerable, match="does not show"):
        worth_measuring(twin, drug, [noon])
    with pytest.raises(Unanswerable, match="known already"):
        worth_measuring(twin, level, [noon], "amount")
    with pytest.raises(Unanswerable, match="later"):
        worth_measuring(twin, level, [noon - timedelta(hours=1)])
