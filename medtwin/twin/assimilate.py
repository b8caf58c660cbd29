"""Bring a twin up to date: a dose is taken, a measurement is learned from."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from medtwin.record.observation import Observation
from medtwin.record.record import Record, moment
from medtwin.twin import ensemble, exact
from medtwin.twin.timeline import Timeline, of_facts, of_record
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
    live = exact.learned if twin.spread is not None else ensemble.learned
    return live(twin, timeline)


def caught_up(checkpoints: Sequence[Twin], record: Record, now: datetime) -> Twin:
    """The twin as if every fact known by `now` had come in order, late ones included.

    Replays from the newest checkpoint that holds every fact of its time; the result equals,
    bit for bit, the twin that lived through the facts in order. Raises NoCheckpoint.
    """
    by = now.timestamp()
    for twin in sorted(checkpoints, key=lambda t: t.at, reverse=True):
        timeline = of_record(twin.model, record, twin.born, by)
        if twin.at <= by and _complete(twin, timeline):
            return lived(twin, timeline.keep(slice(twin.facts, None)))
    raise NoCheckpoint(
        f"none of {len(checkpoints)} checkpoints of {record.patient} holds every fact of its own "
        f"time known by {now}; keep the twin as it was at birth, or give birth again"
    )


def _complete(twin: Twin, timeline: Timeline) -> bool:
    """Whether the twin holds exactly the rows up to its own time (and a tie came in order)."""
    held = timeline.keep(slice(twin.facts))
    if len(held) < twin.facts:
        return False
    before = int(np.searchsorted(timeline.at, twin.at, side="left"))
    return before <= twin.facts and (
        not len(held) or (held.at[-1] == twin.at and held.known.max() <= twin.told)
    )
