"""Tidepool: the JSON a person exports, with what pumps, sensors and meters were read out for."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.sources.json_items import Item, blocks
from medtwin.sources.readings import Block, Reading, known_as, moment, whose
from medtwin.sources.source import Arrived, Options, Sent, Source
from medtwin.sources.zones import zone_or_none

JSON = "application/json"
COMMON = {"tidepoolexport", "tidepool", "data", "tidepool_export"}
KINDS = (b'"cbg"', b'"smbg"', b'"basal"', b'"bolus"', b'"wizard"', b'"upload"', b'"pumpSettings"')
VALUES: dict[str, tuple[Code, str]] = {
    "cbg": (codes.glucose, "sensor"),
    "smbg": (codes.glucose, "meter"),
    "bloodKetone": (codes.ketone, "meter"),
}
PER_MINUTE = {"milliseconds": 1 / 60000, "seconds": 1 / 60, "minutes": 1.0, "hours": 60.0}


def recognises(path: Path, head: bytes) -> bool:
    """JSON with Tidepool's types and the ids of devices or uploads."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    ids = b'"deviceId"' in head or b'"uploadId"' in head
    typed = b'"type"' in head and any(k in head for k in KINDS)
    return start in (b"[", b"{") and ids and typed and b'"resourceType"' not in head


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Every datum, in blocks."""
    zone, about = zone_or_none(options.zone), known_as("tidepool", what, options, COMMON)
    with what.open() as file:
        for original, items in blocks(file):
            about = about or _user(items, what, options)
            block = Block(about, options.received)
            for item in items:
                if item.broken or not isinstance(item.said, dict):
                    block.refuse(item.place, item.broken or "it is no datum", "export it again")
                else:
                    told(block, item.place, item.said, zone)
            origin = f"{what.name}{items[0].place if items else ''}"
            yield from block.arrived(original, JSON, origin, "Tidepool export")


def _user(items: list[Item], what: Sent, options: Options) -> str:
    """Tidepool's own number of the person, where the export gives it."""
    said = [i.said for i in items if isinstance(i.said, dict)]
    found = next((s[k] for s in said for k in ("userId", "_userId") if s.get(k)), "")
    return whose("tidepool", what, options, str(found)) if found else ""


def told(block: Block, place: str, said: dict[str, Any], zone: tzinfo | None) -> None:
    """One datum."""
    kind = str(said.get("type"))
    before = len(block.facts) + len(block.refused)
    try:
        at = moment(str(said.get("time") or said.get("deviceTime")), zone)
        by = str(said.get("deviceId") or (said.get("origin") or {}).get("name") or "Tidepool")
        for reading in readings(kind, place, said, at, by):
            block.take(reading)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as why:
        then = "it is kept in the original; export it again"
        block.refuse(f"{place}, {kind}", f"it is not understood ({why})", then)
    if len(block.facts) + len(block.refused) == before:
        block.keep(f"Tidepool {kind} {said.get('subType', '')}".strip())


def readings(
    kind: str, place: str, said: dict[str, Any], at: datetime, by: str
) -> Iterator[Reading]:
    """What this kind of datum says."""
    if kind in VALUES:
        code, origin = VALUES[kind]
        says = _beyond(said)
        unit = str(said.get("units") or "mmol/L")
        yield Reading(
            f"{place}.value", at, code, said["value"], unit, f"{by}, {origin}", None, says
        )
    elif kind == "bolus":
        yield from _bolus(place, said, at, by)
    elif kind == "basal":
        yield from _basal(place, said, at, by)
    elif kind == "wizard" and said.get("carbInput"):
        if str(said.get("carbUnits", "grams")) != "grams":
            raise ValueError(f"carbohydrate in {said['carbUnits']}; allowed is grams")
        yield Reading(f"{place}.carbInput", at, codes.carbohydrate, said["carbInput"], "g", by)
    elif kind == "food":
        carbs = said["nutrition"]["carbohydrate"]
        where = f"{place}.nutrition.carbohydrate.net"
        yield Reading(where, at, codes.carbohydrate, carbs["net"], "g", by)
    elif kind == "insulin":
        slow = str((said.get("formulation") or {}).get("simple", {}).get("actingType", ""))
        code = codes.insulin_long if slow in ("long", "intermediate") else codes.insulin_bolus
        yield Reading(f"{place}.dose.total", at, code, said["dose"]["total"], "U", by)
    elif kind == "physicalActivity":
        lasts = said["duration"]["value"] * PER_MINUTE[said["duration"]["units"]]
        until, name = at + timedelta(minutes=lasts), str(said.get("name") or "")
        yield Reading(f"{place}.duration", at, codes.exercise, lasts, "min", by, until, name)


def _beyond(said: dict[str, Any]) -> str:
    """`<` or `>` where the sensor's range ended."""
    out = said.get("annotations")
    for one in out if isinstance(out, list) else ():
        if isinstance(one, dict) and one.get("code") == "bg/out-of-range":
            return {"low": "<", "high": ">"}.get(str(one.get("value")), "")
    return ""


def _bolus(place: str, said: dict[str, Any], at: datetime, by: str) -> Iterator[Reading]:
    """What was given at once, and what was given over a time."""
    word = str(said.get("subType") or "")
    if said.get("normal"):
        where = f"{place}.normal"
        yield Reading(where, at, codes.insulin_bolus, said["normal"], "U", by, None, word)
    if said.get("extended"):
        until = at + timedelta(milliseconds=said["duration"])
        where, amount = f"{place}.extended", said["extended"]
        yield Reading(where, at, codes.insulin_bolus, amount, "U", by, until, "extended")


def _basal(place: str, said: dict[str, Any], at: datetime, by: str) -> Iterator[Reading]:
    """The rate and how long it ran; a stopped pump gives nothing, and says so."""
    if not said.get("duration"):
        return
    until, word = at + timedelta(milliseconds=said["duration"]), str(said.get("deliveryType") or "")
    rate = 0.0 if word == "suspend" else said["rate"]
    yield Reading(f"{place}.rate", at, codes.insulin_basal, rate, "U/h", by, until, word)


source = Source(
    "Tidepool export",
    "Tidepool data model: cbg, smbg, bolus, basal, wizard, food, insulin, physicalActivity",
    (".json",),
    recognises,
    read,
    streams=True,
)
