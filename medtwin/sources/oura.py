"""Oura: the ring's nights and days, as exported JSON, of its first and second interface.

Fields: Oura's descriptions of both interfaces (cloud.ouraring.com); the export files are their
collections side by side.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.sources.readings import Block, Reading, known_as, minutes, moment, number, own, part
from medtwin.sources.source import Arrived, Options, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

BY, DAY, FIVE = "Oura", timedelta(days=1), timedelta(minutes=5)
COMMON = {"oura", "oura_data", "data", "sleep", "activity", "readiness", "heartrate", "export"}
WORDS = (b'"bedtime_start"', b'"readiness"', b'"sleep_phase_5_min"', b'"hypnogram_5min"')
DAILY = (b'"spo2_percentage"', b'"breathing_disturbance_index"', b'"sedentary_met_minutes"')
STAGES = {"1": codes.sleep_deep, "2": codes.sleep_light, "3": codes.sleep_rem}
STAGES |= {"4": codes.sleep_awake}
# Nights: names of both interfaces, code, unit.
NIGHT: tuple[tuple[tuple[str, ...], Code, str], ...] = (
    (("total_sleep_duration", "total"), codes.sleep, "s"),
    (("time_in_bed", "duration"), codes.sleep_in_bed, "s"),
    (("average_breath", "breath_average"), codes.respiratory_rate, "/min"),
    (
        ("average_heart_rate", "hr_average"),
        own("oura", "heart rate, average of a night", "/min"),
        "/min",
    ),
    (
        ("lowest_heart_rate", "hr_lowest"),
        own("oura", "heart rate, lowest of a night", "/min"),
        "/min",
    ),
    (("average_hrv", "rmssd"), own("oura", "hrv, RMSSD of a night", "ms"), "ms"),
    (("temperature_delta",), codes.skin_temperature_change, "K"),
)
DAYS: tuple[tuple[str, Code, str], ...] = (
    ("steps", codes.steps, "{steps}"),
    ("active_calories", codes.energy_active, "kcal"),
    ("cal_active", codes.energy_active, "kcal"),
    ("total_calories", codes.energy, "kcal"),
    ("cal_total", codes.energy, "kcal"),
    ("vo2_max", codes.vo2_max, "mL/(kg.min)"),
    ("temperature_deviation", codes.skin_temperature_change, "K"),
)


def recognises(path: Path, head: bytes) -> bool:
    """JSON with a night's fields, or the ring's days."""
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
        return False
    pulse = b'"bpm"' in head and b'"timestamp"' in head and b'"source"' in head
    days = b'"day"' in head and any(w in head for w in DAILY)
    return b'"resourceType"' not in head and (any(w in head for w in WORDS) or days or pulse)


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """The whole export, which is one person's."""
    with what.open() as file:
        raw = file.read()
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError as why:
        yield unread(what, f"its JSON is broken ({why})", "export it again", raw)
        return
    block = Block(known_as("oura", what, options, COMMON), options.received)
    zone = zone_or_none(options.zone)
    for place, one in entries(said, ""):
        try:
            found = list(readings(place, one, zone))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as why:
            block.refuse(place, f"it is not understood ({why})", "export it again")
            continue
        for reading in found:
            block.take(reading)
        if not found:
            block.keep(f"Oura {place.partition('[')[0] or 'entry'}")
    yield from block.arrived(raw, "application/json", what.name, "Oura export")


def entries(said: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in the lists of the export, with its place."""
    if isinstance(said, list):
        for number_, one in enumerate(said):
            if isinstance(one, dict):
                yield f"{place}[{number_}]", one
    elif isinstance(said, dict):
        if any(isinstance(v, list) and v and isinstance(v[0], dict) for v in said.values()):
            for name, inner in said.items():
                yield from entries(inner, f"{place}.{name}".lstrip("."))
        elif any(k in said for k in ("bedtime_start", "bpm", "day", "summary_date")):
            yield place or "entry", said


def readings(place: str, one: dict[str, Any], zone: tzinfo | None) -> Iterator[Reading]:
    """What a night, a pulse, a workout or a day says."""
    if "bedtime_start" in one:
        yield from night(place, one, zone)
    elif "bpm" in one:
        at = moment(one["timestamp"], zone)
        says = str(one.get("source") or "")
        yield Reading(f"{place}.bpm", at, codes.heart_rate, one["bpm"], "/min", BY, None, says)
    elif "start_datetime" in one and "end_datetime" in one:
        at, until = (moment(one[k], zone) for k in ("start_datetime", "end_datetime"))
        words, by = str(one.get("activity") or one.get("type") or ""), f"{BY}, activity"
        if one.get("activity"):
            lasts = minutes(at, until)
            yield Reading(place, at, codes.exercise, lasts, "min", by, until, words)
    else:
        yield from day(place, one, zone)


def night(place: str, one: dict[str, Any], zone: tzinfo | None) -> Iterator[Reading]:
    """A night as a whole, its stages, its pulse and variability every five minutes."""
    at, until = (moment(one[k], zone) for k in ("bedtime_start", "bedtime_end"))
    for names, code, unit in NIGHT:
        name = next((n for n in names if number(one.get(n)) is not None), None)
        if name is not None:
            yield Reading(f"{place}.{name}", at, code, one[name], unit, BY, until)
    name = "sleep_phase_5_min" if "sleep_phase_5_min" in one else "hypnogram_5min"
    begins = at
    for stage, run in groupby(str(one.get(name) or "")):
        ends = begins + FIVE * len(list(run))
        if stage in STAGES:
            lasts = minutes(begins, ends)
            where = f"{place}.{name}"
            yield Reading(where, begins, STAGES[stage], lasts, "min", BY, ends)
        begins = ends
    yield from _every(place, one, at, zone)


def _every(place: str, one: dict[str, Any], at: datetime, zone: tzinfo | None) -> Iterator[Reading]:
    for name, code, unit in (
        ("heart_rate", codes.heart_rate, "/min"),
        ("hr_5min", codes.heart_rate, "/min"),
        ("hrv", codes.hrv_rmssd, "ms"),
        ("rmssd_5min", codes.hrv_rmssd, "ms"),
    ):
        said = one.get(name)
        items = said if isinstance(said, list) else part(said, "items") or ()
        begun = part(said, "timestamp")
        first = moment(begun, zone) if begun else at
        apart = timedelta(seconds=number(part(said, "interval")) or 300)
        for number_, value in enumerate(items):
            if value:  # 0 and null are no reading
                where = f"{place}.{name}[{number_}]"
                yield Reading(where, first + number_ * apart, code, value, unit, BY)


def day(place: str, one: dict[str, Any], zone: tzinfo | None) -> Iterator[Reading]:
    """What a whole day came to."""
    begins = one.get("day_start") or one.get("day") or one.get("summary_date")
    if not begins:
        return
    at = moment(str(begins), zone)
    for name, code, unit in DAYS:
        value = number(one.get(name))
        if value is not None:
            yield Reading(f"{place}.{name}", at, code, value, unit, BY, at + DAY)
    oxygen = number(part(one, "spo2_percentage", "average"))
    if oxygen:
        code = own("oura", "SpO2, average of a night", "%")
        yield Reading(f"{place}.spo2_percentage", at, code, oxygen, "%", BY, at + DAY)


source = Source(
    "Oura export",
    "Oura's descriptions of its interfaces, versions 1 and 2",
    (".json",),
    recognises,
    read,
)
