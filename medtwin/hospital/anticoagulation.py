"""A resident who takes warfarin: the evening tablet, the INR of each week, and the clinic's rule.

Body and INR are those of `physiology.warfarin_inr` for somebody drawn from its population. The
clinic aims at an INR of 2 to 3 and changes the weekly dose by a tenth when it is outside, by a
fifth when it is far outside (the usual nomogram; Holbrook et al. 2012, Chest 141:e152S).
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import numpy as np

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.hospital.resident import Resident
from medtwin.physiology import warfarin_inr
from medtwin.record import codes
from medtwin.record.observation import Observation

condition = "atrial fibrillation"
before = 70
weeks = 40
first_dose = 5.0
tablet, blood_drawn = time(18, tzinfo=UTC), time(9, 20, tzinfo=UTC)
error = 0.06
"""The laboratory's coefficient of variation of an INR."""


@dataclass(frozen=True)
class Course:
    """From `began` on: the dose of each day (mg), and the INR found on the first of each week."""

    began: date
    doses: tuple[float, ...]
    inr: tuple[float, ...]


def takes_warfarin(resident: Resident) -> bool:
    """Whether this resident is anticoagulated."""
    return condition in resident.conditions


@cache
def course(number: int, age: float, opened: date, seed: int) -> Course:
    """The whole course of one resident, week by week: the INR of the week decides the next dose."""
    rng = np.random.default_rng([seed, number, 9])
    drawn = sample(warfarin_inr.Parameters, 1, rng)
    body = replace(drawn, age=np.array([age]))
    doses: list[float] = []
    found: list[float] = []
    dose = first_dose
    for _ in range(weeks):
        doses += [dose] * 7
        found.append(round(_inr(body, doses) * float(np.exp(error * rng.standard_normal())), 1))
        dose = next_dose(dose, found[-1])
    return Course(opened - timedelta(days=before), tuple(doses), tuple(found))


def next_dose(dose: float, inr: float) -> float:
    """What the clinic writes after this INR: mg a day, in steps of half a milligram."""
    change = 0.2 if inr < 1.5 else 0.1 if inr < 2 else 0.0 if inr <= 3 else -0.1
    change = -0.2 if inr > 4 else change
    return max(0.5, round(2 * dose * (1 + change)) / 2)


def facts_of(resident: Resident, day: date, opened: datetime, seed: int) -> tuple[Observation, ...]:
    """What this day brought: the evening tablet, and the INR where it was a day for blood."""
    if not takes_warfarin(resident):
        return ()
    theirs = course(resident.number, _age(resident, opened), opened.date(), seed)
    k = (day - theirs.began).days
    if not 0 <= k < len(theirs.doses):
        return ()
    taken = _fact(day, tablet, codes.warfarin, theirs.doses[k], "dispenser")
    if k % 7 or not k:
        return (taken,)
    drawn = _fact(day, blood_drawn, codes.inr, theirs.inr[k // 7 - 1], "laboratory")
    return (drawn, taken)


def _inr(body: warfarin_inr.Parameters, doses: list[float]) -> float:
    """The INR on the morning after so many days."""
    given = [Given(24.0 * d + 18.0, codes.warfarin, mg) for d, mg in enumerate(doses)]
    times = [0.0, 24.0 * len(doses) + 9.3]
    return float(simulate(warfarin_inr.model, body, None, given, times).of(codes.inr)[-1, 0])


def _age(resident: Resident, opened: datetime) -> float:
    return (opened.date() - resident.born).days // 365.25


def _fact(day: date, at: time, code: codes.Code, value: float, source: str) -> Observation:
    when = datetime.combine(day, at)
    return Observation(when, code, value, source, when)
