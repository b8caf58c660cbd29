"""What somebody means to eat on a day, and what they tell their pump about it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from medtwin.hospital.resident import Habits

quarters = 96

Quarters = Float[np.ndarray, " quarter"]


@dataclass(frozen=True)
class Plan:
    """A day in quarter hours: grams eaten, grams counted (0: nobody is told), grams dosed for,
    minutes until the meal is entered, whether the person would notice an alarm; and how this
    day's body answers insulin."""

    eaten: Quarters
    counted: Quarters
    dosed: Quarters
    entered_late: Quarters
    notices: Bool[np.ndarray, " quarter"]
    corrects: Bool[np.ndarray, " quarter"]
    sensitivity: Quarters


def plan(habits: Habits, rng: np.random.Generator) -> Plan:
    """One day's plan, drawn."""
    eaten, counted, dosed, late = (np.zeros(quarters) for _ in range(4))
    for hour, grams in habits.meals:
        at = int(np.clip(round(4 * hour + rng.normal(0, 1.5)), 1, quarters - 2))
        eaten[at] = round(grams * np.exp(rng.normal(0, 0.25)))
        counted[at] = _rounded(eaten[at] * np.exp(rng.normal(-0.05, habits.miscounts)))
        dosed[at] = 0.0 if rng.random() < habits.forgets else counted[at]
        late[at] = 30.0 if rng.random() < 0.1 else 0.0
    for _ in range(rng.poisson(habits.snacks)):
        at = int(rng.integers(36, 90))
        told = rng.random() > habits.hides
        if eaten[at] == 0:
            eaten[at] = round(rng.uniform(10, 30))
            counted[at] = dosed[at] = _rounded(eaten[at]) if told else 0.0
    clock = np.arange(quarters) / 4
    awake = (clock > 6.5) & (clock < 23)
    chance = rng.random(quarters)
    return Plan(
        eaten=eaten,
        counted=counted,
        dosed=dosed,
        entered_late=late,
        notices=np.where(awake, chance < 0.7, chance < 0.35),
        corrects=awake & (rng.random(quarters) < 0.15),
        sensitivity=_sensitivity(clock, rng),
    )


def _rounded(grams: float) -> float:
    """People count in fives."""
    return float(max(5, 5 * round(grams / 5)))


def _sensitivity(clock: Quarters, rng: np.random.Generator) -> Quarters:
    """Insulin works by days (25 %) and hours (less at dawn): Visentin et al. (2018), J Diabetes
    Sci Technol 12:273. Each day's own part fades in and out, so that midnight is no step."""
    own = rng.normal(0, 0.25) * np.sin(np.pi * clock / 24)
    return np.exp(own - 0.15 * np.cos(2 * np.pi * (clock - 6) / 24))
