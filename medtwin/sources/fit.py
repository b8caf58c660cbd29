"""FIT: the binary files of sports watches, bike computers, scales and cuffs (Garmin's format)."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.sources.readings import Block, Reading, minutes, own, whose
from medtwin.sources.source import Arrived, Options, Sent, Source, unread

BEGAN = datetime(1989, 12, 31, tzinfo=UTC)  # FIT counts its seconds from here
MEDIA = "application/vnd.ant.fit"
PULSE, BREATHS = ("heart_rate", codes.heart_rate, "/min"), codes.respiratory_rate
# Message, then field, code and unit; messages not here are counted.
FIELDS: dict[str, tuple[tuple[str, Code, str], ...]] = {
    "record": (
        PULSE,
        ("enhanced_respiration_rate", BREATHS, "/min"),
        ("respiration_rate", BREATHS, "/min"),
        ("core_temperature", codes.temperature, "Cel"),
    ),
    "weight_scale": (
        ("weight", codes.weight, "kg"),
        ("percent_fat", codes.body_fat, "%"),
        ("bmi", codes.body_mass_index, "kg/m2"),
    ),
    "blood_pressure": (
        ("systolic_pressure", codes.systolic, "mm[Hg]"),
        ("diastolic_pressure", codes.diastolic, "mm[Hg]"),
        ("mean_arterial_pressure", codes.mean_arterial, "mm[Hg]"),
        PULSE,
    ),
    "spo2_data": (("reading_spo2", codes.spo2, "%"),),
    "respiration_rate": (("respiration_rate", BREATHS, "/min"),),
    "stress_level": (("stress_level_value", own("fit", "stress level", "{score}"), "{score}"),),
    "max_met_data": (("vo2_max", codes.vo2_max, "mL/(kg.min)"),),
    "hrv_value": (("value", codes.hrv_rmssd, "ms"),),
    "hrv_status_summary": (
        ("last_night_average", own("fit", "hrv, last night's average", "ms"), "ms"),
    ),
    "monitoring_hr_data": (("resting_heart_rate", codes.resting_heart_rate, "/min"),),
    "user_profile": (
        ("weight", codes.weight, "kg"),
        ("height", codes.height, "m"),
        ("resting_heart_rate", codes.resting_heart_rate, "/min"),
    ),
}
TIMES = ("timestamp", "stress_level_time", "update_time", "start_time")
SLEEP = {
    "awake": codes.sleep_awake,
    "light": codes.sleep_light,
    "deep": codes.sleep_deep,
    "rem": codes.sleep_rem,
}
ON_FOOT = {"running", "walking", "hiking"}
NO_SERIAL = {0, 1, 1234, 12345, 0x7FFFFFFF, 0xFFFFFFFF}  # what software writes that has none
# Their number says nothing of the person: how a file is laid out and what device wrote it.
LAYOUT = {"file_id", "file_creator", "device_info", "field_description", "developer_data_id"}


@dataclass
class Tape:
    """What has to be remembered from message to message."""

    device: str = "FIT"
    serial: str = ""
    made: datetime | None = None
    last: datetime | None = None
    counted: dict[tuple[str, str], tuple[datetime, float]] = field(default_factory=dict)
    nights: list[tuple[str, datetime, str]] = field(default_factory=list)


def recognises(path: Path, head: bytes) -> bool:
    """`.FIT` stands at byte 8, after the header's size, versions and length."""
    return head[8:12] == b".FIT" and head[:1] in (b"\x0c", b"\x0e")


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """The whole file; of one that is cut or broken what was whole, and one refusal."""
    with what.open() as file:
        raw = file.read()
    block, tape = Block("", options.received), Tape()
    broken = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fitdecode warns of what it leaves out; we count it
        try:
            for number, message in enumerate(messages(raw)):
                told(block, tape, f"message {number}", message)
        except (Broken, ValueError) as why:
            broken = str(why)
    nights(block, tape)
    block.whose = whose("fit", what, options, "" if options.about else tape.serial)
    if broken and not block.facts and not block.kept:
        then = "copy it from the device again"
        yield unread(what, f"it is no FIT file we can read ({broken})", then, raw)
        return
    if broken:
        because = f"it breaks off or is damaged ({broken}); what was whole before it is kept"
        block.refuse(what.path.name, because, "copy it from the device again")
    yield from block.arrived(raw, MEDIA, what.name, "FIT file")


class Broken(ValueError):
    """The file does not go on as FIT does."""


