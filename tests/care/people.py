"""Small people for the tests of care: readings at stated minutes, forecasts of stated members."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.forecast import Forecast

noon = datetime(2031, 5, 4, 12, tzinfo=UTC)


def minutes(m: float) -> datetime:
    return noon + timedelta(minutes=m)


def read(at: float, value: float, source: str = "sensor") -> Observation:
    return Observation(minutes(at), codes.glucose, value, source, minutes(at))


def trace(values: Sequence[float], source: str = "sensor", every: float = 5) -> Record:
    """Readings that end at noon."""
    start = -every * (len(values) - 1)
    return Record("p1").add(read(start + every * i, v, source) for i, v in enumerate(values))


def wander(n: int, seed: int = 1) -> list[float]:
    """A trace that never repeats itself for long: steps of at least 1 mg/dL."""
    rng = np.random.default_rng(seed)
    steps = rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], n)
    return list(np.clip(140 + np.cumsum(steps), 80, 200))


def ahead(*courses: Sequence[float], every: float = 15) -> Forecast:
    """A forecast made at noon whose members take these courses."""
    paths = np.array(courses, dtype=float).T
    times = tuple(minutes(every * (k + 1)) for k in range(len(paths)))
    return Forecast("p1", codes.glucose, noon, times, paths, "shown")
