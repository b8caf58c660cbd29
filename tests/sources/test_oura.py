"""Claims about Oura's export: nights and days invented, fields as Oura describes them."""

from datetime import UTC, datetime, timedelta

import orjson
from letters import heard, refused

NIGHT = {
    "id": "a",
    "day": "2024-05-01",
    "bedtime_start": "2024-04-30T23:00:00+02:00",
    "bedtime_end": "2024-05-01T07:00:00+02:00",
    "total_sleep_duration": 27000,
    "average_breath": 13.5,
    "sleep_phase_5_min": "4221133",
    "heart_rate": {
        "interval": 300.0,
        "items": [52.0, None, 50.0],
        "timestamp": "2024-04-30T23:00:00+02:00",
    },
}
FIRST = {
    "summary_date": "2024-04-30",
    "bedtime_start": "2024-04-30T23:00:00+02:00",
    "bedtime_end": "2024-05-01T07:00:00+02:00",
    "total": 27000,
    "rmssd": 54,
    "temperature_delta": -0.06,
    "hypnogram_5min": "42",
    "hr_5min": [0, 52],
}


def told(said):
    arrived = heard(orjson.dumps(said), "ada.json")
    return [(f.code.id, round(f.value, 2)) for a in arrived for f in a.facts]


def test_a_night_as_a_whole_in_stages_and_beat_by_beat():
    (arrived,) = heard(orjson.dumps({"sleep": [NIGHT]}), "ada.json")
    assert told({"sleep": [NIGHT]}) == [
        ("sleep", 450),
        ("respiratory_rate", 13.5),
        ("sleep_awake", 5),
        ("sleep_light", 10),
        ("sleep_deep", 10),
        ("sleep_rem", 10),
        ("heart_rate", 52),
        ("heart_rate", 50),
    ]
    begun = datetime(2024, 4, 30, 21, tzinfo=UTC)
    assert arrived.facts[3].at == begun + timedelta(minutes=5)
    assert arrived.facts[7].at == begun + timedelta(minutes=10)
    assert arrived.places[6] == "sleep[0].heart_rate[0]"
    assert arrived.about == "oura|ada"


def test_the_first_interfaces_names_are_known_too():
    assert told({"sleep": [FIRST], "readiness": []}) == [
        ("sleep", 450),
        ("oura|hrv, RMSSD of a night|ms", 54),
        ("skin_temperature_change", -0.06),
        ("sleep_awake", 5),
        ("sleep_light", 5),
        ("heart_rate", 52),
    ]


def test_a_day_its_pulse_and_its_workout():
    said = {
        "daily_activity": [
            {"day": "2024-05-01", "steps": 8000, "active_calories": 400, "sedentary_met_minutes": 1}
        ],
        "heartrate": [{"bpm": 61, "source": "awake", "timestamp": "2024-05-01T08:00:00+00:00"}],
        "workout": [
            {
                "activity": "running",
                "start_datetime": "2024-05-01T18:00:00+02:00",
                "end_datetime": "2024-05-01T18:30:00+02:00",
            }
        ],
        "sleep": [NIGHT | {"sleep_phase_5_min": "", "heart_rate": None}],
    }
    assert told(said) == [
        ("steps", 8000),
        ("energy_active", 400),
        ("heart_rate", 61),
        ("exercise", 30),
        ("sleep", 450),
        ("respiratory_rate", 13.5),
    ]


def test_scores_are_counted_and_broken_entries_refused_by_themselves():
    said = {
        "readiness": [{"score": 80, "summary_date": "2024-05-01"}],
        "sleep": [{"bedtime_start": "then"}, NIGHT],
    }
    arrived = heard(orjson.dumps(said), "ada.json")
    assert "Oura readiness" in {a.kept for a in arrived}
    assert "sleep[0]" in refused(arrived)[0]
    assert len(arrived[0].facts) == 8
