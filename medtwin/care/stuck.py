"""A sensor that shows the same number again and again, longer than chance allows.

Even when the body holds still the noise of a sensor does not: one reading equals the one before
it with a chance `p`, taken from this person's own record (equal neighbours / neighbours, with
one of each added, never under 1 in 10). A run of `k` more equal readings that starts anywhere in
a year of `n` readings then happens about `n p^k` times. The rule speaks when that is below one
in ten, so a person meets a false alarm less than once in ten years as far as repeats are
independent; at 5-minute readings and p = 0.2 that is 9 repeats, 45 minutes. Real sensors smooth
and repeat in clusters: of the 25 people of AZT1D (1,016 days, p about 0.13) four show 9 or more
repeats at least once, one shows 12. So `shortest` (12, an hour) is asked for whatever p is, and
the rule speaks about once in three person-years there. The ends of a sensor's scale are left
out: there it says the same number because it has no other.
"""

from datetime import datetime
from math import ceil, log

import numpy as np
from jaxtyping import Float

from medtwin.care.alert import Alert, Urgency, age, clock
from medtwin.care.silence import cadence
from medtwin.record import codes
from medtwin.record.record import Record, Series, moment
from medtwin.twin.forecast import Forecast

year = 365.25 * 86400
per_year = 0.1
shortest = 12
recent = 3600.0
scale_ends = (40.0, 400.0)


def sensor_stuck(record: Record, _: Forecast | None, now: datetime) -> Alert | None:
    """A sensor repeats itself too long to be true; what it shows should not be dosed on."""
    series = record.known(now)[codes.glucose].current
    for source in np.unique(series.source):
        alert = _stuck(record.patient, series.keep(np.flatnonzero(series.source == source)), now)
        if alert:
            return alert
    return None


def _stuck(patient: str, one: Series, now: datetime) -> Alert | None:
    gap = cadence(one)
    if gap is None or now.timestamp() - one.at[-1] > recent or _at_an_end(one.value[-1]):
        return None
    repeats = repeated(one.value)
    if repeats < repeats_needed(luck(one.value[: len(one) - repeats]), gap):
        return None
    source, since = one.sources[one.source[-1]], moment(one.at[-1 - repeats])
    because = (
        f"{source} has shown {one.value[-1]:.0f} mg/dL {repeats + 1} times in a row since "
        f"{clock(since)} ({age(one.at[-1] - one.at[-1 - repeats])}); its noise would allow that "
        f"less than once in {1 / per_year:.0f} years: check it with a meter"
    )
    return Alert(patient, "sensor_stuck", Urgency.soon, "The sensor may be stuck", because, now)


def repeated(values: Float[np.ndarray, " reading"]) -> int:
    """How many readings at the end repeat the one before them."""
    changed = np.flatnonzero(np.diff(values) != 0)
    return len(values) - 1 - (int(changed[-1]) + 1 if len(changed) else 0)


def luck(values: Float[np.ndarray, " reading"]) -> float:
    """The chance that one reading equals the one before it, by this sensor's own history."""
    inside = values[(values > scale_ends[0]) & (values < scale_ends[1])]
    equal = int(np.sum(np.diff(inside) == 0))
    return max(0.1, (equal + 1) / (len(inside) + 1))


def repeats_needed(chance: float, gap: float) -> int:
    """The shortest run that luck allows less than `per_year` times a year."""
    if chance >= 1:
        return 2**31  # nothing is known of this sensor but repeats
    return max(shortest, ceil(log(per_year * gap / year) / log(chance)))


def _at_an_end(value: float) -> bool:
    return value <= scale_ends[0] or value >= scale_ends[1]
