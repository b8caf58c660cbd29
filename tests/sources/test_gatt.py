"""Claims about Bluetooth payloads: bytes put together by hand from the SIG's tables."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from letters import heard, refused

from medtwin.sources.gatt_payloads import Payload, decoded


def line(characteristic, payload, at="2024-05-01T08:00:00+02:00", **more):
    said = {"characteristic": characteristic, "hex": payload, "at": at, "device": "belt"}
    return orjson.dumps(said | more) + b"\n"


def told(characteristic, payload):
    (arrived, *_) = heard(line(characteristic, payload), "notes.jsonl")
    return [(f.code.id, round(f.value, 3), f.says) for f in arrived.facts]


# IEEE 11073-20601: mantissa 12 bits, exponent 4 bits, base 10
@pytest.mark.parametrize(
    ("raw", "value"),
    [("7200", 114), ("6df1", 36.5), ("64f0", 10), ("0010", 0), ("e8f3", 100), ("ffff", -0.1)],
)
def test_a_medical_float_of_sixteen_bits(raw, value):
    assert Payload(bytes.fromhex(raw)).medfloat16() == pytest.approx(value)


def test_a_medical_float_of_thirty_two_bits():
    # 0xFF00016C: 364 x 10^-1, the thermometer example of the health thermometer profile
    assert Payload(bytes.fromhex("6c0100ff")).medfloat32() == pytest.approx(36.4)


def test_a_pulse_in_one_byte_or_two():
    assert told("2A37", "0648") == [("heart_rate", 72, "")]
    assert told("0x2a37", "014800") == [("heart_rate", 72, "")]
    assert told("00002a37-0000-1000-8000-00805f9b34fb", "0048") == [("heart_rate", 72, "")]


def test_a_belt_without_skin_says_so():
    assert told("2A37", "0448") == [("heart_rate", 72, "no skin contact")]


def test_beats_stand_where_they_ended():
    (arrived,) = heard(line("2A37", "10480004" + "0002"), "notes.jsonl")
    pulse, first, second = arrived.facts
    assert (first.value, second.value) == (1000, 500)  # 1024 and 512 of 1/1024 s
    assert first.at == pulse.at - timedelta(milliseconds=500)
    assert second.at == pulse.at


def test_energy_and_beats_follow_the_pulse():
    # flags 0x18: energy in kJ, then intervals
    (energy,) = [r for r in told("2A37", "1848" + "e803" + "0004") if "energy" in r[0]]
    assert energy[1] == 1000


def test_glucose_in_moles_by_the_sensors_clock_and_its_shift():
    # flags 0x07: time offset, concentration with type, mol/L; 2024-05-01 07:30:00, +15 min
    # 55 x 10^-4 mol/L is 5.5 mmol/L; type 1, finger
    payload = "07" + "0100" + "e807" + "0501071e00" + "0f00" + "37c0" + "11"
    (arrived,) = heard(line("2A18", payload), "notes.jsonl")
    (fact,) = arrived.facts
    assert round(fact.value, 1) == 99.1
    assert fact.at == datetime(2024, 5, 1, 5, 45, tzinfo=UTC)
    assert fact.says == "capillary whole blood"


def test_glucose_in_kilograms_a_litre():
    # 120 x 10^-5 kg/L is 120 mg/dL; flags 0x0A: with the sensor's status, here sample too small
    payload = "0a" + "0100" + "e8070501071e00" + "78b0" + "11" + "0400"
    assert told("2A18", payload) == [
        ("glucose", 120, "capillary whole blood, sample too small"),
    ]


def test_control_solution_is_nobodys_glucose():
    payload = "02" + "0100" + "e8070501071e00" + "78b0" + "1a"
    assert [r[0] for r in told("2A18", payload)] == ["gatt|glucose of control solution|mg/dL"]


def test_blood_pressure_in_millimetres_with_pulse_and_trouble():
    # flags 0x16: time, pulse, status; 120 / 80, mean 93; pulse 64; irregular pulse
    payload = "16" + "7800" + "5000" + "5d00" + "e8070501080000" + "4000" + "0400"
    assert told("2A35", payload) == [
        ("systolic", 120, "irregular pulse"),
        ("diastolic", 80, "irregular pulse"),
        ("mean_arterial", 93, "irregular pulse"),
        ("heart_rate", 64, "irregular pulse"),
    ]


def test_blood_pressure_in_kilopascal():
    # 16.0 and 10.6 kPa are 120.0 and 79.5 mmHg; the mean is not told (NaN, 0x07FF)
    arrived = heard(line("2A35", "01" + "a0f0" + "6af0" + "ff07"), "notes.jsonl")
    values = [(f.code.id, round(f.value, 1)) for f in arrived[0].facts]
    assert values == [("systolic", 120.0), ("diastolic", 79.5)]
    assert [a.kept for a in arrived[1:]] == ["Bluetooth mean arterial pressure without a value"]


def test_weight_in_kilograms_with_index_and_height():
    # 14300 x 0.005 kg, index 22.5, height 1.784 m
    assert told("2A9D", "08" + "dc37" + "e100" + "f806") == [
        ("weight", 71.5, ""),
        ("body_mass_index", 22.5, ""),
        ("height", 178.4, ""),
    ]


def test_weight_in_pounds_by_the_scales_clock():
    (arrived,) = heard(line("2A9D", "03" + "983a" + "e8070501060000"), "notes.jsonl")
    assert round(arrived.facts[0].value, 3) == 68.039  # 150 lb
    assert arrived.facts[0].at == datetime(2024, 5, 1, 4, tzinfo=UTC)


def test_an_oximeter_at_one_moment_and_moment_by_moment():
    assert told("2A5E", "00" + "6100" + "4000") == [("spo2", 97, ""), ("heart_rate", 64, "")]
    # continuous, with the fast average, a status and the pulse amplitude: 5.2 %
    payload = "15" + "6100" + "4000" + "6000" + "4100" + "0040" + "34f0"
    assert told("2A5F", payload) == [
        ("spo2", 97, "questionable"),
        ("heart_rate", 64, "questionable"),
        ("perfusion_index", 5.2, ""),
    ]


def test_a_thermometer_says_where():
    assert told("2A1C", "04" + "6c0100ff" + "03") == [("temperature", 36.4, "ear")]


BAD = [
    ("2A37", "", "it has 0 bytes; its flags ask for 1 and more"),
    ("2A18", "07010000", "its flags ask for"),
    ("2A37", "064800", "1 bytes are left over"),
    ("2A9D", "02dc37e8070d01060000", "its clock reads"),
    ("2A37", "zz", "no notification we can read"),
]


@pytest.mark.parametrize(("characteristic", "payload", "because"), BAD)
def test_a_payload_that_is_wrong_is_refused_and_the_next_is_read(characteristic, payload, because):
    arrived = heard(line(characteristic, payload) + line("2A37", "0648"), "notes.jsonl")
    assert because in refused(arrived)[0]
    assert [f.value for a in arrived for f in a.facts] == [72]


def test_a_characteristic_we_do_not_know_is_counted():
    assert heard(line("2A19", "64"), "notes.jsonl")[0].kept == "Bluetooth characteristic 2A19"


def test_a_line_names_its_person():
    (arrived,) = heard(line("2A37", "0648", person="ada"), "notes.jsonl")
    assert (arrived.about, arrived.facts[0].source) == ("gatt|ada", "belt")


def test_decoders_need_no_file():
    (said,) = decoded(0x2A37, bytes.fromhex("0648"))
    assert (said.value, said.unit) == (72, "/min")
