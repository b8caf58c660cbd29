"""A plan file says what is to be done, when, in which unit; or what is wrong with it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from medtwin.commands import plan
from medtwin.commands.report import WrongInput
from medtwin.record import codes

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(tmp_path, entries):
    path = tmp_path / "plan.json"
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return plan.read(path, noon)


def test_minutes_count_from_the_moment_of_the_forecast(tmp_path):
    (meal,) = read(tmp_path, [{"code": "carbohydrate", "value": 60, "in_minutes": 30}])
    assert (meal.code, meal.value, meal.at) == (codes.carbohydrate, 60, noon.replace(minute=30))


def test_a_rate_lasts(tmp_path):
    entry = {"code": "insulin_basal", "value": 0.4, "in_minutes": 0, "lasting_minutes": 90}
    (rate,) = read(tmp_path, [entry])
    assert rate.until == noon + timedelta(minutes=90)


def test_entries_stand_in_time_order(tmp_path):
    later = {"code": "insulin_bolus", "value": 1, "at": "2026-03-01T14:00:00+01:00"}
    sooner = {"code": "insulin_bolus", "value": 2, "at": "2026-03-01T12:30:00Z"}
    assert [o.value for o in read(tmp_path, [later, sooner])] == [2, 1]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ("[", "is not JSON"),
        ({}, "is no list"),
        ([{"code": "joy", "value": 1, "in_minutes": 0}], "there is no code 'joy'"),
        ([{"code": "carbohydrate", "in_minutes": 0}], "no number as value"),
        ([{"code": "carbohydrate", "value": 9}], "neither `at` nor `in_minutes`"),
        ([{"code": "carbohydrate", "value": 9, "in_minutes": -5}], "give minutes from 0 on"),
        ([{"code": "carbohydrate", "value": 9, "at": "2026-03-01T12:00:00"}], "has no zone"),
        ([{"code": "carbohydrate", "value": 9, "in_minutes": 0, "x": 1}], "says more or other"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, entries, says):
    with pytest.raises(WrongInput, match=says):
        read(tmp_path, entries)
