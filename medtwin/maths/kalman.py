"""The exact filter for a model that is linear and Gaussian once its inputs are known.

The drift is affine in the linear states given the driven ones, so that its matrix is found by
probing the model's own drift, and the propagator over a step is the matrix exponential at
mid-step. Kalman & Bucy (1961), J Basic Eng 83:95; the integral of the noise by Simpson's rule.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.maths import kalman_lane
from medtwin.maths.compiled import written

Array = np.ndarray
rate, taken, reading, look, usual, origin = 0, 1, 2, 3, 4, 5


@dataclass(frozen=True)
class System:
    """What the filter needs to know of a model: its functions and which states are linear.

    `drift(t, x, u, p)` and `noise(t, x, u, p)` give one value per state, `error(x, p)` the sd of
    each observed quantity; p has the attributes `parameters`.
    """

    name: str
    states: int
    linear: tuple[int, ...]
    channels: int
    parameters: tuple[str, ...]
    drift: Callable[..., Any]
    noise: Callable[..., Any]
    error: Callable[..., Any]


@dataclass(frozen=True)
class Lines:
    """How facts enter and show: what a unit taken adds (and with which sd), what a rate's change
    by a unit tells of each state beyond its own effect, and what is seen.

    Members stand first, as the compiled lanes want them.
    """

    jumps: Float[np.ndarray, "member input state"]
    doubts: Float[np.ndarray, "member input state"]
    tells: Float[np.ndarray, "member channel state"]
    rows: Float[np.ndarray, "member seen state"]
    levels: Float[np.ndarray, "member seen"]
    usual: Float[np.ndarray, "member channel"]


@dataclass(frozen=True)
class Events:
    """What happens, in order: minutes since 1970 (UTC), kind (rate, taken, reading, look, usual),
    which channel, input or observed quantity, and how much."""

    minutes: Float[np.ndarray, " event"]
    kind: Int[np.ndarray, " event"]
    which: Int[np.ndarray, " event"]
    amount: Float[np.ndarray, " event"]

    def __len__(self) -> int:
        return len(self.minutes)


@dataclass(frozen=True)
class Belief:
    """Mean of every state and covariance of the linear ones, for each member."""

    mean: Float[np.ndarray, "member state"]
    covariance: Float[np.ndarray, "member linear linear"]
    rates: Float[np.ndarray, "member channel"]

    def copy(self) -> "Belief":
        """The same belief in arrays of its own."""
        return Belief(self.mean.copy(), self.covariance.copy(), self.rates.copy())


def followed(
    system: System,
    belief: Belief,
    p: Float[np.ndarray, "member parameter"],
    lines: Lines,
    events: Events,
    start: float,
    longest: float = 5.0,
    most: float = 4.0,
) -> tuple[Belief, Float[np.ndarray, "member event"], Float[np.ndarray, "member event"]]:
    """The belief after these events, with each reading's surprise and the sd expected of it.

    `start` is the belief's own time (minutes since 1970); `longest` the longest step in minutes;
    a reading whose normalised surprise is over `most` moves the belief no further than `most` does
    (Huber 1964, Ann Math Stat 35:73).
    """
    after = belief.copy()
    seen, sds = compiled(system).follow(
        *(start, events.minutes, events.kind, events.which, events.amount),
        *(after.mean, after.covariance, after.rates, lines.usual, p),
        *(lines.jumps, lines.doubts, lines.tells, lines.rows, lines.levels, longest, most),
    )
    return after, seen, sds


def rolled(
    system: System,
    belief: Belief,
    p: Float[np.ndarray, "member parameter"],
    lines: Lines,
    events: Events,
    start: float,
    z: Float[np.ndarray, "member pair used wide"],
    longest: float = 5.0,
) -> tuple[
    Float[np.ndarray, "member draw look"],
    Float[np.ndarray, "member look"],
    Float[np.ndarray, "member look"],
]:
    """Paths at each look with their exact mean and variance, rolled ahead through the events.

    `z` is standard normal noise, `used(events, start, longest)` long; paths come in opposite pairs.
    """
    ahead = belief.copy()
    looks = int(np.sum(events.kind == look))
    members = len(ahead.mean)
    paths = np.zeros((members, 2 * z.shape[1], looks))
    middle, variance = np.zeros((members, looks)), np.zeros((members, looks))
    compiled(system).roll(
        *(start, events.minutes, events.kind, events.which, events.amount),
        *(ahead.mean, ahead.covariance, ahead.rates, lines.usual, p),
        *(lines.jumps, lines.doubts, lines.tells, lines.rows, lines.levels, longest),
        *(z, paths, middle, variance),
    )
    return paths, middle, variance


def foretold(
    system: System,
    belief: Belief,
    p: Float[np.ndarray, "member parameter"],
    lines: Lines,
    events: Events,
    start: float,
    horizons: Float[np.ndarray, " horizon"],
    coarse: float = 15.0,
    longest: float = 5.0,
    most: float = 4.0,
) -> tuple[
    Float[np.ndarray, "member origin horizon"],
    Float[np.ndarray, "member origin horizon"],
]:
    """What each member would have said at each `origin`, nothing announced: mean and variance
    of the observed quantity at these horizons (minutes), in steps of `coarse` minutes."""
    ahead = belief.copy()
    shape = (len(ahead.mean), int(np.sum(events.kind == origin)), len(horizons))
    middle, variance = np.zeros(shape), np.zeros(shape)
    compiled(system).foretell(
        *(start, events.minutes, events.kind, events.which, events.amount),
        *(ahead.mean, ahead.covariance, ahead.rates, lines.usual, p),
        *(lines.jumps, lines.doubts, lines.tells, lines.rows, lines.levels, longest, most),
        *(horizons, coarse, middle, variance),
    )
    return middle, variance


def used(events: Events, start: float, longest: float = 5.0) -> int:
    """How many noise vectors `rolled` uses up."""
    gaps = np.diff(events.minutes, prepend=start)
    return 1 + len(events) + int(np.sum(np.ceil(np.maximum(gaps, 0) / longest - 1e-9)))


@lru_cache(maxsize=64)
def compiled(system: System) -> ModuleType:
    """The system's own filter, compiled once and kept on disk."""
    return written(f"kalman_{system.name.replace(' ', '_')}", text(system))


