"""Tacrolimus by mouth after a kidney transplant: its level in whole blood.

    wait'    = -1 while a swallowed dose waits (the lag time), then 0
    waiting' = -ka waiting                  once its wait is over
    depot'   = -ka depot
    plasma'  =  ka (depot + waiting that waits no longer) - (CL + Q) plasma / V1 + Q tissue / V2
    tissue'  =  Q plasma / V1 - Q tissue / V2
    C  = plasma / V1,   whole blood = C (1 + 418 haematocrit / (C + 3.8))        (ug/L)
    CL = 811 (lean/60)^0.75 (CYP3A5*1: 1.30 times),  Q = 1200 (lean/60)^0.75
    V1 = 6290 lean/60,  V2 = 32100 lean/60
    of a dose arrives  (1 - 0.67 pred / (35 + pred)) (CYP3A5*1: 0.82)    of what would without

Red cells hold almost all of the drug in blood, so that the same plasma shows a lower level when
the haematocrit is low: the level falls, the effect does not. `haematocrit` (%) and prednisolone
(`pred`, mg/day) change with time; each new value is taken like a dose and holds until the next.
lean is the fat-free mass (kg) of Janmahasatian et al. (2005), Clin Pharmacokinet 44:1051.

Storset et al. (2014), Br J Clin Pharmacol 78:509: 242 recipients, 3,100 levels; binding constants
of Jusko 1995 as there. Apparent values: clearance over bioavailability. The paper's threefold
absorption on the very first day is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, fixed, offset, varies
from medtwin.maths.functions import exp, sqrt, where
from medtwin.physiology.absorption import arrived, open_time, swallowed
from medtwin.record import codes
from medtwin.record.codes import Code

storset = "Storset 2014"
told = "from the record"


@dataclass(frozen=True)
class Parameters:
    """One recipient; flows and volumes are of plasma and of a lean body of 60 kg."""

    clearance: Any = varies(811.0, unit="L/h", cv=0.40, low=80.0, high=8000.0, source=storset)
    volume: Any = varies(6290.0, unit="L", cv=0.54, low=600.0, high=60000.0, source=storset)
    exchange: Any = varies(1200.0, unit="L/h", cv=0.63, low=60.0, high=20000.0, source=storset)
    tissue_volume: Any = fixed(32100.0, unit="L", source=storset)
    ka: Any = fixed(1.01, unit="/h", source=storset)
    lag: Any = fixed(0.41, unit="h", source=storset)
    most_induced: Any = fixed(0.67, unit="1", source=f"{storset}, by prednisolone")
    half_induced: Any = fixed(35.0, unit="mg/d", source=f"{storset}, prednisolone")
    expresser_cleared: Any = fixed(1.30, unit="1", source=f"{storset}, CYP3A5*1 carriers")
    expresser_absorbed: Any = fixed(0.82, unit="1", source=f"{storset}, CYP3A5*1 carriers")
    sites: Any = fixed(418.0, unit="ug/L", source=f"Bmax of red cells, {storset}")
    affinity: Any = fixed(3.8, unit="ug/L", source=f"KD, {storset}")
    weight: Any = varies(75.0, unit="kg", cv=0.2, low=30.0, high=200.0, source=told)
    height: Any = varies(170.0, unit="cm", cv=0.06, low=120.0, high=215.0, source=told)
    female: Any = offset(0.38, unit="1", sd=0.5, low=0.0, high=1.0, source=told)
    expresser: Any = offset(0.2, unit="1", sd=0.4, low=0.0, high=1.0, source=told)
    haematocrit: Any = varies(33.0, unit="%", cv=0.15, low=12.0, high=65.0, source=told)
    prednisolone: Any = fixed(0.0, unit="mg/d", source="none until the record tells of it")


def lean(p: Any) -> Any:
    """Fat-free mass beside 60 kg: Janmahasatian 2005."""
    bmi = p.weight / (p.height / 100.0) ** 2
    man = 9270.0 * p.weight / (6680.0 + 216.0 * bmi)
    woman = 9270.0 * p.weight / (8780.0 + 244.0 * bmi)
    return (man + p.female * (woman - man)) / 60.0


def volume(p: Any) -> Any:
    """Central volume (L of plasma)."""
    return p.volume * lean(p)


def cleared(p: Any) -> Any:
    """k10: how fast plasma is cleared (/h)."""
    genotype = 1.0 + p.expresser * (p.expresser_cleared - 1.0)
    return p.clearance * genotype / p.volume * lean(p) ** -0.25


def into_tissue(p: Any) -> Any:
    """k12 (/h)."""
    return p.exchange / p.volume * lean(p) ** -0.25


def from_tissue(p: Any) -> Any:
    """k21 (/h)."""
    return p.exchange / p.tissue_volume * lean(p) ** -0.25


def out(p: Any) -> Any:
    """All that leaves plasma (/h)."""
    return cleared(p) + into_tissue(p)


def fast(p: Any) -> Any:
    """The rate constant of the first, steep part of the course (/h)."""
    gap = out(p) - from_tissue(p)
    return (out(p) + from_tissue(p) + sqrt(gap**2 + 4.0 * into_tissue(p) * from_tissue(p))) / 2.0


def slow(p: Any) -> Any:
    """The rate constant of the long tail (/h)."""
    return cleared(p) * from_tissue(p) / fast(p)


def start(p: Any) -> tuple[Any, ...]:
    """No tacrolimus yet."""
    none = 0.0 * p.volume
    return (none, none, none, none, none, p.haematocrit + none, p.prednisolone + none)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per hour)."""
    depot, waiting, wait, plasma, tissue, _, _ = x
    no_longer = where(wait > 0.0, 0.0, waiting)
    none = 0.0 * plasma
    return (
        -p.ka * depot,
        -p.ka * no_longer,
        where(wait > 0.0, -1.0, none),
        p.ka * (depot + no_longer) - out(p) * plasma + from_tissue(p) * tissue,
        into_tissue(p) * plasma - from_tissue(p) * tissue,
        none,
        none,
    )


