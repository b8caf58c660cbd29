"""No data: silence is measured against the person's own device, and is never silent itself.

What a device usually does is its median gap over its last day of readings, so a sensor that
reads every 5 minutes is missed after 20 and a meter used four times a day after a day. Four
gaps are the signal-loss limit of the sensors in use (20 min at 5-minute readings).
"""

from datetime import datetime

import numpy as np

from medtwin.care.ahead import low
from medtwin.care.alert import Alert, Urgency, age, clock
from medtwin.record import codes
from medtwin.record.record import Record, Series, moment
from medtwin.twin.forecast import Forecast

missed = 4
remembered = 289
long_silence = 3600.0


def no_data(record: Record, ahead: Forecast | None, now: datetime) -> Alert | None:
    """The device that speaks most often has fallen silent.

    It is a note after four readings missed, `soon` after an hour more, and `now` when the last
    that was seen was already low. Silence of the busiest source counts, because the twin lives
    on it; a meter that is used now and then neither hides that nor causes it.
    """
    found = _busiest(record.known(now)[codes.glucose].current)
    if found is None:
        return None
    series, gap = found
    silent = now.timestamp() - series.at[-1]
    if silent <= missed * gap:
        return None
    value, source = series.value[-1], series.sources[series.source[-1]]
    late = silent > missed * gap + long_silence
    urgency = Urgency.now if value < low else Urgency.soon if late else Urgency.note
    because = (
        f"nothing from {source} for {age(silent)}; it usually reads every {age(gap)}; the last "
        f"was {value:.0f} mg/dL at {clock(moment(series.at[-1]))} on {moment(series.at[-1]):%d %b}"
    )
    return Alert(record.patient, "no_data", urgency, "No glucose data", because, now)


def cadence(series: Series) -> float | None:
    """Seconds between readings of one source, as its recent habit; unknown under four readings."""
    if len(series) < 4:
        return None
    return float(np.median(np.diff(series.at[-remembered:])))


def _busiest(series: Series) -> tuple[Series, float] | None:
    habits = []
    for source in np.unique(series.source):
        one = series.keep(np.flatnonzero(series.source == source))
        gap = cadence(one)
        if gap is not None:
            habits.append((one, gap))
    return min(habits, key=lambda h: h[1], default=None)
