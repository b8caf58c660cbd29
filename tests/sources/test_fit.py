"""Claims about FIT files: written here byte by byte, as the protocol's description says."""

import struct
from datetime import UTC, datetime, timedelta

from letters import heard, refused

EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
T = int((NOON - EPOCH).total_seconds())
# field: number, size in bytes, base type (FIT protocol, table of base types)
ENUM, U8, U16, U32, U32Z = 0x00, 0x02, 0x84, 0x86, 0x8C
SIZE = {ENUM: "B", U8: "B", U16: "H", U32: "I", U32Z: "I"}
FILE_ID, RECORD, SESSION, SCALE, PRESSURE, MONITORING, HRV, SLEEP = 0, 20, 18, 30, 51, 55, 78, 275


def crc(raw):
    table = [0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401]
    table += [0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400]
    value = 0
    for byte in raw:
        for nibble in (byte & 0xF, byte >> 4):
            value = (value >> 4) & 0x0FFF ^ table[value & 0xF] ^ table[nibble]
    return value


def message(number, *fields):
    """A definition and one data message; each field is (number, base type, value)."""
    definition = struct.pack("<BBBHB", 0x40, 0, 0, number, len(fields))
    for field, base, _ in fields:
        definition += struct.pack("BBB", field, struct.calcsize(SIZE[base]), base)
    return definition + b"\0" + b"".join(struct.pack("<" + SIZE[b], v) for _, b, v in fields)


def file(*parts):
    made = (4, U32, T)
    data = message(FILE_ID, (0, ENUM, 4), (1, U16, 1), (3, U32Z, 99887766), made) + b"".join(parts)
    head = struct.pack("<BBHI4s", 14, 0x10, 2132, len(data), b".FIT")
    head += struct.pack("<H", crc(head))
    return head + data + struct.pack("<H", crc(head + data))


def at(seconds):
    return (253, U32, T + seconds)


def pulse(seconds, beats):
    return message(RECORD, at(seconds), (3, U8, beats))


def told(raw):
    return [(f.code.id, round(f.value, 4)) for a in heard(raw, "a.fit") for f in a.facts]


def test_a_pulse_is_read_at_its_second_from_its_device():
    (arrived,) = heard(file(pulse(0, 61), pulse(1, 62)), "a.fit")
    assert [f.value for f in arrived.facts] == [61, 62]
    assert arrived.facts[1].at == NOON + timedelta(seconds=1)
    assert arrived.facts[0].source == "garmin"
    assert arrived.about == "fit|garmin 99887766"
    assert arrived.places == ("message 1, record.heart_rate", "message 2, record.heart_rate")


def test_a_pulse_of_nought_is_a_strap_without_contact():
    arrived = heard(file(pulse(0, 0)), "a.fit")
    assert [a.kept for a in arrived] == ["FIT record"]


def test_a_session_is_exercise_with_way_and_energy():
    run = message(
        SESSION,
        at(3600),
        (2, U32, T),
        (7, U32, 1_800_000),  # elapsed, ms
        (8, U32, 1_740_000),  # moving, ms
        (9, U32, 500_000),  # cm
        (11, U16, 300),  # kcal
        (5, ENUM, 1),  # running
    )
    assert told(file(run)) == [("exercise", 29), ("distance", 5000), ("energy_active", 300)]
    (arrived,) = heard(file(run), "a.fit")
    assert arrived.facts[0].until - arrived.facts[0].at == timedelta(minutes=30)
    assert arrived.facts[0].says == "running"


def test_a_scale_and_a_cuff_are_read_in_their_units():
    scale = message(SCALE, at(0), (0, U16, 7150), (1, U16, 2210))
    cuff = message(PRESSURE, at(0), (0, U16, 121), (1, U16, 79), (6, U8, 64))
    assert told(file(scale, cuff)) == [
        ("weight", 71.5),
        ("body_fat", 22.1),
        ("systolic", 121),
        ("diastolic", 79),
        ("heart_rate", 64),
    ]


def count(seconds, steps):
    walking = 6
    return message(MONITORING, at(seconds), (3, U32, steps), (5, ENUM, walking))


def test_all_day_steps_run_up_from_midnight_and_only_the_new_ones_count():
    day = [count(0, 100), count(60, 150), count(120, 150), count(180, 20)]
    assert told(file(*day)) == [("steps", 100), ("steps", 50), ("steps", 20)]


def test_a_time_told_by_sixteen_bits_follows_the_last_full_one():
    full = message(MONITORING, at(0), (3, U32, 10), (5, ENUM, 6))
    short = message(MONITORING, (26, U16, (T + 70) & 0xFFFF), (27, U8, 58))
    facts = [f for a in heard(file(full, short), "a.fit") for f in a.facts]
    assert (facts[-1].code.id, facts[-1].at) == ("heart_rate", NOON + timedelta(seconds=70))


def test_beats_follow_the_record_before_them():
    facts = [
        f
        for a in heard(file(pulse(0, 60), message(HRV, (0, U16, 824))), "a.fit")
        for f in a.facts
        if f.code.id == "rr_interval"
    ]
    assert [(f.value, f.at - NOON) for f in facts] == [(824, timedelta(seconds=0.824))]


def test_a_stage_of_sleep_lasts_until_the_next():
    deep, light = 3, 2
    night = [message(SLEEP, at(60 * m), (0, ENUM, s)) for m, s in ((0, deep), (45, light), (60, 1))]
    assert told(file(*night)) == [("sleep_deep", 45), ("sleep_light", 15)]


def test_a_file_cut_in_half_gives_what_was_whole_and_one_refusal():
    whole = file(*(pulse(i, 60 + i) for i in range(40)))
    arrived = heard(whole[: len(whole) // 2], "a.fit")
    assert 10 < len(arrived[0].facts) < 25
    (refusal,) = arrived[0].refused
    assert "what was whole before it is kept" in refusal.because
    assert arrived[0].original == whole[: len(whole) // 2]


def test_a_checksum_that_does_not_fit_is_said():
    spoilt = file(pulse(0, 60))[:-1] + b"\xff"
    assert "checksum" in refused(heard(spoilt, "a.fit"))[0]


def test_a_file_that_only_says_it_is_fit_is_refused_with_its_bytes():
    (arrived,) = heard(b"\x0e\x10\x54\x08\xff\xff\xff\x7f.FIT" + b"\xff" * 40, "a.fit")
    assert "no FIT file we can read" in arrived.refused[0].because
    assert arrived.refused[0].original


def test_the_outside_samples_are_read_or_refused_for_the_right_reason(shared):
    cut = {"activity-settings-nodata.fit", "activity-unexpected-eof.fit"}
    cut |= {"strava-android-app-201.10-b1218918.fit"}
    names = set()
    for path in sorted((shared / "conformance" / "fit-samples").glob("*.[fF][iI][tT]")):
        if path.stat().st_size > 110_000:  # evidence/conformance reads the long ones too
            continue
        arrived = heard(path.read_bytes(), path.name)
        names.add(path.name)
        assert bool(refused(arrived)) == (path.name in cut), path.name
        assert any(a.facts or a.kept for a in arrived), path.name
        assert not any("tripped" in because for because in refused(arrived))
        if path.name == "sample-activity.fit":  # 3,098 records, each with a pulse
            assert sum(f.code.id == "heart_rate" for f in arrived[0].facts) == 3098
    assert len(names) == 17
