"""Nightscout: entries, treatments and device states of a do-it-yourself glucose site, as JSON."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.sources.json_items import blocks
from medtwin.sources.readings import Block, Reading, known_as, moment, number, own, since_epoch
from medtwin.sources.source import Arrived, Options, Sent, Source
from medtwin.sources.zones import zone_or_none

JSON = "application/json"
COMMON = {"entries", "treatments", "devicestatus", "profile", "nightscout"}
# Dexcom's numbers under 13 are error codes; 39 stands for low and 401 for high.
FAULTS, LOW, HIGH = 13, 39, 401
EXERCISE = {"exercise", "activity"}


@dataclass(frozen=True)
class Site:
    """What the whole file is needed for: its zone, and when each temporary rate begins."""

    zone: tzinfo | None
    rates: tuple[float, ...] = ()


def recognises(path: Path, head: bytes) -> bool:
    """JSON with a sensor value, a treatment's event, or the state of a loop."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start not in (b"[", b"{") or b'"resourceType"' in head:
        return False
    entry = b'"sgv"' in head or b'"mbg"' in head
    entry = entry and (b'"date"' in head or b'"dateString"' in head)
    treatment = b'"eventType"' in head and (b'"created_at"' in head or b'"timestamp"' in head)
    state = b'"created_at"' in head and any(w in head for w in (b'"openaps"', b'"uploader"'))
    profile = b'"defaultProfile"' in head and b'"store"' in head
    return entry or treatment or state or profile


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Every entry, in blocks."""
    site = Site(zone_or_none(options.zone), tuple(sorted(rates(what, options))))
    about = known_as("nightscout", what, options, COMMON)
    with what.open() as file:
        for original, items in blocks(file):
            block = Block(about, options.received)
            for item in items:
                if item.broken or not isinstance(item.said, dict):
                    block.refuse(item.place, item.broken or "it is no entry", "export it again")
                else:
                    told(block, item.place, item.said, site)
            origin = f"{what.name}{items[0].place if items else ''}"
            yield from block.arrived(original, JSON, origin, "Nightscout export")


def rates(what: Sent, options: Options) -> Iterator[float]:
    """When each temporary basal rate begins: the one before it ends there."""
    if b'"Temp Basal"' not in what.head and b'"eventType"' not in what.head:
        return
    zone = zone_or_none(options.zone)
    with what.open() as file:
        for _, items in blocks(file):
            for item in items:
                if isinstance(item.said, dict) and item.said.get("eventType") == "Temp Basal":
                    try:
                        yield when(item.said, zone).timestamp()
                    except ValueError:
                        continue


def told(block: Block, place: str, said: dict[str, Any], site: Site) -> None:
    """One entry, treatment or state; a profile is what was meant, not what was given."""
    if "defaultProfile" in said:
        block.keep("Nightscout profile")
        return
    try:
        at = when(said, site.zone)
    except ValueError as why:
        block.refuse(place, why, "it is kept in the original; export it again")
        return
    before = len(block.facts) + len(block.refused)
    if "eventType" in said:
        treatment(block, place, said, at, site)
    elif "sgv" in said or "mbg" in said:
        entry(block, place, said, at)
    else:
        state(block, place, said, at)
    if len(block.facts) + len(block.refused) == before:
        kind = said.get("eventType") or said.get("type") or "device status"
        block.keep(f"Nightscout {kind}")


def when(said: dict[str, Any], zone: tzinfo | None) -> datetime:
    """Milliseconds since 1970, or a text. Raises `ValueError`."""
    for name in ("date", "mills"):
        if isinstance(said.get(name), int | float):
            return since_epoch(said[name] / 1000)
    text = said.get("dateString") or said.get("created_at") or said.get("timestamp")
    if isinstance(text, int | float):
        return since_epoch(text / 1000)
    return moment(str(text), zone)


def entry(block: Block, place: str, said: dict[str, Any], at: datetime) -> None:
    """A sensor's or a meter's glucose, always in mg/dL."""
    by = str(said.get("device") or "Nightscout")
    for name, origin in (("sgv", "sensor"), ("mbg", "meter")):
        value = number(said.get(name))
        if value is None:
            continue
        if name == "sgv" and value < FAULTS:
            because = f"{value:g} is a fault code of the sensor, no glucose"
            block.refuse(f"{place}.{name}", because, "nothing: the sensor had no reading")
            continue
        says = {LOW: "<", HIGH: ">"}.get(int(value), "") if name == "sgv" else ""
        noisy = (number(said.get("noise")) or 0) >= 3  # Nightscout: 3 medium, 4 heavy
        says = says or ("noisy signal" if noisy else "")
        where = f"{place}.{name}"
        source = f"{by}, {origin}"
        block.take(Reading(where, at, codes.glucose, value, "mg/dL", source, None, says))


def treatment(block: Block, place: str, said: dict[str, Any], at: datetime, site: Site) -> None:
    """Insulin, food, a temporary rate, exercise, a finger stick, words."""
    kind, by = str(said["eventType"]), str(said.get("enteredBy") or "Nightscout, diary")
    lasts = number(said.get("duration")) or 0.0
    says = kind if kind != "<none>" else ""
    for name, code, unit in (
        ("insulin", codes.insulin_bolus, "U"),
        ("carbs", codes.carbohydrate, "g"),
        ("protein", own("nightscout", "protein eaten", "g"), "g"),
        ("fat", own("nightscout", "fat eaten", "g"), "g"),
    ):
        value = number(said.get(name))
        if value:
            block.take(Reading(f"{place}.{name}", at, code, value, unit, by, None, says))
    _finger(block, place, said, at, by)
    if kind == "Temp Basal":
        _rate(block, place, said, at, lasts, by, site)
    elif kind == "Combo Bolus" and number(said.get("relative")) and lasts:
        later = (number(said["relative"]) or 0.0) * lasts / 60
        until = at + timedelta(minutes=lasts)
        where = f"{place}.relative"
        block.take(Reading(where, at, codes.insulin_bolus, later, "U", by, until, "extended"))
    elif kind.lower() in EXERCISE and lasts:
        until = at + timedelta(minutes=lasts)
        words = str(said.get("notes") or "")
        where = f"{place}.duration"
        block.take(Reading(where, at, codes.exercise, lasts, "min", by, until, words))
    elif said.get("notes") and kind in ("Note", "Announcement", "Question", "<none>"):
        block.take(Reading(f"{place}.notes", at, codes.note, 1, "1", by, None, str(said["notes"])))


def _finger(block: Block, place: str, said: dict[str, Any], at: datetime, by: str) -> None:
    """A glucose beside a treatment counts when a finger was pricked: the sensor's is an entry."""
    value, kind = number(said.get("glucose")), str(said.get("glucoseType") or "")
    if not value or (kind.lower() != "finger" and said["eventType"] != "BG Check"):
        return
    unit = str(said.get("units") or ("mmol/L" if value < 30 else "mg/dL"))
    unit = "mmol/L" if unit.lower().startswith("mmol") else "mg/dL"
    where = f"{place}.glucose"
    block.take(Reading(where, at, codes.glucose, value, unit, f"{by}, finger stick"))


