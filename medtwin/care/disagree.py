"""Two devices that measure the same thing, further apart than their noise allows.

Each reading of a second device is set beside the other's reading nearest in time, within ten
minutes. One reading is allowed the code's own noise, or 10 % where that is more, which is what
meters (ISO 15197:2013: 95 % within 15 mg/dL or 15 %) and sensors (mean absolute difference 9 %)
reach; a sensor in tissue runs about ten minutes behind blood (Schmelzeisen-Redeker et al. 2015,
J Diabetes Sci Technol 9:1006), so its movement over that time is allowed as well. Errors of one
sensor resemble each other within an hour, so pairs closer than that count once.
"""

from datetime import datetime
from itertools import combinations
from math import hypot, sqrt

import numpy as np

from medtwin.care.alert import Alert, Urgency, age, clock
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.record import Record, Series, moment
from medtwin.twin.forecast import Forecast

beside = 600.0
apart = 3600.0
remembered = 86400.0
pairs_asked = 2
pairs_used = 4
limit = 3.5

Pair = tuple[float, float, float, float]
"""When, what each device said, and the difference in standard errors."""


def sources_disagree(record: Record, _: Forecast | None, now: datetime) -> Alert | None:
    """Two devices contradict each other: one of them is wrong, and a person must find out which.

    The last pairs of a day, two to four, must together differ by more than 3.5 standard errors:
    by chance once in 2,000 days for two devices that keep their promises.
    """
    series = record.known(now)[codes.glucose].current
    series = series.keep(np.flatnonzero(series.at > now.timestamp() - remembered))
    for a, b in combinations(np.unique(series.source), 2):
        one, other = (series.keep(np.flatnonzero(series.source == s)) for s in (a, b))
        few, many = sorted((one, other), key=len)
        pairs = paired(codes.glucose, few, many)[-pairs_used:]
        if len(pairs) >= pairs_asked and abs(together(pairs)) > limit:
            return _alert(record.patient, few, many, pairs, now)
    return None


def paired(code: Code, few: Series, many: Series) -> list[Pair]:
    """Readings of the rarer device beside the other's nearest, an hour apart or more."""
    pairs: list[Pair] = []
    for at, value in zip(few.at, few.value, strict=True):
        nearest = int(np.argmin(np.abs(many.at - at)))
        if abs(many.at[nearest] - at) > beside or (pairs and at - pairs[-1][0] < apart):
            continue
        allowed = hypot(doubt(code, value), doubt(code, many.value[nearest]), moved(many, nearest))
        difference = (value - many.value[nearest]) / allowed
        pairs.append((float(at), float(value), float(many.value[nearest]), float(difference)))
    return pairs


def together(pairs: list[Pair]) -> float:
    """The pairs' common difference in standard errors of their mean."""
    return sum(p[3] for p in pairs) / sqrt(len(pairs))


def doubt(code: Code, value: float) -> float:
    """The standard error allowed to one reading."""
    return max(code.noise, 0.1 * abs(value))


def moved(series: Series, i: int) -> float:
    """How far the series moves in ten minutes around reading `i`."""
    around = slice(max(0, i - 2), i + 3)
    at, value = series.at[around], series.value[around]
    if len(at) < 2 or at[-1] - at[0] > 4 * beside:
        return 0.0
    return float(abs(value[-1] - value[0]) / (at[-1] - at[0]) * beside)


def _alert(patient: str, few: Series, many: Series, pairs: list[Pair], now: datetime) -> Alert:
    at, a, b, _ = pairs[-1]
    first, second = few.sources[few.source[-1]], many.sources[many.source[-1]]
    hidden = min(a, b) < 70 <= max(a, b)
    because = (
        f"{first} read {a:.0f} mg/dL and {second} {b:.0f} mg/dL at {clock(moment(at))} "
        f"({age(now.timestamp() - at)} ago); over {len(pairs)} pairs they differ by "
        f"{abs(together(pairs)):.1f} standard errors, where {limit:g} are allowed"
    )
    urgency = Urgency.soon if hidden else Urgency.note
    return Alert(patient, "sources_disagree", urgency, "Two devices disagree", because, now)
