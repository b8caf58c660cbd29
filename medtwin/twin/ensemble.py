"""A twin whose model has no exact filter: an ensemble that is carried, dosed and corrected.

Parameters are learned beside the states, on the logarithmic scale, inside their bounds.
"""

from dataclasses import fields, replace

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.model import moment_on_clock, on_clock
from medtwin.engine.schedule import Chance
from medtwin.engine.simulate import advance
from medtwin.maths import enkf
from medtwin.maths.filters.filter import most, trusted
from medtwin.maths.kalman import Events, look, rate, reading, taken
from medtwin.record.codes import Code
from medtwin.twin.living import heard, held_up, unheard
from medtwin.twin.random import stream
from medtwin.twin.regimes import longest, switched
from medtwin.twin.timeline import Timeline, events
from medtwin.twin.twin import Twin, in_force, parameters


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
            paths.append(_read(twin, int(coming.which[k]), code, rng))
        else:
            twin = _met(twin, coming, k)
    return np.stack(paths)


def _read(
    twin: Twin, which: int, code: Code, rng: np.random.Generator
) -> Float[np.ndarray, " member"]:
    """What a sensor would read of each member, its error included."""
    shown = twin.model.observe(tuple(twin.states), parameters(twin))[code]
    error = _errors(twin, which, code) * rng.standard_normal(twin.members)
    return unheard(twin.model, code, heard(twin.model, code, shown) + error)


def _seconds(minutes: float) -> float:
    """Minutes since 1970 as the seconds of a twin's time, to the millisecond."""
    return round(60 * float(minutes), 3)


def _carried(twin: Twin, at: float) -> Twin:
    """The same belief at a later time, with nothing new seen or given; the model's own noise."""
    while twin.regimes is not None and twin.at < at:
        twin = _along(_in_regimes(twin, twin.regimes, at), min(at, twin.at + longest(twin.model)))
    return _along(twin, at)


def _in_regimes(twin: Twin, regimes: Int[np.ndarray, " member"], at: float) -> Twin:
    """Every member in the regime that it lives the next stretch in. The chance belongs to the
    moment, so that branches of a what-if share it where they share their moments."""
    piece = min(at - twin.at, longest(twin.model))
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, "regimes")
    chance = rng.standard_normal(twin.members)
    return replace(twin, regimes=switched(twin.model, regimes, chance, piece))


def _along(twin: Twin, at: float) -> Twin:
    if at <= twin.at:
        return twin
    lasting = on_clock(twin.model, at - twin.at)
    begin = moment_on_clock(twin.model, twin.at)
    run = advance(
        *(twin.model, twin.states, in_force(twin), begin, begin + lasting, twin.running),
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
    expected = heard(twin.model, code, np.broadcast_to(np.asarray(predicted, float), twin.members))
    measured = float(heard(twin.model, code, measured))
    noise = _believed(expected, measured, float(np.mean(_errors(twin, which, code))))
    moved = enkf.update(members, expected, measured, noise, rng)
    cut = len(twin.states)
    told = twin.parameters.copy()
    for i, row, m in zip(learning, moved[cut:], bounds, strict=True):
        told[i] = np.clip(np.exp(row), m["low"], m["high"])
    return replace(twin, states=held_up(twin.model, moved[:cut]), parameters=told)


def _errors(twin: Twin, which: int, code: Code) -> Float[np.ndarray, " member"]:
    """A reading's own error for each member: the model's where it has one, else the code's."""
    if twin.model.error is None:
        return np.full(twin.members, float(code.noise))
    told = list(twin.model.error(tuple(twin.states), parameters(twin)))[which]
    return np.broadcast_to(np.asarray(told, float), (twin.members,))


def _believed(
    expected: Float[np.ndarray, " member"], measured: float, error: float, limit: float = most
) -> float:
    """The error to learn with: larger where the surprise is over so many deviations."""
    doubt, surprise = float(expected.var(ddof=1)), measured - float(expected.mean())
    return float(np.sqrt(trusted(surprise, doubt + error**2, limit) - doubt))
