"""What a twin would have said all along a record, in one pass: for rehearsals and for heads.

The loop says the same to within its late facts: here a rate counts from when it was learned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model
from medtwin.maths.kalman import Events, followed, foretold, origin, rolled, used
from medtwin.record.record import Record, Series, moment
from medtwin.twin.exact import belief, lines, system
from medtwin.twin.personal import Personal
from medtwin.twin.refit import at_median
from medtwin.twin.timeline import events, looks, of_record
from medtwin.twin.twin import Twin, at_rest

Said = tuple[Float[np.ndarray, "moment horizon"], Float[np.ndarray, "moment horizon"]]


def said_along(
    record: Record,
    model: Model[Any],
    moments: Float[np.ndarray, " moment"],
    horizons: Sequence[int],
    personal: Personal | None = None,
    told_by: float | None = None,
) -> Said:
    """Mean and sd of the reading at each horizon (minutes), from what was known at each moment.

    `moments` (UTC seconds) rise. What the record tells of the person (daily insulin) is taken
    as known by `told_by`, the last moment if not given. Nothing is announced.
    """
    by = float(moments[-1] if told_by is None else told_by)
    twin, happened = _begun(record, model, float(moments[-1]), by, personal)
    middle, variance = foretold(
        *(system(model), belief(twin), np.ascontiguousarray(twin.parameters.T)),
        lines(model, model.parameters(*twin.parameters), twin.members, True),
        *(_looked_from(happened, moments), twin.at / 60, np.array(horizons, dtype=float)),
    )
    return middle[0], np.sqrt(variance[0])


def said_under(
    record: Record,
    plan: Record,
    model: Model[Any],
    moments: Float[np.ndarray, " moment"],
    horizons: Sequence[int],
    bare: Said,
    personal: Personal | None = None,
    told_by: float | None = None,
) -> Said:
    """What it would have said had the plan been announced, each time within the horizon.

    `bare` is what it says of the same moments with nothing announced; only where the plan holds
    something within the last horizon is there anything to work out.
    """
    by = float(moments[-1] if told_by is None else told_by)
    twin, happened = _begun(record, model, float(moments[-1]), by, personal)
    mean, spread = (said.copy() for said in bare)
    whole, p = system(model), np.ascontiguousarray(twin.parameters.T)
    named = model.parameters(*twin.parameters)
    seen = lines(
        model, named, twin.members, True
    )  # what a person announces tells like what is seen
    state, now, done = belief(twin), twin.at / 60, 0
    for i, coming in _announced(plan, model, moments, horizons[-1]):
        upto = int(np.searchsorted(happened.minutes, moments[i] / 60, side="right"))
        state, _, _ = followed(whole, state, p, seen, _rows(happened, done, upto), now)
        now, done = now if upto == done else float(happened.minutes[upto - 1]), upto
        asked = looks(coming, [moments[i] / 60 + h for h in horizons], 0)
        z = np.zeros((1, 0, used(asked, now), len(model.linear) + 1))
        _, middle, variance = rolled(whole, state, p, seen, asked, now, z)
        mean[i], spread[i] = middle[0], np.sqrt(variance[0])
    return mean, spread


def _begun(
    record: Record, model: Model[Any], last: float, by: float, personal: Personal | None
) -> tuple[Twin, Events]:
    """The twin before the record's first fact, and all that happened until `last`."""
    timeline = of_record(model, as_learned(record), -np.inf, last)
    twin = replace(_typical(record, model, by, personal), at=float(timeline.at[0]))
    return twin, events(timeline, twin.ends)[0]


def _announced(
    plan: Record, model: Model[Any], moments: Float[np.ndarray, " moment"], horizon: int
) -> Iterator[tuple[int, Events]]:
    """The moments that have something planned within the horizon, and what."""
    timeline = of_record(model, plan, -np.inf, np.inf)
    begin = np.searchsorted(timeline.at, moments, side="right")
    end = np.searchsorted(timeline.at, moments + 60 * horizon, side="right")
    columns = (timeline.at / 60, timeline.kind, timeline.which, timeline.amount)
    for i in np.flatnonzero(end > begin):
        yield int(i), Events(*(c[begin[i] : end[i]] for c in columns))


def _rows(events: Events, begin: int, end: int) -> Events:
    columns = (events.minutes, events.kind, events.which, events.amount)
    return Events(*(c[begin:end] for c in columns))


def as_learned(record: Record) -> Record:
    """The record with each late fact moved to when it was learned."""
    return Record(record.patient, {c: _moved(s) for c, s in record.columns.items()})


def _moved(s: Series) -> Series:
    late = np.maximum(s.known - s.at, 0.0)
    until = None if s.until is None else s.until + late
    return replace(s, at=s.at + late, until=until)


def _typical(record: Record, model: Model[Any], by: float, personal: Personal | None) -> Twin:
    twin = at_median(record, model, moment(by))
    p = model.parameters(*twin.parameters)
    if personal is not None:
        p = replace(p, **{name: np.full(1, v) for name, v in personal.values.items()})
    return at_rest(twin.patient, model, twin.at, p, 1, twin.seed)


def _looked_from(happened: Events, moments: Float[np.ndarray, " moment"]) -> Events:
    count = len(moments)
    minutes = np.concatenate([happened.minutes, moments / 60])
    kind = np.concatenate([happened.kind, np.full(count, origin)])
    order = np.lexsort((np.arange(len(kind)), kind == origin, minutes))
    return Events(
        minutes[order],
        kind[order],
        np.concatenate([happened.which, np.zeros(count, np.int64)])[order],
        np.concatenate([happened.amount, np.zeros(count)])[order],
    )
