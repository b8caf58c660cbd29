"""A day in the life of everybody at once: they eat, dose by what the sensor says, and are read.

The bodies are `physiology.type1`; a quarter hour is one call of the engine for all of them.
Every draw is keyed by seed, person and day, and all that lasts over midnight is in `Bodies`, so
that the days can be lived in as many runs as one likes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import parameter_array, simulate
from medtwin.hospital.plan import Plan, plan, quarters
from medtwin.hospital.resident import Resident
from medtwin.hospital.sensor import Errors, errors
from medtwin.physiology import type1
from medtwin.physiology.virtual_people import VirtualPeople, joined
from medtwin.record import codes

model: Model[Any] = type1.model
target, low, high = 115.0, 70.0, 220.0
rescue = 16.0
patience = 12  # quarters between corrections

People = Float[np.ndarray, " person"]
Table = Float[np.ndarray, "quarter person"]


@dataclass(frozen=True)
class Bodies:
    """Everybody at a midnight: states of the model, the sensors' last error, the last bolus."""

    states: Float[np.ndarray, "state person"]
    error: People
    shown: People
    since_bolus: People


@dataclass(frozen=True)
class Lived:
    """What really happened on a day: true tissue glucose every five minutes, what was eaten,
    counted and dosed each quarter hour, the pump's rates each hour, and the sensors' errors."""

    day: date
    glucose: Float[np.ndarray, "reading person"]
    eaten: Table
    counted: Table
    bolus: Table
    basal: Float[np.ndarray, "hour person"]
    plans: tuple[Plan, ...]
    errors: tuple[Errors, ...]


def everybody(people: Sequence[Resident]) -> VirtualPeople:
    """Their bodies, side by side."""
    return joined([r.body for r in people])


def rested(people: Sequence[Resident]) -> Bodies:
    """Everybody fasting, before the first day."""
    states = np.stack([np.asarray(s, float) for s in model.start(everybody(people).parameters)])
    n = len(people)
    return Bodies(states, np.zeros(n), np.full(n, 120.0), np.full(n, float(patience)))


def live(people: Sequence[Resident], bodies: Bodies, day: date, seed: int) -> tuple[Bodies, Lived]:
    """Everybody's day, from midnight to midnight UTC."""
    rngs = [np.random.default_rng([seed, r.number, day.toordinal()]) for r in people]
    plans = tuple(plan(r.habits, g) for r, g in zip(people, rngs, strict=True))
    wrong = tuple(errors(e, g) for e, g in zip(bodies.error, rngs, strict=True))
    them = everybody(people)
    sensed = np.stack([w.nodes for w in wrong], axis=1)
    programmed = np.array([r.programmed for r in people])
    basal = np.round(them.basal * programmed * pump_profile()[:, None], 2)
    glucose, eaten, bolus = np.empty((288, len(people))), *np.zeros((2, quarters, len(people)))
    states, since = bodies.states, bodies.since_bolus
    since_sugar = np.full(len(people), 3.0)
    p = parameter_array(model, them.parameters)
    for k in range(quarters):
        reading = model.observe(tuple(states), them.parameters)[codes.glucose] + sensed[k]
        sugar = (reading < low) & _row(plans, "notices", k) & (since_sugar > 1)
        since_sugar = np.where(sugar, 0, since_sugar + 1)
        eaten[k] = _row(plans, "eaten", k) + rescue * sugar
        bolus[k] = dose(people, them, plans, k, reading, since)
        since = np.where(bolus[k] > 0, 0.0, since + 1)
        given = _given(15.0 * k, basal[k // 4], eaten[k], bolus[k])
        clock = 15.0 * k + np.array([0.0, 5.0, 10.0, 15.0])
        course = simulate(model, sensitive(p, _row(plans, "sensitivity", k)), states, given, clock)
        glucose[3 * k : 3 * k + 3] = course.of(codes.glucose)[:3]
        states = course.states
    after = Bodies(states, np.array([w.last for w in wrong]), bodies.shown, since)
    counted = np.stack([q.counted for q in plans], axis=1)
    return after, Lived(day, glucose, eaten, counted, bolus, basal, plans, wrong)


def dose(
    people: Sequence[Resident],
    them: VirtualPeople,
    plans: Sequence[Plan],
    k: int,
    reading: People,
    since: People,
) -> People:
    """The bolus each would give: carbohydrate by ratio, glucose by correction factor.

    A correction counts only what is not yet covered by a bolus of the last three hours; nobody
    doses below 80 mg/dL; pumps give in steps of 0.05 U.
    """
    grams = _row(plans, "dosed", k)
    over = (reading - target) / them.correction
    fresh = since >= patience
    corrects = fresh & _row(plans, "corrects", k) & (reading > high)
    units = grams / them.ratio + np.where(fresh & (grams > 0), 0.7 * over, 0.0)
    units = np.where(grams > 0, units, np.where(corrects, 0.6 * over, 0.0))
    bold = np.array([r.habits.boldness for r in people])
    wanted = np.where(reading > 80, np.clip(bold * units, 0.0, 25.0), 0.0)
    return np.round(np.round(wanted / 0.05) * 0.05, 2)


def pump_profile() -> Float[np.ndarray, " hour"]:
    """The programmed basal rates of a day as shares of the mean: a little more at dawn."""
    shares = 1.0 + 0.12 * np.cos(2 * np.pi * (np.arange(24) - 6) / 24)
    return shares / shares.mean()


def sensitive(
    p: Float[np.ndarray, "parameter person"], how: People
) -> Float[np.ndarray, "parameter person"]:
    """The bodies as they answer insulin at this hour: uptake (Vmx) and the liver (kp3) both."""
    now, names = p.copy(), list(type1.Parameters.__dataclass_fields__)
    now[names.index("Vmx")] *= how
    now[names.index("kp3")] *= how
    return now


def midnight(day: date) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), UTC)


def tomorrow(day: date) -> date:
    """The day after."""
    return day + timedelta(days=1)


def seen_last(bodies: Bodies, shown: People) -> Bodies:
    """The same bodies, whose sensors last showed this."""
    return replace(bodies, shown=shown)


def _given(at: float, basal: People, eaten: People, bolus: People) -> list[Given]:
    when_eaten = np.where(eaten > 0, at, np.inf)
    when_dosed = np.where(bolus > 0, at, np.inf)
    return [
        Given(at, codes.insulin_basal, basal, np.inf),
        Given(when_eaten, codes.carbohydrate, eaten, 15.0),
        Given(when_dosed, codes.insulin_bolus, bolus),
    ]


def _row(plans: Sequence[Plan], what: str, k: int) -> Any:
    return np.array([getattr(p, what)[k] for p in plans])
