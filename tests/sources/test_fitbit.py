"""Claims about Fitbit's export: entries invented, shaped as published data sets show them."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from letters import heard, refused

HOME = "ada.zip:Takeout/Fitbit/Global Export Data"


def told(name, *entries, folder=HOME, **options):
    arrived = heard(orjson.dumps(list(entries)), f"{folder}/{name}", **options)
    return [(f.code.id, round(f.value, 3)) for a in arrived for f in a.facts]


def entry(value, when="05/24/21 00:00:16"):
    return {"dateTime": when, "value": value}


def test_a_pulse_is_in_universal_time_with_the_month_first():
    raw = orjson.dumps([entry({"bpm": 61, "confidence": 2})])
    (arrived,) = heard(raw, f"{HOME}/heart_rate-2021-05-24.json", zone="Europe/Berlin")
    (fact,) = arrived.facts
    assert (fact.value, fact.at) == (61, datetime(2021, 5, 24, 0, 0, 16, tzinfo=UTC))
    assert (arrived.about, arrived.places) == ("fitbit|ada", ("[0].value.bpm",))


def test_a_pulse_without_contact_is_counted():
    raw = orjson.dumps([entry({"bpm": 70, "confidence": 0})])
    assert heard(raw, f"{HOME}/heart_rate-2021-05-24.json")[0].kept == "Fitbit heart_rate"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps-2021-05-24.json", "12", ("steps", 12)),
        ("calories-2021-05-24.json", "2.62", ("energy", 2.62)),
        ("distance-2021-05-24.json", "880", ("distance", 8.8)),
        ("resting_heart_rate-2021-05-24.json", {"value": 53.01}, ("resting_heart_rate", 53.01)),
        ("demographic_vo2_max-2021-05-24.json", {"demographicVO2Max": 41.2}, ("vo2_max", 41.2)),
    ],
)
def test_a_files_name_tells_what_it_holds(name, value, expected):
    assert told(name, entry(value)) == [expected]


NIGHT = {
    "logId": 1,
    "dateOfSleep": "2021-05-24",
    "startTime": "2021-05-24T00:40:00.000",
    "endTime": "2021-05-24T09:21:00.000",
    "minutesAsleep": 445,
    "timeInBed": 521,
    "levels": {
        "data": [
            {"dateTime": "2021-05-24T00:40:00.000", "level": "light", "seconds": 600},
            {"dateTime": "2021-05-24T00:50:00.000", "level": "deep", "seconds": 1200},
        ]
    },
}


def test_a_night_is_by_the_wall_clock_as_a_whole_and_in_stages():
    assert told("sleep-2021-05-24.json", NIGHT) == [
        ("sleep", 445),
        ("sleep_in_bed", 521),
        ("sleep_light", 10),
        ("sleep_deep", 20),
    ]
    raw = orjson.dumps([NIGHT])
    (arrived,) = heard(raw, f"{HOME}/sleep-2021-05-24.json", zone="Europe/Berlin")
    assert arrived.facts[0].at == datetime(2021, 5, 23, 22, 40, tzinfo=UTC)
    assert arrived.facts[3].until - arrived.facts[3].at == timedelta(minutes=20)


def test_an_exercise_says_what_and_how_long():
    walk = {
        "logId": 1,
        "activityName": "Walk",
        "duration": 1638000,
        "startTime": "05/26/21 09:46:21",
    }
    assert told("exercise-0.json", walk) == [("exercise", 27.3)]


def test_tables_are_read_by_their_columns():
    raw = b"timestamp,rmssd,nremhr,entropy\n2024-07-21T00:00:00,29.232,49.623,2.472\n"
    name = "Daily Heart Rate Variability Summary - 2024-07-(21).csv"
    late = datetime(2025, 1, 1, tzinfo=UTC)
    (arrived,) = heard(raw, f"ada.zip:Takeout/Fitbit/{name}", received=late)
    assert [f.value for f in arrived.facts] == [29.232, 49.623]
    assert arrived.places[0] == "line 2, rmssd"


def test_a_time_that_is_none_costs_its_row():
    raw = b"timestamp,value\nsoon,97\n2024-05-21T00:00:00Z,98\n"
    (arrived,) = heard(raw, "ada.zip:Takeout/Fitbit/Minute SpO2 - 2024-05-21.csv")
    assert [f.value for f in arrived.facts] == [98]
    assert "is no time" in refused([arrived])[0]


def test_a_takeout_named_by_google_is_nobodys_until_somebody_says():
    folder = "takeout-20240501T100000Z-001.zip:Takeout/Fitbit/Global Export Data"
    raw = orjson.dumps([entry("3")])
    assert heard(raw, f"{folder}/steps-2021-05-24.json")[0].about is None
    assert heard(raw, f"{folder}/steps-2021-05-24.json", about="x|ada")[0].about == "x|ada"


def test_a_measure_without_a_unit_is_counted_not_guessed():
    weight = [{"logId": 1, "weight": 154.3, "dateTime": "x", "value": 1}]
    assert heard(orjson.dumps(weight), f"{HOME}/weight-2021-05-24.json")[0].kept == "Fitbit weight"
