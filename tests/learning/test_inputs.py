"""Inputs of a head: nothing from the future, and each with a value worked by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest

from medtwin.learning.announced import meals_and_their_boluses
from medtwin.learning.inputs import known_inputs, planned_inputs
from medtwin.learning.lessons import quarter_hours
from medtwin.record import codes
from medtwin.record.observation import WITHDRAWN
from medtwin.record.record import Record
from tests.learning.people import corrupted, day, hour, minute, series, start, synthetic_person

noon = start + 12 * hour
now = np.array([noon])


def person(**columns) -> Record:
    return Record("p", {getattr(codes, name): column for name, column in columns.items()})


def test_nothing_learned_after_a_moment_reaches_its_row():
    record = synthetic_person(1)
    moments = quarter_hours(record)
    seen = known_inputs(record, moments).values
    for t in moments[50::60]:
        spoilt = corrupted(record, t, np.random.default_rng(0))
        row = known_inputs(spoilt, np.array([t])).values
        assert np.array_equal(row[0], seen[moments == t][0], equal_nan=True)


def test_rows_made_together_equal_rows_made_one_by_one_on_what_was_known():
    record = synthetic_person(2)
    moments = quarter_hours(record)
    together = known_inputs(record, moments).values
    for i in range(10, len(moments), 37):
        then = record.known(by=datetime.fromtimestamp(moments[i], UTC))
        assert np.array_equal(
            known_inputs(then, moments[i : i + 1]).values[0], together[i], equal_nan=True
        )


def test_a_reading_that_arrived_late_counts_only_once_it_was_known():
    at = noon + minute * np.array([-20.0, -10.0, -5.0])
    readings = series(at, np.array([100.0, 110.0, 150.0]), at + minute * np.array([0, 0, 10.0]))
    inputs = known_inputs(person(glucose=readings), np.array([noon, noon + 5 * minute]))
    assert inputs["glucose"].tolist() == [110, 150]
    assert inputs["age of reading"].tolist() == [10, 10]
    assert inputs["above mean of 1 h"] == pytest.approx([5, 30])


def test_the_running_hour_of_basal_is_unknown_until_it_closes():
    hours = np.array([noon - 2 * hour, noon - hour, noon])
    basal = series(hours, np.array([1.0, 2.0, 9.0]), hours + hour, until=hours + hour)
    at_half_past = np.array([noon + 30 * minute])
    inputs = known_inputs(person(insulin_basal=basal), at_half_past)
    assert inputs["basal"] == 2
    # known: 11:30 to 12:00 at 2 U/h is all of the last hour that anybody has been told
    assert inputs["basal over 1 h"] == 2
    assert inputs["basal over 2 h"] == pytest.approx((0.5 * 1 + 1 * 2) / 1.5)


def test_insulin_peaking_at_45_min_has_two_parts_in_e_left_at_its_peak():
    bolus = series(np.array([noon - 45 * minute]), np.array([4.0]))
    inputs = known_inputs(person(insulin_bolus=bolus), now)
    assert inputs["bolus to act (45)"] == pytest.approx(4 * 2 / np.e)
    assert inputs["bolus acting (45)"] == pytest.approx(4 / 45 / np.e)
    assert inputs["minutes since bolus"] == 45
    assert inputs["last bolus"] == 4


def test_the_slope_of_a_steady_rise_is_the_rise():
    at = noon - minute * 5 * np.arange(12)[::-1]
    rising = series(at, 100 + 3.0 * np.arange(12))
    inputs = known_inputs(person(glucose=rising), now)
    assert inputs["slope over 15 min"] == pytest.approx(3)
    assert inputs["slope over 30 min"] == pytest.approx(3)
    assert inputs["change over 30 min"] == 18
    assert inputs["bend over 10 min"] == 0


def test_forty_units_in_a_day_lower_glucose_by_42_per_unit():
    # 1700 / 40 = 42.5 mg/dL per unit; one bolus of 40 U just now is all still to act
    bolus = series(now, np.array([40.0]))
    inputs = known_inputs(person(insulin_bolus=bolus), now)
    assert inputs["expected fall in all"] == pytest.approx(42.5 * 40)


def test_somebody_nobody_has_measured_gives_a_row_of_unknowns():
    inputs = known_inputs(Record("new"), now)
    assert np.isnan(inputs["glucose"])
    assert np.isnan(inputs["basal"])
    assert inputs["bolus in 24 h"] == 0


def test_only_the_plan_between_now_and_the_horizon_is_announced():
    at = noon + minute * np.array([-10.0, 10.0, 45.0])
    plan = person(carbohydrate=series(at, np.array([10.0, 20.0, 40.0])))
    assert planned_inputs(plan, now, 30)["planned meal"] == 20
    assert planned_inputs(plan, now, 60)["planned meal"] == 60
    assert planned_inputs(plan, now, 60)["minutes to planned meal"] == 10


def test_corrections_are_never_announced():
    plan = meals_and_their_boluses(synthetic_person(3))
    says = plan[codes.insulin_bolus].says
    assert says is not None
    assert set(says) == {"meal"}


def test_where_a_pump_says_nothing_a_bolus_near_a_meal_is_for_it():
    meals = series(start + hour * np.array([8.0, 13.0]), np.array([40.0, 60.0]))
    boluses = series(start + hour * np.array([8.2, 10.0, 12.9]), np.array([4.0, 1.0, 6.0]))
    plan = meals_and_their_boluses(person(carbohydrate=meals, insulin_bolus=boluses))
    assert plan[codes.insulin_bolus].value.tolist() == [4, 6]


def test_a_forecast_is_made_once_in_each_quarter_of_an_hour():
    at = start + minute * np.array([0.0, 5, 10, 15, 20, 62])
    assert (quarter_hours(person(glucose=series(at, at * 0 + 100))) - start).tolist() == [
        0,
        15 * 60,
        62 * 60,
    ]
    assert day == 86400


def test_a_reading_taken_back_counts_until_it_is_and_no_longer():
    at = noon + minute * np.array([-10.0, -5.0, -5.0])
    readings = series(
        at,
        np.array([110.0, 300.0, 300.0]),
        noon + minute * np.array([-10.0, -5.0, 5.0]),
        says=np.array(["", "", WITHDRAWN], dtype=object),
    )
    inputs = known_inputs(person(glucose=readings), np.array([noon, noon + 5 * minute]))
    assert inputs["glucose"].tolist() == [300, 110]


def test_a_corrected_bolus_counts_once():
    at = np.array([noon - 30 * minute, noon - 30 * minute])
    boluses = series(at, np.array([5.0, 4.0]), noon + minute * np.array([-30.0, -20.0]))
    inputs = known_inputs(person(insulin_bolus=boluses), now)
    assert inputs["bolus in 24 h"] == 4
