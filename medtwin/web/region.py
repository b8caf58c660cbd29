"""How this reader writes numbers and times: their unit of glucose, their clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from medtwin.record import codes
from medtwin.record.codes import Code

MOLAR_PER_MASS = 10.0
UNITS = ("mg/dL", "mmol/L")
GREENWICH = ZoneInfo("UTC")
THEMES = ("auto", "light", "dark")
WORDS = {
    "a": "years",
    "1": "",
    "{score}": "",
    "{steps}": "",
    "/min": "per min",
    "mm[Hg]": "mmHg",
    "Cel": "°C",
}


@dataclass(frozen=True)
class Region:
    """What a reader is used to. Inside the house glucose stays mg/dL and time stays UTC."""

    glucose: str = "mg/dL"
    zone: ZoneInfo = GREENWICH
    theme: str = "auto"


def region(cookies: Mapping[str, str]) -> Region:
    """What the reader chose before; anything else we cannot read is the plain default."""
    unit, theme = cookies.get("units", ""), cookies.get("theme", "")
    return Region(
        unit if unit in UNITS else UNITS[0],
        _zone(cookies.get("zone", "")),
        theme if theme in THEMES else THEMES[0],
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name.replace("%2F", "/") or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return GREENWICH


def unit(code: Code, region: Region) -> str:
    """The unit this reader sees for a code."""
    if code == codes.glucose:
        return region.glucose
    return WORDS.get(code.unit, code.unit)


def scale(code: Code, region: Region) -> float:
    """What a value in the house is multiplied by for this reader."""
    molar = code == codes.glucose and region.glucose == "mmol/L"
    return MOLAR_PER_MASS / (codes.glucose.molar_mass or 1.0) if molar else 1.0


def figure(code: Code, value: float, region: Region) -> str:
    """The number as this reader writes it, no more digits than the sensor supports."""
    shown = value * scale(code, region)
    if code == codes.glucose:
        return f"{shown:.1f}" if region.glucose == "mmol/L" else f"{shown:.0f}"
    return f"{shown:.3g}" if abs(shown) < 1000 else f"{shown:,.0f}"


def amount(code: Code, value: float, region: Region) -> str:
    """The number with its unit."""
    return f"{figure(code, value, region)} {unit(code, region)}".rstrip()


def clock(at: datetime, region: Region, now: datetime | None = None) -> str:
    """Time with its zone; the date too where it is not today."""
    here = at.astimezone(region.zone)
    today = now is not None and now.astimezone(region.zone).date() == here.date()
    return here.strftime("%H:%M %Z" if today else "%-d %b %Y %H:%M %Z")


def day(at: datetime, region: Region) -> str:
    """The date alone."""
    return at.astimezone(region.zone).strftime("%-d %b %Y")


def lasting(length: timedelta) -> str:
    """A length of time in the one unit that says it best."""
    seconds = max(length.total_seconds(), 0.0)
    for size, limit, word in ((60, 120, "min"), (3600, 48, "h"), (86400, 90, "days")):
        if seconds < limit * size:
            return f"{seconds / size:.0f} {word}"
    if seconds < 730 * 86400:
        return f"{seconds / (30.44 * 86400):.0f} months"
    return f"{seconds / (365.25 * 86400):.0f} years"


def age(at: datetime, now: datetime) -> str:
    """How old a value is, as one would say it."""
    if at > now + timedelta(seconds=30):
        return f"in {lasting(at - now)}"
    return "just now" if now - at < timedelta(seconds=60) else f"{lasting(now - at)} ago"


def utc(seconds: float) -> datetime:
    """UTC seconds as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)
