"""A drug that washes out of one compartment: small enough to check by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, varies
from medtwin.record.codes import Code, Kind

drug = Code("test_drug", "drug", "mg", kind=Kind.dose)
infusion = Code("test_infusion", "infusion", "mg/h", kind=Kind.dose)
level = Code("test_level", "level", "mg/L")


@dataclass(frozen=True)
class Parameters:
    clearance: Any = varies(2.0, unit="L/h", cv=0.3, low=0.1, high=20.0)
    volume: Any = varies(40.0, unit="L", cv=0.2, low=5.0, high=200.0)


def start(p: Any) -> tuple[Any, ...]:
    return (0.0 * p.volume,)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    (amount,) = x
    swallowing, dripping = u
    return (swallowing + dripping / 60 - p.clearance / p.volume / 60 * amount,)


def take(x: Any, code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    (inside,) = x
    if code == drug:
        inside = inside + amount
    return (inside,)


def observe(x: Any, p: Any) -> Mapping[Code, Any]:
    return {level: x[0] / p.volume}


model = Model(
    name="washout",
    reference="by hand",
    states=("amount",),
    units=("mg",),
    parameters=Parameters,
    inputs=(drug,),
    channels=(drug, infusion),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=1.0,
)
