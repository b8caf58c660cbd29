"""A twin whose model has no exact filter: an ensemble that is carried, dosed and corrected.

Parameters are learned beside the states, on the logarithmic scale, inside their bounds.
"""

from dataclasses import fields, replace

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import moment_on_clock, on_clock
from medtwin.engine.schedule import Chance
from medtwin.engine.simulate import advance
from medtwin.maths import enkf
from medtwin.maths.filters.filter import most, trusted
from medtwin.maths.kalman import Events, look, rate, reading, taken
from medtwin.record.codes import Code
from medtwin.twin.random import stream
from medtwin.twin.timeline import Timeline, events
from medtwin.twin.twin import Twin, parameters


def learned(twin: Twin, timeline: Timeline) -> Twin:
    """The ensemble after living through these rows."""
    happened, ends = events(timeline, twin.ends)
    for k in range(len(happened)):
        twin = _carried(twin, _seconds(happened.minutes[k]))
        twin = _met(twin, happened, k)
    return replace(
        twin,
        at=float(timeline.at[-1]),
        ends=ends,
        told=max(twin.told, float(timeline.known.max())),
        facts=twin.facts + len(timeline),
    )


def ahead(twin: Twin, code: Code, coming: Events) -> Float[np.ndarray, "time member"]:
    """Every member's path of what a sensor would read at each look."""
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, "ahead")
    paths = []
    for k in range(len(coming)):
        twin = _carried(twin, _seconds(coming.minutes[k]))
        if coming.kind[k] == look:
            shown = twin.model.observe(tuple(twin.states), parameters(twin))[code]
            paths.append(shown + code.noise * rng.standard_normal(twin.members))
        else:
            twin = _met(twin, coming, k)
    return np.stack(paths)


def _seconds(minutes: float) -> float:
    """Minutes since 1970 as the seconds of a twin's time, to the millisecond."""
    return round(60 * float(minutes), 3)


def _carried(twin: Twin, at: float) -> Twin:
    """The same belief at a later time, with nothing new seen or given; the model's own noise."""
    if at <= twin.at:
        return twin
    lasting = on_clock(twin.model, at - twin.at)
    begin = moment_on_clock(twin.model, twin.at)
    run = advance(
        *(twin.model, twin.states, twin.parameters, begin, begin + lasting, twin.running),
        chance=_chance(twin),
    )
    return replace(twin, at=at, states=run.states)


def _chance(twin: Twin) -> Chance | None:
    """Whose draws the noise is made of: keyed by day, for the model's clock may begin at midnight.

    Each member's depend on the time alone, so that branches of a what-if share them.
    """
    if twin.model.noise is None:
        return None
    day = twin.at // 86400
    rng = stream(twin.seed, twin.patient, twin.model.name, day, "carried")
    return Chance(int(rng.integers(2**63)))


def _met(twin: Twin, happened: Events, k: int) -> Twin:
    """What one event does to the ensemble."""
    kind, which, amount = happened.kind[k], int(happened.which[k]), float(happened.amount[k])
    if kind == reading:
        return _corrected(twin, which, amount)
    if kind == taken:
        code = twin.model.inputs[which]
        states = twin.model.take(tuple(twin.states), code, amount, parameters(twin))
        return replace(twin, states=np.stack([np.broadcast_to(s, twin.members) for s in states]))
    running = twin.running.copy()
    running[which] = amount if kind == rate else _usual(twin)[which]
    return replace(twin, running=running)


def _usual(twin: Twin) -> np.ndarray:
    if twin.model.usual is None:
        return np.zeros_like(twin.running)
    usual = twin.model.usual(parameters(twin))
    return np.stack([np.broadcast_to(u, twin.members) for u in usual])


def _corrected(twin: Twin, which: int, measured: float) -> Twin:
    """Members moved towards a reading, states and logarithms of varying parameters together."""
    shown = twin.model.observe(tuple(twin.states), parameters(twin))
    code, predicted = list(shown.items())[which]
    learning = [i for i, f in enumerate(fields(twin.model.parameters)) if f.metadata["cv"] > 0]
    bounds = [fields(twin.model.parameters)[i].metadata for i in learning]
    members = np.vstack([twin.states, np.log(twin.parameters[learning])])
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, f"reading {which}")
    expected = np.broadcast_to(np.asarray(predicted, float), twin.members)
    noise = _believed(expected, measured, _error(twin, which, code))
    moved = enkf.update(members, expected, measured, noise, rng)
    cut = len(twin.states)
    told = twin.parameters.copy()
    for i, row, m in zip(learning, moved[cut:], bounds, strict=True):
        told[i] = np.clip(np.exp(row), m["low"], m["high"])
    return replace(twin, states=np.maximum(moved[:cut], 0.0), parameters=told)


def _error(twin: Twin, which: int, code: Code) -> float:
    """A reading's own error: the model's where it has one, else the code's."""
    if twin.model.error is None:
        return code.noise
    return float(np.mean(list(twin.model.error(tuple(twin.states), parameters(twin)))[which]))


def _believed(
    expected: Float[np.ndarray, " member"], measured: float, error: float, limit: float = most
) -> float:
    """The error to learn with: larger where the surprise is over so many deviations."""
    doubt, surprise = float(expected.var(ddof=1)), measured - float(expected.mean())
    return float(np.sqrt(trusted(surprise, doubt + error**2, limit) - doubt))
