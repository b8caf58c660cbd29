"""Open mHealth and IEEE 1752.1: data points in JSON, each with a header that names its schema."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.units import UnknownUnit, scale
from medtwin.sources.json_items import Item, blocks
from medtwin.sources.json_shape import Schema, faults
from medtwin.sources.readings import Block, Reading, minutes, moment, own, spoken, whose
from medtwin.sources.source import Arrived, Options, Sent, Source
from medtwin.sources.zones import zone_or_none

JSON = "application/json"
MEASURES: dict[str, Code] = {
    "heart_rate": codes.heart_rate,
    "blood_glucose": codes.glucose,
    "systolic_blood_pressure": codes.systolic,
    "diastolic_blood_pressure": codes.diastolic,
    "body_weight": codes.weight,
    "body_height": codes.height,
    "body_mass_index": codes.body_mass_index,
    "body_temperature": codes.temperature,
    "body_fat_percentage": codes.body_fat,
    "oxygen_saturation": codes.spo2,
    "respiratory_rate": codes.respiratory_rate,
    "rr_interval": codes.rr_interval,
    "step_count": codes.steps,
    "kcal_burned": codes.energy,
    "minutes_moderate_activity": codes.exercise,
    "sleep_duration": codes.sleep,
    "total_sleep_time": codes.sleep,
}
BARE = {"step_count": "steps", "minutes_moderate_activity": "min"}  # version 1: numbers alone
UNITS = {
    "steps": "{steps}",
    "sec": "s",
    "Mo": "mo",
    "yr": "a",
    "mi": "[mi_i]",
    "yd": "[yd_i]",
    "beats/min": "/min",
    "breaths/min": "/min",
    "C": "Cel",
    "F": "[degF]",
}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Frame:
    """When it was: a moment, or a stretch; `says` where only a part of the day is told."""

    at: datetime
    until: datetime | None = None
    says: str = ""


def recognises(path: Path, head: bytes) -> bool:
    """JSON whose data points name their schema, or a body alone with its time frame."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    point = all(w in head for w in (b'"header"', b'"schema_id"', b'"body"'))
    alone = b'"effective_time_frame"' in head
    return start in (b"{", b"[") and (point or alone) and b'"resourceType"' not in head


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Each data point: understood, kept, or refused with what is not as its schema asks."""
    with what.open() as file:
        for _, items in blocks(file):
            for item in items:
                yield from point(item, what, options)


def point(item: Item, what: Sent, options: Options) -> Iterator[Arrived]:
    """One data point."""
    said = pointed(item.said if isinstance(item.said, dict) else {})
    user = _dict(said.get("header")).get("user_id")
    block = Block(whose("open_mhealth", what, options, str(user or "")), options.received)
    name, version = schema_of(said.get("header"))
    if item.broken:
        block.refuse(f"data point {item.place}", item.broken, "send it again", item.raw)
    elif wrong := list(misshapen(said)):
        then = f"see Open mHealth's schema {name} {version}"
        block.refuse(f"{name} {item.place}", "; ".join(wrong[:5]), then, item.raw)
    else:
        told(block, name, said, options)
    kind = name.rpartition("/")[2] or "data point"
    yield from block.arrived(item.raw, JSON, f"{what.name}{item.place}", kind)


NAMES = {"kcal_burned": "calories-burned", "activity_name": "physical-activity"}
NAMES |= {"systolic_blood_pressure": "blood-pressure", "total_sleep_time": "total-sleep-time"}


def pointed(said: dict[str, Any]) -> dict[str, Any]:
    """A body that came alone as a data point: its measure names the schema of any version."""
    if "header" in said or "effective_time_frame" not in said:
        return said
    named = (NAMES.get(word, word.replace("_", "-")) for word in said)
    name = next((n for n in named if f"omh/{n}-1.x" in schemas()), "")
    versions = [v for v in ("4.x", "3.x", "2.x", "1.x") if f"omh/{name}-{v}" in schemas()]
    fits = (v for v in versions if not any(faults(said, schemas()[f"omh/{name}-{v}"], schemas())))
    version = next(fits, versions[0] if versions else "")
    header = {"schema_id": {"namespace": "omh", "name": name, "version": version}} if name else {}
    return {"header": header, "body": said, "alone": True}


@cache
def schemas() -> dict[str, Schema]:
    """What each schema asks for, by `namespace/name-version`; tools/open_mhealth_schemas.py."""
    table = files("medtwin.sources").joinpath("open_mhealth_schemas.json")
    return orjson.loads(table.read_bytes())


def _dict(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


def schema_of(header: Any) -> tuple[str, str]:
    """`namespace/name` and version that the header names; empty where it names none."""
    named = _dict(_dict(header).get("schema_id"))
    if not named:
        return "", ""
    return f"{named.get('namespace')}/{named.get('name')}", str(named.get("version"))


def schema(name: str, version: str) -> Schema | None:
    """The schema of this name; of a version we do not have, the newest with the same first number.

    IEEE 1752.1 took over what Open mHealth began, under the same names.
    """
    table, like = schemas(), f"omh/{name.rpartition('/')[2]}"
    first = version.partition(".")[0]
    wanted = (f"{n}-{v}" for n in (name, like) for v in (version, f"{first}.x"))
    return next((table[w] for w in wanted if w in table), None)


def misshapen(said: Any) -> Iterator[str]:
    """Where header or body are not as their schemas ask; a schema nobody knows asks nothing."""
    header = said.get("header")
    if said.get("alone") and not header:
        yield "header is missing, and no measure in it tells its schema"
    other = said.get("alone") or (isinstance(header, dict) and "uuid" in header)
    yield from () if other else faults(said, schemas()["omh/data-point-1.0"], schemas())
    asks = schema(*schema_of(header))
    if asks is not None and "body" in said:
        yield from faults(said["body"], asks, schemas(), "body")


def told(block: Block, name: str, said: Any, options: Options) -> None:
    """The readings of a data point whose shape is right."""
    header, body = _dict(said.get("header")), _dict(said.get("body"))
    short = name.rpartition("/")[2] or "data point"
    try:
        frame = framed(_dict(body.get("effective_time_frame")) or _by_header(header), options)
    except (ValueError, TypeError, KeyError, OverflowError) as why:
        block.refuse(f"{short}, effective_time_frame", why, "send the time with its offset")
        return
    by = str(_provenance(header).get("source_name") or "Open mHealth")
    before = len(block.facts) + len(block.refused)
    for reading in measures(short, body, frame, by):
        block.take(reading)
    if len(block.facts) + len(block.refused) == before:
        block.keep(f"Open mHealth {short}")


def _provenance(header: Any) -> Any:
    return _dict(header.get("acquisition_provenance")) or header


def _by_header(header: Any) -> Any:
    """Version 1 lets the time be left out: the time the source made it is the best there is."""
    made = _provenance(header).get("source_creation_date_time") or header.get("creation_date_time")
    return {"date_time": made}


def framed(frame: Any, options: Options) -> Frame:
    """The time frame. Raises `ValueError`."""
    zone = zone_or_none(options.zone)
    if "date_time" in frame:
        return Frame(moment(frame["date_time"], zone))
    stretch = frame.get("time_interval", frame)
    if "part_of_day" in stretch:
        at = moment(f"{stretch['date']}T00:00:00", zone)
        return Frame(at, at + DAY, stretch["part_of_day"])
    begin, end = (stretch.get(f"{edge}_date_time") for edge in ("start", "end"))
    if begin and end:
        return Frame(moment(begin, zone), moment(end, zone))
    if "duration" not in stretch or not (begin or end):
        raise ValueError(f"{frame} tells no begin and end")
    lasts = _lasting(stretch["duration"])
    if begin:
        return Frame(moment(begin, zone), moment(begin, zone) + lasts)
    return Frame(moment(end, zone) - lasts, moment(end, zone))


def _lasting(duration: Any) -> timedelta:
    try:
        factor, _ = scale(ucum(duration["unit"]), codes.exercise)
        return timedelta(minutes=float(duration["value"]) * factor)
    except (UnknownUnit, OverflowError) as why:
        raise ValueError(f"it lasts {duration}, which is no length of time") from why


def ucum(unit: Any) -> str:
    """The unit as UCUM spells it."""
    return UNITS.get(str(unit), str(unit))


def measures(name: str, body: Any, frame: Frame, by: str) -> Iterator[Reading]:
    """Each value with a unit in the body, in our code or in the schema's own word."""
    statistic = str(body.get("descriptive_statistic") or "")
    if name == "physical-activity":
        yield from _activity(body, frame, by)
        return
    if name == "sleep-episode" and "total_sleep_time" not in body and frame.until:
        value = minutes(frame.at, frame.until)
        yield Reading("body", frame.at, codes.sleep, value, "min", by, frame.until)
    for word, told in body.items():
        found = told if isinstance(told, dict) else {"value": told, "unit": BARE.get(word)}
        if not isinstance(found.get("unit"), str) or not isinstance(
            found.get("value"), int | float
        ):
            continue
        unit = ucum(found["unit"])
        code = _summary(MEASURES.get(word) or own("open_mhealth", word, unit), statistic)
        says = frame.says
        yield Reading(f"body.{word}", frame.at, code, found["value"], unit, by, frame.until, says)


