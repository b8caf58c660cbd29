"""Bluetooth sensors: the bytes of heart rate belts, meters, cuffs, scales and oximeters.

Carried as JSON, one notification a line: `{"characteristic": "2A37", "hex": "0648",
"at": "2024-05-01T08:00:00+02:00", "device": "belt"}`; a `person` may stand beside them.
"""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from math import isnan
from pathlib import Path
from typing import Any

import orjson

from medtwin.sources.gatt_payloads import DECODERS, Said, decoded
from medtwin.sources.readings import Block, Reading, moment, utc, whose
from medtwin.sources.source import Arrived, Options, Sent, Source
from medtwin.sources.zones import zone_or_none

KNOWN = ", ".join(f"{c:04X}" for c in DECODERS)
UUID = "-0000-1000-8000-00805f9b34fb"  # Bluetooth's own: only its beginning tells


def recognises(path: Path, head: bytes) -> bool:
    """Lines of JSON that name a characteristic and its bytes."""
    line = head.lstrip(b"\xef\xbb\xbf \r\n").split(b"\n", 1)[0]
    return line.startswith(b"{") and b'"characteristic"' in line and b'"hex"' in line


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Each line: what the sensor said, or why it cannot be read."""
    with what.open() as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield from notification(line, number, what, options)


def notification(line: bytes, number: int, what: Sent, options: Options) -> Iterator[Arrived]:
    """One notification as one original."""
    place = f"line {number}"
    try:
        carried = orjson.loads(line)
        characteristic = uuid(carried["characteristic"])
        raw = bytes.fromhex(carried["hex"])
        zone = zone_or_none(options.zone)
        received = moment(carried["at"], zone)
        clock = datetime.fromisoformat(carried["at"]).tzinfo or zone
    except (ValueError, KeyError, TypeError, AttributeError) as why:
        block = Block(whose("gatt", what, options), options.received)
        because = f"it is no notification we can read ({type(why).__name__}: {why})"
        block.refuse(place, because, "a line needs characteristic, hex and at", line)
        yield from block.arrived(line, "application/json", f"{what.name}, {place}", "Bluetooth")
        return
    device, person = (str(carried.get(k) or "") for k in ("device", "person"))
    block = Block(whose("gatt", what, options, person or device), options.received)
    _told(block, place, characteristic, raw, received, clock, device or "Bluetooth sensor")
    yield from block.arrived(line, "application/json", f"{what.name}, {place}", "Bluetooth")


def uuid(text: Any) -> int:
    """The 16 bits of a characteristic: `2A37`, `0x2A37`, or the long form."""
    short = str(text).lower().removesuffix(UUID).removeprefix("0x")
    return int(short, 16)


def _told(
    block: Block,
    place: str,
    characteristic: int,
    raw: bytes,
    received: datetime,
    clock: tzinfo | None,
    device: str,
) -> None:
    if characteristic not in DECODERS:
        block.keep(f"Bluetooth characteristic {characteristic:04X}")
        return
    try:
        said = decoded(characteristic, raw)
    except ValueError as why:
        then = f"known characteristics are {KNOWN}; check how the bytes were carried"
        block.refuse(f"{place}, {characteristic:04X} {raw.hex()}", why, then)
        return
    for one in said:
        if isnan(one.value):
            block.keep(f"Bluetooth {one.code.name} without a value")
        else:
            at = _when(one, received, clock)
            where = f"{place}, {characteristic:04X}"
            block.take(Reading(where, at, one.code, one.value, one.unit, device, None, one.says))


def _when(said: Said, received: datetime, clock: tzinfo | None) -> datetime:
    """By the sensor's own clock, which stands where the receiver stood; else when received."""
    if said.at is None:
        return received - said.ago
    return utc(said.at.replace(tzinfo=clock)) if clock else moment(said.at.isoformat())


source = Source(
    "Bluetooth GATT notifications",
    "Bluetooth SIG GATT Specification Supplement; IEEE 11073-20601 floats",
    (".jsonl", ".ndjson"),
    recognises,
    read,
)
