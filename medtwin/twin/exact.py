"""A twin whose model is linear and Gaussian once its inputs are known: the exact filter."""

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model
from medtwin.maths.kalman import Belief, Events, Lines, System, followed, rolled, used
from medtwin.twin.random import stream
from medtwin.twin.timeline import Timeline, events
from medtwin.twin.twin import Twin, parameters


def learned(twin: Twin, timeline: Timeline) -> Twin:
    """The twin after living through these rows."""
    happened, ends = events(timeline, twin.ends)
    after, _, _ = followed(
        *(system(twin.model), belief(twin), _members_first(twin.parameters)),
        *(lines(twin.model, parameters(twin), twin.members, True), happened, twin.at / 60),
        longest=twin.model.step,
    )
    return replace(
        twin,
        at=float(timeline.at[-1]),
        states=np.ascontiguousarray(after.mean.T),
        spread=np.ascontiguousarray(np.moveaxis(after.covariance, 0, -1)),
        running=np.ascontiguousarray(after.rates.T),
        ends=ends,
        told=max(twin.told, float(timeline.known.max())),
        facts=twin.facts + len(timeline),
    )


def ahead(
    twin: Twin, coming: Events, pairs: int, *, seen: bool
) -> tuple[
    Float[np.ndarray, "member draw look"],
    Float[np.ndarray, "member look"],
    Float[np.ndarray, "member look"],
]:
    """Paths at each look, with each member's exact mean and variance.

    What is coming tells by being done, like what is `seen`, where it is the person's own plan;
    it does not where it is only imagined.
    """
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, "ahead")
    wide = len(twin.model.linear) + 1
    z = rng.standard_normal(
        (pairs, twin.members, used(coming, twin.at / 60, twin.model.step), wide)
    )
    return rolled(
        *(system(twin.model), belief(twin), _members_first(twin.parameters)),
        *(lines(twin.model, parameters(twin), twin.members, seen), coming, twin.at / 60),
        *(np.ascontiguousarray(np.swapaxes(z, 0, 1)), twin.model.step),
    )


def belief(twin: Twin) -> Belief:
    """The twin's means, covariances and running rates, members first."""
    if twin.spread is None:
        raise ValueError(f"the twin of {twin.patient} is an ensemble; it has no covariance")
    return Belief(
        _members_first(twin.states),
        np.ascontiguousarray(np.moveaxis(twin.spread, -1, 0)),
        _members_first(twin.running),
    )


@lru_cache(maxsize=64)
def system(model: Model[Any]) -> System:
    """What the exact filter needs to know of a model."""
    return System(
        name=model.name,
        states=len(model.states),
        linear=tuple(model.states.index(name) for name in model.linear),
        channels=len(model.channels),
        parameters=tuple(f.name for f in fields(model.parameters)),
        drift=model.drift,
        noise=model.noise or (lambda t, x, u, p: (0.0,) * len(x)),
        error=model.error or (lambda x, p: (10.0,)),
    )


def lines(model: Model[Any], p: Any, members: int, seen: bool) -> Lines:
    """What a unit of each fact adds, and what each observed code shows, found by probing.

    Facts that were `seen` in life also tell by being done (`hint`), a rate by how far it changes;
    those of a plan do not.
    """
    nothing = tuple(np.zeros(members) for _ in model.states)

    def wide(values: Any) -> np.ndarray:
        return np.stack([np.broadcast_to(v, members) for v in values], axis=-1).astype(float)

    def tell(code: Any) -> np.ndarray:
        return wide(model.hint(code, p)) if seen and model.hint else wide(nothing)

    def jump(code: Any) -> np.ndarray:
        return wide(model.take(nothing, code, 1.0, p)) + tell(code)

    shown = model.observe(nothing, p)
    rows = np.zeros((members, len(shown), len(nothing)))
    levels = wide(shown.values())
    for i in range(len(nothing)):
        unit = tuple(np.ones(members) if j == i else z for j, z in enumerate(nothing))
        rows[:, :, i] = wide(model.observe(unit, p).values()) - levels
    empty = np.zeros((members, 0, len(nothing)))

    def doubt(code: Any) -> np.ndarray:
        return wide(nothing if model.unsure is None else model.unsure(code, p))

    return Lines(
        jumps=np.stack([jump(c) for c in model.inputs], axis=1) if model.inputs else empty,
        doubts=np.stack([doubt(c) for c in model.inputs], axis=1) if model.inputs else empty,
        tells=np.stack([tell(c) for c in model.channels], axis=1) if model.channels else empty,
        rows=rows,
        levels=levels,
        usual=wide(model.usual(p)) if model.usual else np.zeros((members, len(model.channels))),
    )


def _members_first(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values.T)
