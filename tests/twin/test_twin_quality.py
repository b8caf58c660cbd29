"""The evidence on the twin's quality hides what it says it hides, and replays what was told."""

import numpy as np
import pytest

from evidence.quality.replay import replayed
from evidence.quality.virtual import Meal, changes, lived
from evidence.quality.voices import errors, of_strangers
from medtwin.learning import lightgbm_pooled
from medtwin.learning.silence import hidden
from medtwin.physiology.virtual_people import people
from medtwin.record import codes
from tests.learning.people import synthetic_person

hour = 3600.0


def test_a_silence_hides_the_readings_of_its_hours_and_no_dose():
    record = synthetic_person(41, days=2)
    first = record[codes.glucose].at[0]
    ends = first + hour * np.array([10.0, 20.0])
    quiet = hidden(record, ends - 3 * hour, ends)
    told = quiet[codes.glucose].at
    for end in ends:
        assert not ((told > end - 3 * hour) & (told <= end)).any()
    assert len(record[codes.glucose]) - 2 * 36 <= len(told) < len(record[codes.glucose]) - 2 * 30
    assert quiet[codes.insulin_bolus] is record[codes.insulin_bolus]


def test_days_replayed_from_every_reading_are_those_that_were_measured():
    record = synthetic_person(42, days=4)
    begins = record[codes.glucose].at[0] + 2 * 86400
    course = replayed(record, None, begins, np.zeros(0))
    seen = record[codes.glucose]
    assert np.array_equal(course.measured, seen.value[seen.at >= begins])
    assert np.abs(course.mean - course.measured).mean() < 3


def test_an_hour_not_told_is_replayed_with_more_doubt():
    record = synthetic_person(43, days=4)
    begins = record[codes.glucose].at[0] + 2 * 86400
    hidden = begins + 6 * hour
    course = replayed(record, None, begins, np.array([hidden]))
    inside = (course.at >= hidden) & (course.at < hidden + hour)
    assert course.sd[inside].mean() > 2 * course.sd[~inside].mean()


def test_half_a_dose_leaves_a_virtual_person_higher_and_a_missed_meal_is_not_eaten():
    body = people(1, np.random.default_rng(3))
    meal = Meal(480.0, 60.0, 60.0, 6.0)
    half, missed = changes["half the dose"](meal), changes["meal missed, with its bolus"](meal)
    assert (half.dose, missed.eaten, missed.counted, missed.dose) == (3.0, 0.0, 0.0, 0.0)
    was, would = lived(body, [meal], []), lived(body, [half], [])
    assert np.array_equal(was[:97], would[:97])  # nothing changes before the meal
    assert would[120] > was[120]


def test_a_head_of_strangers_knows_nobody_by_name():
    head = of_strangers(lightgbm_pooled.head)
    assert not head.told("person")
    assert head.told("glucose")


def test_errors_are_those_of_forecasts_that_everybody_made():
    said = {"a": [np.array([110.0, 100.0, np.nan])], "b": [np.array([100.0, 130.0, 100.0])]}
    found = errors(said, [np.array([100.0, 100.0, 100.0])])
    assert found["n"] == 2
    assert (found["a"], found["b"]) == pytest.approx((np.sqrt(50), np.sqrt(450)))
