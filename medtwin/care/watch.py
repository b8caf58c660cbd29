"""Every rule asked in turn: what of this person is worth attention now."""

from datetime import datetime, timedelta

from medtwin.care.ahead import predicted_high, predicted_low, severe_low
from medtwin.care.alert import Alert, Rule
from medtwin.care.disagree import sources_disagree
from medtwin.care.silence import no_data
from medtwin.care.stuck import sensor_stuck
from medtwin.record.record import Record
from medtwin.twin.forecast import Forecast

rules: tuple[Rule, ...] = (
    severe_low,
    predicted_low,
    predicted_high,
    no_data,
    sensor_stuck,
    sources_disagree,
)
settles = {"predicted_low": timedelta(minutes=15), "predicted_high": timedelta(minutes=15)}
"""How long a rule must have been quiet before its alert is over: a chance that hovers about its
limit must not ring at every reading."""


def raised(record: Record, ahead: Forecast | None, now: datetime) -> tuple[Alert, ...]:
    """What the rules say now, the most pressing first."""
    said = (rule(record, ahead, now) for rule in rules)
    return tuple(sorted((a for a in said if a), key=_pressing))


def over(code: str, last: datetime, now: datetime) -> bool:
    """Whether an alert last raised then, and not raised now, is over."""
    return now - last >= settles.get(code, timedelta(0))


def _pressing(alert: Alert) -> int:
    return ("now", "soon", "note").index(alert.urgency)
