"""Warfarin after a dose by mouth: its level, and how far it lowers the clotting factors.

    wait'    = -1 while a swallowed dose waits (the lag time)
    waiting' = -ka waiting                  once its wait is over
    depot'   = -ka depot                    ka = ln 2 / absorption half-life
    blood'   =  ka (depot + waiting that waits no longer) - CL / V blood
    PCA'     =  k (normal (1 - C / (C50 + C)) - PCA)
    C = blood / V,  CL = clearance (weight/70)^0.75,  V = volume (weight/70),  k = ln 2 / turnover

PCA, the prothrombin complex activity, is made at a rate that warfarin slows and lost at its own
pace, so that it falls for a day or two after the level has peaked (an indirect response).

Data: O'Reilly & Aggeler (1968), Circulation 38:169; O'Reilly, Aggeler & Leong (1963), J Clin
Invest 42:1542: 32 healthy people, 1.5 mg/kg once. Medians and spreads: the turnover model of
Nguyen et al. (2017), CPT Pharmacometrics Syst Pharmacol 6:87 (NONMEM, Holford's control file).
For months of treatment steered by INR use `warfarin_inr`, which knows the genotype.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, varies
from medtwin.maths.functions import between, sqrt, where
from medtwin.physiology.absorption import swallowed
from medtwin.record import codes
from medtwin.record.codes import Code

nguyen = "Nguyen 2017, turnover model of O'Reilly's 32 people"
ln2 = 0.6931471805599453
ramp = 0.2
"""The lag ends over so many hours: a sharp edge would hide it from a fit."""


@dataclass(frozen=True)
class Parameters:
    """One person; clearance and volume are of a body of 70 kg. cv = sqrt(e^variance - 1)."""

    clearance: Any = varies(
        0.131, unit="L/h", cv=0.259, low=0.02, high=1.0, source=f"{nguyen}, variance 0.0649"
    )
    volume: Any = varies(
        8.06, unit="L", cv=0.1425, low=3.0, high=25.0, source=f"{nguyen}, variance 0.0201"
    )
    absorption_half_life: Any = varies(
        0.944, unit="h", cv=0.75, low=0.05, high=12.0, source=f"{nguyen}, variance 0.447"
    )
    lag: Any = varies(
        1.03, unit="h", cv=0.604, low=0.02, high=8.0, source=f"{nguyen}, variance 0.311"
    )
    normal: Any = varies(
        95.9, unit="%", cv=0.0446, low=60.0, high=150.0, source=f"{nguyen}, variance 0.00199"
    )
    half_effect: Any = varies(
        1.17, unit="mg/L", cv=0.382, low=0.1, high=10.0, source=f"{nguyen}, C50, variance 0.136"
    )
    turnover_half_life: Any = varies(
        13.3, unit="h", cv=0.12, low=4.0, high=60.0, source=f"{nguyen}, TEQ, variance 0.0143"
    )
    weight: Any = varies(70.0, unit="kg", cv=0.2, low=30.0, high=250.0, source="from the record")


def clearance(p: Any) -> Any:
    """Plasma cleared of warfarin (L/h)."""
    return p.clearance * (p.weight / 70.0) ** 0.75


def volume(p: Any) -> Any:
    """Litres in which the warfarin in the body seems to be dissolved."""
    return p.volume * p.weight / 70.0


def start(p: Any) -> tuple[Any, ...]:
    """No warfarin yet, and normal clotting."""
    none = 0.0 * p.volume
    return (none, none, none - ramp, none, p.normal + none)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per hour)."""
    depot, waiting, wait, blood, activity = x
    ka = ln2 / p.absorption_half_life
    turnover = ln2 / p.turnover_half_life
    no_longer = between(0.5 - wait / ramp, 0.0, 1.0) * waiting
    level = blood / volume(p)
    made = p.normal * p.half_effect / (p.half_effect + level)
    return (
        -ka * depot,
        -ka * no_longer,
        where(wait > -ramp, -1.0, 0.0 * wait),
        ka * (depot + no_longer) - clearance(p) * level,
        turnover * (made - activity),
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """A tablet begins to wait in the gut."""
    depot, waiting, wait, blood, activity = x
    if code == codes.warfarin:
        depot, waiting, wait = swallowed(depot, waiting, wait, amount, p.lag)
    return (depot, waiting, wait, blood, activity)


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """The laboratory shows the level (both enantiomers) and the prothrombin complex activity."""
    return {codes.warfarin_level: x[3] / volume(p), codes.prothrombin_activity: x[4]}


def error(x: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How far a level (mg/L) and an activity (%) are off: the residuals of Nguyen 2017."""
    level = x[3] / volume(p)
    return (sqrt(0.135 + 0.00478 * level * level), 3.73 + 0.0 * level)


model = Model(
    name="warfarin",
    reference="O'Reilly & Aggeler 1968; Nguyen 2017",
    states=("depot", "waiting", "wait", "blood", "prothrombin activity"),
    units=("mg", "mg", "h", "mg", "%"),
    parameters=Parameters,
    inputs=(codes.warfarin,),
    channels=(),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    error=error,
    step=0.05,
    clock="h",
    covariates={"weight": codes.weight},
    horizons=(12.0, 24.0, 48.0),
    trust="the days after a single dose in adults who are otherwise well; not for an INR, not for "
    "months of treatment (use warfarin_inr), not with vitamin K or interacting drugs",
)
