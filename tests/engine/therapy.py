"""A marker that grows untreated and falls under therapy: switch times can be worked out by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, varies
from medtwin.record.codes import Code, Kind

marker = Code("test_marker", "marker", "ug/L", noise=0.5)
therapy = Code("test_therapy", "therapy", "%", kind=Kind.medication)


@dataclass(frozen=True)
class Parameters:
    growth: Any = varies(0.01, unit="/d", cv=0.2, low=0.001, high=0.1)
    kill: Any = varies(0.03, unit="/d", cv=0.2, low=0.001, high=0.1)


def start(p: Any) -> tuple[Any, ...]:
    return (4.0 + 0.0 * p.growth,)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    (level,) = x
    (treated,) = u
    return ((p.growth - p.kill * treated / 100.0) * level,)


def take(x: Any, code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    return x


def observe(x: Any, p: Any) -> Mapping[Code, Any]:
    return {marker: x[0] + 0.0 * p.growth}


model = Model(
    name="marker under therapy",
    reference="by hand",
    states=("marker",),
    units=("ug/L",),
    parameters=Parameters,
    inputs=(),
    channels=(therapy,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=1.0,
    clock="d",
)
