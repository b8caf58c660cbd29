"""The back-test: the shape promised, honest scores, and nothing from the future."""

from dataclasses import fields
from datetime import timedelta
from typing import cast

import numpy as np
import pytest

from medtwin.learning import ridge_glucose
from medtwin.learning.announced import meals_and_their_boluses
from medtwin.learning.head import fit, predict
from medtwin.learning.lessons import before, exam_begins, lesson, quarter_hours
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.along import said_along, said_under
from medtwin.twin.backtest import backtest
from medtwin.twin.exam import Spoken, Voice, lived, normal, of_one_unit
from medtwin.twin.heads import recalled, speaking
from medtwin.twin.judged import paired, scores
from medtwin.twin.loop import speak
from medtwin.twin.mix import Weights, alone
from medtwin.twin.personal import Personal
from medtwin.twin.twin import born
from tests.learning.people import corrupted, synthetic_person

horizons = (30, 60, 120)


def equal_shares() -> Weights:
    plain = alone((30.0, 60.0, 120.0))
    share = np.full((3, 2), 0.5)
    return Weights(("mechanism", "ridge"), plain.horizons, share, plain.misses, 0)


def voice(record: Record) -> Voice:
    """The mechanism and a ridge taught by the days before the exam, speaking live."""
    taught = before(lesson(record, quarter_hours(record), horizons), exam_begins(record))
    return Voice((speaking(fit(ridge_glucose.head, [taught], horizons)[0]),), equal_shares())


def test_forecasts_do_not_move_when_everything_learned_later_is_corrupted():
    record = synthetic_person(11, days=5)
    heard = voice(record)
    moments = quarter_hours(record)
    asked = moments[moments >= exam_begins(record)][:12]
    spoilt = corrupted(record, asked[-1], np.random.default_rng(3))
    assert not np.array_equal(record[codes.glucose].value, spoilt[codes.glucose].value)
    nothing = Record(record.patient)
    true, false = (lived(r, nothing, model, None, asked, heard, heard)[0] for r in (record, spoilt))
    for key, said in true.items():
        assert np.array_equal(said.mean, false[key].mean), key
        assert np.array_equal(said.quantiles, false[key].quantiles), key


def test_a_plan_reaches_no_further_than_its_horizon_and_never_the_unannounced():
    record = synthetic_person(12, days=5)
    heard = voice(record)
    breakfast = exam_begins(record) + 8 * 3600
    moments = quarter_hours(record)
    asked = moments[(moments >= breakfast - 8100) & (moments < breakfast)]
    plan = meals_and_their_boluses(record)
    said, _ = lived(record, plan, model, None, asked, heard, heard)
    bare, _ = lived(record, Record("nobody"), model, None, asked, heard, heard)
    key = ("planned_meals", "mechanism")
    moved = np.abs(said[key].mean - bare[key].mean) > 1e-9
    reach = asked[:, None] + 60.0 * np.array(horizons) > breakfast
    assert np.array_equal(moved, reach)
    for by in ("mechanism", "shown"):
        # what is shown with the plan knows of one miss more, and moves by a 400th of it at most
        assert bare["planned_meals", by].mean == pytest.approx(
            bare["unannounced", by].mean, abs=0.2
        )
        unannounced = ("unannounced", by)
        assert np.array_equal(said[unannounced].mean, bare[unannounced].mean)


def test_heads_asked_together_say_what_they_say_one_moment_at_a_time():
    record = synthetic_person(13, days=5)
    plan = meals_and_their_boluses(record)
    moments = quarter_hours(record)
    whole = lesson(record, moments, horizons, plan)
    learned, _ = fit(ridge_glucose.head, [before(whole, exam_begins(record))], horizons)
    together = recalled("ridge", horizons, moments, predict(learned, whole))
    one_by_one = speaking(learned)
    for t in moments[20::45]:
        now = moment(t)
        a, b = together(record, now, ()), one_by_one(record.known(by=now), now, ())
        assert a.mean == pytest.approx(b.mean, abs=1e-9)
        assert a.spread == pytest.approx(b.spread, abs=1e-9)


def test_one_pass_along_a_record_says_what_the_loop_says():
    whole = synthetic_person(14, days=3)
    record = Record(whole.patient, {codes.glucose: whole[codes.glucose]})  # nothing comes late
    moments = quarter_hours(record)[-40:]
    mean, spread = said_along(record, model, moments, horizons, typical())
    start = moment(record[codes.glucose].at[0])
    twin = born(record.patient, model, start, None, members=1)
    one = Voice((), alone((30.0, 60.0, 120.0)))
    assert mean.shape == spread.shape == (40, 3)
    said, _ = lived(record, Record("p"), model, typical(), moments, one, one)
    off = said["unannounced", "mechanism"].mean - mean
    assert np.abs(off).max() < 2.0  # 15-minute steps ahead, and a birth three days apart
    assert speak(twin, codes.glucose, start, (30.0,), ()).mean.shape == (1,)