def text(system: System) -> str:
    """The source of the compiled filter: the model's functions, then the common lanes."""
    body = Path(kalman_lane.__file__).read_text().split("# --- from here on the text is copied ---")
    return "\n".join([_head(system), body[1]])


def _head(system: System) -> str:
    functions = "".join(_imported(n, getattr(system, n)) for n in ("drift", "noise", "error"))
    x, u = _spelled("x", range(system.states)), _spelled("u", range(system.channels))
    return f'''"""Generated from the model {system.name!r}; do not edit."""
# sources {_digest(system)}
from collections import namedtuple
import numpy as np
from numba import njit
{functions}
STATES, SIZE = {system.states}, {len(system.linear)}
LINEAR, LOWER = {system.linear}, {chain(system)}
P_ = namedtuple("P_", {system.parameters!r})

@njit(inline="always")
def named(p):
    return P_({_spelled("p", range(len(system.parameters)))})

@njit
def pushed(t, x, u, p, out):
    """Rates of the states that inputs alone drive; those of the linear ones stay 0."""
    d = drift(t, ({x}), ({u}), named(p))
{_copied("d", [i for i in range(system.states) if i not in system.linear])}

@njit
def affine(t, x, u, p, a, c):
    """The drift of the linear states as a x + c, given the driven ones."""
    q = named(p)
    v = ({u})
{_probed(system)}

@njit
def sizes(t, x, u, p, out):
    d = noise(t, ({x}), ({u}), named(p))
{_copied("d", range(system.states))}

@njit
def blur(x, p, out):
    d = error(({x}), named(p))
    for i, v in enumerate(d):
        out[i] = v
'''


def _probed(system: System) -> str:
    """The drift with every linear state at 0 (c), then with each in turn at 1 (a's columns)."""
    lines = []
    for j in (None, *system.linear):
        x = "".join(
            f"{1.0 if i == j else 0.0}, " if i in system.linear else f"x[{i}], "
            for i in range(system.states)
        )
        name = "z" if j is None else f"d{j}"
        lines.append(f"    {name} = drift(t, ({x}), v, q)")
    for i, row in enumerate(system.linear):
        lines.append(f"    c[{i}] = z[{row}]")
        for k, j in enumerate(system.linear):
            lines.append(f"    a[{i}, {k}] = d{j}[{row}] - z[{row}]")
    return "\n".join(lines)


def _imported(name: str, function: Callable[..., Any]) -> str:
    return (
        f"from {function.__module__} import {function.__name__} as plain_{name}\n"
        f"{name} = njit(plain_{name})\n"
    )


def _digest(system: System) -> str:
    sources = {inspect.getsource(f) for f in (system.drift, system.noise, system.error)}
    return " ".join(sorted(str(hash_of(s)) for s in sources))


def hash_of(source: str) -> str:
    """A short digest of a function's source, so that a changed model compiles anew."""

    return sha256(source.encode()).hexdigest()[:16]


def _spelled(name: str, places: Iterable[int]) -> str:
    return " ".join(f"{name}[{i}]," for i in places)


def _copied(name: str, places: Iterable[int]) -> str:
    return "\n".join(f"    out[{i}] = {name}[{i}]" for i in places) or "    return"


def chain(system: System) -> bool:
    """Whether each linear state is moved only by itself and those before it."""
    a = affine(system)
    return bool(np.all(np.triu(np.abs(a), 1) == 0))


def affine(system: System, seed: int = 1) -> Float[np.ndarray, "linear linear"]:
    """The drift's matrix at one random place, found by probing."""
    rng = np.random.default_rng(seed)
    p = _Named(system.parameters, rng.uniform(0.5, 2.0, len(system.parameters)))
    x, u = rng.uniform(0.5, 2.0, system.states), tuple(rng.uniform(0.5, 2.0, system.channels))
    x[list(system.linear)] = 0.0
    here = np.array(system.drift(100.0, tuple(x), u, p))
    columns = []
    for j in system.linear:
        moved = x.copy()
        moved[j] = 1.0
        columns.append(np.array(system.drift(100.0, tuple(moved), u, p)) - here)
    a = np.column_stack(columns)[list(system.linear)]
    return np.where(np.abs(a) < 1e-13, 0.0, a)


class _Named:
    """Parameters by name, for probing a model in plain Python."""

    def __init__(self, names: tuple[str, ...], values: Array) -> None:
        self.__dict__.update(zip(names, map(float, values), strict=True))
