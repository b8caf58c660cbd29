"""Bring a twin up to date: a dose is taken, a measurement is learned from."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from medtwin.record.observation import Observation
from medtwin.record.record import Record, Series, moment
from medtwin.twin import carried, ensemble, exact
from medtwin.twin.filters import chosen
from medtwin.twin.timeline import Timeline, of_facts, of_record, places
from medtwin.twin.twin import Twin


class Late(ValueError):
    """A fact is older than the twin; replay it from a checkpoint (`caught_up`)."""


class NoCheckpoint(ValueError):
    """No checkpoint is old enough and complete enough to replay from."""


def assimilate(twin: Twin, facts: Sequence[Observation]) -> Twin:
    """The twin after these facts, in time order; those its model says nothing about are passed.

    Raises Late where a fact was true before the twin's own time.
    """
    return lived(twin, of_facts(twin.model, facts))


def lived(twin: Twin, timeline: Timeline) -> Twin:
    """The twin after living through these rows, which are not older than itself."""
    if not len(timeline):
        return twin
    if timeline.at[0] < twin.at:
        raise Late(
            f"a fact of {moment(timeline.at[0])} is older than the twin of {twin.patient} "
            f"({moment(twin.at)}); facts may only be newer; replay with caught_up(checkpoints, ...)"
        )
    if twin.spread is not None:
        return exact.learned(twin, timeline)
    live = carried if chosen(twin.model).name in carried.live else ensemble
    return live.learned(twin, timeline)


def caught_up(checkpoints: Sequence[Twin], record: Record, now: datetime) -> Twin:
    """The twin as if every fact known by `now` had come in order, late ones included.

    Replays from the newest checkpoint that holds every fact of its time; the result equals,
    bit for bit, the twin that lived through the facts in order. Raises NoCheckpoint.
    """
    by = now.timestamp()
    for twin in sorted(checkpoints, key=lambda t: t.at, reverse=True):
        if twin.at <= by and _complete(twin, record, by):
            after = np.nextafter(twin.at, np.inf) if twin.facts else twin.at
            return lived(twin, of_record(twin.model, record, float(after), by))
    raise NoCheckpoint(
        f"none of {len(checkpoints)} checkpoints of {record.patient} holds every fact of its own "
        f"time known by {now}; keep the twin as it was at birth, or give birth again"
    )


def _complete(twin: Twin, record: Record, by: float) -> bool:
    """Whether the twin holds exactly the facts known by now that are not later than itself."""
    held = [_held(record[code].by(by), twin) for code in places(twin.model)]
    if not twin.facts:
        return True
    if any(np.any(s.known > twin.told) for s in held):
        return False
    in_order = sum(len(s) for s in held) == twin.facts
    return in_order or sum(len(s.current) for s in held) == twin.facts


def _held(s: Series, twin: Twin) -> Series:
    return s.keep((s.at >= twin.born) & (s.at <= twin.at))
