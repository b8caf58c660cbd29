"""Glucose of a person with type 1 diabetes, followed day and night: the reduced living model.

Insulin u (U/h) acts through two depots and a delay, carbohydrate through two gut compartments.
What the mechanism does not know (unlogged meals, exercise, stress, illness) is two
Ornstein-Uhlenbeck fluxes, one of an hour and one of two days, and a daily rhythm.

    s1' = (u - s1)/tI      s2' = (s1 - s2)/tI      X' = (s2 - X)/tX
    q1' = -q1/tq           q2' = (q1 - q2)/tq
    G'  = Sg (Gb - G) - S (X G/Gb - ub) + S (Y G/Gb - k uy) + Kc q2/tq + e + b + F(clock)
    e'  = -e/te + h dW     b' = -b/tb + dW
    Gs' = (G - Gs)/ts      reading = Gs + r + white noise,   r' = -r/tn + dW

S = Si (1700/TDD)/60 with TDD the person's daily insulin, ub their mean insulin rate, uy the part
of it that boluses give.

Insulin seen in life is evidence beside being a cause. A bolus tells that glucose is expected to
rise (an unlogged meal, a pump that sees it coming), a basal rate above the usual one that an
automated pump sees a rise, one below that it sees a fall: a share of the insulin's effect (k of
a bolus, kb of the basal beyond the usual) is cancelled by a rise Y of the same course, and a
bolus pushes the flux e besides. What is only planned has no such companion, so that what-if
shows the whole effect.

Insulin and gut chains: Hovorka et al. (2004), Physiol Meas 25:905; glucose effectiveness and
action on G: Bergman et al. (1979), Am J Physiol 236:E667; the 1700 rule: Davidson et al.
(2008), Endocr Pract 14:1095; sensor error as an autoregression: Facchinetti et al. (2014),
IEEE Trans Biomed Eng 61:620. Medians of the noise: fitted to AZT1D (25 people, CC BY 4.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from medtwin.engine.model import Model, offset, varies
from medtwin.physiology.insulin_need import insulin_need
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.record import Record

hovorka = "Hovorka 2004, widened"
bergman = "Bergman 1979, bounded"
cohort = "fit to AZT1D, days never used for testing"
cohorts = "fit to AZT1D and HUPA-UCM, days never used for testing"
facchinetti = "Facchinetti 2014, and the cohort"
two_days = "set to two days; teaching days of both cohorts prefer it to half a day"
counting = "fit, in step with Brazeau 2013, Diabetes Res Clin Pract 99:19"
own = "the person's own record"
unrecorded = 0.9
"""Insulin of somebody who records none, U/h: any rate does, as long as nothing is missed."""

rest_of_mean = 0.86
"""Glucose at rest as a share of the mean reading: the rest of the mean is meals."""

day_of_readings = 200


@dataclass(frozen=True)
class Parameters:
    """What differs between people; the medians are those of the cohort, the bounds physiology's."""

    sensitivity: Any = varies(1.0, unit="1", cv=0.12, low=0.8, high=1.6, source="1700 rule")
    insulin_time: Any = varies(50.0, unit="min", cv=0.1, low=35.0, high=60.0, source=hovorka)
    action_time: Any = varies(30.0, unit="min", cv=0.1, low=15.0, high=40.0, source=hovorka)
    effectiveness: Any = varies(0.006, unit="/min", cv=0.2, low=0.002, high=0.008, source=bergman)
    resting_glucose: Any = varies(130.0, unit="mg/dL", cv=0.15, low=90.0, high=220.0, source=cohort)
    carbohydrate_effect: Any = varies(
        2.2, unit="mg/dL/g", cv=0.35, low=1.0, high=8.0, source=cohort
    )
    gut_time: Any = varies(60.0, unit="min", cv=0.25, low=15.0, high=90.0, source=cohort)
    sensor_lag: Any = varies(3.6, unit="min", cv=0.3, low=1.0, high=15.0, source=facchinetti)
    flux_size: Any = varies(0.66, unit="mg/dL/min", cv=0.5, low=0.1, high=3.0, source=cohorts)
    flux_time: Any = varies(42.0, unit="min", cv=0.5, low=15.0, high=240.0, source=cohorts)
    slow_size: Any = varies(0.2, unit="mg/dL/min", cv=0.5, low=0.005, high=0.6, source=cohorts)
    slow_time: Any = varies(3000.0, unit="min", cv=0.3, low=200.0, high=6000.0, source=two_days)
    drift_size: Any = varies(9.0, unit="mg/dL", cv=0.5, low=1.0, high=30.0, source=cohorts)
    drift_time: Any = varies(42.0, unit="min", cv=0.4, low=10.0, high=180.0, source=cohorts)
    white: Any = varies(0.8, unit="mg/dL", cv=0.4, low=0.2, high=8.0, source=facchinetti)
    flux_with_glucose: Any = varies(0.6, unit="1", cv=0.5, low=0.0, high=3.0, source=cohorts)
    flux_with_meals: Any = varies(0.75, unit="1", cv=0.5, low=0.0, high=4.0, source=cohort)
    meal_doubt: Any = varies(0.36, unit="1", cv=0.3, low=0.1, high=1.0, source=counting)
    bolus_hint: Any = offset(0.65, unit="1", sd=0.2, low=0.0, high=1.2, source=cohorts)
    bolus_push: Any = offset(0.1, unit="1", sd=0.3, low=-3.0, high=3.0, source=cohorts)
    basal_hint: Any = offset(0.9, unit="1", sd=0.2, low=0.0, high=1.5, source=cohorts)
    day_cos: Any = offset(0.0, unit="mg/dL/min", sd=0.25, low=-1.0, high=1.0, source=cohort)
    day_sin: Any = offset(0.0, unit="mg/dL/min", sd=0.25, low=-1.0, high=1.0, source=cohort)
    half_cos: Any = offset(0.0, unit="mg/dL/min", sd=0.15, low=-0.6, high=0.6, source=cohort)
    half_sin: Any = offset(0.0, unit="mg/dL/min", sd=0.15, low=-0.6, high=0.6, source=cohort)
    daily_insulin: Any = varies(45.0, unit="U", cv=0.4, low=8.0, high=250.0, source=own)
    usual_rate: Any = varies(1.87, unit="U/h", cv=0.4, low=0.05, high=10.0, source=own)
    usual_basal: Any = varies(0.9, unit="U/h", cv=0.4, low=0.0, high=8.0, source=own)


