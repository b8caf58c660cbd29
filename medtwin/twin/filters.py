"""Which filter follows this body, and why; and any of them along a person's facts.

The model's structure decides. All have the same `init` and `step` (`maths.filters`).
"""

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model
from medtwin.maths.filters.clouds import drawn, ensemble, heavy, particle, resampled
from medtwin.maths.filters.filter import Belief, Cloud, Dynamics, Filter, Gaussian, Reading, Told
from medtwin.maths.filters.filter import along as along_readings
from medtwin.maths.filters.gaussian import unscented
from medtwin.maths.filters.remembering import Lives, remembering
from medtwin.maths.kalman import reading
from medtwin.record.observation import Observation
from medtwin.twin.living import (
    Life,
    Sensor,
    Unknowns,
    believed,
    dynamics,
    heard,
    life,
    members,
    unknowns,
)
from medtwin.twin.random import stream
from medtwin.twin.timeline import Timeline, of_facts
from medtwin.twin.twin import Twin, ensemble_members

few = 7
wide = 0.8
"""Parameters of people within e^0.8 of the middle one, or beyond it, span orders of magnitude."""
bends = {"where", "positive", "between", "maximum", "minimum"}

Made = Callable[[Dynamics, Unknowns], Filter]

makes: dict[str, Made] = {
    "unscented": lambda d, what: unscented(d),
    "ensemble": lambda d, what: ensemble(d, ensemble_members),
    "particle": lambda d, what: particle(d, 4000, heavy, _still(what)),
    "remembering": lambda d, what: remembering(d, lambda first: begun(what, first)),
}
"""The filters that may follow any model whose unknowns are states and parameters together."""

by_beginning = {"remembering"}
"""Those of them whose unknowns are a beginning, which the states then follow from."""


@dataclass(frozen=True)
class Chosen:
    """The filter that suits a model, and why."""

    name: str
    because: str


@dataclass(frozen=True)
class Followed:
    """What a filter believed at birth and after each fact that was read, row by row of `what`."""

    what: Unknowns
    lived: Life
    beliefs: tuple[Any, ...]
    told: tuple[Told, ...]
    filter: str

    @property
    def last(self) -> Belief:
        """The belief after the last reading."""
        return self.beliefs[-1]

    def expected(self) -> Float[np.ndarray, "reading 2"]:
        """What each reading was expected to be, with its sd, before it was seen."""
        told = [(t.expected, t.sd) for t in self.told if not np.isnan(t.expected)]
        return np.array(told).reshape(-1, 2)


@lru_cache(maxsize=64)
def chosen(model: Model[Any]) -> Chosen:
    """The filter for this model, from its structure alone."""
    if model.linear:
        return Chosen("exact", f"{', '.join(model.linear)} are linear once the inputs are known")
    differ = _differing(model)
    unknown = len(differ) + shaken(model)
    if unknown > few:
        why = f"{unknown} unknowns are too many for points or particles"
        return Chosen("ensemble", f"{why}; {ensemble_members} members move together")
    bent, far = kinks(model), spans(model)
    why = [f"{', '.join(bent)} make its rates jump"] if bent else []
    why += [f"{', '.join(far)} span orders of magnitude"] if far else []
    if not why and model.regimes:
        named = ", ".join(r.name for r in model.regimes)
        return Chosen("regimes", f"it lives by turns: {named}; one filter for each, mixed")
    if not why:
        return Chosen("unscented", f"{unknown} unknowns, and its rates are smooth")
    said = f"{unknown} unknowns, and {'; '.join(why)}"
    # what nothing shakes follows from its beginning, so that a particle can live again
    return Chosen("remembering" if differ else "particle", said)


def shaken(model: Model[Any]) -> int:
    """How many states chance moves; the others follow from how they began."""
    if model.noise is None:
        return 0
    x, u = tuple(np.ones(len(model.states))), tuple(np.ones(len(model.channels)))
    return sum(bool(np.any(size != 0)) for size in model.noise(0.0, x, u, model.parameters()))


def spans(model: Model[Any]) -> tuple[str, ...]:
    """The parameters that differ so much between people that no straight line follows them."""
    told = [(f.name, f.metadata["cv"]) for f in fields(model.parameters)]
    return tuple(n for n, cv in told if np.sqrt(np.log1p(cv**2)) > wide)


def kinks(model: Model[Any]) -> tuple[str, ...]:
    """What makes the model's rates or readings jump or bend sharply, as its own file calls it."""
    used: set[str] = set()
    for function in (model.drift, model.observe, *([model.solution] if model.solution else [])):
        module = inspect.getmodule(function)
        tree = ast.parse(inspect.getsource(module)) if module else ast.Module([], [])
        used |= {n.func.id for n in ast.walk(tree) if _calls(n)}  # type: ignore[attr-defined]
    return tuple(sorted(used & bends))


