"""Claims about Google Fit's Takeout: points invented, shaped as Takeout writes them."""

from datetime import UTC, datetime, timedelta

import orjson
from letters import heard, refused

AT = datetime(2024, 5, 1, 8, tzinfo=UTC)
FOLDER = "ada.zip:Takeout/Fit/All Data"


def point(kind, *values, minutes=10):
    begin = int(AT.timestamp()) * 10**9
    return {
        "dataTypeName": f"com.google.{kind}",
        "startTimeNanos": begin,
        "endTimeNanos": begin + minutes * 60 * 10**9,
        "originDataSourceId": f"raw:com.google.{kind}:com.app:Maker:Watch 3:",
        "fitValue": [{"value": v} for v in values],
    }


def stream(kind, *points, merged=":com.google.android.gms:merge_all"):
    said = {"Data Source": f"derived:com.google.{kind}{merged}", "Data Points": list(points)}
    return orjson.dumps(said)


def told(raw):
    arrived = heard(raw, f"{FOLDER}/x.json")
    return [(f.code.id, round(f.value, 2)) for a in arrived for f in a.facts]


def test_steps_last_and_name_their_device():
    raw = stream("step_count.delta", point("step_count.delta", {"intVal": 250}))
    (arrived,) = heard(raw, f"{FOLDER}/x.json")
    (fact,) = arrived.facts
    assert (fact.code.id, fact.value, fact.at, fact.until) == (
        "steps",
        250,
        AT,
        AT + timedelta(minutes=10),
    )
    assert fact.source == "Google Fit, com.app, Maker, Watch 3"
    assert (arrived.about, arrived.places) == ("google_fit|ada", ("Data Points[0].fitValue",))


def test_values_come_in_the_order_of_their_type():
    pressure = point("blood_pressure", {"fpVal": 121}, {"fpVal": 79}, {"intVal": 1}, minutes=0)
    assert told(stream("blood_pressure", pressure)) == [("systolic", 121), ("diastolic", 79)]
    glucose = point("blood_glucose", {"fpVal": 5.5}, minutes=0)
    assert told(stream("blood_glucose", glucose)) == [("glucose", 99.09)]


def test_a_stage_of_sleep_by_its_number():
    stages = [point("sleep.segment", {"intVal": n}, minutes=30) for n in (4, 5, 6, 1, 3)]
    assert told(stream("sleep.segment", *stages)) == [
        ("sleep_light", 30),
        ("sleep_deep", 30),
        ("sleep_rem", 30),
        ("sleep_awake", 30),
    ]


def test_a_stream_that_the_merged_one_repeats_is_counted_not_read():
    raw = stream(
        "step_count.delta", point("step_count.delta", {"intVal": 250}), merged=":com.app:raw"
    )
    (arrived,) = heard(raw, f"{FOLDER}/x.json")
    assert arrived.facts == ()
    assert "that others repeat" in arrived.kept


def test_a_session_is_exercise():
    said = {
        "fitnessActivity": "walking",
        "startTime": "2024-05-01T08:00:00.000Z",
        "endTime": "2024-05-01T08:40:00.000Z",
        "duration": "1800.000s",
    }
    (arrived,) = heard(orjson.dumps(said), "ada.zip:Takeout/Fit/All Sessions/x.json")
    (fact,) = arrived.facts
    assert (fact.code.id, fact.value, fact.says) == ("exercise", 30, "walking")


def test_the_sums_of_a_day_repeat_the_streams():
    (arrived,) = heard(
        b"Date,Step count\n2024-05-01,3\n", "ada.zip:Takeout/Fit/Daily activity metrics/a.csv"
    )
    assert arrived.kept == "Google Fit sums of a day (its streams are read)"


def test_a_point_that_is_wrong_is_refused_with_its_place():
    raw = stream(
        "heart_rate.bpm",
        {"dataTypeName": "com.google.heart_rate.bpm"},
        point("heart_rate.bpm", {"fpVal": 61}),
    )
    assert told(raw) == [("heart_rate", 61)]
    assert "Data Points[0]" in refused(heard(raw, f"{FOLDER}/x.json"))[0]


def test_health_connects_database_is_refused_with_the_reason():
    said = refused(heard(b"SQLite format 3\0" + b"\0" * 99, "health_connect_export.db"))[0]
    assert "a database of its own kind" in said
