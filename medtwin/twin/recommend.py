"""What could be done now, within stated limits, or why nothing is said.

A bolus or carbohydrate that brings predicted glucose into the range asked for, while the chance
of a low stays under a cap. The effect of each choice is the mechanism's alone, paired with the
plan in force. Withheld while the twin's own track record does not support it.
Targets: Battelino et al. (2019), Diabetes Care 42:1593.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.twin.forecast import Difference, Forecast, compare, what_if
from medtwin.twin.ledger import LedgerEntry, honesty
from medtwin.twin.twin import Twin


@dataclass(frozen=True)
class Limits:
    """Between what a recommendation must stay, and what must be true before one is made.

    Glucose in mg/dL; `largest` of each code in its unit, tried in steps of `step`. The chance of
    going below `low` within `within` must stay under `low_chance`. The effect of 1 U at 120 min
    must lie between the shares of the person's correction factor (1700 / daily insulin).
    """

    low: float = 70.0
    target: tuple[float, float] = (80.0, 140.0)
    low_chance: float = 0.05
    largest: tuple[tuple[Code, float], ...] = ((codes.insulin_bolus, 5.0), (codes.carbohydrate, 40))
    step: tuple[tuple[Code, float], ...] = ((codes.insulin_bolus, 0.5), (codes.carbohydrate, 5.0))
    within: timedelta = timedelta(hours=3)
    least_scored: int = 200
    coverage: tuple[float, float] = (0.85, 0.97)
    share: tuple[float, float] = (0.15, 0.60)
    oldest: timedelta = timedelta(minutes=20)


@dataclass(frozen=True)
class Recommendation:
    """One thing to do now: how much of what, and why. An amount of 0 says: do nothing."""

    patient: str
    code: Code
    amount: float
    at: datetime
    change: Difference
    expected: Forecast
    because: str


@dataclass(frozen=True)
class Withheld:
    """No recommendation is made, and why not."""

    because: str


def recommend(
    twin: Twin,
    shown: Forecast,
    ledger: Iterable[LedgerEntry],
    read: datetime,
    now: datetime,
    limits: Limits | None = None,
    plan: Sequence[Observation] = (),
) -> Recommendation | Withheld:
    """What would bring glucose into the range asked for, or why nothing is recommended.

    `shown` is the calibrated forecast of the plan in force from `now`, at rising times; `read` is
    when glucose was last measured (a dose that is still reported says nothing of glucose).
    """
    limits = limits or Limits()
    reason = unsupported(twin, ledger, read, now, limits)
    if reason:
        return Withheld(reason)
    choices = [_choice(twin, shown, now, plan, code, amount) for code, amount in _amounts(limits)]
    safe = [c for c in choices if _low_chance(c.expected, now, limits) <= limits.low_chance]
    if not safe:
        return Withheld(
            f"every choice within the limits leaves a chance of going below {limits.low:g} mg/dL "
            f"over {limits.low_chance:.0%}; look at the person, not at the forecast"
        )
    return min(safe, key=lambda c: (_outside(c.expected, now, limits), c.amount))


def unsupported(
    twin: Twin, ledger: Iterable[LedgerEntry], read: datetime, now: datetime, limits: Limits
) -> str | None:
    """Why the twin's track record and its effect of insulin do not support advice; or None."""
    done = [e for e in ledger if e.by == "shown" and e.measured is not None]
    if len(done) < limits.least_scored:
        return (
            f"only {len(done)} forecasts of {twin.patient} have been scored; "
            f"{limits.least_scored} are needed before a dose is spoken of"
        )
    if now - read > limits.oldest:
        minutes = (now - read).total_seconds() / 60
        return f"the last glucose reading is {minutes:.0f} min old; wait for new data"
    held = honesty(done).cover90
    if not limits.coverage[0] <= held <= limits.coverage[1]:
        low, high = limits.coverage
        return (
            f"90 % intervals held {held:.0%} of {len(done)} readings; {low:.0%} to {high:.0%} is "
            "needed; re-fit, or follow longer"
        )
    share = effect_share(twin, now)
    if not limits.share[0] <= share <= limits.share[1]:
        return (
            f"1 U would lower glucose by {share:.0%} of the correction factor in 2 h; "
            f"{limits.share[0]:.0%} to {limits.share[1]:.0%} is plausible; check the daily insulin"
        )
    return None


def effect_share(twin: Twin, now: datetime, minutes: float = 120.0) -> float:
    """How far 1 U lowers glucose after so many minutes, as a share of 1700 / daily insulin.

    Above 0 where insulin lowers. The 1700 rule: Davidson et al. (2008), Endocr Pract 14:1095.
    """
    start = max(now.timestamp(), twin.at)
    when = datetime.fromtimestamp(start, now.tzinfo)
    unit = Observation(when, codes.insulin_bolus, 1.0, "asked", when)
    times = [when + timedelta(minutes=minutes)]
    lowered = -compare(twin, codes.glucose, times, (), (unit,)).middle[0]
    return float(lowered / correction_factor(twin))


def correction_factor(twin: Twin) -> float:
    """How far the 1700 rule says that 1 U lowers this person's glucose, mg/dL."""
    p: Any = twin.model.parameters(*twin.parameters)
    return float(np.mean(1700 / p.daily_insulin))


def _amounts(limits: Limits) -> list[tuple[Code, float]]:
    """Nothing first, then every step of every code."""
    steps = dict(limits.step)
    rising = [
        (code, float(amount))
        for code, most in limits.largest
        for amount in np.arange(steps[code], most + 1e-9, steps[code])
    ]
    return [(limits.largest[0][0], 0.0), *rising]


def _choice(
    twin: Twin, shown: Forecast, now: datetime, plan: Sequence[Observation], code: Code, much: float
) -> Recommendation:
    given = (Observation(now, code, much, "recommended", now),) if much else ()
    change = compare(twin, shown.code, shown.times, plan, (*plan, *given))
    expected = what_if(shown, change)
    after = expected.middle[-1]
    because = (
        f"{much:g} {code.unit} {code.name} now: {after:.0f} instead of "
        f"{shown.middle[-1]:.0f} {shown.code.unit} expected at {shown.times[-1]:%H:%M} UTC"
        if much
        else f"nothing more is needed: {after:.0f} {shown.code.unit} expected at "
        f"{shown.times[-1]:%H:%M} UTC"
    )
    return Recommendation(twin.patient, code, much, now, change, expected, because)


def _low_chance(expected: Forecast, now: datetime, limits: Limits) -> float:
    soon = np.array([t <= now + limits.within for t in expected.times])
    return expected.chance((expected.paths < limits.low) & soon[:, None])


def _outside(expected: Forecast, now: datetime, limits: Limits) -> float:
    """How far the middle path lies outside the range, on average over the last hour looked at."""
    low, high = limits.target
    late = np.array([t >= expected.times[-1] - timedelta(hours=1) for t in expected.times])
    middle = expected.middle[late]
    return float(round(np.mean(np.maximum(middle - high, 0) + np.maximum(low - middle, 0)), 3))
