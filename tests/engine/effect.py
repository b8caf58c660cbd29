"""A level that holds back what the body makes (indirect response), to couple to a drug."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, varies
from medtwin.record.codes import Code

level = Code("test_level", "level", "mg/L")
response = Code("test_response", "response", "%")


@dataclass(frozen=True)
class Parameters:
    kin: Any = varies(6.0, unit="%/h", cv=0.2, low=0.1, high=100.0)
    clearance: Any = varies(0.06, unit="/h", cv=0.2, low=0.001, high=10.0)
    half: Any = varies(1.0, unit="mg/L", cv=0.4, low=0.01, high=100.0)


def start(p: Any) -> tuple[Any, ...]:
    return (p.kin / p.clearance,)


def held_back(level: Any, p: Any) -> Any:
    return 1.0 - level / (p.half + level)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    (amount,) = x
    (level,) = u
    return (p.kin * held_back(level, p) - p.clearance * amount,)


def take(x: Any, code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    return x


def observe(x: Any, p: Any) -> Mapping[Code, Any]:
    return {response: x[0] + 0.0 * p.clearance}


model = Model(
    name="indirect response",
    reference="Dayneka, Garg & Jusko (1993), J Pharmacokinet Biopharm 21:457",
    states=("amount",),
    units=("%",),
    parameters=Parameters,
    inputs=(),
    channels=(level,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.05,
    clock="h",
)
