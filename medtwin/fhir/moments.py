"""Dates and times that say how exact they are: 2014 is a year, not its first second.

FHIRPath 2.0, https://hl7.org/fhirpath/N1/#datetime: a comparison that depends on what was not
said has no answer.
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

SHAPE = re.compile(
    r"(?:(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?)?"
    r"(?P<t>T)?(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d(?:\.\d+)?))?)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?$"
)
PARTS = ("year", "month", "day", "hour", "minute", "second")
LEAST = (1, 1, 1, 0, 0, Decimal(0))
SECONDS_OF = {"hour": 3600, "minute": 60, "second": 1, "millisecond": Decimal("0.001")}
SPAN = {"week": 7 * 86400, "day": 86400, **SECONDS_OF}
MONTHS = {"year": 12, "month": 1}
Part = int | Decimal


class Moment(NamedTuple):
    """A date, a time of day or both: `parts` from the greatest on, `zone` in minutes if said."""

    kind: str
    parts: tuple[Part, ...]
    zone: int | None
    text: str

    @property
    def length(self) -> int:
        """How many parts were said; of a time, the three before it count too."""
        return len(self.parts) + (3 if self.kind == "Time" else 0)


def moment(text: str, kind: str = "") -> Moment | None:
    """A date (2014-05), a time (T10:30) or both (2014-05-01T10:30Z); None for anything else."""
    match = SHAPE.match(text)
    if match is None or not text or not (match["year"] or match["t"]):
        return None
    said = [match[p] for p in PARTS]
    hours = said[3:]
    if match["year"] and match["hour"] and (said[2] is None or not match["t"]):
        return None
    if match["t"] and not match["year"] and (match["zone"] or not match["hour"]):
        return None
    found = kind or ("Time" if not match["year"] else "DateTime" if match["t"] else "Date")
    parts = _numbers(hours if found == "Time" else said)
    zone = _zone(match["zone"])
    made = Moment(found, parts, zone, text.removeprefix("T") if found == "Time" else text)
    return made if _possible(made) else None


def _numbers(said: list[str | None]) -> tuple[Part, ...]:
    parts = [s for s in said if s is not None]
    whole: list[Part] = [Decimal(p) if "." in p else int(p) for p in parts]
    return tuple(whole)


def _zone(said: str | None) -> int | None:
    if said is None:
        return None
    if said == "Z":
        return 0
    minutes = int(said[1:3]) * 60 + int(said[4:6])
    return -minutes if said[0] == "-" else minutes


def _possible(one: Moment) -> bool:
    year, month, day, hour, minute, second = filled(one)
    return (
        1 <= month <= 12
        and 1 <= day <= monthrange(max(int(year), 1), int(month))[1]
        and hour < 24 + (one.kind == "Time" and one.parts == (24,))
        and minute < 60
        and second < 61
        and abs(one.zone or 0) <= 14 * 60
    )


def filled(one: Moment) -> tuple[Part, ...]:
    """All six parts, the unsaid ones at their least."""
    before = (2000, 1, 1) if one.kind == "Time" else ()
    said = (*before, *one.parts)
    return (*said, *LEAST[len(said) :])


def in_utc(one: Moment) -> tuple[Part, ...]:
    """The parts that were said, as they read in Greenwich."""
    if not one.zone or one.length < 4:
        return one.parts
    year, month, day, hour, minute, second = filled(one)
    there = datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)
    here = there - timedelta(minutes=one.zone)
    parts: tuple[Part, ...] = (here.year, here.month, here.day, here.hour, here.minute, second)
    return parts[: 4 if one.length == 4 and not one.zone % 60 else max(one.length, 5)]


def ordered(a: Moment, b: Moment) -> int | None:
    """-1, 0 or 1 as a is before, at or after b; None where what was said cannot tell."""
    if (a.kind == "Time") != (b.kind == "Time"):
        return None
    timed = a.length > 3 and b.length > 3
    if timed and a.kind != "Time" and (a.zone is None) != (b.zone is None):
        return None
    one, other = (in_utc(a), in_utc(b)) if timed else (a.parts, b.parts)
    for x, y in zip(one, other, strict=False):
        if x != y:
            return -1 if x < y else 1
    return 0 if len(one) == len(other) else None


def moved(one: Moment, amount: Decimal, unit: str) -> Moment | None:
    """The moment so much later: in its own exactness, days that do not exist become the last."""
    if one.kind == "Time":
        return _time_moved(one, amount, unit)
    if unit in MONTHS:
        return _months_moved(one, int(amount) * MONTHS[unit])
    if unit not in SPAN:
        return None
    seconds = amount * SPAN[unit]
    if one.length < 3:
        days = int(seconds / 86400)
        months = days // 365 * 12 if one.length == 1 else days // 30
        return _months_moved(
            one,
            months
            if days >= 0
            else -(-days // (365 if one.length == 1 else 30)) * (12 if one.length == 1 else 1),
        )
    return _seconds_moved(one, seconds)


def _months_moved(one: Moment, months: int) -> Moment | None:
    year, month, day, *rest = filled(one)
    total = int(year) * 12 + int(month) - 1 + months
    if one.length == 1:
        total = (int(year) + int(months / 12)) * 12
    if not 12 <= total < 120_000:
        return None
    year, month = total // 12, total % 12 + 1
    parts: tuple[Part, ...] = (year, month, min(int(day), monthrange(year, month)[1]), *rest)
    return said(one.kind, parts[: one.length], one.zone, one)


def _seconds_moved(one: Moment, seconds: Decimal) -> Moment | None:
    year, month, day, hour, minute, second = filled(one)
    unit = {3: 86400, 4: 3600, 5: 60}.get(one.length, 0)
    seconds = Decimal(int(seconds / unit) * unit) if unit else seconds
    total = Decimal(second) + seconds
    whole = total.to_integral_value(ROUND_FLOOR)
    try:
        there = datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)
        there += timedelta(seconds=int(whole))
    except OverflowError:
        return None
    rest: Part = there.second + (total - whole) if total != whole else there.second
    rest = Decimal(rest).quantize(Decimal(second)) if isinstance(second, Decimal) else rest
    parts = (there.year, there.month, there.day, there.hour, there.minute, rest)
    return said(one.kind, parts[: one.length], one.zone, one)


def _time_moved(one: Moment, amount: Decimal, unit: str) -> Moment | None:
    if unit not in SECONDS_OF:
        return None
    _, _, _, hour, minute, second = filled(one)
    total = int(hour) * 3600 + int(minute) * 60 + Decimal(second) + amount * SECONDS_OF[unit]
    total = (total % 86400 + 86400) % 86400
    rest = total % 60
    shown: Part = rest if isinstance(second, Decimal) or rest % 1 else int(rest)
    parts: tuple[Part, ...] = (int(total // 3600), int(total // 60 % 60), shown)
    return said("Time", parts[: len(one.parts)], None, one)


def said(
    kind: str, parts: tuple[Part, ...], zone: int | None, like: Moment | None = None
) -> Moment:
    """A moment from its parts, written out."""
    dated, clock = ((), parts) if kind == "Time" else (parts[:3], parts[3:])
    day = "-".join(f"{p:0{4 if i == 0 else 2}d}" for i, p in enumerate(dated))
    hours = ":".join(_two(p) for p in clock)
    t = "T" if kind == "DateTime" and (clock or (like and like.text.endswith("T"))) else ""
    return Moment(kind, parts, zone, day + t + hours + zone_text(zone, like))


def _two(part: Part) -> str:
    return (
        f"{part:02d}"
        if isinstance(part, int)
        else f"{part:06.3f}"
        if part.as_tuple().exponent == -3
        else f"{part:0>2}"
        if part >= 10
        else "0" + str(part)
    )


def zone_text(zone: int | None, like: Moment | None = None) -> str:
    """How a zone is written."""
    if zone is None:
        return ""
    if zone == 0 and (like is None or like.text.endswith("Z")):
        return "Z"
    return f"{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"


def bounds(one: Moment) -> tuple[datetime, datetime]:
    """The first moment it may mean and the first it cannot mean any more; UTC where no zone is.

    Raises `ValueError` for a time of day, which belongs to no date.
    """
    if one.kind == "Time":
        raise ValueError(f"{one.text} is a time of day: give a date")
    year, month, day, hour, minute, second = filled(one)
    micro = int(Decimal(second) % 1 * 1_000_000)
    whole = min(int(second), 59)
    zone = timezone(timedelta(minutes=one.zone or 0))
    start = datetime(
        max(int(year), 1), int(month), int(day), int(hour), int(minute), whole, micro, zone
    )
    return start, _after(start, one)


def _after(start: datetime, one: Moment) -> datetime:
    if one.length == 1:
        return start.replace(year=start.year + 1) if start.year < 9999 else _last(start)
    if one.length == 2:
        days = monthrange(start.year, start.month)[1]
        return _later(start, timedelta(days=days))
    second = one.parts[-1]
    if isinstance(second, Decimal):
        return _later(
            start, timedelta(microseconds=max(1, int(10 ** (6 + int(second.as_tuple().exponent)))))
        )
    steps = {3: timedelta(days=1), 4: timedelta(hours=1), 5: timedelta(minutes=1)}
    return _later(start, steps.get(one.length, timedelta(seconds=1)))


def _later(start: datetime, span: timedelta) -> datetime:
    try:
        return start + span
    except OverflowError:
        return _last(start)


def _last(start: datetime) -> datetime:
    return datetime.max.replace(tzinfo=start.tzinfo)


def today() -> date:
    """The date in Greenwich."""
    return datetime.now(UTC).date()
