"""Insulin sensitivity from glucose that was drunk: the oral minimal model.

    stomach         q1' = -kempty q1                 a drink D: q1 = D
    gut             q2' = kempty q1 - kabs q2
    glucose         G' = -(SG + X) G + SG Gb + f kabs q2 / (V weight)
    insulin action  X' = -p2 X + p2 SI (I - Ib)

Plasma insulin I is what was measured, drawn straight from sample to sample
(`minimal_ivgtt.insulin_line`). Glucose appears by way of two compartments instead of the paper's
piecewise line: five samples do not tell more.

Dalla Man, Caumo & Cobelli (2002), IEEE Trans Biomed Eng 49:419; Dalla Man et al. (2004), Am J
Physiol 287:E637 (against the clamp); reviewed by Cobelli et al. (2014), Diabetes 63:1203. SG and V
cannot be told apart from SI by one test without tracer: they stay at their population values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, fixed, varies
from medtwin.record import codes
from medtwin.record.codes import Code

measured = "measured before the test"
method = "oral minimal model method (Dalla Man 2002, 2004)"


@dataclass(frozen=True)
class Parameters:
    """One person's absorption, glucose and insulin action."""

    weight: Any = varies(80.0, unit="kg", cv=0.2, low=20.0, high=250.0, source=measured)
    basal_glucose: Any = varies(95.0, unit="mg/dL", cv=0.1, low=50.0, high=300.0, source=measured)
    basal_insulin: Any = varies(10.0, unit="m[IU]/L", cv=0.6, low=0.3, high=150.0, source=measured)
    effectiveness: Any = varies(
        0.016, unit="/min", cv=0.4, low=0.002, high=0.1, source="SG, impaired, Bergman 2003"
    )
    sensitivity: Any = varies(
        4.0, unit="1e-4/min/(m[IU]/L)", cv=1.5, low=0.01, high=150.0, source="SI; spread: wide"
    )
    p2: Any = varies(0.012, unit="/min", cv=0.1, low=0.004, high=0.05, source=method)
    V: Any = fixed(1.45, unit="dL/kg", source=method)
    f: Any = fixed(0.9, unit="1", source="share absorbed, Dalla Man 2006")
    kempty: Any = varies(0.03, unit="/min", cv=0.5, low=0.005, high=0.2, source="assumed")
    kabs: Any = varies(0.05, unit="/min", cv=0.5, low=0.01, high=0.5, source="Dalla Man 2006: .057")


def start(p: Any) -> tuple[Any, ...]:
    """At rest, with an empty stomach."""
    none = 0.0 * (p.basal_glucose + p.basal_insulin)
    return (none, none, p.basal_glucose + none, none, p.basal_insulin + none)


def drift(t: Any, x: tuple[Any, ...], u: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How fast everything changes (per minute)."""
    stomach, gut, glucose, action, insulin = x
    appears = p.f * p.kabs * gut / (p.V * p.weight)
    target = 1e-4 * p.sensitivity * (insulin - p.basal_insulin)
    return (
        -p.kempty * stomach,
        p.kempty * stomach - p.kabs * gut,
        -(p.effectiveness + action) * glucose + p.effectiveness * p.basal_glucose + appears,
        p.p2 * (target - action),
        u[0],
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """A drink (g) is in the stomach at once."""
    stomach, gut, glucose, action, insulin = x
    if code == codes.carbohydrate:
        stomach = stomach + 1000.0 * amount
    return (stomach, gut, glucose, action, insulin)


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """Plasma glucose."""
    return {codes.glucose: x[2]}


model = Model(
    name="minimal model (oral)",
    reference="Dalla Man, Caumo & Cobelli 2002, IEEE Trans Biomed Eng 49:419",
    states=("stomach", "gut", "glucose", "insulin action", "insulin"),
    units=("mg", "mg", "mg/dL", "/min", "m[IU]/L"),
    parameters=Parameters,
    inputs=(codes.carbohydrate,),
    channels=(codes.insulin_rise,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.5,
    trust="one glucose drink with insulin measured, people not treated with insulin",
)