def followed(
    twin: Twin,
    facts: Sequence[Observation],
    by: str | None = None,
    sensor: Sensor | None = None,
    longest: float = np.inf,
) -> Followed:
    """The twin's unknowns along these facts by one filter (the chosen one, if none is named).

    Longer gaps than `longest` seconds are crossed in pieces, so that noise acts on the way. A model
    with an exact filter is followed with each parameter at the members' median.
    Raises ValueError for a filter that does not exist.
    """
    name = by or _joint(twin.model)
    if name not in makes:
        raise ValueError(f"there is no filter {name!r}; choose one of {', '.join(makes)}")
    what = unknowns(twin, sensor)
    lived = life(twin, of_facts(twin.model, facts))
    filter_ = makes[name](dynamics(what, lived), what)
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, f"filter {name}")
    seen = readings(of_facts(twin.model, facts), twin.at, longest)
    before = at_birth(twin, what) if name in by_beginning else believed(twin, what)
    beliefs, told = along_readings(filter_, before, heard_all(twin.model, seen), rng)
    return Followed(what, lived, tuple(beliefs), tuple(told), name)


def at_birth(twin: Twin, what: Unknowns) -> Gaussian:
    """Mean and covariance of the parameters that differ, from which all the rest begins."""
    z = members(twin, what)[len(twin.states) :][: len(what.learned)]
    return Gaussian(twin.at, z.mean(axis=1), np.cov(z).reshape(len(z), len(z)))


def begun(what: Unknowns, first: Float[np.ndarray, "unknown member"]) -> Float[np.ndarray, "_ _"]:
    """All rows of members with these parameters, at rest, with a sensor that has not erred."""
    n, count = len(what.model.states), first.shape[1]
    z = np.zeros((len(what.names), count))
    z[n : n + len(first)] = first
    states = what.model.start(what.model.parameters(*what.parameters(z)))
    z[:n] = np.stack([np.broadcast_to(s, count) for s in states])
    if what.sensor.lag_minutes > 0:
        z[-1] = what.body(z, 0)
    return z


def heard_all(model: Model[Any], seen: Sequence[Reading]) -> list[Reading]:
    """The readings on the scale on which they err."""
    codes = shown_codes(model)
    return [replace(r, value=float(heard(model, codes[r.which], r.value))) for r in seen]


def readings(timeline: Timeline, since: float, longest: float = np.inf) -> list[Reading]:
    """What was read, with moments in between where nothing was for longer than `longest` s."""
    found, last = [], since
    for k in np.flatnonzero(timeline.kind == reading):
        at = float(timeline.at[k])
        pieces = int(np.ceil((at - last) / longest)) if np.isfinite(longest) else 1
        between = np.linspace(last, at, max(pieces, 1) + 1)[1:-1]
        found += [Reading(float(t), np.nan) for t in between]
        found.append(Reading(at, float(timeline.amount[k]), int(timeline.which[k])))
        last = at
    return found


def as_twin(twin: Twin, followed: Followed, members: int = ensemble_members) -> Twin:
    """A twin whose members are drawn from what the filter believes last."""
    belief, what = followed.last, followed.what
    rng = stream(twin.seed, twin.patient, twin.model.name, belief.at, "members")
    z = sampled(belief, members, rng)
    rates = followed.lived.rates[-1] if len(followed.lived.rates) else followed.lived.first
    p = what.own(z)
    usual = twin.running.mean(axis=1) if twin.running.size else rates
    running = np.repeat(np.where(np.isnan(rates), usual, rates)[:, None], members, axis=1)
    return replace(
        twin,
        at=belief.at,
        states=what.states(z),
        parameters=p,
        running=running,
        spread=None,
        regimes=what.regimes(z) if twin.model.regimes else None,
    )


def sampled(
    belief: Belief, members: int, rng: np.random.Generator
) -> Float[np.ndarray, "unknown member"]:
    """So many equally likely members of a belief."""
    if isinstance(belief, Lives):
        belief = belief.now
    if isinstance(belief, Cloud):
        even = resampled(belief, rng)
        return even.members[:, rng.integers(0, even.members.shape[1], members)]
    return drawn(Gaussian(belief.at, belief.mean, belief.covariance), members, rng).members


def _joint(model: Model[Any]) -> str:
    """The chosen filter, where all unknowns are followed together."""
    name = chosen(model).name
    return "unscented" if name in {"exact", "regimes"} else name


def _differing(model: Model[Any]) -> list[str]:
    told = [(f.name, f.metadata) for f in fields(model.parameters)]
    return [n for n, m in told if m["cv"] > 0 or m.get("sd", 0.0) > 0]


def _still(what: Unknowns) -> tuple[int, ...]:
    """The rows of parameters, which nothing moves."""
    first = len(what.model.states)
    return tuple(range(first, first + len(what.learned)))


def _calls(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
