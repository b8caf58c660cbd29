"""People to learn from, laid out so that one call of the engine foresees all their readings.

A fit asks the same question again and again: what would each of these people have shown with
these parameters, and with each parameter a little changed? People and changed copies are the
lanes of one `simulate` call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.engine.schedule import Given, Schedule, schedule
from medtwin.engine.simulate import Unstable, simulate
from medtwin.record.codes import Code

most_numbers = 4_000_000
"""Times times members of one call: 32 MB of answers for each code."""


class Untold(ValueError):
    """Something must be told of a person before their readings can be used."""


@dataclass(frozen=True)
class Person:
    """One person to learn from: what was given, what was read, and what is told of them.

    `read` has the times (in the model's unit) and values of each code. `told` are parameters
    known of this person (weight); `traits` what else is known of them, which a population fit
    may lean on (a genotype as 0, 1 or 2). `begin` is when the model starts at rest: at the
    first thing given or read, if nothing is said.
    """

    name: str
    given: tuple[Given, ...]
    read: Mapping[Code, tuple[Any, Any]]
    told: Mapping[str, float] = field(default_factory=dict)
    begin: float | None = None
    traits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """People who share the times of one `simulate` call."""

    people: Int[np.ndarray, " person"]
    times: Float[np.ndarray, " time"]
    plan: Schedule
    reading: Int[np.ndarray, " reading"]  # their place among all readings
    at: Int[np.ndarray, " reading"]
    code: Int[np.ndarray, " reading"]
    member: Int[np.ndarray, " reading"]


@dataclass(frozen=True)
class Cohort:
    """Everybody's readings in a row, person by person, and how to foresee them.

    `first` is where each person's readings begin; `told` everybody's parameters before any fit.
    """

    model: Model[Any]
    people: tuple[Person, ...]
    values: Float[np.ndarray, " reading"]
    times: Float[np.ndarray, " reading"]
    code: Int[np.ndarray, " reading"]
    whose: Int[np.ndarray, " reading"]
    first: Int[np.ndarray, " person"]
    told: Float[np.ndarray, "parameter person"]
    batches: tuple[Batch, ...]

    def total(self, of_reading: np.ndarray) -> np.ndarray:
        """What belongs to each reading, summed over each person's readings."""
        return np.add.reduceat(of_reading, self.first, axis=0)


def cohort(
    model: Model[Any], people: Iterable[Person], free: Sequence[str] = (), copies: int = 1
) -> Cohort:
    """These people with this model, ready to be asked with so many copies of each.

    Raises Untold for a person without readings, or without a covariate that is not `free`.
    """
    everybody = tuple(people)
    rows = [_readings(model, one) for one in everybody]
    told = np.stack([_told(model, one, free) for one in everybody], axis=1)
    counts = [len(values) for _, values, _ in rows]
    times, values, code = (np.concatenate([r[k] for r in rows]) for k in range(3))
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    whose = np.repeat(np.arange(len(everybody)), counts)
    batches = tuple(
        _batch(model, everybody, group, times, code, whose)
        for group in _together(everybody, [r[0] for r in rows], copies)
    )
    return Cohort(model, everybody, values, times, code, whose, first, told, batches)


def expected(
    cohort: Cohort,
    p: Float[np.ndarray, "parameter person copy"],
    only: Bool[np.ndarray, " person"] | None = None,
) -> Float[np.ndarray, "reading copy"]:
    """What each reading would have been with each copy's parameters; NaN where a body cannot be
    simulated with them, and for people who are not among `only`."""
    shown = np.full((len(cohort.values), p.shape[2]), np.nan)
    for batch in cohort.batches:
        wanted = batch if only is None else _part(batch, np.flatnonzero(only[batch.people]))
        if len(wanted.people):
            _fill(cohort.model, wanted, p, shown)
    return shown


def _part(batch: Batch, kept: Int[np.ndarray, " person"]) -> Batch:
    """Some of a batch's people."""
    if len(kept) == len(batch.people):
        return batch
    place = np.full(len(batch.people), -1)
    place[kept] = np.arange(len(kept))
    mine = place[batch.member] >= 0
    return Batch(
        people=batch.people[kept],
        times=batch.times,
        plan=Schedule(*(a[:, kept] for a in vars(batch.plan).values())),
        reading=batch.reading[mine],
        at=batch.at[mine],
        code=batch.code[mine],
        member=place[batch.member[mine]],
    )


def _fill(model: Model[Any], batch: Batch, p: np.ndarray, shown: np.ndarray) -> None:
    """One call for all copies of a batch; where a member runs away, half by half."""
    copies = p.shape[2]
    members = np.ascontiguousarray(p[:, batch.people].reshape(len(p), -1))
    plan = Schedule(*(np.repeat(a, copies, axis=1) for a in vars(batch.plan).values()))
    try:
        run = simulate(model, members, None, plan, batch.times).shown
    except Unstable:
        _fill_apart(model, batch, p, shown)
        return
    course = run.reshape(*run.shape[:2], len(batch.people), copies)
    shown[batch.reading] = course[batch.at, batch.code, batch.member]


def _fill_apart(model: Model[Any], batch: Batch, p: np.ndarray, shown: np.ndarray) -> None:
    if len(batch.people) == 1:
        return
    half = len(batch.people) // 2
    for kept in (np.arange(half), np.arange(half, len(batch.people))):
        _fill(model, _part(batch, kept), p, shown)


def _readings(model: Model[Any], one: Person) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shown = shown_codes(model)
    times, values, code = [], [], []
    for what, (at, read) in one.read.items():
        if what not in shown:
            allowed = ", ".join(c.name for c in shown)
            raise Untold(f"{model.name} does not show {what.name} of {one.name}: only {allowed}")
        there = np.isfinite(np.asarray(read, float))
        times.append(np.asarray(at, float)[there])
        values.append(np.asarray(read, float)[there])
        code.append(np.full(there.sum(), shown.index(what)))
    if not sum(len(t) for t in times):
        raise Untold(f"nothing was ever read of {one.name}; leave this person out")
    return np.concatenate(times), np.concatenate(values), np.concatenate(code)


def _told(model: Model[Any], one: Person, free: Sequence[str]) -> Float[np.ndarray, " parameter"]:
    middle = model.parameters()
    told: dict[str, Any] = {n: one.told.get(n, getattr(middle, n)) for n in parameter_names(model)}
    unknown = set(one.told) - set(told)
    if unknown:
        raise Untold(f"{model.name} has no parameter {', '.join(sorted(unknown))} ({one.name})")
    missing = set(model.covariates) - set(one.told) - set(free)
    if missing:
        raise Untold(
            f"{', '.join(sorted(missing))} of {one.name} is not told; tell it, let it be free, "
            f"or leave this person out"
        )
    return np.array([float(v) for v in told.values()])


def _begin(one: Person) -> float:
    at = [float(g.at) for g in one.given] + [float(np.min(t)) for t, _ in one.read.values()]
    return min(at) if one.begin is None else one.begin


def _together(
    people: tuple[Person, ...], times: list[np.ndarray], copies: int
) -> Iterable[Int[np.ndarray, " person"]]:
    """Groups that begin at the same time, as large as their times allow."""
    alike = sorted(
        range(len(people)), key=lambda i: (_begin(people[i]), len(times[i]), tuple(times[i]))
    )
    for _, same in groupby(alike, key=lambda i: _begin(people[i])):
        group: list[int] = []
        union: set[float] = set()
        for i in same:
            wider = union | set(times[i])
            # sharing pays while the times are mostly shared or the members do not fill the lanes
            crowded = len(wider) * (len(group) + 1) * copies > most_numbers
            strange = len(wider) > 1.25 * len(union) and len(group) * copies >= 32
            if group and (crowded or strange):
                yield np.array(group)
                group, wider = [], set(times[i])
            group.append(i)
            union = wider
        yield np.array(group)


def _batch(
    model: Model[Any],
    people: tuple[Person, ...],
    group: Int[np.ndarray, " person"],
    times: np.ndarray,
    code: np.ndarray,
    whose: np.ndarray,
) -> Batch:
    place = {int(who): k for k, who in enumerate(group)}
    reading = np.flatnonzero(np.isin(whose, group))
    clock = np.unique(np.append(times[reading], _begin(people[group[0]])))
    return Batch(
        people=group,
        times=clock,
        plan=_side_by_side([schedule(model, people[i].given) for i in group]),
        reading=reading,
        at=np.searchsorted(clock, times[reading]),
        code=code[reading],
        member=np.array([place[int(who)] for who in whose[reading]]),
    )


def _side_by_side(plans: list[Schedule]) -> Schedule:
    """One column for each person; who has fewer events has the rest at inf."""
    most = max(len(p.at) for p in plans)
    at = np.full((most, len(plans)), np.inf)
    what, amount = np.zeros((most, len(plans)), np.int64), np.zeros((most, len(plans)))
    for k, p in enumerate(plans):
        at[: len(p.at), k], what[: len(p.at), k] = p.at[:, 0], p.what[:, 0]
        amount[: len(p.at), k] = p.amount[:, 0]
    return Schedule(at, what, amount)