def solution(dt: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """The states `dt` hours later, nothing new being given."""
    depot, waiting, wait, plasma, tissue, haematocrit, prednisolone = x
    a, b = fast(p), slow(p)
    left = exp(-b * dt)
    bend = (exp(-a * dt) - left) / (a - b)
    new = arrived(b, dt, depot, waiting, wait, p.ka, 0.0)
    new_bend = (arrived(a, dt, depot, waiting, wait, p.ka, 0.0) - new) / (a - b)
    return (
        depot * exp(-p.ka * dt),
        waiting * exp(-p.ka * open_time(wait, dt)),
        where(wait > dt, wait - dt, 0.0),
        left * plasma
        + bend * ((out(p) - b) * plasma - from_tissue(p) * tissue)
        + new
        + new_bend * (out(p) - b),
        left * tissue
        + bend * ((from_tissue(p) - b) * tissue - into_tissue(p) * plasma)
        - new_bend * into_tissue(p),
        haematocrit,
        prednisolone,
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """A capsule begins to wait; a new haematocrit or prednisolone dose holds from now on."""
    depot, waiting, wait, plasma, tissue, haematocrit, prednisolone = x
    if code == codes.tacrolimus:
        induced = p.most_induced * prednisolone / (p.half_induced + prednisolone)
        genotype = 1.0 + p.expresser * (p.expresser_absorbed - 1.0)
        arriving = amount * (1.0 - induced) * genotype
        depot, waiting, wait = swallowed(depot, waiting, wait, arriving, p.lag)
    elif code == codes.haematocrit:
        haematocrit = 0.0 * haematocrit + amount
    elif code == codes.prednisolone:
        prednisolone = 0.0 * prednisolone + amount
    return (depot, waiting, wait, plasma, tissue, haematocrit, prednisolone)


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """The laboratory shows the level in whole blood."""
    in_plasma = 1000.0 * x[3] / volume(p)
    bound = p.sites * x[5] / 100.0 / (in_plasma + p.affinity)
    return {codes.tacrolimus_level: in_plasma * (1.0 + bound)}


def error(x: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How far a level is off, from one occasion to the next: Andrews 2019, 24.5 and 13.6 %."""
    in_plasma = 1000.0 * x[3] / volume(p)
    bound = p.sites * x[5] / 100.0 / (in_plasma + p.affinity)
    return (0.3 + 0.28 * in_plasma * (1.0 + bound),)


model = Model(
    name="tacrolimus",
    reference="Storset et al. 2014, Br J Clin Pharmacol 78:509-523",
    states=("depot", "waiting", "wait", "plasma", "tissue", "haematocrit", "prednisolone"),
    units=("mg", "mg", "h", "mg", "mg", "%", "mg/d"),
    parameters=Parameters,
    inputs=(codes.tacrolimus, codes.haematocrit, codes.prednisolone),
    channels=(),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    error=error,
    step=0.1,
    clock="h",
    solution=solution,
    covariates={
        "weight": codes.weight,
        "height": codes.height,
        "female": codes.female,
        "expresser": codes.cyp3a5_expresser,
        "haematocrit": codes.haematocrit,
    },
    horizons=(12.0, 48.0, 168.0),
    trust="troughs of twice-daily tacrolimus from the second day after a kidney transplant, in "
    "adults; not with azoles, macrolides, rifampicin or diarrhoea, not for slow-release capsules",
)