def test_a_meal_announced_along_a_record_raises_only_what_it_can_reach():
    record = synthetic_person(16, days=3)
    plan = meals_and_their_boluses(record)
    meals = Record("p", {codes.carbohydrate: plan[codes.carbohydrate]})
    lunch = meals[codes.carbohydrate].at[7]
    moments = quarter_hours(record)
    asked = moments[(moments > lunch - 8400) & (moments < lunch)]
    bare = said_along(record, model, asked, horizons)
    mean, spread = said_under(record, meals, model, asked, horizons, bare)
    reach = asked[:, None] + 60.0 * np.array(horizons) > lunch
    assert (mean[reach] > bare[0][reach]).all()
    assert mean[~reach] == pytest.approx(bare[0][~reach], abs=1.0)  # steps of 5 against 15 min
    assert (spread[reach] >= bare[1][reach] - 1.0).all()


def typical() -> Personal:
    """A personal fit that found the population's medians and is sure of them."""
    values = {f.name: float(cast(float, f.default)) for f in fields(model.parameters)}
    return Personal("p", model.name, values, {}, 0.0, 0.0, 0, 0.0, 0.0, "the medians")


def test_one_unit_lowers_by_fifteen_to_sixty_percent_of_the_correction_factor():
    record = synthetic_person(15, days=4)
    start = moment(record[codes.glucose].at[0]) + timedelta(days=2)
    twin = born("p", model, start, record, members=8)
    at_60, at_120 = of_one_unit(twin, (60.0, 120.0))
    assert 0 < at_60 < at_120
    assert 0.15 < at_120 < 0.60


def test_two_people_are_scored_together():
    # misses of 10 and 30 mg/dL; one of the three forecasts has no reading to judge it
    said = [normal(np.array([[110.0], [130.0]]), np.full((2, 1), 10.0)), one(200.0)]
    table = scores(said, [np.array([100.0, np.nan]), np.array([230.0])], 0)
    assert table["rmse"] == pytest.approx(np.sqrt(500))
    assert table["mae"] == 20
    assert table["mard"] == pytest.approx((10 / 100 + 30 / 230) / 2)
    assert (table["cover50"], table["cover90"]) == (0.0, 0.5)
    assert (table["clarke_ab"], table["n"], table["people"]) == (1.0, 2, 2)


def one(mean: float) -> Spoken:
    return normal(np.array([[mean]]), np.array([[10.0]]))


def test_a_horizon_the_loop_does_not_look_at_is_refused():
    with pytest.raises(ValueError, match="multiples of 15"):
        backtest({}, "none", horizons=(40,))


def test_the_table_has_the_shape_that_was_promised():
    people = {f"p{i}": synthetic_person(20 + i, days=4) for i in range(2)}
    table = backtest(people, "table", horizons=(60,))
    assert table["set"] == "table"
    assert set(table["scenarios"]) == {"unannounced", "planned_meals"}
    voices = table["scenarios"]["unannounced"]["60"]
    names = "twin shown persistence ridge lightgbm_person lightgbm_pooled population".split()  # noqa: SIM905
    names.append("lightgbm_mean")
    assert set(voices) == set(names)
    keys = "rmse mae mard crps cover50 cover80 cover90 clarke_ab n people".split()  # noqa: SIM905
    assert all(set(v) == set(keys) for v in voices.values())
    assert len({v["n"] for v in voices.values()}) == 1
    assert voices["shown"]["people"] == 2
    assert table["insulin_effect"]["lowers_people"] == 2
    assert set(table["people"]["planned_meals"]["60"]) == {p.patient for p in people.values()}
    against = table["paired"]["unannounced"]["60"]["shown against lightgbm_mean"]
    assert against["people"] == 2


def test_people_are_compared_in_pairs():
    # differences of -1, -2, -3 and +2: mean -1, better for three of four
    each = {f"p{i}": {"a": 10.0 + d, "b": 10.0} for i, d in enumerate((-1, -2, -3, 2))}
    found = paired(each, "a", "b")
    assert (found["better"], found["people"], found["mean"]) == (3, 4, -1.0)
    assert -3 <= found["low"] < -1 < found["high"] <= 2
