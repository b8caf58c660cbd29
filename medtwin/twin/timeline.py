"""Facts in the order a twin lives through them: rates, things taken, readings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model
from medtwin.maths.kalman import Events, look, rate, reading, taken, usual
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.record import Record

hold = 180 * 60.0
"""How long a rate is believed to go on after its stated end, when nobody says otherwise (s)."""


@dataclass(frozen=True)
class Timeline:
    """Rows in the order they happen. Times are UTC seconds; `kind` and `which` as in `Events`."""

    at: Float[np.ndarray, " row"]
    kind: Int[np.ndarray, " row"]
    which: Int[np.ndarray, " row"]
    amount: Float[np.ndarray, " row"]
    until: Float[np.ndarray, " row"]
    known: Float[np.ndarray, " row"]

    def __len__(self) -> int:
        return len(self.at)

    def keep(self, rows: Any) -> "Timeline":
        """These rows only."""
        columns = (self.at, self.kind, self.which, self.amount, self.until, self.known)
        return Timeline(*(c[rows] for c in columns))


def places(model: Model[Any]) -> dict[Code, tuple[int, int]]:
    """Each code that the model knows: what kind of row it is, and which of its kind."""
    return {
        **{code: (rate, i) for i, code in enumerate(model.channels)},
        **{code: (taken, i) for i, code in enumerate(model.inputs)},
        **{code: (reading, i) for i, code in enumerate(shown_codes(model))},
    }


def of_facts(model: Model[Any], facts: Iterable[Observation]) -> Timeline:
    """These facts; those the model says nothing about are left out."""
    known = places(model)
    rows = [
        (
            o.at.timestamp(),
            *known[o.code],
            o.value,
            np.inf if o.until is None else o.until.timestamp(),
            o.known.timestamp(),
        )
        for o in facts
        if o.code in known
    ]
    return _ordered(*np.array(rows, dtype=float).reshape(-1, 6).T)


def of_record(model: Model[Any], record: Record, since: float, by: float) -> Timeline:
    """What the record knew by `by`, true at `since` or later (both UTC seconds)."""
    parts = []
    for code, (kind, which) in places(model).items():
        s = record[code].by(by)
        s = s.keep(s.at >= since).current
        until = np.full(len(s), np.inf) if s.until is None else s.until
        until = np.where(np.isnan(until), np.inf, until)
        parts.append((s.at, np.full(len(s), kind), np.full(len(s), which), s.value, until, s.known))
    return _ordered(*(np.concatenate(c) for c in zip(*parts, strict=True)))


def events(timeline: Timeline, ends: np.ndarray) -> tuple[Events, np.ndarray]:
    """The rows as events, with the moments at which a rate that nobody
    renewed falls back to the usual one; and when each channel's rate then ends."""
    stops, ends = [], ends.copy()
    last = timeline.at[-1] if len(timeline) else -np.inf
    for channel in range(len(ends)):
        mine = (timeline.kind == rate) & (timeline.which == channel)
        begins = np.append(timeline.at[mine], np.inf)
        over = np.append(ends[channel], timeline.until[mine]) + hold
        lapsed = (over < begins) & (over <= last)
        stops += [(t, usual, channel, 0.0) for t in over[lapsed]]
        ends[channel] = np.inf if lapsed[-1] else over[-1] - hold
    rows = (timeline.at, timeline.kind, timeline.which, timeline.amount)
    return _events(rows, stops, 60.0), ends


def looks(events: Events, minutes: Sequence[float], which: int) -> Events:
    """The same events, looked at in between: at each of these minutes, after what happens then."""
    rows = (events.minutes, events.kind, events.which, events.amount)
    return _events(rows, [(m, look, which, 0.0) for m in minutes], 1.0)


def _events(rows: tuple[np.ndarray, ...], more: list[tuple[Any, ...]], scale: float) -> Events:
    extra = np.array(more, dtype=float).reshape(-1, 4).T
    at, kind, which, amount = (np.concatenate([a, b]) for a, b in zip(rows, extra, strict=True))
    order = np.lexsort((np.arange(len(at)), kind == look, at))
    whole = np.int64
    return Events(
        at[order] / scale, kind[order].astype(whole), which[order].astype(whole), amount[order]
    )


def _ordered(
    at: np.ndarray,
    kind: np.ndarray,
    which: np.ndarray,
    amount: np.ndarray,
    until: np.ndarray,
    known: np.ndarray,
) -> Timeline:
    """At one moment: rates first, then what is taken, then what is measured."""
    order = np.lexsort((known, amount, which, kind, at))
    whole = (kind.astype(np.int64)[order], which.astype(np.int64)[order])
    return Timeline(np.round(at[order], 3), *whole, amount[order], until[order], known[order])
