"""Time zones by name, or as a plain offset where a device knows no better."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


class UnknownZone(ValueError):
    """No such time zone."""


@cache
def zone(name: str) -> tzinfo:
    """The zone of this IANA name, or of an offset such as -07:00.

    Raises `UnknownZone`.
    """
    if name == "UTC":
        return UTC
    if found := OFFSET.fullmatch(name):
        sign, hours, minutes = found.groups()
        shift = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(shift if sign == "+" else -shift)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as why:
        allowed = "allowed are IANA names such as Europe/Berlin, or offsets such as +02:00"
        raise UnknownZone(f"zone {name!r} is not known; {allowed}") from why


def zone_or_none(name: str | None) -> tzinfo | None:
    """The zone, if one is named."""
    return zone(name) if name else None
