"""Something worth a person's attention, how soon, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from medtwin.record.record import Record
from medtwin.twin.forecast import Forecast


class Urgency(StrEnum):
    """How soon a person should look: when there is time, within the hour, or at once."""

    note = "note"
    soon = "soon"
    now = "now"


@dataclass(frozen=True, slots=True)
class Alert:
    """One reason to interrupt somebody.

    `code` names the rule that spoke. One patient has at most one open alert for each code: the
    vault counts how often it was raised again and closes it when the reason is gone. `because`
    is the reason in words, with numbers, units and times.
    """

    patient: str
    code: str
    urgency: Urgency
    headline: str
    because: str
    at: datetime


Rule = Callable[[Record, Forecast | None, datetime], Alert | None]


def age(seconds: float) -> str:
    """So long ago, as one says it: 40 min, 5 h, 3 d."""
    minutes = seconds / 60
    if minutes < 100:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"


def clock(at: datetime) -> str:
    """The time of day, with its zone."""
    return f"{at:%H:%M} {at:%Z}"
