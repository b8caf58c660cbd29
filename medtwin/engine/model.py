"""What it takes to be a model of part of a body: parameters, a start, a drift, and what shows.

A model file is plain functions in plain arithmetic: states, inputs and parameters come in by
name, rates go out as a tuple. The same lines serve one person as floats inside a compiled
kernel, an ensemble as NumPy arrays, and a population (state first, members last).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any, Generic, TypeVar

import numpy as np

from medtwin.record.codes import Code
from medtwin.record.record import Record

P = TypeVar("P")

seconds_in = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "wk": 604800.0, "a": 31557600.0}
"""How long each unit of time that a model's clock may have is."""


def varies(
    typical: float, *, unit: str, cv: float, low: float = 0.0, high: float = inf, source: str = ""
) -> Any:
    """A parameter that differs between people: its median, unit (UCUM), log-normal spread
    (coefficient of variation), the bounds physiology sets, and where the figures are from."""
    return field(
        default=typical,
        metadata={"unit": unit, "cv": cv, "low": low, "high": high, "source": source},
    )


def fixed(value: float, *, unit: str, source: str = "") -> Any:
    """A parameter that is the same for everybody."""
    return varies(value, unit=unit, cv=0.0, low=value, high=value, source=source)


def offset(
    typical: float, *, unit: str, sd: float, low: float = -inf, high: float = inf, source: str = ""
) -> Any:
    """A parameter that may be of either sign: its mean, unit, normal spread (sd) and bounds."""
    told = {"unit": unit, "cv": 0.0, "sd": sd, "low": low, "high": high, "source": source}
    return field(default=typical, metadata=told)


@dataclass(frozen=True)
class Regime:
    """A way in which a body may live for a while, as long as nobody can see which it is in.

    `times` says which parameters are then so many times as large; `leaves` how often it is left
    for which other regime (by name; per unit of the model's clock). `source` says where from.
    """

    name: str
    times: Mapping[str, float] = field(default_factory=dict, hash=False)
    leaves: Mapping[str, float] = field(default_factory=dict, hash=False)
    source: str = ""


