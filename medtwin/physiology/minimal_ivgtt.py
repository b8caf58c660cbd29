"""Insulin sensitivity from glucose injected into a vein: the minimal model.

    glucose         G' = -(SG + X) G + SG Gb,     a dose D raises G by D / (V weight)
    insulin action  X' = -p2 X + p2 SI (I - Ib)

Plasma insulin I is not modelled: it is what was measured, drawn straight from sample to sample
(`insulin_line` turns samples into what is given). SI is how much a unit of insulin speeds glucose
on its way out, SG what glucose does by itself.

Bergman, Ider, Bowden & Cobelli (1979), Am J Physiol 236:E667; Pacini & Bergman (1986), Comput
Methods Programs Biomed 23:113 (MINMOD, the worked example); Bergman (2003), Diabetes 52 S1
(SG 0.021 sd 0.008 /min and SI 2.62 sd 2.21 1e-4 /min per mU/L in healthy people).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medtwin.engine.model import Model, varies
from medtwin.engine.schedule import Given
from medtwin.record import codes
from medtwin.record.codes import Code

healthy = "Bergman 2003, healthy people"
measured = "measured before the test"


@dataclass(frozen=True)
class Parameters:
    """One person's glucose and insulin action."""

    weight: Any = varies(75.0, unit="kg", cv=0.2, low=20.0, high=250.0, source=measured)
    basal_glucose: Any = varies(92.0, unit="mg/dL", cv=0.1, low=50.0, high=300.0, source=measured)
    basal_insulin: Any = varies(11.0, unit="m[IU]/L", cv=0.5, low=0.5, high=100.0, source=measured)
    effectiveness: Any = varies(
        0.021, unit="/min", cv=0.38, low=0.002, high=0.1, source=f"SG, {healthy}"
    )
    sensitivity: Any = varies(
        2.62, unit="1e-4/min/(m[IU]/L)", cv=0.84, low=0.02, high=30.0, source=f"SI, {healthy}"
    )
    p2: Any = varies(0.03, unit="/min", cv=0.5, low=0.003, high=0.3, source="assumed; MINMOD 0.02")
    V: Any = varies(1.6, unit="dL/kg", cv=0.15, low=0.8, high=3.0, source="Pacini 1986: G0 279")


def insulin_line(times: Sequence[float] | Any, insulin: Sequence[float] | Any) -> tuple[Given, ...]:
    """Measured insulin (mU/L) at these times (min, the first is rest), joined by straight lines."""
    t, level = np.asarray(times, float), np.asarray(insulin, float)
    slopes = np.diff(level) / np.diff(t)
    return tuple(
        Given(at, codes.insulin_rise, rise, lasting)
        for at, rise, lasting in zip(t[:-1], slopes, np.diff(t), strict=True)
    )


def start(p: Any) -> tuple[Any, ...]:
    """At rest: nothing changes until glucose or insulin does."""
    none = 0.0 * (p.basal_glucose + p.basal_insulin)
    return (p.basal_glucose + none, none, p.basal_insulin + none)


def drift(t: Any, x: tuple[Any, ...], u: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How fast glucose, action and insulin change (per minute)."""
    glucose, action, insulin = x
    target = 1e-4 * p.sensitivity * (insulin - p.basal_insulin)
    return (
        -(p.effectiveness + action) * glucose + p.effectiveness * p.basal_glucose,
        p.p2 * (target - action),
        u[0],
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """Injected glucose (g) is in plasma at once."""
    glucose, action, insulin = x
    if code == codes.glucose_injected:
        glucose = glucose + 1000.0 * amount / (p.V * p.weight)
    return (glucose, action, insulin)


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """Plasma glucose."""
    return {codes.glucose: x[0]}


model = Model(
    name="minimal model (IVGTT)",
    reference="Bergman 1979, Am J Physiol 236:E667; Pacini & Bergman 1986",
    states=("glucose", "insulin action", "insulin"),
    units=("mg/dL", "/min", "m[IU]/L"),
    parameters=Parameters,
    inputs=(codes.glucose_injected,),
    channels=(codes.insulin_rise,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.5,
    trust="from 8 minutes after the injection on, with insulin measured; not a model of insulin",
)