def _rate(
    block: Block,
    place: str,
    said: dict[str, Any],
    at: datetime,
    lasts: float,
    by: str,
    site: Site,
) -> None:
    """A temporary rate lasts as long as it was meant to, or until the next one is set."""
    rate = number(said.get("absolute"))
    rate = number(said.get("rate")) if rate is None else rate
    if rate is None or not lasts:  # a percentage of a profile that is not here, or the end of one
        return
    until = at + timedelta(minutes=lasts)
    after = bisect_right(site.rates, at.timestamp())
    if after < len(site.rates):
        until = min(until, since_epoch(site.rates[after]))
    where = f"{place}.{'absolute' if said.get('absolute') is not None else 'rate'}"
    block.take(Reading(where, at, codes.insulin_basal, rate, "U/h", by, until, "temporary rate"))


LOOP: dict[str, Code] = {
    "iob": own("nightscout", "insulin on board, as the loop reckons", "U"),
    "cob": own("nightscout", "carbohydrate on board, as the loop reckons", "g"),
}


def state(block: Block, place: str, said: dict[str, Any], at: datetime) -> None:
    """What the loop thought was still at work; its forecasts are not facts."""
    by = str(said.get("device") or "Nightscout")
    for loop in ("openaps", "loop"):
        thought = said.get(loop) if isinstance(said.get(loop), dict) else {}
        for name, code in LOOP.items():
            told = (thought or {}).get(name)
            value = number(told.get(name) if isinstance(told, dict) else None)
            if value is not None:
                block.take(Reading(f"{place}.{loop}.{name}", at, code, value, code.unit, by))


source = Source(
    "Nightscout export",
    "Nightscout cgm-remote-monitor, collections entries, treatments and devicestatus",
    (".json", ".ndjson"),
    recognises,
    read,
    streams=True,
)
