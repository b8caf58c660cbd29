"""What must hold of any twin: doubt shrinks, plans differ, late is as in order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.engine.model import Model
from medtwin.physiology import glucose_living, type1
from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.twin.assimilate import Late, NoCheckpoint, assimilate, caught_up
from medtwin.twin.bytes import NotATwin, dumped, loaded
from medtwin.twin.forecast import Unanswerable, ahead, compare, forecast
from medtwin.twin.twin import Twin, at_rest, born, parameters
from tests.twin.people import a_day, at, dawn, fact, readings

both = pytest.mark.parametrize("model", [glucose_living.model, type1.model], ids=lambda m: m.name)
living = glucose_living.model


def newborn(model: Model[Any] = living, members: int | None = None) -> Twin:
    return born("anna", model, dawn, seed=7, members=members)


def same(a: Twin, b: Twin) -> bool:
    arrays = ("states", "parameters", "running", "ends")
    equal = all(np.array_equal(getattr(a, n), getattr(b, n)) for n in arrays)
    spread = a.spread is None and b.spread is None
    if a.spread is not None and b.spread is not None:
        spread = np.array_equal(a.spread, b.spread)
    return equal and spread and (a.at, a.facts, a.told) == (b.at, b.facts, b.told)


@both
def test_a_measurement_changes_the_state_and_shrinks_the_doubt(model: Model[Any]) -> None:
    before = newborn(model)
    after = assimilate(before, [fact(5, codes.glucose, 210.0)])
    mean_before, doubt_before = ahead(before, codes.glucose, [6])
    mean_after, doubt_after = ahead(after, codes.glucose, [1])
    assert doubt_after[0] < doubt_before[0]
    assert abs(mean_after[0] - 210) < 0.6 * abs(mean_before[0] - 210)


@both
def test_insulin_lowers_glucose_and_carbohydrate_raises_it(model: Model[Any]) -> None:
    twin = assimilate(newborn(model), readings(range(0, 65, 5)))
    times = [at(60 + m) for m in (60, 120)]
    unit = compare(twin, codes.glucose, times, [], [fact(60, codes.insulin_bolus, 1.0)])
    food = compare(twin, codes.glucose, times, [], [fact(60, codes.carbohydrate, 20.0)])
    assert np.all(unit.band(0.9)[2] < 0)
    assert np.all(unit.chance_lower == 1.0)
    assert np.all(food.band(0.9)[0] > 0)


def test_two_plans_give_two_courses_and_the_difference_is_paired() -> None:
    twin = assimilate(newborn(), readings(range(0, 65, 5)))
    times = [at(60 + m) for m in (30, 60, 120)]
    plan = [fact(75, codes.insulin_bolus, 2.0)]
    a, b = forecast(twin, codes.glucose, times), forecast(twin, codes.glucose, times, plan)
    difference = compare(twin, codes.glucose, times, [], plan)
    np.testing.assert_allclose(b.middle - a.middle, difference.middle, rtol=0.1)
    alone = np.sqrt(a.paths.std(axis=1) ** 2 + b.paths.std(axis=1) ** 2)
    assert np.all(difference.paths.std(axis=1)[1:] < 0.5 * alone[1:])


def test_the_same_plan_twice_differs_by_nothing_at_all() -> None:
    twin = assimilate(newborn(), readings(range(0, 65, 5)))
    plan = [fact(70, codes.insulin_bolus, 2.0), fact(80, codes.carbohydrate, 30.0)]
    assert np.all(compare(twin, codes.glucose, [at(150)], plan, plan).paths == 0)


def with_hint(twin: Twin, share: float) -> Twin:
    p = replace(parameters(twin), bolus_hint=np.array([share]), bolus_push=np.array([0.0]))
    return at_rest(twin.patient, living, twin.at, p, 1, twin.seed)


def test_a_bolus_seen_hints_at_a_rise_but_a_planned_one_does_not() -> None:
    bolus, hour = fact(0, codes.insulin_bolus, 3.0), [at(180)]
    told, quiet = (with_hint(newborn(members=1), share) for share in (0.6, 0.0))
    seen = [ahead(assimilate(t, [bolus]), codes.glucose, [180])[0][0] for t in (told, quiet)]
    without = [ahead(t, codes.glucose, [180])[0][0] for t in (told, quiet)]
    lowered = [w - s for w, s in zip(without, seen, strict=True)]
    assert 0 < lowered[0] < 0.6 * lowered[1]
    planned = [compare(t, codes.glucose, hour, (), [bolus]).middle[0] for t in (told, quiet)]
    assert planned[0] == pytest.approx(-lowered[1], rel=0.15)
    assert planned[0] == pytest.approx(planned[1], rel=0.15)


def test_a_basal_rate_seen_hints_at_a_rise_but_a_planned_one_does_not() -> None:
    twin, hour = newborn(members=1), [at(180)]
    p = parameters(twin)
    double = fact(0, codes.insulin_basal, 2.0 * float(p.usual_basal[0]), lasting=240)
    whole = compare(twin, codes.glucose, hour, (), [double]).middle[0]
    lowered = []
    for share in (0.0, 0.5, 1.0):
        told = at_rest("anna", living, twin.at, replace(p, basal_hint=np.array([share])), 1, 7)
        seen = ahead(assimilate(told, [double]), codes.glucose, [180])[0][0]
        lowered.append(seen - ahead(told, codes.glucose, [180])[0][0])
        assert compare(told, codes.glucose, hour, (), [double]).middle[0] == pytest.approx(whole)
    assert lowered[0] == pytest.approx(whole, rel=1e-6)
    assert lowered[1] == pytest.approx(0.5 * whole, rel=0.1)
    assert lowered[2] == pytest.approx(0.0, abs=1e-6)


@both
def test_facts_one_by_one_give_the_same_twin_as_all_at_once(model: Model[Any]) -> None:
    few = model.linear == ()
    day = sorted(a_day(2 if few else 12), key=lambda o: o.at)
    batches = [[o for o in day if o.at == t] for t in sorted({o.at for o in day})]
    one_by_one = newborn(model)
    for batch in batches:
        one_by_one = assimilate(one_by_one, batch)
    assert same(one_by_one, assimilate(newborn(model), day))


@both
def test_a_late_basal_hour_gives_the_same_twin_as_facts_in_order(model: Model[Any]) -> None:
    hours = 2 if model.linear == () else 12
    day, record = a_day(hours), Record("anna")
    checkpoints = [newborn(model)]
    for step in range(0, 60 * hours + 1, 15):
        now = at(step)
        record = Record("anna").add(o for o in day if o.known <= now)
        checkpoints.append(caught_up(checkpoints, record, now))
    assert same(checkpoints[-1], assimilate(newborn(model), day))


@given(st.permutations(range(6)), st.lists(st.integers(0, 59), min_size=6, max_size=6, unique=True))
def test_whatever_the_order_of_arrival_the_twin_is_the_same(
    order: list[int], minutes: list[int]
) -> None:
    kinds = [codes.glucose, codes.insulin_bolus, codes.carbohydrate] * 2
    values = [150.0, 2.0, 30.0, 180.0, 1.0, 15.0]
    facts = [fact(m, c, v, known=100) for m, c, v in zip(minutes, kinds, values, strict=True)]
    record, checkpoints = Record("anna"), [newborn(members=2)]
    for place, i in enumerate(order):
        arrived = fact(minutes[i], kinds[i], values[i], known=100 + place)
        record = record.add([arrived])
        checkpoints.append(caught_up(checkpoints, record, at(100 + place)))
    inorder = assimilate(newborn(members=2), facts)
    assert np.array_equal(checkpoints[-1].states, inorder.states)


def test_a_corrected_reading_replaces_the_one_it_corrects() -> None:
    wrong, right = fact(20, codes.glucose, 400.0), fact(20, codes.glucose, 140.0, known=40)
    rest = readings([5, 10, 15, 25, 30])
    checkpoints = [newborn(), assimilate(newborn(), [*rest, wrong])]
    record = Record("anna").add([*rest, wrong, right])
    twin = caught_up(checkpoints, record, at(45))
    assert np.array_equal(twin.states, assimilate(newborn(), [*rest, right]).states)


def test_without_a_checkpoint_old_enough_it_says_so() -> None:
    twin = assimilate(newborn(), readings([5, 10, 15]))
    record = Record("anna").add([*readings([5, 10, 15]), fact(7, codes.carbohydrate, 20.0, 20)])
    with pytest.raises(NoCheckpoint, match="none of 1 checkpoints of anna"):
        caught_up([twin], record, at(30))


def test_an_older_fact_is_refused_outside_a_replay() -> None:
    twin = assimilate(newborn(), readings([30]))
    with pytest.raises(Late, match="replay with caught_up"):
        assimilate(twin, readings([10]))


@both
def test_a_kept_twin_comes_back_bit_for_bit_and_lives_on_the_same(model: Model[Any]) -> None:
    twin = assimilate(newborn(model), readings(range(0, 30, 5)))
    back = loaded(dumped(twin))
    assert same(back, twin)
    assert back.model is twin.model
    times = [at(60), at(90)]
    told, again = (forecast(t, codes.glucose, times).paths for t in (twin, back))
    assert np.array_equal(told, again)
    assert dumped(back) == dumped(twin)


def test_bytes_that_are_no_twin_are_refused() -> None:
    with pytest.raises(NotATwin, match="do not begin like a twin"):
        loaded(b"{}")
    with pytest.raises(NotATwin, match="cut short"):
        loaded(dumped(newborn())[:-8])


def test_the_same_seed_makes_the_same_birth_and_another_seed_another() -> None:
    again, other = born("anna", living, dawn, seed=7), born("anna", living, dawn, seed=8)
    assert np.array_equal(newborn().parameters, again.parameters)
    assert not np.array_equal(newborn().parameters, other.parameters)


def test_births_stay_inside_what_physiology_allows() -> None:
    twin = newborn(members=200)
    fields = living.parameters.__dataclass_fields__.values()
    for row, f in zip(twin.parameters, fields, strict=True):
        assert np.all((f.metadata["low"] <= row) & (row <= f.metadata["high"])), f.name


def test_a_rate_nobody_renews_falls_back_to_the_usual_one() -> None:
    told = assimilate(newborn(), [fact(0, codes.insulin_basal, 3.0, 60, 60)])
    assert np.all(told.running == 3.0)
    later = assimilate(told, readings([60 + 180 + 5]))
    usual = living.parameters(*told.parameters).usual_basal
    np.testing.assert_array_equal(later.running[0], usual)


def test_the_exact_filter_equals_an_ensemble_within_monte_carlo_error() -> None:
    twin = assimilate(newborn(members=1), a_day(4)[:30])
    times = [at(300), at(360)]
    mean, sd = ahead(twin, codes.glucose, [(t.timestamp() - twin.at) / 60 for t in times])
    paths = forecast(twin, codes.glucose, times).paths
    count = paths.shape[1]
    assert np.all(np.abs(paths.mean(axis=1) - mean) < 3 * sd / np.sqrt(count))
    np.testing.assert_allclose(paths.std(axis=1), sd, rtol=4 / np.sqrt(2 * count))


@pytest.mark.parametrize(
    ("times", "plan", "says"),
    [
        ([at(-5)], [], "before the time"),
        ([at(90), at(60)], [], "must rise"),
        ([at(60)], [fact(30, codes.glucose, 100.0)], "holds a measurement"),
        ([at(60)], [fact(-30, codes.insulin_bolus, 1.0)], "before the twin's own time"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(times: Any, plan: Any, says: str) -> None:
    with pytest.raises(Unanswerable, match=says):
        forecast(newborn(), codes.glucose, times, plan)


def test_a_code_that_the_model_does_not_show_is_refused() -> None:
    with pytest.raises(Unanswerable, match="does not show HbA1c"):
        forecast(newborn(), codes.hba1c, [dawn + timedelta(hours=1)])
