"""Claims about Open mHealth data points: shapes as openmhealth.org writes them, typed by hand."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from letters import heard, refused

from medtwin.sources.json_items import blocks
from medtwin.sources.json_shape import faults
from medtwin.sources.open_mhealth import recognises, schema, schemas
from medtwin.sources.source import given

MORNING = {"date_time": "2020-02-05T07:25:00-08:00"}
HOUR = {
    "time_interval": {
        "start_date_time": "2016-02-05T06:25:00Z",
        "end_date_time": "2016-02-05T07:25:00Z",
    }
}


def point(name, version, body, **header):
    return {
        "header": {
            "id": "123e4567-e89b-12d3-a456-426655440000",
            "creation_date_time": "2020-02-05T07:25:00Z",
            "schema_id": {"namespace": "omh", "name": name, "version": version},
            "acquisition_provenance": {"source_name": "Shimmer", "modality": "sensed"},
            "user_id": "ada",
            **header,
        },
        "body": body,
    }


def sent(*points):
    return orjson.dumps(list(points), option=orjson.OPT_INDENT_2)


def told(*points):
    return [(f.code.id, round(f.value, 3)) for a in heard(sent(*points)) for f in a.facts]


def measured(value, unit):
    return {"value": value, "unit": unit}


def test_a_heart_rate_is_read_at_its_own_offset_from_its_own_source():
    body = {"heart_rate": measured(67.5, "beats/min"), "effective_time_frame": MORNING}
    (arrived,) = heard(sent(point("heart-rate", "2.0", body)))
    (fact,) = arrived.facts
    assert (fact.code.id, fact.value, fact.source) == ("heart_rate", 67.5, "Shimmer")
    assert fact.at == datetime(2020, 2, 5, 15, 25, tzinfo=UTC)
    assert arrived.about == "open_mhealth|ada"
    assert arrived.places == ("body.heart_rate",)
    assert b'"heart_rate"' in arrived.original


def test_every_measure_arrives_in_our_unit():
    when = {"effective_time_frame": MORNING}
    pressure = {
        "systolic_blood_pressure": measured(160, "mmHg"),
        "diastolic_blood_pressure": measured(60, "mmHg"),
    }
    points = [
        point("blood-pressure", "3.0", pressure | when),
        point("body-weight", "2.0", {"body_weight": measured(115.5, "lb")} | when),
        point("body-temperature", "3.0", {"body_temperature": measured(97.7, "F")} | when),
        point("oxygen-saturation", "2.0", {"oxygen_saturation": measured(96.5, "%")} | when),
        point("blood-glucose", "3.0", {"blood_glucose": measured(5, "mmol/L")} | when),
        point("step-count", "1.0", {"step_count": 6000} | when),
    ]
    # 115.5 lb are 52.39 kg, 97.7 °F are 36.5 °C, 5 mmol/L of glucose are 90.078 mg/dL
    assert told(*points) == [
        ("systolic", 160),
        ("diastolic", 60),
        ("weight", 52.39),
        ("temperature", 36.5),
        ("spo2", 96.5),
        ("glucose", 90.078),
        ("steps", 6000),
    ]


def test_a_stretch_may_be_told_by_one_end_and_its_length():
    frame = {
        "time_interval": {
            "start_date_time": "2016-02-05T21:35:00Z",
            "duration": measured(9, "h"),
        }
    }
    body = {"effective_time_frame": frame, "total_sleep_time": measured(8.5, "h")}
    (arrived,) = heard(sent(point("sleep-episode", "1.1", body)))
    (fact,) = arrived.facts
    assert (fact.code.id, fact.value) == ("sleep", 510)
    assert fact.until - fact.at == timedelta(hours=9)


def test_an_activity_is_exercise_with_its_way_and_energy():
    body = {
        "activity_name": "walking",
        "distance": measured(3.1, "mi"),
        "kcal_burned": measured(160, "kcal"),
        "effective_time_frame": HOUR,
    }
    assert told(point("physical-activity", "1.2", body)) == [
        ("exercise", 60),
        ("distance", 4988.966),  # a mile is 1609.344 m
        ("energy_active", 160),
    ]


def test_a_maximum_over_a_day_is_no_reading():
    body = {
        "heart_rate": measured(150, "beats/min"),
        "effective_time_frame": HOUR,
        "descriptive_statistic": "maximum",
    }
    assert told(point("heart-rate", "2.0", body)) == [("open_mhealth|heart_rate|maximum", 150)]


def test_without_a_time_frame_version_1_means_when_it_was_made():
    (arrived,) = heard(sent(point("heart-rate", "1.0", {"heart_rate": measured(60, "beats/min")})))
    assert arrived.facts[0].at == datetime(2020, 2, 5, 7, 25, tzinfo=UTC)


BAD = [
    (
        {"heart_rate": measured(60, "beat/min")},
        "heart_rate.unit is 'beat/min'; allowed is beats/min",
    ),
    ({"heart_rate": measured("60", "beats/min")}, "heart_rate.value is '60'; allowed is number"),
    ({"heart_rate": {"unit": "beats/min"}}, "body.heart_rate.value is missing"),
    ({}, "body.heart_rate is missing"),
]


@pytest.mark.parametrize(("bad", "because"), BAD)
def test_a_body_not_as_its_schema_asks_is_refused_with_its_place(bad, because):
    frame = {"effective_time_frame": MORNING}
    arrived = heard(sent(point("heart-rate", "2.0", bad | frame)))
    assert because in refused(arrived)[0]
    assert arrived[0].refused[0].original


def test_a_time_without_an_offset_is_refused():
    body = {
        "heart_rate": measured(60, "beats/min"),
        "effective_time_frame": {"date_time": "2013-02-05T07:25:00"},
    }
    arrived = heard(sent(point("heart-rate", "2.0", body)))
    assert "allowed is a date and time with its offset" in refused(arrived)[0]


def test_a_newer_version_is_read_by_the_newest_we_have_of_its_kind():
    assert schema("omh/heart-rate", "2.9") == schemas()["omh/heart-rate-2.x"]
    assert schema("ieee/heart-rate", "1.0") == schemas()["omh/heart-rate-1.0"]


def test_a_body_that_comes_alone_is_known_by_its_measure():
    body = {"heart_rate": measured(67.5, "beats/min"), "effective_time_frame": MORNING}
    (arrived,) = heard(orjson.dumps(body), "ada.json")
    assert [(f.code.id, f.value) for f in arrived.facts] == [("heart_rate", 67.5)]
    wrong = {"heart_rate": measured(67.5, "beat/min"), "effective_time_frame": MORNING}
    assert "allowed is beats/min" in refused(heard(orjson.dumps(wrong), "ada.json"))[0]
    nothing = {"wishes": 3, "effective_time_frame": MORNING}
    assert "no measure in it" in refused(heard(orjson.dumps(nothing), "ada.json"))[0]


def test_what_has_no_line_here_is_kept_in_its_own_word_or_counted():
    light = point("illuminance", "1.0", {"x": measured(3, "lx"), "effective_time_frame": MORNING})
    posture = point("posture", "1.0", {"body_posture": "sitting", "effective_time_frame": MORNING})
    arrived = heard(sent(light, posture))
    assert [f.code.id for f in arrived[0].facts] == ["open_mhealth|x|lx"]
    assert arrived[1].kept == "Open mHealth posture"


def test_the_blocks_of_a_long_array_are_the_file_byte_for_byte():
    raw = sent(*[point("heart-rate", "2.0", {"n": i, "text": 'a "quoted" ]}'}) for i in range(99)])
    for size in (7, 1000, 1 << 20):
        parts = list(blocks(given("x", raw).open(), size))
        assert b"".join(p for p, _ in parts) == raw
        assert [i.said["body"]["n"] for _, items in parts for i in items] == list(range(99))


def test_an_array_cut_in_half_gives_what_is_whole():
    body = {"heart_rate": measured(67.5, "beats/min"), "effective_time_frame": MORNING}
    raw = sent(*[point("heart-rate", "2.0", body)] * 3)
    arrived = heard(raw[:-100])
    assert sum(len(a.facts) for a in arrived) == 2
    assert "breaks off in the middle" in refused(arrived)[0]


def test_fhir_is_not_taken_for_it():
    assert not recognises(given("x.json", b"").path, b'{"resourceType": "Bundle"}')


def test_the_outside_samples_are_accepted_or_refused_as_they_ask(shared):
    folder = shared / "conformance" / "openmhealth" / "test-data"
    wrong = []
    for path in sorted(folder.rglob("should*/*.json")):
        namespace, name, version, should = path.relative_to(folder).parts[:4]
        asks = schemas()[f"{namespace}/{name}-{version}"]
        found = list(faults(orjson.loads(path.read_bytes()), asks, schemas()))
        if bool(found) != (should == "shouldFail"):
            wrong.append((str(path.relative_to(folder)), found))
    assert wrong == []
