"""Glucose that is low, or will be: rules on the shown forecast, and the floor nothing mutes.

Levels are the international consensus (Battelino et al. 2019, Diabetes Care 42:1593): low under
70 mg/dL, severely low under 54, very high over 250. A low is judged over the next two hours,
long enough to eat something, a high over all that the forecast shows.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from jaxtyping import Float

from medtwin.care.alert import Alert, Urgency, clock
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.forecast import Forecast

low, severe, high = 70.0, 54.0, 250.0
look = timedelta(hours=2)
recent = timedelta(minutes=20)


def predicted_low(record: Record, ahead: Forecast | None, now: datetime) -> Alert | None:
    """Glucose will probably be low within two hours.

    A third is worth a note, because a low that is prevented costs a few grams of sugar; more
    likely than not is `soon`. A one in three chance of a severe low within the hour is `now`.
    """
    ahead = _until(ahead, now + look)
    if ahead is None:
        return None
    chance = _ever(ahead.paths < low)
    soon = _until(ahead, now + timedelta(hours=1))
    grave = _ever(soon.paths < severe) if soon else 0.0
    if chance < 1 / 3:
        return None
    urgency = Urgency.now if grave >= 1 / 3 else Urgency.soon if chance >= 1 / 2 else Urgency.note
    when = ahead.times[int(np.argmax(np.mean(ahead.paths < low, axis=1)))]
    because = _chance(chance, f"below {low:g} mg/dL by {clock(ahead.times[-1])}")
    because += f"; most likely at {clock(when)}: {_span(ahead, when)}"
    if grave >= 0.05:
        because += f"; {_chance(grave, f'below {severe:g} mg/dL within the hour')}"
    return Alert(record.patient, "predicted_low", urgency, "Glucose may fall low", because, now)


def predicted_high(record: Record, ahead: Forecast | None, now: datetime) -> Alert | None:
    """Glucose will probably be very high: `soon` when it is almost sure and already high."""
    ahead = _until(ahead, datetime.max.replace(tzinfo=now.tzinfo))
    if ahead is None:
        return None
    chance = _ever(ahead.paths > high)
    if chance < 1 / 2:
        return None
    last = _last_reading(record, now)
    standing = last is not None and last[1] > high
    urgency = Urgency.soon if chance >= 0.9 and standing else Urgency.note
    when = ahead.times[int(np.argmax(np.mean(ahead.paths > high, axis=1)))]
    because = _chance(chance, f"above {high:g} mg/dL by {clock(ahead.times[-1])}")
    because += f"; most likely at {clock(when)}: {_span(ahead, when)}"
    return Alert(record.patient, "predicted_high", urgency, "Glucose may rise high", because, now)


def severe_low(record: Record, _: Forecast | None, now: datetime) -> Alert | None:
    """Glucose is severely low now. It needs no twin and no forecast, and nothing mutes it.

    Every source counts, not the preferred one: of two devices that disagree about a severe low,
    the one that sees it is believed until a person has looked.
    """
    series = record.known(now)[codes.glucose].current
    fresh = (series.at > (now - recent).timestamp()) & (series.at <= now.timestamp())
    seen = series.keep(np.flatnonzero(fresh))
    latest = [int(np.flatnonzero(seen.source == s)[-1]) for s in np.unique(seen.source)]
    lows = [i for i in latest if seen.value[i] < severe]
    if not lows:
        return None
    i = min(lows, key=lambda low: float(seen.value[low]))
    because = (
        f"{seen.sources[seen.source[i]]} read {seen.value[i]:.0f} mg/dL at "
        f"{clock(moment(seen.at[i]))}; below {severe:g} mg/dL needs treatment at once"
    )
    return Alert(record.patient, "severe_low", Urgency.now, "Glucose is severely low", because, now)


def _until(ahead: Forecast | None, end: datetime) -> Forecast | None:
    """The forecast's times up to `end`; none if it is not of glucose or ends before."""
    if ahead is None or ahead.code != codes.glucose:
        return None
    kept = sum(t <= end for t in ahead.times)
    if not kept:
        return None
    return replace(ahead, times=ahead.times[:kept], paths=ahead.paths[:kept])


def _ever(happens: Float[np.ndarray, "time member"]) -> float:
    return float(np.mean(np.any(happens, axis=0)))


def _chance(chance: float, of_what: str) -> str:
    shown = "over 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"
    return f"{shown} chance {of_what}"


def _span(ahead: Forecast, when: datetime) -> str:
    values = ahead.paths[ahead.times.index(when)]
    lower, upper = np.quantile(values, [0.1, 0.9])
    return f"{lower:.0f} to {upper:.0f} mg/dL in 8 of 10 cases"


def _last_reading(record: Record, now: datetime) -> tuple[float, float] | None:
    series = record.known(now)[codes.glucose].current
    return (series.at[-1], series.value[-1]) if len(series) else None