@dataclass(frozen=True)
class Model(Generic[P]):
    """A module of physiology as plain functions.

    `drift(t, x, u, p)` returns the rate of each state per minute: `t` in minutes since midnight
    UTC (since 1970 where the clock counts days or years), `x` the states in order, `u` the
    running rate of each of `channels` in that code's unit (per minute where the code is an
    amount, such as U or g). `take(x, code, amount, p)` is what
    a fact without duration does to the states at once. `observe(x, p)` is what a sensor
    would show, by code. `noise(t, x, u, p)`, where there is one, is the diffusion of each state
    per square root of a minute. `linear` names the states that are linear and Gaussian given
    all others, and those others are then driven by inputs alone: such a model has an exact
    filter; a model that names none is followed by an ensemble.

    `clock` is the model's own unit of time: "s", "min", "h", "d" or "a" (a year of 365.25 days);
    every rate, `t`, `step` and time given to the engine is then in it, where this text says
    minutes. `solution(dt, x, u, p)`, where there is a closed form, is the state a time `dt`
    later with the rates `u` constant; the engine then uses it instead of steps. `covariates`
    names the parameters that a fact of the record tells (weight, age), each with its code; a
    missing one is drawn from its spread, never assumed. `horizons` are how far ahead, in its
    clock, the twin of a real person is asked; a model without any is not followed live (a
    simulator of virtual people; a heart whose beats are too quick to follow for days).

    `pace` says how long steps may be, so long after the last event: (0, 0.5), (30, 2.5). The states
    that are linear whatever the others do are then found from the drift's own lines and run
    exactly; `simulate` uses it where no other step is asked for. It must be proved like a step.

    What a twin of a real person may need besides: `doubt(p)` is the standard deviation of each
    state at birth; `unsure(code, p)` the one that a unit of a fact taken adds to each state;
    `hint(code, p)` what a unit of a fact seen in life, or of a running rate above its usual one,
    tells about each state beyond its own effect (never used for a plan); `error(x, p)` the
    sensor's own, in the order of `observe`; `usual(p)` each channel's rate while nobody has said;
    `personal(record)` the parameters that a person's own record tells, by name. `logarithmic`
    names codes whose readings err by so much of their size: they are compared as the logarithm
    of the value plus the number given, and `error` is on that scale. `regimes` are ways of living
    between which a body switches unseen; everybody is born into the first. `signed` names the
    states that may be below nothing; the others are kept from it where something is learned.
    """

    name: str
    reference: str
    states: tuple[str, ...]
    units: tuple[str, ...]
    parameters: type[P]
    inputs: tuple[Code, ...]
    channels: tuple[Code, ...]
    start: Callable[[P], tuple[Any, ...]]
    drift: Callable[[Any, tuple[Any, ...], tuple[Any, ...], P], tuple[Any, ...]]
    take: Callable[[tuple[Any, ...], Code, Any, P], tuple[Any, ...]]
    observe: Callable[[tuple[Any, ...], P], Mapping[Code, Any]]
    step: float
    noise: Callable[[Any, tuple[Any, ...], tuple[Any, ...], P], tuple[Any, ...]] | None = None
    linear: tuple[str, ...] = ()
    trust: str = ""
    doubt: Callable[[P], tuple[Any, ...]] | None = None
    unsure: Callable[[Code, P], tuple[Any, ...]] | None = None
    hint: Callable[[Code, P], tuple[Any, ...]] | None = None
    error: Callable[[tuple[Any, ...], P], tuple[Any, ...]] | None = None
    usual: Callable[[P], tuple[Any, ...]] | None = None
    personal: Callable[[Record], Mapping[str, float]] | None = None
    clock: str = "min"
    solution: Callable[[Any, tuple[Any, ...], tuple[Any, ...], P], tuple[Any, ...]] | None = None
    covariates: Mapping[str, Code] = field(default_factory=dict, hash=False)
    horizons: tuple[float, ...] = ()
    pace: tuple[tuple[float, float], ...] = ()
    logarithmic: Mapping[Code, float] = field(default_factory=dict, hash=False)
    regimes: tuple[Regime, ...] = ()
    signed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a model that cites nothing, a clock that does not exist, or a step
        that leads nowhere."""
        if not self.reference.strip():
            raise ValueError(
                f"{self.name} cites nothing; say in `reference` where its equations are from, "
                "a paper or a file, so that a reader can judge it"
            )
        if self.clock not in seconds_in:
            allowed = ", ".join(seconds_in)
            raise ValueError(f"{self.name} counts time in {self.clock!r}; choose one of {allowed}")
        if not self.step > 0:
            raise ValueError(f"{self.name} has steps of {self.step} {self.clock}; more than 0")
        _switch(self.name, self.regimes, [f.name for f in fields(self.parameters)])  # type: ignore[arg-type]


def _switch(model: str, regimes: tuple[Regime, ...], parameters: list[str]) -> None:
    """Raises ValueError for regimes that name what is not there."""
    names = [r.name for r in regimes]
    for r in regimes:
        strange = [*(set(r.times) - set(parameters)), *(set(r.leaves) - (set(names) - {r.name}))]
        if strange or len(set(names)) < len(names):
            raise ValueError(
                f"the regime {r.name!r} of {model} names {', '.join(strange) or 'another twice'}; "
                f"parameters are {', '.join(parameters)}, other regimes {', '.join(names)}"
            )
        if any(v <= 0 for v in r.times.values()) or any(v < 0 for v in r.leaves.values()):
            raise ValueError(
                f"the regime {r.name!r} of {model}: factors are above 0, rates 0 or more"
            )


def on_clock(model: Model[Any], seconds: float) -> float:
    """A duration in seconds as the model counts it."""
    return seconds / seconds_in[model.clock]


def moment_on_clock(model: Model[Any], at: float) -> float:
    """A moment (UTC seconds) as the `t` of the model's drift: since midnight, or since 1970."""
    by_day = seconds_in[model.clock] < seconds_in["d"]
    return on_clock(model, at % seconds_in["d"] if by_day else at)


def sample(parameters: type[P], people: int, rng: np.random.Generator) -> P:
    """Draw parameters for so many people, inside their bounds, as arrays of that length."""
    drawn = {}
    for f in fields(parameters):  # type: ignore[arg-type]
        sigma = np.sqrt(np.log1p(f.metadata["cv"] ** 2))
        z = rng.standard_normal(people)
        value = f.default * np.exp(sigma * z) + f.metadata.get("sd", 0.0) * z
        drawn[f.name] = np.clip(value, f.metadata["low"], f.metadata["high"])
    return parameters(**drawn)
