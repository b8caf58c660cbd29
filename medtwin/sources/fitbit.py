"""Fitbit: the account export, and Google Takeout's, a file for each measure and day or month.

What a file holds is told by its name alone. Layouts were seen second-hand, in published data sets
and readers of such exports, not in a maker's description; so were the clocks: the minute by minute
files and exercises in UTC, nights and daily values by the wall clock.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from io import StringIO
from pathlib import Path
from typing import Any

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.sources.json_items import blocks
from medtwin.sources.readings import Block, Reading, around, moment, number, own, part, utc
from medtwin.sources.source import Arrived, Options, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

DATED = re.compile(r"(.+?)[-_ ]+(?:\(?\d.*)$")
COMMON = {"takeout", "fitbit", "global export data", "physical activity", "sleep", "heart rate"}
COMMON |= {"heart rate variability", "oxygen saturation (spo2)", "temperature", "stress score"}
COMMON |= {"myfitbitdata", "user-site-export", "physical activity_googledata", "sleep score"}
BY, MINUTE, DAY = "Fitbit", timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class Measure:
    """One kind of file: where the number stands, what it is, how long it lasts, whose clock."""

    path: tuple[str, ...]
    code: Code
    unit: str
    lasts: timedelta = timedelta()
    local: bool = False


def score(name: str) -> Code:
    """What only Fitbit reckons."""
    return own("fitbit", name, "{score}")


MEASURES = {
    "heart_rate": Measure(("value", "bpm"), codes.heart_rate, "/min"),
    "steps": Measure(("value",), codes.steps, "{steps}", MINUTE),
    "calories": Measure(("value",), codes.energy, "kcal", MINUTE),
    "distance": Measure(("value",), codes.distance, "cm", MINUTE),
    "resting_heart_rate": Measure(
        ("value", "value"), codes.resting_heart_rate, "/min", DAY, local=True
    ),
    "demographic_vo2_max": Measure(
        ("value", "demographicVO2Max"), codes.vo2_max, "mL/(kg.min)", DAY, local=True
    ),
}
# Tables: columns, then code and unit.
COLUMNS: dict[str, tuple[tuple[str, Code, str], ...]] = {
    "Daily Heart Rate Variability Summary": (
        ("rmssd", own("fitbit", "hrv, RMSSD of a night", "ms"), "ms"),
        ("nremhr", own("fitbit", "heart rate in non-REM sleep", "/min"), "/min"),
    ),
    "Heart Rate Variability Details": (("rmssd", codes.hrv_rmssd, "ms"),),
    "Daily Respiratory Rate Summary": (("daily_respiratory_rate", codes.respiratory_rate, "/min"),),
    "Respiratory Rate Summary": (("full_sleep_breathing_rate", codes.respiratory_rate, "/min"),),
    "Daily SpO2": (("average_value", own("fitbit", "SpO2, average of a night", "%"), "%"),),
    "Minute SpO2": (("value", codes.spo2, "%"),),
    "Wrist Temperature": (("temperature", codes.skin_temperature_change, "K"),),
    "Device Temperature": (("temperature", codes.skin_temperature_change, "K"),),
    "Stress Score": (("STRESS_SCORE", score("stress score"), "{score}"),),
    "sleep_score": (("overall_score", score("sleep score"), "{score}"),),
}
GOOGLE = {"beats per minute": (codes.heart_rate, "/min"), "steps": (codes.steps, "{steps}")}
TIMES = ("timestamp", "recorded_time", "DATE", "dateTime")
STAGES = {
    "wake": codes.sleep_awake,
    "awake": codes.sleep_awake,
    "restless": codes.sleep_awake,
    "light": codes.sleep_light,
    "deep": codes.sleep_deep,
    "rem": codes.sleep_rem,
}


def kind_of(path: Path) -> str:
    """`steps` of `steps-2024-05-01.json`."""
    stem = Path(path.name.rpartition(":")[2]).stem
    found = DATED.fullmatch(stem)
    return (found.group(1) if found else stem).strip()


def recognises(path: Path, head: bytes) -> bool:
    """A file named for a measure, with the fields that such a file has."""
    kind, suffix = kind_of(path), path.suffix.lower()
    if suffix == ".json" and head.lstrip()[:1] == b"[":
        if kind == "sleep":
            return b'"dateOfSleep"' in head
        if kind == "exercise":
            return b'"activityName"' in head and b'"logId"' in head
        return b'"dateTime"' in head and b'"value"' in head
    line = head.split(b"\n", 1)[0].decode("utf-8", "replace").removeprefix("\ufeff")
    names = [n.strip().strip('"') for n in line.split(",")]
    known = kind in COLUMNS or bool(GOOGLE.keys() & set(names) and "data source" in names)
    return suffix == ".csv" and known and any(t in names for t in TIMES)


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Every entry of the file."""
    name = around(what, COMMON)
    about = options.about or (f"fitbit|{name}" if name else "")
    if what.path.suffix.lower() == ".csv":
        yield from _table(what, options, about)
        return
    kind, zone = kind_of(what.path), zone_or_none(options.zone)
    with what.open() as file:
        for original, items in blocks(file):
            block = Block(about, options.received)
            for item in items:
                if item.broken or not isinstance(item.said, dict):
                    block.refuse(item.place, item.broken or "it is no entry", "export it again")
                else:
                    told(block, kind, item.place, item.said, zone)
            yield from block.arrived(original, "application/json", what.name, f"Fitbit {kind}")