def start(p: Parameters) -> tuple[Any, ...]:
    """At rest: the usual insulin everywhere, no meal, nothing unexplained."""
    rest = p.usual_rate + 0.0 * p.resting_glucose
    nothing = 0.0 * rest
    glucose = p.resting_glucose + nothing
    boluses = p.bolus_hint * (rest - p.usual_basal)
    return (
        *(rest, rest, rest, nothing, nothing, boluses, boluses, boluses),
        *(nothing, nothing, nothing, nothing, glucose, glucose, nothing),
    )


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per minute)."""
    s1, s2, action, meal, beyond, y1, y2, rise, q1, q2, flux, slow, glucose, sensed, error = x
    (insulin,) = u
    day = 2 * np.pi * t / 1440
    rhythm = (
        p.day_cos * np.cos(day)
        + p.day_sin * np.sin(day)
        + p.half_cos * np.cos(2 * day)
        + p.half_sin * np.sin(2 * day)
    )
    boluses = p.bolus_hint * (p.usual_rate - p.usual_basal)
    strength = p.sensitivity * 1700 / p.daily_insulin / 60
    glucose_rate = (
        p.effectiveness * (p.resting_glucose - glucose)
        - strength * (action * glucose / p.resting_glucose - p.usual_rate)
        + strength * (rise * glucose / p.resting_glucose - boluses)
        + p.carbohydrate_effect * q2 / p.gut_time
        + flux
        + slow
        + rhythm
    )
    return (
        (insulin - s1) / p.insulin_time,
        (s1 - s2) / p.insulin_time,
        (s2 - action) / p.action_time,
        -meal / 90.0,
        0.0 * beyond,
        (beyond - y1) / p.insulin_time,
        (y1 - y2) / p.insulin_time,
        (y2 - rise) / p.action_time,
        -q1 / p.gut_time,
        (q1 - q2) / p.gut_time,
        -flux / p.flux_time,
        -slow / p.slow_time,
        glucose_rate,
        (glucose - sensed) / p.sensor_lag,
        -error / p.drift_time,
    )


def noise(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How much each state wanders (per square root of a minute)."""
    meal, glucose = x[3], x[12]
    high = np.maximum(glucose - 100.0, 0.0) / 100.0
    louder = 1.0 + p.flux_with_glucose * high + p.flux_with_meals * meal
    still = 0.0 * glucose
    fast = p.flux_size * np.sqrt(2 / p.flux_time) * louder
    slow = p.slow_size * np.sqrt(2 / p.slow_time) + still
    sensor = p.drift_size * np.sqrt(2 / p.drift_time) + still
    return (
        still,
        still,
        still,
        still,
        still,
        still,
        still,
        still,
        still,
        still,
        fast,
        slow,
        still,
        still,
        sensor,
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """A bolus enters the first depot, a meal the first gut compartment."""
    s1, s2, action, meal, beyond, y1, y2, rise, q1, *rest = x
    if code == codes.insulin_bolus:
        s1 = s1 + amount * 60 / p.insulin_time
    elif code == codes.carbohydrate:
        meal, q1 = meal + amount / 50, q1 + amount
    return (s1, s2, action, meal, beyond, y1, y2, rise, q1, *rest)


def observe(x: tuple[Any, ...], _: Any) -> Mapping[Code, Any]:
    """A sensor shows interstitial glucose plus its own slow error."""
    sensed, error = x[13], x[14]
    return {codes.glucose: sensed + error}


def error(x: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """One reading's own noise; it grows with glucose."""
    return (p.white * (0.5 + 0.5 * np.maximum(x[13], 40.0) / 140.0),)


def doubt(p: Parameters) -> tuple[Any, ...]:
    """How little is known at birth, before any reading."""
    one = 0.0 * p.resting_glucose + 1.0
    known, food = 0.0 * one, 10.0 * one
    return (
        *(known,) * 8,
        *(food, food),
        *(p.flux_size * one, p.slow_size * one, 50.0 * one, 50.0 * one, p.drift_size * one),
    )


def unsure(code: Code, p: Any) -> tuple[Any, ...]:
    """Carbohydrate is counted with error, g per g."""
    nothing = 0.0 * p.meal_doubt
    eaten = p.meal_doubt if code == codes.carbohydrate else nothing
    return (*(nothing,) * 8, eaten, *(nothing,) * 6)


def hint(code: Code, p: Any) -> tuple[Any, ...]:
    """A bolus seen tells that somebody expects a rise, a basal rate beyond the usual that a pump
    does: as slow as the insulin itself, and for a bolus a push at once besides."""
    nothing = 0.0 * p.insulin_time
    beyond = expected = push = nothing
    if code == codes.insulin_basal:
        beyond = p.basal_hint + nothing
    elif code == codes.insulin_bolus:
        expected = p.bolus_hint * 60 / p.insulin_time
        push = p.bolus_push * 1700 / p.daily_insulin / 60
    return (*(nothing,) * 4, beyond, expected, *(nothing,) * 4, push, *(nothing,) * 4)


def usual(p: Parameters) -> tuple[Any, ...]:
    """The basal rate while nobody has said which."""
    return (p.usual_basal,)


def personal(record: Record) -> Mapping[str, float]:
    """Daily insulin, the usual rates and the usual glucose, as far as the person's record tells.

    Where it tells of no insulin at all, what is not told is taken to be in balance.
    """
    return {**_insulin(record), **_glucose(record)}


def _insulin(record: Record) -> Mapping[str, float]:
    if not len(record[codes.insulin_bolus]) and not len(record[codes.insulin_basal]):
        return {"usual_rate": unrecorded, "usual_basal": unrecorded}
    need = insulin_need(record)
    if need is None:
        return {}
    return {
        "daily_insulin": need.daily,
        "usual_rate": need.rate,
        "usual_basal": need.basal,
    }


def _glucose(record: Record) -> Mapping[str, float]:
    seen = record[codes.glucose].current.value
    if len(seen) < day_of_readings:
        return {}
    return {"resting_glucose": float(np.clip(rest_of_mean * seen.mean(), 90.0, 220.0))}


model = Model(
    name="living glucose",
    reference="Hovorka 2004; Bergman 1979; Facchinetti 2014; fluxes fitted to AZT1D",
    states=(
        *("insulin depot", "insulin near", "insulin action", "recent meal"),
        *("basal beyond usual", "expected depot", "expected near", "expected rise"),
        *("gut near", "gut far", "unexplained flux", "slow flux"),
        *("glucose", "interstitial glucose", "sensor error"),
    ),
    units=("U/h",) * 3
    + ("1",)
    + ("U/h",) * 4
    + ("g", "g", "mg/dL/min", "mg/dL/min", "mg/dL", "mg/dL", "mg/dL"),
    parameters=Parameters,
    inputs=(codes.insulin_bolus, codes.carbohydrate),
    channels=(codes.insulin_basal,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=5.0,
    noise=noise,
    linear=(
        *("gut near", "gut far", "unexplained flux", "slow flux"),
        *("glucose", "interstitial glucose", "sensor error"),
    ),
    trust="follows and forecasts people with type 1 diabetes; a dose's effect is bounded, not free",
    doubt=doubt,
    unsure=unsure,
    hint=hint,
    error=error,
    usual=usual,
    personal=personal,
)
