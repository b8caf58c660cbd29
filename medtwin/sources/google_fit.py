"""Google Fit: Takeout's streams of data points, and its sessions.

Takeout gives every reading several times: as each app wrote it, and merged. The merged streams are
read; the others are kept and counted, so that no step counts twice. The layout was seen
second-hand, in readers of such exports; data types and their fields are Google's documentation.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.sources.json_items import Item, blocks
from medtwin.sources.readings import (
    Block,
    Reading,
    around,
    minutes,
    moment,
    number,
    part,
    since_epoch,
)
from medtwin.sources.source import SMALL, Arrived, Options, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

COMMON = {"takeout", "fit", "all data", "all sessions", "daily activity metrics", "activities"}
COMMON |= {"daily aggregations", "sessions", "google fit", "todos os dados", "alle daten"}
TYPE = "com.google."
# Data type, then code and unit of each of its values in their order.
TYPES: dict[str, tuple[tuple[Code, str], ...]] = {
    "step_count.delta": ((codes.steps, "{steps}"),),
    "heart_rate.bpm": ((codes.heart_rate, "/min"),),
    "weight": ((codes.weight, "kg"),),
    "height": ((codes.height, "m"),),
    "body.fat.percentage": ((codes.body_fat, "%"),),
    "calories.expended": ((codes.energy, "kcal"),),
    "distance.delta": ((codes.distance, "m"),),
    "blood_glucose": ((codes.glucose, "mmol/L"),),
    "blood_pressure": ((codes.systolic, "mm[Hg]"), (codes.diastolic, "mm[Hg]")),
    "oxygen_saturation": ((codes.spo2, "%"),),
    "body.temperature": ((codes.temperature, "Cel"),),
}
SLEEP = {1: codes.sleep_awake, 2: codes.sleep, 4: codes.sleep_light, 5: codes.sleep_deep}
SLEEP |= {6: codes.sleep_rem}
SQLITE = b"SQLite format 3\0"


def recognises(path: Path, head: bytes) -> bool:
    """A stream, a session, an activity's track, or Health Connect's database."""
    name = path.name.lower().rpartition(":")[2]
    if head.startswith(SQLITE):
        return "health_connect" in name or "healthconnect" in name
    if path.suffix == ".tcx" or "daily activity metrics" in str(path).lower():
        return b"com.google" in head or b"Activities" in head[:400] or path.suffix == ".csv"
    if head.lstrip()[:1] != b"{" or b'"resourceType"' in head:
        return False
    return b'"Data Source"' in head or (b'"fitnessActivity"' in head and b'"startTime"' in head)


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """A stream's points, a session's exercise; what repeats them is kept and counted."""
    name = around(what, COMMON)
    about = options.about or (f"google_fit|{name}" if name else "")
    if what.head.startswith(SQLITE):
        because = "Health Connect exports a database of its own kind, which is not read"
        yield unread(what, because, "let the apps export, or send Google's or Apple's export")
        return
    if what.path.suffix in (".tcx", ".csv"):
        kind = "track" if what.path.suffix == ".tcx" else "sums of a day (its streams are read)"
        with what.open() as file:
            block = Block(about, options.received)
            block.keep(f"Google Fit {kind}")
            yield from block.arrived(
                file.read(SMALL), "text/plain", what.name, f"Google Fit {kind}"
            )
        return
    with what.open() as file:
        for original, items in blocks(file):
            block = Block(about, options.received)
            for item in items:
                _item(block, item, options)
            yield from block.arrived(original, "application/json", what.name, "Google Fit export")


def _item(block: Block, item: Item, options: Options) -> None:
    said = item.said
    if item.broken or not isinstance(said, dict):
        block.refuse(
            item.place, item.broken or "it is no stream", "export it again", item.raw[:SMALL]
        )
        return
    if "fitnessActivity" in said:
        _session(block, said, options)
        return
    stream = str(said.get("Data Source"))
    points = said.get("Data Points")
    if ":merge" not in stream or not isinstance(points, list):
        block.keep(f"Google Fit stream that others repeat or that tells nothing ({_type(stream)})")
        return
    for number_, one in enumerate(points):
        place = f"Data Points[{number_}]"
        try:
            found = list(point(place, one, stream))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as why:
            block.refuse(place, f"it is not understood ({why})", "export it again")
            continue
        for reading in found:
            block.take(reading)
        if not found:
            block.keep(f"Google Fit {_type(str(part(one, 'dataTypeName')))}")


def _type(stream: str) -> str:
    name = stream.partition(TYPE)[2].partition(":")[0]
    return name or stream[:60]


def point(place: str, one: dict[str, Any], stream: str) -> Iterator[Reading]:
    """One data point: its values in the order of its type."""
    kind = one["dataTypeName"].removeprefix(TYPE)
    at, end = (since_epoch(int(one[k]) / 1e9) for k in ("startTimeNanos", "endTimeNanos"))
    until = end if end > at else None
    by = f"Google Fit, {_origin(str(one.get('originDataSourceId') or stream))}"
    values = [_value(v) for v in one["fitValue"]]
    if kind == "sleep.segment" and until:
        code = SLEEP.get(int(values[0] or 0))
        if code is not None:
            yield Reading(place, at, code, minutes(at, until), "min", by, until)
        return
    for (code, unit), value in zip(TYPES.get(kind, ()), values, strict=False):
        if value is not None:
            yield Reading(f"{place}.fitValue", at, code, value, unit, by, until)


def _value(said: Any) -> float | None:
    found = part(said, "value")
    whole = number(part(found, "intVal"))
    return number(part(found, "fpVal")) if whole is None else whole


def _origin(stream: str) -> str:
    """`raw:com.google.heart_rate.bpm:app:maker:model` is app, maker, model."""
    parts = [p for p in stream.split(":")[2:] if p]
    return ", ".join(parts[:3]) or "phone"


def _session(block: Block, said: dict[str, Any], options: Options) -> None:
    zone = zone_or_none(options.zone)
    try:
        at, until = (moment(said[k], zone) for k in ("startTime", "endTime"))
        lasts = _lasting(str(said.get("duration") or ""), at, until)
    except (ValueError, KeyError) as why:
        block.refuse("session", f"it is not understood ({why})", "export it again")
        return
    words = str(said["fitnessActivity"])
    if words.startswith("sleep"):
        block.keep("Google Fit sleep session (its segments are read)")
        return
    by = "Google Fit, activity"
    block.take(Reading("duration", at, codes.exercise, lasts, "min", by, until, words))


def _lasting(text: str, at: datetime, until: datetime) -> float:
    """`1830.5s` in minutes; without it, from begin to end."""
    seconds = number(text.removesuffix("s"))
    return minutes(at, until) if seconds is None else seconds / timedelta(minutes=1).seconds


source = Source(
    "Google Fit export",
    "Google Fit data types (developers.google.com/fit); Takeout's layout as its readers know it",
    (".json", ".tcx", ".csv"),
    recognises,
    read,
    streams=True,
)
