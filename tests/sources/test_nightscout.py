"""Claims about Nightscout's collections: entries invented, shaped as the site writes them."""

from datetime import UTC, datetime, timedelta

import orjson
from letters import heard, refused, walked

AT = datetime(2024, 5, 1, 8, tzinfo=UTC)
MS = int(AT.timestamp() * 1000)


def sgv(value, minute=0, **more):
    said = {"_id": "a", "type": "sgv", "sgv": value, "date": MS + 60000 * minute, "device": "xDrip"}
    return said | {"dateString": "2024-05-01T08:00:00.000Z", "direction": "Flat"} | more


def treated(kind, minute=0, **more):
    at = (AT + timedelta(minutes=minute)).isoformat()
    return {"eventType": kind, "created_at": at, "enteredBy": "loop"} | more


def told(*entries):
    arrived = heard(orjson.dumps(list(entries)), "ada.json")
    return [(f.code.id, round(f.value, 3), f.says) for a in arrived for f in a.facts]


def test_a_sensor_value_is_milligrams_at_its_millisecond():
    (arrived,) = heard(orjson.dumps([sgv(124)]), "ada.json")
    (fact,) = arrived.facts
    assert (fact.code.id, fact.value, fact.at, fact.source) == ("glucose", 124, AT, "xDrip, sensor")
    assert (arrived.about, arrived.places) == ("nightscout|ada", ("[0].sgv",))


def test_low_high_and_noise_are_said():
    assert told(sgv(39), sgv(401, 5), sgv(120, 10, noise=4)) == [
        ("glucose", 39, "<"),
        ("glucose", 401, ">"),
        ("glucose", 120, "noisy signal"),
    ]


def test_a_fault_code_is_no_glucose():
    assert "fault code" in refused(heard(orjson.dumps([sgv(5)]), "ada.json"))[0]


def test_a_meal_bolus_is_insulin_and_carbohydrate():
    assert told(treated("Meal Bolus", insulin=3.5, carbs=45)) == [
        ("insulin_bolus", 3.5, "Meal Bolus"),
        ("carbohydrate", 45, "Meal Bolus"),
    ]


def test_a_temporary_rate_ends_when_the_next_is_set():
    # a loop sets half an hour anew every five minutes: 0.5 + 2.5 + 1.5 U/h never run together
    rates = [
        treated("Temp Basal", 10, absolute=1.5, duration=30),
        treated("Temp Basal", 5, rate=2.5, duration=30),
        treated("Temp Basal", 0, absolute="0.5", duration="30"),
    ]
    arrived = heard(orjson.dumps(rates), "ada.json")
    lasted = {f.value: (f.until - f.at) for a in arrived for f in a.facts}
    five, thirty = timedelta(minutes=5), timedelta(minutes=30)
    assert lasted == {0.5: five, 2.5: five, 1.5: thirty}


def test_the_end_of_a_temporary_rate_ends_the_one_before_it():
    rates = [
        treated("Temp Basal", 0, absolute=2, duration=60),
        treated("Temp Basal", 20, duration=0),
    ]
    arrived = heard(orjson.dumps(rates), "ada.json")
    (fact,) = arrived[0].facts
    assert fact.until - fact.at == timedelta(minutes=20)


def test_a_rate_in_percent_of_a_profile_that_is_not_here_is_counted():
    (arrived,) = heard(orjson.dumps([treated("Temp Basal", percent=-50, duration=60)]), "ada.json")
    assert arrived.kept == "Nightscout Temp Basal"


def test_a_combo_bolus_is_what_comes_at_once_and_what_comes_over_time():
    combo = treated("Combo Bolus", insulin=2, relative=1.5, duration=120)
    assert told(combo) == [("insulin_bolus", 2, "Combo Bolus"), ("insulin_bolus", 3, "extended")]


def test_a_finger_stick_counts_and_the_sensors_value_beside_a_meal_does_not():
    check = treated("BG Check", glucose=5.5, glucoseType="Finger", units="mmol")
    meal = treated("Meal Bolus", 5, carbs=10, glucose=140, glucoseType="Sensor")
    assert [(c, round(v)) for c, v, _ in told(check, meal)] == [
        ("glucose", 99),
        ("carbohydrate", 10),
    ]


def test_exercise_and_words():
    assert told(treated("Exercise", duration=40, notes="run"), treated("Note", notes="dizzy")) == [
        ("exercise", 40, "run"),
        ("note", 1, "dizzy"),
    ]


def test_a_loops_state_is_what_it_reckons_and_its_forecast_no_fact():
    state = {
        "device": "openaps://rig",
        "created_at": "2024-05-01T08:00:00Z",
        "openaps": {"iob": {"iob": 1.25}, "suggested": {"predBGs": {"IOB": [120, 118]}}},
    }
    assert told(state) == [("nightscout|insulin on board, as the loop reckons|U", 1.25, "")]


def test_what_is_not_understood_is_counted_by_kind():
    arrived = heard(orjson.dumps([treated("Site Change"), treated("Site Change")]), "ada.json")
    assert [a.kept for a in arrived] == ["Nightscout Site Change"] * 2


def test_a_profile_is_counted():
    profile = {"defaultProfile": "Default", "store": {"Default": {"basal": []}}}
    assert heard(orjson.dumps([profile]), "ada.json")[0].kept == "Nightscout profile"


def test_one_line_each_as_a_database_dumps_them():
    raw = b"\n".join(orjson.dumps(sgv(100 + n, n)) for n in range(3))
    assert [f.value for a in heard(raw, "ada.ndjson") for f in a.facts] == [100, 101, 102]


def test_a_broken_entry_costs_itself():
    raw = orjson.dumps([sgv(100), sgv(101, 5), sgv(102, 10)]).replace(b"101", b"NaN")
    arrived = heard(raw, "ada.json")
    assert [f.value for f in arrived[0].facts] == [100, 102]
    assert "its JSON is broken" in refused(arrived)[0]


def test_the_folder_names_the_person_where_every_file_is_called_alike(tmp_path):
    for person in ("ada", "bob"):
        (tmp_path / person).mkdir()
        (tmp_path / person / "entries.json").write_bytes(orjson.dumps([sgv(100)]))
        (tmp_path / person / "treatments.json").write_bytes(
            orjson.dumps([treated("Note", notes="x")])
        )
    assert [a.about for a in walked(tmp_path)] == ["nightscout|ada"] * 2 + ["nightscout|bob"] * 2


def test_a_file_that_names_nobody_is_nobodys():
    (arrived,) = heard(orjson.dumps([sgv(100)]), "entries.json")
    assert arrived.about is None
    (arrived,) = heard(orjson.dumps([sgv(100)]), "entries.json", about="fhir|ada")
    assert arrived.about == "fhir|ada"
