"""What would happen next, under a plan. What-if, response and trial arms are all this."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from medtwin.maths.kalman import Events, rate, reading, taken, usual
from medtwin.maths.scoring import crps_samples
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.record import moment
from medtwin.twin import ensemble, exact
from medtwin.twin.timeline import Timeline, hold, looks, of_facts, places
from medtwin.twin.twin import Twin

paths_wanted = 320


class Unanswerable(ValueError):
    """The twin cannot say this: its model does not show the code, or the time is past."""


@dataclass(frozen=True)
class Forecast:
    """One code's future: equally likely paths at the asked times, in the code's unit.

    `made` is when; `by` says whose it is: "mechanism", "shown" (the calibrated mix), or a head.
    """

    patient: str
    code: Code
    made: datetime
    times: tuple[datetime, ...]
    paths: Float[np.ndarray, "time path"]
    by: str = "mechanism"

    def __post_init__(self) -> None:
        if not np.isfinite(self.paths).all():
            raise Unanswerable(
                f"the forecast of {self.code.name} of {self.patient} by {self.by} made "
                f"{self.made:%d %b %H:%M} has paths that are not numbers; numbers are allowed: "
                "wait for new data, and look at the twin's last facts"
            )

    def band(self, coverage: float = 0.9) -> Float[np.ndarray, "3 time"]:
        """Lower, middle and upper path; the middle is the median."""
        tail = (1 - coverage) / 2
        return np.quantile(self.paths, [tail, 0.5, 1 - tail], axis=1)

    @property
    def middle(self) -> Float[np.ndarray, " time"]:
        """What is expected (the mean)."""
        return self.paths.mean(axis=1)

    def chance(self, happens: Bool[np.ndarray, "time path"]) -> float:
        """The probability that it happens at any asked time."""
        return float(happens.any(axis=0).mean())

    def crps(self, measured: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """How far this was from what was measured (continuous ranked probability score)."""
        return np.array([ranked(p, m) for p, m in zip(self.paths, measured, strict=True)])


@dataclass(frozen=True)
class Difference:
    """Plan B minus plan A for the same body and the same chance: only the plan differs."""

    patient: str
    code: Code
    times: tuple[datetime, ...]
    paths: Float[np.ndarray, "time path"]

    def band(self, coverage: float = 0.9) -> Float[np.ndarray, "3 time"]:
        """Lower, middle and upper difference."""
        tail = (1 - coverage) / 2
        return np.quantile(self.paths, [tail, 0.5, 1 - tail], axis=1)

    @property
    def middle(self) -> Float[np.ndarray, " time"]:
        """The expected difference."""
        return self.paths.mean(axis=1)

    @property
    def chance_lower(self) -> Float[np.ndarray, " time"]:
        """The probability, at each time, that plan B is lower than plan A."""
        return (self.paths < 0).mean(axis=1)


def ranked(paths: Float[np.ndarray, " path"], measured: float) -> float:
    """CRPS of equally likely values: Gneiting & Raftery (2007), JASA 102:359, eq. 21."""
    return float(crps_samples(paths[None, :], np.array([measured]))[0])


def forecast(
    twin: Twin, code: Code, times: Sequence[datetime], plan: Sequence[Observation] = ()
) -> Forecast:
    """Roll the twin ahead through `plan`, which is only observations not yet made.

    The mechanism alone: the paths are what a sensor would read, none below what a living person
    can have. Raises Unanswerable.
    """
    paths = _paths(twin, code, times, coming(twin, plan), seen=False)
    return Forecast(twin.patient, code, moment(twin.at), tuple(times), np.maximum(paths, code.low))


def announced(
    twin: Twin, code: Code, times: Sequence[datetime], plan: Sequence[Observation] = ()
) -> Forecast:
    """The same where `plan` is what the person says they will do, not what is only imagined.

    A bolus that a person announces tells, like one seen, that a rise is expected. Without a plan
    both are the same forecast.
    """
    paths = _paths(twin, code, times, coming(twin, plan), seen=True)
    return Forecast(twin.patient, code, moment(twin.at), tuple(times), np.maximum(paths, code.low))


def compare(
    twin: Twin,
    code: Code,
    times: Sequence[datetime],
    plan_a: Sequence[Observation],
    plan_b: Sequence[Observation],
) -> Difference:
    """What plan B would change against plan A, member by member under the same chance.

    Both plans are taken as carried out to the letter: the interval is the doubt about this body.
    A what-if as shown is the forecast of the plan in force plus this difference.
    """
    a, b = paired(coming(twin, plan_a), coming(twin, plan_b))
    difference = _expected(twin, code, times, b) - _expected(twin, code, times, a)
    return Difference(twin.patient, code, tuple(times), difference)


def what_if(shown: Forecast, change: Difference) -> Forecast:
    """The forecast shown, were the other plan in force: same times, moved by the difference."""
    count, members = shown.paths.shape[1], change.paths.shape[1]
    order = np.arange(count) * members // count  # paths of one member stand side by side
    return replace(shown, paths=shown.paths + change.paths[:, order], by="what-if")


def ahead(
    twin: Twin, code: Code, minutes: Sequence[float], plan: Sequence[Observation] = ()
) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]]:
    """Mean and sd of the reading so many minutes after the twin's time: exact where the filter
    is (the law of total variance over members), from the members otherwise. `plan` is what the
    person announces."""
    when = [moment(twin.at + 60 * m) for m in minutes]
    if twin.spread is None:
        paths = _paths(twin, code, when, coming(twin, plan), seen=True)
        return paths.mean(axis=1), paths.std(axis=1)
    _, middle, variance = exact.ahead(
        twin, _looked(twin, code, when, coming(twin, plan)), 0, seen=True
    )
    return middle.mean(axis=0), np.sqrt(variance.mean(axis=0) + middle.var(axis=0))


def coming(twin: Twin, plan: Sequence[Observation]) -> Events:
    """A plan as events after the twin's time. A planned rate falls back, at its end, to the one
    in force before it; a rate in force that nobody renews falls back to the usual one."""
    timeline = of_facts(twin.model, plan)
    if np.any(timeline.kind == reading):
        raise Unanswerable(
            f"a plan for {twin.patient} holds a measurement; a plan says what is to be done"
        )
    if len(timeline) and timeline.at[0] < twin.at:
        raise Unanswerable(
            f"a plan for {twin.patient} begins {moment(timeline.at[0])}, before the twin's own "
            f"time {moment(twin.at)}; plan from then on"
        )
    rows = [*_planned(timeline, twin), *_lapses(timeline, twin)]
    minutes, kind, which, amount = np.array(rows, dtype=float).reshape(-1, 4).T
    order = np.lexsort((amount, which, kind, minutes))
    whole = (kind[order].astype(np.int64), which[order].astype(np.int64))
    return Events(minutes[order], *whole, amount[order])


def paired(a: Events, b: Events) -> tuple[Events, Events]:
    """Both plans with the same moments, so that both use up the same chance.

    What both give at one moment stands in one place, whatever the amounts; where only one gives
    something, the other gets an empty event (amount 0 of an input).
    """
    mine, other = _by_place(a), _by_place(b)
    order = sorted({**mine, **other})
    return _laid(mine, order), _laid(other, order)


Place = tuple[float, int, int, int]
"""Minute, kind, which, and the how-manyth such event of that minute."""


def _by_place(events: Events) -> dict[Place, float]:
    placed: dict[Place, float] = {}
    columns = (events.minutes, events.kind, events.which, events.amount)
    rows = zip(*(c.tolist() for c in columns), strict=True)
    for minute, kind, which, amount in rows:
        count = 0
        while (minute, kind, which, count) in placed:
            count += 1
        placed[minute, kind, which, count] = amount
    return placed


def _laid(mine: dict[Place, float], order: Sequence[Place]) -> Events:
    rows = [
        (place[0], place[1], place[2], mine[place]) if place in mine else (place[0], taken, 0, 0.0)
        for place in order
    ]
    minutes, kind, which, amount = np.array(rows, dtype=float).reshape(-1, 4).T
    return Events(minutes, kind.astype(np.int64), which.astype(np.int64), amount)


def _planned(timeline: Timeline, twin: Twin) -> list[tuple[float, ...]]:
    rows = []
    for i in range(len(timeline)):
        at, which = float(timeline.at[i]) / 60, float(timeline.which[i])
        rows.append((at, float(timeline.kind[i]), which, float(timeline.amount[i])))
        if timeline.kind[i] == rate and np.isfinite(timeline.until[i]):
            rows.append((float(timeline.until[i]) / 60, *_in_force(twin, int(which))))
    return rows


def _in_force(twin: Twin, channel: int) -> tuple[float, float, float]:
    running = twin.running[channel]
    told = np.all(running == running[0])
    return (rate, float(channel), float(running[0])) if told else (usual, float(channel), 0.0)


def _lapses(timeline: Timeline, twin: Twin) -> list[tuple[float, ...]]:
    replanned = set(timeline.which[timeline.kind == rate].tolist())
    return [
        (max(twin.at, end + hold) / 60, usual, channel, 0.0)
        for channel, end in enumerate(twin.ends)
        if np.isfinite(end) and channel not in replanned
    ]


def _looked(twin: Twin, code: Code, times: Sequence[datetime], plan: Events) -> Events:
    place = places(twin.model).get(code)
    if place is None or place[0] != reading:
        raise Unanswerable(
            f"the model {twin.model.name} of {twin.patient} does not show {code.name}; "
            f"ask for one of the codes it observes"
        )
    minutes = [t.timestamp() / 60 for t in times]
    if minutes and min(minutes) < twin.at / 60:
        raise Unanswerable(
            f"{min(times)} is before the time {moment(twin.at)} of {twin.patient}'s twin; "
            "ask for later times"
        )
    if any(b <= a for a, b in pairwise(minutes)):
        raise Unanswerable("forecast times must rise; sort them and drop repeats")
    last = max(minutes, default=0.0)
    rows = plan.minutes <= last
    kept = Events(plan.minutes[rows], plan.kind[rows], plan.which[rows], plan.amount[rows])
    return looks(kept, minutes, place[1])


def _expected(twin: Twin, code: Code, times: Sequence[datetime], plan: Events) -> Any:
    """What each member expects at each time (an ensemble's members are paths themselves)."""
    asked = _looked(twin, code, times, plan)
    if twin.spread is None:
        return ensemble.ahead(twin, code, asked)
    return exact.ahead(twin, asked, 0, seen=False)[1].T


def _paths(twin: Twin, code: Code, times: Sequence[datetime], plan: Events, *, seen: bool) -> Any:
    asked = _looked(twin, code, times, plan)
    if twin.spread is None:
        return ensemble.ahead(twin, code, asked)
    pairs = max(2, paths_wanted // (2 * twin.members))
    paths, _, _ = exact.ahead(twin, asked, pairs, seen=seen)
    return paths.reshape(-1, len(times)).T
