"""What a model claims, and on what ground: its card, for whoever must decide whether to trust it.

The questions are those of ASME V&V 40 (2018): what is it for, where is each number from, how
much may people differ, what is missing. How it does against papers and real people is in the
evidence; what one person's data can tell of its parameters is in `identifiability`.
"""

from dataclasses import dataclass, fields
from typing import Any

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model
from medtwin.record.codes import Code


@dataclass(frozen=True)
class Parameter:
    """One parameter: its median between people, how far they spread, its bounds and source.

    `spread` is a coefficient of variation where `relative`, else a standard deviation in the
    parameter's own unit; 0 means the same for everybody.
    """

    name: str
    unit: str
    median: float
    spread: float
    relative: bool
    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Card:
    """A model for its reader: where it is from, what it takes and shows, and what it lacks."""

    name: str
    reference: str
    trust: str
    clock: str
    states: tuple[tuple[str, str], ...]
    parameters: tuple[Parameter, ...]
    takes: tuple[Code, ...]
    runs: tuple[Code, ...]
    shows: tuple[Code, ...]
    solved: str
    lacks: tuple[str, ...]


def card(model: Model[Any]) -> Card:
    """The model's card, read from the model itself."""
    told = tuple(_parameter(f) for f in fields(model.parameters))
    return Card(
        name=model.name,
        reference=model.reference,
        trust=model.trust,
        clock=model.clock,
        states=tuple(zip(model.states, model.units, strict=True)),
        parameters=told,
        takes=model.inputs,
        runs=model.channels,
        shows=shown_codes(model),
        solved=_solved(model),
        lacks=lacking(model, told),
    )


def lacking(model: Model[Any], told: tuple[Parameter, ...]) -> tuple[str, ...]:
    """What a careful reader would miss, a sentence each; empty where nothing is."""
    unsourced = [p.name for p in told if not p.source]
    found = []
    if not model.trust:
        found.append("It does not say when to trust it.")
    if unsourced:
        found.append(f"No source is given for {', '.join(unsourced)}.")
    return tuple(found)


def _parameter(f: Any) -> Parameter:
    told = f.metadata
    sd = told.get("sd", 0.0)
    return Parameter(
        name=f.name,
        unit=told["unit"],
        median=f.default,
        spread=sd or told["cv"],
        relative=not sd,
        low=told["low"],
        high=told["high"],
        source=told["source"],
    )


def _solved(model: Model[Any]) -> str:
    if model.solution is not None:
        return "in closed form"
    return f"by Runge-Kutta steps of {model.step:g} {model.clock}"
