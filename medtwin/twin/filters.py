"""Which filter follows this body, and why; and any of them along a person's facts.

The model's structure decides. All have the same `init` and `step` (`maths.filters`).
"""

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model
from medtwin.maths.filters.clouds import drawn, ensemble, heavy, particle, resampled
from medtwin.maths.filters.filter import Belief, Cloud, Dynamics, Filter, Gaussian, Reading, Told
from medtwin.maths.filters.filter import along as along_readings
from medtwin.maths.filters.gaussian import unscented
from medtwin.maths.kalman import reading
from medtwin.record.observation import Observation
from medtwin.twin.living import Life, Sensor, Unknowns, believed, dynamics, life, unknowns
from medtwin.twin.random import stream
from medtwin.twin.timeline import Timeline, of_facts
from medtwin.twin.twin import Twin, ensemble_members

few = 8
bends = {"where", "positive", "between", "maximum", "minimum"}

Made = Callable[[Dynamics, Unknowns], Filter]

makes: dict[str, Made] = {
    "unscented": lambda d, what: unscented(d),
    "ensemble": lambda d, what: ensemble(d, ensemble_members),
    "particle": lambda d, what: particle(d, 4000, heavy, _still(what)),
}
"""The filters that may follow any model whose unknowns are states and parameters together."""


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


def chosen(model: Model[Any]) -> Chosen:
    """The filter for this model, from its structure alone."""
    unknown = len(model.states) + len(_differing(model))
    if model.linear:
        return Chosen("exact", f"{', '.join(model.linear)} are linear once the inputs are known")
    if unknown > few:
        why = f"{unknown} unknowns are too many for points or particles"
        return Chosen("ensemble", f"{why}; {ensemble_members} members move together")
    bent = kinks(model)
    if not bent:
        return Chosen("unscented", f"{unknown} unknowns, and its rates are smooth")
    why = f"{unknown} unknowns, and {', '.join(bent)} make its rates jump"
    if _differing(model):
        return Chosen("ensemble", f"{why}; particles that learn parameters grow too sure")
    return Chosen("particle", why)


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
    what = unknowns(twin, sensor)
    lived = life(twin, of_facts(twin.model, facts))
    name = by or _joint(twin.model)
    if name not in makes:
        raise ValueError(f"there is no filter {name!r}; choose one of {', '.join(makes)}")
    filter_ = makes[name](dynamics(what, lived), what)
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, f"filter {name}")
    seen = readings(of_facts(twin.model, facts), twin.at, longest)
    beliefs, told = along_readings(filter_, believed(twin, what), seen, rng)
    return Followed(what, lived, tuple(beliefs), tuple(told), name)


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
    p = what.parameters(z)
    usual = twin.running.mean(axis=1) if twin.running.size else rates
    running = np.repeat(np.where(np.isnan(rates), usual, rates)[:, None], members, axis=1)
    return replace(
        twin, at=belief.at, states=what.states(z), parameters=p, running=running, spread=None
    )


def sampled(
    belief: Belief, members: int, rng: np.random.Generator
) -> Float[np.ndarray, "unknown member"]:
    """So many equally likely members of a belief."""
    if isinstance(belief, Cloud):
        even = resampled(belief, rng)
        return even.members[:, rng.integers(0, even.members.shape[1], members)]
    return drawn(Gaussian(belief.at, belief.mean, belief.covariance), members, rng).members


def _joint(model: Model[Any]) -> str:
    """The chosen filter, where all unknowns are followed together."""
    name = chosen(model).name
    return "unscented" if name == "exact" else name


def _differing(model: Model[Any]) -> list[str]:
    told = [(f.name, f.metadata) for f in fields(model.parameters)]
    return [n for n, m in told if m["cv"] > 0 or m.get("sd", 0.0) > 0]


def _still(what: Unknowns) -> tuple[int, ...]:
    """The rows of parameters, which nothing moves."""
    first = len(what.model.states)
    return tuple(range(first, first + len(what.learned)))


def _calls(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
