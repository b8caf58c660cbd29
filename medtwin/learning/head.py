"""A statistical head: what it is told, how it learns, and how sure it is of what it says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from medtwin.learning.inputs import Inputs
from medtwin.learning.readings import Moments, day

Table = Float[np.ndarray, "moment input"]
small_miss = 2.0  # mg/dL; keeps the logarithm of a miss finite


@runtime_checkable
class Rule(Protocol):
    """Something learned that answers with one number for each row of inputs."""

    def __call__(self, table: Table) -> Moments: ...


@dataclass(frozen=True)
class Head:
    """A way to forecast by looking at how forecasts like it went before.

    `told` says which inputs it sees, by name. `learn` gets those inputs and how glucose
    changed from each moment to the horizon (minutes), and returns the rule for the change;
    `doubt` does the same for the logarithm of the size of its misses.
    """

    name: str
    reference: str
    told: Callable[[str], bool]
    learn: Callable[[Inputs, Moments, int], Rule]
    doubt: Callable[[Inputs, Moments, int], Rule]


@dataclass(frozen=True)
class Lesson:
    """What one person's past can teach: inputs, what was planned, and what then was measured.

    `planned` and `measured` are by horizon in minutes; a horizon nothing was announced for is
    absent from `planned`, and `measured` is NaN where no reading came.
    """

    patient: str
    moments: Moments
    inputs: Inputs
    planned: Mapping[int, Inputs]
    measured: Mapping[int, Moments]

    def __len__(self) -> int:
        return len(self.moments)

    def keep(self, which: np.ndarray) -> "Lesson":
        """These moments only."""
        return replace(
            self,
            moments=self.moments[which],
            inputs=self.inputs.keep(which),
            planned={h: t.keep(which) for h, t in self.planned.items()},
            measured={h: m[which] for h, m in self.measured.items()},
        )

    def told(self, horizon: int) -> Inputs:
        """The inputs of a forecast `horizon` minutes ahead."""
        planned = self.planned.get(horizon)
        return self.inputs if planned is None else self.inputs.beside(planned)


@dataclass(frozen=True)
class Ahead:
    """Forecasts made at each moment for each horizon: mean and standard deviation (mg/dL)."""

    mean: Float[np.ndarray, "moment horizon"]
    spread: Float[np.ndarray, "moment horizon"]


@dataclass(frozen=True)
class Answer:
    """What a head learned for one horizon; the spread is `scale` times exp(`doubt`)."""

    names: tuple[str, ...]
    change: Rule
    doubt: Rule
    scale: float


@dataclass(frozen=True)
class Rehearsal:
    """What a head said on days that had not taught it, what the twin said then, and what came:
    mg/dL, by moment and horizon of the head; NaN where no reading came."""

    said: Ahead
    twin: Ahead
    measured: Float[np.ndarray, "moment horizon"]


@dataclass(frozen=True)
class Learned:
    """A head that has learned from these people; `answers` are by horizon in minutes.

    `rehearsal` is kept where a ledger will not soon hold enough of what this head is for."""

    head: str
    people: tuple[str, ...]
    answers: Mapping[int, Answer]
    rehearsal: Rehearsal | None = None

    @property
    def horizons(self) -> tuple[int, ...]:
        return tuple(self.answers)


def earlier(lesson: Lesson, share: float) -> np.ndarray:
    """Which moments lie in the first `share` of the days on which something was seen."""
    days = lesson.moments // day
    seen = np.unique(days)
    return days < seen[min(round(share * len(seen)), len(seen) - 1)]


def fit(
    head: Head, lessons: Sequence[Lesson], horizons: Sequence[int], rehearsed: float = 5 / 7
) -> tuple[Learned, tuple[Ahead, ...]]:
    """Learn from everybody's past, and say how the same head did on its last days.

    The first `rehearsed` share of each person's days teaches a rehearsal, whose misses on the
    remaining days teach the doubt; then all days teach the head. The rehearsal's forecasts
    come back too, one for each lesson, for the days `late(lesson)`: they are honest, and a
    ledger can be opened with them.
    """
    people = tuple(lesson.patient for lesson in lessons)
    first = [lesson.keep(earlier(lesson, rehearsed)) for lesson in lessons]
    last = [lesson.keep(~earlier(lesson, rehearsed)) for lesson in lessons]
    answers, said = {}, []
    for h in horizons:
        rehearsal = _learn(head, first, people, h)
        answers[h] = replace(
            _with_doubt(head, rehearsal, last, people, h), change=_learn(head, lessons, people, h)
        )
        said.append([_say(replace(answers[h], change=rehearsal), one, people, h) for one in last])
    learned = Learned(head.name, people, answers)
    return learned, tuple(_beside(parts) for parts in zip(*said, strict=True))


def predict(learned: Learned, lesson: Lesson) -> Ahead:
    """What the head says at each moment of a lesson, whose `measured` is not looked at."""
    said = [_say(a, lesson, learned.people, h) for h, a in learned.answers.items()]
    return _beside(said)


def _beside(said: Sequence[Ahead]) -> Ahead:
    return Ahead(
        np.concatenate([s.mean for s in said], axis=1),
        np.concatenate([s.spread for s in said], axis=1),
    )


def _learn(head: Head, lessons: Sequence[Lesson], people: tuple[str, ...], h: int) -> Rule:
    inputs, change = _stacked(head, lessons, people, h)
    return head.learn(inputs, change, h)


def _with_doubt(
    head: Head, rehearsal: Rule, last: Sequence[Lesson], people: tuple[str, ...], h: int
) -> Answer:
    inputs, change = _stacked(head, last, people, h)
    missed = np.abs(change - rehearsal(inputs.values))
    doubt = head.doubt(inputs, np.log(missed + small_miss), h)
    scale = float(np.sqrt(np.mean((missed / np.exp(doubt(inputs.values))) ** 2)))
    return Answer(inputs.names, rehearsal, doubt, scale)


def _stacked(
    head: Head, lessons: Sequence[Lesson], people: tuple[str, ...], h: int
) -> tuple[Inputs, Moments]:
    """Everybody's rows for which both the reading now and the one at the horizon exist."""
    tables, changes = [], []
    for lesson in lessons:
        change = lesson.measured[h] - lesson.inputs["glucose"]
        known = np.isfinite(change)
        tables.append(_told(head.told, lesson, people, h).keep(known))
        changes.append(change[known])
    values = np.concatenate([t.values for t in tables])
    return Inputs(tables[0].names, values), np.concatenate(changes)


def _told(told: Callable[[str], bool], lesson: Lesson, people: tuple[str, ...], h: int) -> Inputs:
    inputs = lesson.told(h)
    columns = [i for i, name in enumerate(inputs.names) if told(name)]
    chosen = Inputs(tuple(inputs.names[i] for i in columns), inputs.values[:, columns])
    return chosen.beside(_person(lesson, people)) if told("person") else chosen


def _person(lesson: Lesson, people: tuple[str, ...]) -> Inputs:
    place = people.index(lesson.patient) if lesson.patient in people else np.nan
    return Inputs(("person",), np.full((len(lesson), 1), place, dtype=np.float32))


def _say(answer: Answer, lesson: Lesson, people: tuple[str, ...], h: int) -> Ahead:
    table = _told(lambda name: name in answer.names, lesson, people, h).values
    now = lesson.inputs["glucose"].astype(float)
    mean = now + answer.change(table)
    return Ahead(mean[:, None], (answer.scale * np.exp(answer.doubt(table)))[:, None])