def messages(raw: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each data message: its name, and what is filled. Raises `Broken`."""
    from fitdecode import (
        CrcCheck,
        ErrorHandling,
        FitCRC,
        FitDataMessage,
        FitReader,
    )

    with FitReader(raw, check_crc=CrcCheck.READONLY, error_handling=ErrorHandling.IGNORE) as frames:
        try:
            for frame in frames:
                if isinstance(frame, FitDataMessage):
                    yield frame.name, {f.name: f.value for f in frame.fields if f.value is not None}
                elif isinstance(frame, FitCRC) and not frame.matched:
                    raise Broken("its checksum does not fit: some value may be wrong")
        except Broken:
            raise
        except Exception as why:  # it raises of every kind, assertions too
            raise Broken(f"{type(why).__name__} {why}".strip()) from why


def told(block: Block, tape: Tape, place: str, message: tuple[str, dict[str, Any]]) -> None:
    """The readings of one message."""
    name, said = message
    if name == "file_id":
        _device(tape, said)
    at = next((said[t] for t in TIMES if isinstance(said.get(t), datetime)), None)
    tape.last = at or tape.last
    before = len(block.facts) + len(block.refused)
    if name in FIELDS:
        _fields(block, tape, f"{place}, {name}", said, FIELDS[name], at or tape.made)
    elif name == "session":
        _session(block, tape, place, said)
    elif name == "monitoring":
        _monitoring(block, tape, place, said)
    elif name == "hrv":
        _beats(block, tape, place, said)
    elif name == "sleep_level" and at:
        tape.nights.append((place, at, str(said.get("sleep_level"))))
        return
    if len(block.facts) + len(block.refused) == before and name not in LAYOUT:
        block.keep(f"FIT {name}")


def _device(tape: Tape, said: dict[str, Any]) -> None:
    product = said.get("garmin_product") or said.get("product_name") or said.get("product") or ""
    tape.device = f"{said.get('manufacturer', 'FIT')} {product}".strip()
    serial = said.get("serial_number")
    telling = isinstance(serial, int) and serial not in NO_SERIAL
    tape.serial = tape.serial or (f"{tape.device} {serial}" if telling else "")
    made = said.get("time_created")
    tape.made = made if isinstance(made, datetime) else None


def _fields(
    block: Block,
    tape: Tape,
    place: str,
    said: dict[str, Any],
    wanted: tuple[tuple[str, Code, str], ...],
    at: datetime | None,
) -> None:
    seen = set()
    for name, code, unit in wanted:
        value = said.get(name)
        # 0 is what devices write while the strap has no contact, or nobody entered a weight.
        if at is None or not isinstance(value, int | float) or value <= 0 or code.id in seen:
            continue
        seen.add(code.id)
        block.take(Reading(f"{place}.{name}", at, code, value, unit, tape.device))


def _session(block: Block, tape: Tape, place: str, said: dict[str, Any]) -> None:
    begin, lasts = said.get("start_time"), said.get("total_elapsed_time")
    if not isinstance(begin, datetime) or not isinstance(lasts, int | float):
        return
    end, sport = begin + timedelta(seconds=lasts), str(said.get("sport", ""))
    moved = said.get("total_timer_time", lasts) / 60
    way = codes.distance if sport in ON_FOOT else own("fit", f"distance, {sport or 'moved'}", "m")
    by = f"{tape.device}, activity"
    for name, code, value, unit in (
        ("total_timer_time", codes.exercise, moved, "min"),
        ("total_distance", way, said.get("total_distance"), "m"),
        ("total_calories", codes.energy_active, said.get("total_calories"), "kcal"),
    ):
        if isinstance(value, int | float) and value > 0:
            block.take(
                Reading(f"{place}, session.{name}", begin, code, value, unit, by, end, sport)
            )


def _monitoring(block: Block, tape: Tape, place: str, said: dict[str, Any]) -> None:
    """All-day counts: they run up from midnight for each kind of activity; what is new counts."""
    at = said.get("timestamp")
    if not isinstance(at, datetime):
        at = _short(tape, said.get("timestamp_16"))
    if at is None:
        return
    tape.last = at
    if said.get("heart_rate"):
        pulse = said["heart_rate"]
        place_of = f"{place}, monitoring.heart_rate"
        block.take(Reading(place_of, at, codes.heart_rate, pulse, "/min", tape.device))
    activity = str(said.get("activity_type", ""))
    for name, code, unit in (
        ("steps", codes.steps, "{steps}"),
        ("active_calories", codes.energy_active, "kcal"),
    ):
        total = said.get(name)
        if not isinstance(total, int | float):
            continue
        since, before = tape.counted.get((name, activity), (at, 0.0))
        tape.counted[name, activity] = (at, total)
        new = total - before if total >= before else total  # midnight came, it began anew
        if new > 0:
            by = f"{tape.device}, all day"
            block.take(Reading(f"{place}, monitoring.{name}", since, code, new, unit, by, at))


def _short(tape: Tape, low: Any) -> datetime | None:
    """A time told by its last 16 bits, after the last full one."""
    if tape.last is None or not isinstance(low, int):
        return None
    last = int((tape.last - BEGAN).total_seconds())
    return BEGAN + timedelta(seconds=last + ((low - last) & 0xFFFF))


def _beats(block: Block, tape: Tape, place: str, said: dict[str, Any]) -> None:
    """Beat to beat intervals, in seconds, after the record before them."""
    told = said.get("time")
    if tape.last is None or told is None:
        return
    after = 0.0
    for number, seconds in enumerate(told if isinstance(told, tuple | list) else (told,)):
        if not isinstance(seconds, int | float) or seconds <= 0:
            continue
        after += seconds
        at = tape.last + timedelta(seconds=after)
        where = f"{place}, hrv.time[{number}]"
        block.take(Reading(where, at, codes.rr_interval, 1000 * seconds, "ms", tape.device))


def nights(block: Block, tape: Tape) -> None:
    """Each stage of sleep lasts until the next is told; how long the last did, nobody says."""
    for (place, at, stage), (_, until, _) in pairwise(tape.nights):
        code = SLEEP.get(stage)
        if code is None or until <= at:
            block.keep("FIT sleep_level")
            continue
        lasts = minutes(at, until)
        block.take(Reading(f"{place}, sleep_level", at, code, lasts, "min", tape.device, until))


source = Source(
    "FIT file",
    "Garmin FIT protocol and global profile, through fitdecode",
    (".fit",),
    recognises,
    read,
)