def _summary(code: Code, statistic: str) -> Code:
    """An average or a maximum over a stretch is not a reading; it has a code of its own."""
    if not statistic:
        return code
    name = f"{spoken(code.name)}, {statistic}"
    return Code(f"open_mhealth|{code.id}|{statistic}", name, code.unit, code.low, code.high)


def _activity(body: Any, frame: Frame, by: str) -> Iterator[Reading]:
    word = str(body.get("activity_name") or "")
    if frame.until and not frame.says:
        lasts = minutes(frame.at, frame.until)
        yield Reading("body", frame.at, codes.exercise, lasts, "min", by, frame.until, word)
    for place in ("distance", "kcal_burned"):
        if _dict(body.get(place)):
            unit = ucum(body[place]["unit"])
            code = codes.energy_active if place == "kcal_burned" else _distance(word)
            yield Reading(
                f"body.{place}", frame.at, code, body[place]["value"], unit, by, frame.until, word
            )


def _distance(activity: str) -> Code:
    on_foot = any(w in activity.lower() for w in ("walk", "run", "jog", "hik"))
    return codes.distance if on_foot else own("open_mhealth", "distance", "m")


source = Source(
    "Open mHealth / IEEE 1752.1",
    "openmhealth.org schemas 1.0 to 4.0; IEEE Std 1752.1-2021",
    (".json", ".ndjson"),
    recognises,
    read,
)
