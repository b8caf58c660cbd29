"""A person's own glucose in plain words: what it is, what comes, what to do, whom to call.

What to do when low: 15 to 20 g of fast carbohydrate, again after 15 minutes (American Diabetes
Association, Standards of Care 2024, section 6).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medtwin.record import codes
from medtwin.record.record import Series
from medtwin.twin.forecast import Forecast
from medtwin.web import region as reader
from medtwin.web.region import Region
from medtwin.web.views.alerts import Row

OLD = timedelta(minutes=20)
LOW, VERY_LOW, HIGH, VERY_HIGH = 70.0, 54.0, 180.0, 250.0
SCALE = (40.0, 320.0)


@dataclass(frozen=True)
class Bar:
    """Now and soon on one line, in picture units of 0 to 600."""

    ok: tuple[float, float]
    likely: tuple[float, float] | None
    mark: float
    marks: tuple[tuple[float, str], ...]
    words: str


@dataclass(frozen=True)
class Plain:
    """What a person reads first about themselves."""

    now: str
    measured: str
    soon: str
    sure: str
    means: str
    todo: tuple[str, ...]
    tone: str
    old: bool
    bar: Bar | None


def plain(
    seen: Series, ahead: Forecast | None, region: Region, now: datetime, closed: str
) -> Plain:
    """The last value and the next hour, in short sentences."""
    if not len(seen):
        return nothing_yet(closed)
    value, at = float(seen.value[-1]), reader.utc(float(seen.at[-1]))
    old = now - at > OLD
    likely = None if ahead is None or old else between(ahead, 60)
    tone, means, todo = advice(value, likely, old)
    return Plain(
        now=f"Your glucose {'was' if old else 'is'} {reader.amount(codes.glucose, value, region)}.",
        measured=f"Measured {reader.age(at, now)}, at {reader.clock(at, region, now)}.",
        soon=_soon(likely, region, closed, old),
        sure="About 8 times in 10 it ends up between these two numbers." if likely else "",
        means=means,
        todo=todo,
        tone=tone,
        old=old,
        bar=bar(value, likely, region),
    )


def heeding(said: Plain, warned: tuple[Row, ...]) -> Plain:
    """Never calmer than the warnings that stand beside it."""
    if said.tone not in ("good", "notice") or not warned or warned[0].urgency == "notice":
        return said
    todo = ("Read what we noticed, just below.", "Measure again in 15 minutes.")
    means = f"{said.means} But there is a warning: {warned[0].headline.lower()}."
    return replace(said, tone=warned[0].urgency, means=means, todo=todo)


def nothing_yet(closed: str) -> Plain:
    """A person without glucose readings."""
    return Plain(
        "There is no glucose reading yet.", "", closed, "", "We cannot say anything about it.",
        ("Connect your sensor or meter, or ask your team for help.",), "notice", False, None,
    )  # fmt: skip


def between(ahead: Forecast, minutes: int) -> tuple[float, float]:
    """Where it will be eight times in ten, so many minutes from now."""
    low, _, high = ahead.band(0.8)[:, minutes // 5 - 1]
    return float(low), float(high)


def _soon(likely: tuple[float, float] | None, region: Region, closed: str, old: object) -> str:
    if old:
        return "The reading is old, so we do not look ahead from it."
    if likely is None:
        return closed
    low, high = (reader.figure(codes.glucose, v, region) for v in likely)
    return f"In one hour it is most likely between {low} and {high} {region.glucose}."


def advice(
    value: float, likely: tuple[float, float] | None, old: object
) -> tuple[str, str, tuple[str, ...]]:
    """The tone, what it means, and what a person can do."""
    sugar = "Take 15 to 20 g of fast sugar now: glucose tablets, juice or a sweet drink."
    again = "Measure again after 15 minutes. If it is still low, take the same again."
    if old:
        return "warning", "We have not heard from your sensor.", (
            "Check that it is on and near your phone.",
            "If you feel unwell, measure with a finger prick.",
        )  # fmt: skip
    if value < VERY_LOW:
        return "critical", "This is very low. You need sugar at once.", (sugar, again)
    if value < LOW:
        return "critical", "This is low.", (sugar, again)
    if likely and likely[0] < LOW:
        return "warning", "It may become low.", (
            "Keep something with sugar beside you.",
            "Measure again in 15 minutes, and before you drive.",
        )  # fmt: skip
    if value > VERY_HIGH:
        return "warning", "This is very high.", (
            "Follow the plan you agreed with your team for high values.",
            "Check for ketones if you were told to.",
        )  # fmt: skip
    if value > HIGH:
        return "notice", "This is above your target range.", ("Measure again in an hour.",)
    return "good", "This is in your target range.", ("There is nothing you need to do now.",)


def bar(value: float, likely: tuple[float, float] | None, region: Region) -> Bar:
    """The picture beside the words."""
    marks = tuple((_x(v), reader.figure(codes.glucose, v, region)) for v in (LOW, HIGH))
    said = f"now {reader.amount(codes.glucose, value, region)}"
    return Bar(
        (_x(LOW), _x(HIGH) - _x(LOW)),
        (_x(likely[0]), max(_x(likely[1]) - _x(likely[0]), 6.0)) if likely else None,
        _x(value),
        marks,
        said,
    )


def _x(value: float) -> float:
    low, high = SCALE
    return round(600 * (min(max(value, low), high) - low) / (high - low), 1)
