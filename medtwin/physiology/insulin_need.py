"""How much insulin a person uses, from their own record."""

from dataclasses import dataclass

import numpy as np

from medtwin.record import codes
from medtwin.record.record import Record, Series

day = 86400.0
least_days = 1.0


@dataclass(frozen=True)
class InsulinNeed:
    """Insulin per day (U), the mean rate that the record shows, and its basal part (U/h)."""

    daily: float
    rate: float
    basal: float


def insulin_need(record: Record) -> InsulinNeed | None:
    """What one day takes; None where less than a day with insulin has been seen.

    People on injections often record no basal insulin. Half of a day's insulin is usually
    basal (Scheiner & Boyer 2005, Diabetes Res Clin Pract 69:14), so their daily need is taken
    as twice the boluses, while the rate stays what the record shows.
    """
    doses = record[codes.insulin_bolus].current
    rates = record[codes.insulin_basal].current
    days = _span(record, doses, rates)
    if days < least_days or not (len(doses) or len(rates)):
        return None
    bolus = float(doses.value.sum()) / days / 24
    basal = _mean_rate(rates)
    daily = 24 * (bolus + basal) if basal > 0.05 * bolus else 48 * bolus
    if daily <= 0:
        return None
    return InsulinNeed(
        float(np.clip(daily, 8, 250)), float(np.clip(bolus + basal, 0.05, 10)), min(basal, 8.0)
    )


def _span(record: Record, doses: Series, rates: Series) -> float:
    """Days over which insulin could have been seen: those of the sensor where there is one."""
    times = [s.at for s in (record[codes.glucose], doses, rates) if len(s)]
    if not times:
        return 0.0
    return float(max(t.max() for t in times) - min(t.min() for t in times)) / day


def _mean_rate(rates: Series) -> float:
    """Mean of the rates known, each weighed by how long it ran (1 h where nobody said)."""
    if not len(rates):
        return 0.0
    gap = np.clip(np.diff(rates.at, append=rates.at[-1] + 3600.0), 0.0, 3600.0 * 3)
    lasted = gap if rates.until is None else np.minimum(rates.until - rates.at, gap)
    lasted = np.where(np.isfinite(lasted), lasted, gap)
    return float(np.average(rates.value, weights=lasted)) if lasted.sum() > 0 else 0.0
