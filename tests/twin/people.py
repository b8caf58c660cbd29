"""Synthetic days of one person, made by the model's own equations: for tests of laws only."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.observation import Observation

dawn = datetime(2024, 3, 4, 6, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after dawn."""
    return dawn + timedelta(minutes=float(minutes))


def fact(
    minutes: float,
    code: Code,
    value: float,
    known: float | None = None,
    lasting: float | None = None,
) -> Observation:
    """Something true so many minutes after dawn, known at once unless said otherwise."""
    until = None if lasting is None else at(minutes + lasting)
    return Observation(
        at(minutes), code, value, "test", at(minutes if known is None else known), until
    )


def readings(minutes: Iterable[float], seed: int = 0) -> list[Observation]:
    """A sensor's course: a slow wave and its noise."""
    rng = np.random.default_rng(seed)
    return [
        fact(m, codes.glucose, 140 + 35 * np.sin(m / 90) + 4 * rng.standard_normal())
        for m in minutes
    ]


def a_day(hours: float = 12, seed: int = 0) -> list[Observation]:
    """Readings every 5 min, three meals with boluses, hourly basal known when its hour closes."""
    end = 60 * hours
    meals = [m for m in (60.0, 360.0, 600.0) if m < end]
    return [
        *readings(np.arange(0, end, 5.0), seed),
        *(fact(m + 2, codes.carbohydrate, 45.0) for m in meals),
        *(fact(m, codes.insulin_bolus, 4.0) for m in meals),
        *(fact(m, codes.insulin_basal, 0.9, m + 60, 60) for m in np.arange(0, end - 60, 60)),
    ]
