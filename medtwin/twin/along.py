"""What a twin would have said all along a record, in one pass: for rehearsals and for heads.

The loop says the same to within its late facts: here a rate counts from when it was learned.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.maths.kalman import Events, foretold, origin
from medtwin.physiology.model import Model
from medtwin.record.record import Record, Series, moment
from medtwin.twin.exact import belief, lines, system
from medtwin.twin.personal import Personal
from medtwin.twin.refit import at_median
from medtwin.twin.timeline import events, of_record
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
    by = moments[-1] if told_by is None else told_by
    timeline = of_record(model, as_learned(record), -np.inf, float(moments[-1]))
    twin = replace(_typical(record, model, float(by), personal), at=float(timeline.at[0]))
    happened, _ = events(timeline, twin.ends)
    middle, variance = foretold(
        *(system(model), belief(twin), np.ascontiguousarray(twin.parameters.T)),
        lines(model, model.parameters(*twin.parameters), twin.members, True),
        *(_looked_from(happened, moments), twin.at / 60, np.array(horizons, dtype=float)),
    )
    return middle[0], np.sqrt(variance[0])


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
