"""A small hospital of people who do not exist, made by the physiological model itself.

Nothing here is a patient: bodies are drawn from the population of `physiology.type1`, meals and
habits from `hospital.resident`, devices err as published, and the laboratory's HbA1c is what
this very person's glucose makes of it. The same seed and opening give the same people and the
same days, however the days are split, so that a live stream goes on where the past ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from medtwin.hospital.anticoagulation import before as course_before
from medtwin.hospital.anticoagulation import facts_of
from medtwin.hospital.chart import Visit, chart
from medtwin.hospital.devices import told
from medtwin.hospital.living import Bodies, live, midnight, rested, seen_last, tomorrow
from medtwin.hospital.resident import Resident, residents
from medtwin.physiology.hba1c import hba1c_of_history
from medtwin.record.observation import Observation

past_days = 14
lived_before = 28
old_visits = (270, 180, 90)
before_a_visit = 7

Facts = tuple[tuple[Observation, ...], ...]
"""For each resident, in order, the facts of one day."""


@dataclass(frozen=True)
class Hospital:
    """The residents as they are at the midnight that begins `day`."""

    seed: int
    opened: datetime
    people: tuple[Resident, ...]
    day: date
    bodies: Bodies


def founded(people: int, seed: int, opened: datetime) -> Hospital:
    """The hospital at the first midnight of its recorded past, everybody already living there."""
    them = residents(people, seed, opened)
    first = opened.date() - timedelta(days=past_days)
    return Hospital(seed, opened, them, first, rested(them))


def after_a_day(hospital: Hospital) -> tuple[Hospital, Facts]:
    """The next midnight, and what the devices told of the day before it."""
    bodies, lived = live(hospital.people, hospital.bodies, hospital.day, hospital.seed)
    shown, facts = [], []
    for i, resident in enumerate(hospital.people):
        last, theirs = told(
            resident, i, lived, float(bodies.shown[i]), hospital.opened, hospital.seed
        )
        shown.append(last)
        tablets = facts_of(resident, hospital.day, hospital.opened, hospital.seed)
        facts.append(tuple(sorted((*theirs, *tablets), key=lambda f: f.known)))
    bodies = seen_last(bodies, np.array(shown))
    return replace(hospital, day=tomorrow(hospital.day), bodies=bodies), tuple(facts)


def days(hospital: Hospital) -> Iterator[tuple[date, Facts]]:
    """Day after day, without end."""
    while True:
        day = hospital.day
        hospital, facts = after_a_day(hospital)
        yield day, facts


def charts(hospital: Hospital) -> tuple[bytes, ...]:
    """Each resident's record until the opening: a FHIR R4 bundle, as bytes.

    The HbA1c of each visit is that of the glucose this person really had in the weeks before.
    """
    ages = (*old_visits, 3)
    visits = [_visit(hospital, hospital.opened.date() - timedelta(days=a)) for a in ages]
    return tuple(
        chart(
            *(r, tuple(Visit(day, a1c[i]) for day, a1c in visits), hospital.seed),
            _before_the_devices(hospital, r),
        )
        for i, r in enumerate(hospital.people)
    )


def _before_the_devices(hospital: Hospital, resident: Resident) -> tuple[Observation, ...]:
    """Tablets and INRs from before the recorded past begins."""
    first = hospital.opened.date() - timedelta(days=past_days)
    earlier = (first - timedelta(days=d) for d in range(course_before - past_days, 0, -1))
    return tuple(
        f for day in earlier for f in facts_of(resident, day, hospital.opened, hospital.seed)
    )


def _visit(hospital: Hospital, day: date) -> tuple[date, list[float]]:
    begin = day - timedelta(days=lived_before if day > hospital.day else before_a_visit)
    began = replace(hospital, day=begin, bodies=rested(hospital.people))
    at, glucose = [], []
    while began.day < day:
        bodies, lived = live(began.people, began.bodies, began.day, began.seed)
        began = replace(began, day=tomorrow(began.day), bodies=bodies)
        at.append(midnight(lived.day).timestamp() + 300.0 * np.arange(288))
        glucose.append(lived.glucose)
    return day, _a1c(np.concatenate(at), glucose, midnight(day))


def _a1c(at: np.ndarray, glucose: list[np.ndarray], now: datetime) -> list[float]:
    courses = np.concatenate(glucose)
    values = (hba1c_of_history(at, c, now.timestamp()) for c in courses.T)
    return [round(v, 1) for v in values if v is not None]