def told(block: Block, kind: str, place: str, said: dict[str, Any], zone: tzinfo | None) -> None:
    """One entry."""
    try:
        found = list(readings(kind, place, said, zone))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as why:
        then = "it is kept in the original; export it again"
        block.refuse(f"{place}, {kind}", f"it is not understood ({why})", then)
        return
    for reading in found:
        block.take(reading)
    if not found:
        block.keep(f"Fitbit {kind}")


def readings(kind: str, place: str, said: dict[str, Any], zone: tzinfo | None) -> Iterator[Reading]:
    """What an entry of this kind says."""
    if kind == "sleep":
        yield from _night(place, said, zone)
    elif kind == "exercise":
        at = clock(said["startTime"], UTC)
        lasts = said.get("activeDuration", said["duration"]) / 60000
        until, by = at + timedelta(milliseconds=said["duration"]), f"{BY}, activity"
        words = str(said.get("activityName") or "")
        yield Reading(f"{place}.duration", at, codes.exercise, lasts, "min", by, until, words)
    elif kind in MEASURES:
        measure, value = MEASURES[kind], number(part(said, *MEASURES[kind].path))
        unsure = part(said, "value", "confidence") == 0  # Fitbit: 0 is no contact
        if value is None or unsure or (measure.local and not value):
            return
        at = clock(said["dateTime"], zone if measure.local else UTC)
        until = at + measure.lasts if measure.lasts else None
        where = f"{place}.{'.'.join(measure.path)}"
        yield Reading(where, at, measure.code, value, measure.unit, BY, until)


def _night(place: str, said: dict[str, Any], zone: tzinfo | None) -> Iterator[Reading]:
    """The night as a whole, and its stages."""
    at, until = clock(said["startTime"], zone), clock(said["endTime"], zone)
    for name, code in (("minutesAsleep", codes.sleep), ("timeInBed", codes.sleep_in_bed)):
        value = number(said.get(name))
        if value:
            yield Reading(f"{place}.{name}", at, code, value, "min", BY, until)
    for number_, stage in enumerate(part(said, "levels", "data") or ()):
        code, seconds = STAGES.get(str(stage.get("level"))), number(stage.get("seconds"))
        if code is not None and seconds:
            begins = clock(stage["dateTime"], zone)
            where, ends = f"{place}.levels.data[{number_}]", begins + timedelta(seconds=seconds)
            yield Reading(where, begins, code, seconds / 60, "min", BY, ends)


def clock(text: str, zone: tzinfo | None) -> datetime:
    """`05/24/21 00:00:16` with the month first, or ISO 8601. Raises `ValueError`."""
    if "/" not in text:
        return moment(text, zone)
    naive = datetime.strptime(text, "%m/%d/%y %H:%M:%S")  # noqa: DTZ007  its zone follows
    return utc(naive.replace(tzinfo=zone or UTC))


def _table(what: Sent, options: Options, about: str) -> Iterator[Arrived]:
    with what.open() as file:
        raw = file.read()
    kind, zone, block = (
        kind_of(what.path),
        zone_or_none(options.zone),
        Block(about, options.received),
    )
    try:
        rows = list(csv.DictReader(StringIO(raw.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as why:
        yield unread(what, f"it is no table we can read ({why})", "export it again", raw)
        return
    columns = COLUMNS.get(kind) or tuple((name, *of) for name, of in GOOGLE.items())
    for line, row in enumerate(rows, start=2):
        _row(block, f"line {line}", row, columns, zone)
    yield from block.arrived(raw, "text/csv", what.name, f"Fitbit {kind}")


def _row(
    block: Block,
    place: str,
    row: dict[str, Any],
    columns: tuple[tuple[str, Code, str], ...],
    zone: tzinfo | None,
) -> None:
    when = next((row[t] for t in TIMES if row.get(t)), "")
    found = [(n, c, u, v) for n, c, u in columns if (v := number(row.get(n))) is not None]
    if not found:
        block.keep("Fitbit row without a value")
        return
    try:
        at = clock(when, zone)
    except ValueError as why:
        block.refuse(place, why, "correct the time and import again")
        return
    by = f"{BY}, {row['data source']}" if row.get("data source") else BY
    for name, code, unit, value in found:
        block.take(Reading(f"{place}, {name}", at, code, value, unit, by))


source = Source(
    "Fitbit export",
    "Fitbit account export and Google Takeout; layouts seen in published sets, not in a standard",
    (".json", ".csv"),
    recognises,
    read,
    streams=True,
)
