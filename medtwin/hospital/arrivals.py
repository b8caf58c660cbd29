"""Time that runs faster than life, and the facts that fall due in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from medtwin.hospital.generated import Hospital, days
from medtwin.hospital.resident import Resident
from medtwin.record.observation import Observation


@dataclass(frozen=True)
class Clock:
    """A clock that showed `began` at `since` (seconds of `watch`) and runs `speed` times."""

    began: datetime
    speed: float
    since: float
    watch: Callable[[], float] = monotonic

    def __call__(self) -> datetime:
        """The time it is there."""
        return self.began + timedelta(seconds=self.speed * (self.watch() - self.since))

    def wait(self, until: datetime) -> float:
        """Seconds of the watch until that time comes; 0 if it has."""
        return max(0.0, (until - self()).total_seconds() / self.speed)


def started(began: datetime, speed: float) -> Clock:
    """A clock that starts now. Raises ValueError for a speed that is not above 0."""
    if not speed > 0:
        raise ValueError(f"a clock of speed {speed:g} does not run; give more than 0, 1 is life")
    return Clock(began, speed, monotonic())


@dataclass(frozen=True)
class Due:
    """What becomes known of one person at one moment."""

    at: datetime
    resident: Resident
    facts: tuple[Observation, ...]


def arriving(hospital: Hospital, after: datetime) -> Iterator[Due]:
    """Everything that becomes known after a moment, in that order, without end."""
    for _, facts in days(hospital):
        groups: dict[tuple[datetime, int], list[Observation]] = {}
        for i, theirs in enumerate(facts):
            for fact in theirs:
                if fact.known > after:
                    groups.setdefault((fact.known, i), []).append(fact)
        for (at, i), news in sorted(groups.items(), key=lambda g: g[0]):
            yield Due(at, hospital.people[i], tuple(news))
