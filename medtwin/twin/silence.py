"""Past hours taken as silent, so that heads learn what to say when a sensor really is, and how
much each counts then: by such rehearsals, and by the silences that the ledger has scored."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medtwin.engine.model import Model
from medtwin.learning.head import Ahead, Head, Learned, Lesson, Rehearsal, earlier, fit
from medtwin.learning.inputs import Inputs
from medtwin.learning.lessons import reading_at
from medtwin.learning.readings import Moments, day, hour, minute
from medtwin.learning.silence import hidden, inputs_in_silence, last_reading
from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.twin.along import said_along
from medtwin.twin.heads import of_silence, silent_heads
from medtwin.twin.ledger import LedgerEntry
from medtwin.twin.mix import Part, Weights, arrays, mechanism, together, weighed
from medtwin.twin.personal import Personal

horizons = (30, 60, 120)
rehearsed = 5 / 7
least = 300
"""So many silences teach; fewer leave the twin alone. About a week of days holds them."""

hours = (1.0, 3.0, 6.0)
apart = 3.0
"""Hours with readings between one silence and the next."""

shifts = 6
overlapping = 25
"""Of 76 silences that share one day's hours about three stand for themselves: with this many the
intervals of teaching days hold what they say (AZT1D), with one they hold a tenth less."""

most = 3000
"""So many silences are learned from, spread over all the days there are: seconds of a core."""

fresh = 15 * minute
"""The reading before a silence is at most so old when it begins."""


def taught(
    record: Record,
    model: Model[Any],
    personal: Personal | None,
    heads: Sequence[Head] = silent_heads,
) -> tuple[Learned, ...]:
    """Heads taught by silences taken from this person's own record; none where it is too short.

    Each keeps its rehearsal: the last two sevenths of the days, forecast by what the others taught.
    """
    if not len(record[codes.glucose]):
        return ()
    lesson, believed = _thinned(*silences(record, model, personal, horizons))
    late = ~earlier(lesson, rehearsed) if len(lesson) >= least else np.zeros(0, dtype=bool)
    if not late.any() or late.all():
        return ()
    came = np.stack([lesson.measured[h] for h in horizons], axis=1)[late]
    twin = Ahead(believed.mean[late], believed.spread[late])
    learned = []
    for head in heads:
        one, (said,) = fit(head, [lesson], horizons, rehearsed)
        learned.append(replace(one, rehearsal=Rehearsal(said, twin, came)))
    return tuple(learned)


def weights_of(learned: Sequence[Learned], scored: Sequence[LedgerEntry]) -> Weights | None:
    """How much mechanism and heads count while the sensor is silent, and how far they miss.

    None where no head was taught for it.
    """
    taught_so = [one for one in learned if one.head in of_silence and one.rehearsal is not None]
    if not taught_so:
        return None
    by = (mechanism, *(one.head for one in taught_so))
    lived = together(scored, by)
    parts = []
    for k, h in enumerate(taught_so[0].horizons):
        part = _rehearsed(taught_so, k)
        if h in lived:
            real = arrays([v for _, v in lived[h]], by)
            part = tuple(np.concatenate(pair, axis=-1) for pair in zip(part, real, strict=True))
        parts.append(part)
    return weighed(by, tuple(map(float, taught_so[0].horizons)), parts, overlapping)


def _thinned(lesson: Lesson, believed: Ahead) -> tuple[Lesson, Ahead]:
    step = max(1, -(-len(lesson) // most))
    some = np.arange(len(lesson)) % step == 0
    return lesson.keep(some), Ahead(believed.mean[some], believed.spread[some])


def _rehearsed(taught_so: Sequence[Learned], k: int) -> Part:
    tries = [one.rehearsal for one in taught_so if one.rehearsal is not None]
    measured = tries[0].measured[:, k]
    mean = np.stack([tries[0].twin.mean[:, k], *(r.said.mean[:, k] for r in tries)])
    spread = np.stack([tries[0].twin.spread[:, k], *(r.said.spread[:, k] for r in tries)])
    known = np.isfinite(measured) & np.isfinite(mean).all(axis=0)
    return mean[:, known], spread[:, known], measured[known]


def silences(
    record: Record,
    model: Model[Any],
    personal: Personal | None,
    horizons: Sequence[int],
    lengths: Sequence[float] = hours,
    told_by: float | None = None,
) -> tuple[Lesson, Ahead]:
    """What was known at the end of each silence taken from this record, what then was measured,
    and what the twin believed.

    Silences of each length (hours) follow each other all along the record, `shifts` times anew;
    doses and meals of the silent hours are known. `told_by` is as in `said_along`.
    """
    parts = [
        part
        for length in lengths
        for part in _shifted(record, model, personal, horizons, length, told_by)
    ]
    if not parts:
        nothing = np.zeros((0, len(horizons)))
        empty = Lesson(record.patient, np.zeros(0), Inputs((), np.zeros((0, 0))), {}, {})
        return empty, Ahead(nothing, nothing)
    moments = np.concatenate([one.moments for one, _ in parts])
    order = np.argsort(moments, kind="stable")
    names = parts[0][0].inputs.names
    values = np.concatenate([one.inputs.values for one, _ in parts])
    measured = {h: np.concatenate([one.measured[h] for one, _ in parts]) for h in horizons}
    whole = Lesson(record.patient, moments, Inputs(names, values), {}, measured)
    mean, spread = (
        np.concatenate(c) for c in zip(*((b.mean, b.spread) for _, b in parts), strict=True)
    )
    return whole.keep(order), Ahead(mean[order], spread[order])


def _shifted(
    record: Record,
    model: Model[Any],
    personal: Personal | None,
    horizons: Sequence[int],
    length: float,
    told_by: float | None,
) -> Iterator[tuple[Lesson, Ahead]]:
    seen, round_ = record[codes.glucose].at, hour * (length + apart)
    for k in range(shifts):
        ends = np.arange(seen.min() + day + round_ * k / shifts, seen.max(), round_)
        if len(ends):
            yield _passed(record, model, personal, horizons, ends, length, told_by)


def _passed(
    record: Record,
    model: Model[Any],
    personal: Personal | None,
    horizons: Sequence[int],
    ends: Moments,
    length: float,
    told_by: float | None,
) -> tuple[Lesson, Ahead]:
    quiet = hidden(record, ends - hour * length, ends)
    believed = Ahead(*said_along(quiet, model, ends, horizons, personal, told_by))
    inputs = inputs_in_silence(quiet, ends, horizons, believed)
    measured = {h: reading_at(record[codes.glucose], ends + h * minute) for h in horizons}
    begun = ends - hour * length - last_reading(quiet, ends) <= fresh
    kept = Lesson(record.patient, ends, inputs, {}, measured).keep(begun)
    return kept, Ahead(believed.mean[begun], believed.spread[begun])
