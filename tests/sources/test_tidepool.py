"""Claims about Tidepool's export: data invented, shaped as its data model says."""

from datetime import UTC, datetime, timedelta

import orjson
from letters import heard, refused

AT = datetime(2024, 5, 1, 8, tzinfo=UTC)


def datum(kind, **more):
    said = {"type": kind, "time": "2024-05-01T08:00:00.000Z", "deviceId": "InsOmn-1", "id": "x"}
    return said | {"uploadId": "u1", "timezoneOffset": 120} | more


def told(*data):
    arrived = heard(orjson.dumps(list(data)), "ada.json")
    return [(f.code.id, round(f.value, 2), f.says) for a in arrived for f in a.facts]


def test_glucose_of_sensor_and_meter_in_their_units():
    sensor = datum("cbg", value=5.5, units="mmol/L")
    meter = datum("smbg", value=104, units="mg/dL")
    (arrived,) = heard(orjson.dumps([sensor, meter]), "ada.json")
    assert [(round(f.value, 1), f.source) for f in arrived.facts] == [
        (99.1, "InsOmn-1, sensor"),
        (104, "InsOmn-1, meter"),
    ]
    assert arrived.facts[0].at == AT
    assert arrived.places == ("[0].value", "[1].value")
    assert arrived.about == "tidepool|ada"


def test_the_end_of_the_sensors_range_is_said():
    low = [{"code": "bg/out-of-range", "threshold": 40, "value": "low"}]
    assert told(datum("cbg", value=39, units="mg/dL", annotations=low)) == [("glucose", 39, "<")]


def test_a_bolus_at_once_over_time_and_both():
    both = datum("bolus", subType="dual/square", normal=2, extended=3, duration=7_200_000)
    (arrived,) = heard(orjson.dumps([both]), "ada.json")
    now, later = arrived.facts
    assert (now.value, now.until) == (2, None)
    assert (later.value, later.until - later.at) == (3, timedelta(hours=2))


def test_a_basal_rate_runs_as_long_as_it_ran_and_a_stopped_pump_gives_nothing():
    some = [
        datum("basal", deliveryType="scheduled", rate=0.85, duration=3_600_000),
        datum("basal", deliveryType="suspend", duration=600_000),
    ]
    (arrived,) = heard(orjson.dumps(some), "ada.json")
    assert [(f.value, f.says, f.until - f.at) for f in arrived.facts] == [
        (0.85, "scheduled", timedelta(hours=1)),
        (0, "suspend", timedelta(minutes=10)),
    ]


def test_food_wizard_pen_ketones_and_exercise():
    some = [
        datum("wizard", carbInput=45, carbUnits="grams"),
        datum("food", nutrition={"carbohydrate": {"net": 30, "units": "grams"}}),
        datum("insulin", dose={"total": 14, "units": "Units"},
              formulation={"simple": {"actingType": "long"}}),
        datum("bloodKetone", value=0.4, units="mmol/L"),
        datum("physicalActivity", duration={"units": "seconds", "value": 1800}, name="Walking"),
    ]  # fmt: skip
    assert told(*some) == [
        ("carbohydrate", 45, ""),
        ("carbohydrate", 30, ""),
        ("insulin_long", 14, ""),
        ("ketone", 0.4, ""),
        ("exercise", 30, "Walking"),
    ]


def test_carbohydrate_in_exchanges_is_not_guessed():
    arrived = heard(orjson.dumps([datum("wizard", carbInput=3, carbUnits="exchanges")]), "ada.json")
    assert "allowed is grams" in refused(arrived)[0]


def test_settings_and_events_are_counted_by_kind():
    some = [datum("pumpSettings"), datum("deviceEvent", subType="reservoirChange")]
    arrived = heard(orjson.dumps(some), "ada.json")
    assert [a.kept for a in arrived] == [
        "Tidepool pumpSettings",
        "Tidepool deviceEvent reservoirChange",
    ]


def test_a_datum_without_its_number_is_refused_and_the_rest_read():
    arrived = heard(
        orjson.dumps([datum("cbg", units="mmol/L"), datum("smbg", value=100, units="mg/dL")]),
        "ada.json",
    )
    assert "not understood ('value')" in refused(arrived)[0]
    assert [f.value for f in arrived[0].facts] == [100]


def test_tidepools_number_of_a_person_names_them():
    one = datum("cbg", value=100, units="mg/dL", _userId="abc123")
    assert heard(orjson.dumps([one]), "TidepoolExport.json")[0].about == "tidepool|abc123"
    nobody = datum("cbg", value=100, units="mg/dL")
    assert heard(orjson.dumps([nobody]), "TidepoolExport.json")[0].about is None
