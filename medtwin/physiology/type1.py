"""Glucose and insulin of an adult with type 1 diabetes: the UVA/Padova simulator, S2008.

Glucose in two compartments, insulin in plasma and liver, a delayed insulin action on uptake
and a slower one on the liver, a stomach that empties by its content, two depots under the
skin, and the interstitial fluid where a sensor sits.

    stomach, solid    q1' = d - kmax q1                        d = carbohydrate eaten, mg/min
    stomach, liquid   q2' = kmax q1 - kempt(q1 + q2, D) q2
    gut               q3' = kempt q2 - kabs q3                 Ra = f kabs q3 / BW
    plasma glucose    Gp' = EGP + Ra - Fsnc - E - k1 Gp + k2 Gt
    tissue glucose    Gt' = -Vm Gt / (Km0 + Gt) + k1 Gp - k2 Gt
    plasma insulin    Ip' = -(m2 + m4) Ip + m1 Il + ka1 S1 + ka2 S2
    liver insulin     Il' = -(m1 + m30) Il + m2 Ip
    action            Y'  = p2u (I - Y),  I1' = ki (I - I1),  Id' = ki (I1 - Id)
    depots            S1' = u - (ka1 + kd) S1,  S2' = kd S1 - ka2 S2
    interstitium      Gs' = ksc (Gp - Gs)
    EGP = kp1 - kp2 Gp - kp3 Id,  E = ke1 (Gp - ke2) above ke2,  Vm = Vm0 + Vmx (Y - Ib)
    kempt = kmin + (kmax - kmin)/2 (tanh a (q - b D) - tanh c (q - d D) + 2)

Y is the insulin in tissue: the paper's X is Y - Ib, written so that no state can be negative.
kp1 and Vm0 are not free: they are what keeps a fasting person at `fasting_glucose`.

D is the size of the meal, which stretches the stomach: it starts with what is still there,
and grows as the person eats. A meal that lasts begins with `take(x, carbohydrate, 0)` and then
runs in its channel; a meal swallowed at once is one `take`.

Dalla Man, Rizza & Cobelli (2007), IEEE Trans Biomed Eng 54:1740 (glucose, Table I);
Dalla Man et al. (2007), J Diabetes Sci Technol 1:323 (GIM: skin depots, type 1);
Kovatchev et al. (2009), J Diabetes Sci Technol 3:44 (the type 1 population).
`virtual_people.people(n, rng)` draws adults with the pump settings that suit them.
There is no glucagon in it: far below 60 mg/dL a real person fares better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, fixed, varies
from medtwin.maths.functions import between, positive, tanh, where
from medtwin.record import codes
from medtwin.record.codes import Code

table = "Dalla Man 2007 Table I"
adults = "median and spread of the ten S2008 adults in simglucose 0.2.11 (MIT)"
pmol_per_unit = 6000.0


def seen(normal: float | str, note: str = "") -> str:
    """Where a figure is from: the type 1 adults, with the healthy value beside it."""
    return f"{adults}; healthy {normal} ({table}){note}"


@dataclass(frozen=True)
class Parameters:
    """One adult. Medians and spreads only; nobody's own values are in this file."""

    weight: Any = varies(80.0, unit="kg", cv=0.2, low=45.0, high=130.0, source=adults)
    fasting_glucose: Any = varies(
        130.0, unit="mg/dL", cv=0.1, low=95.0, high=170.0, source="Kovatchev 2009, widened"
    )
    fasting_production: Any = varies(
        2.4, unit="mg/kg/min", cv=0.13, low=1.8, high=3.2, source=seen(1.92)
    )
    fasting_insulin: Any = varies(
        105.0, unit="pmol/L", cv=0.16, low=60.0, high=180.0, source=adults
    )
    kmax: Any = varies(0.041, unit="/min", cv=0.3, low=0.018, high=0.08, source=seen(0.0558))
    kmin: Any = varies(0.0061, unit="/min", cv=0.4, low=0.0025, high=0.016, source=seen(0.008))
    kabs: Any = varies(0.12, unit="/min", cv=0.7, low=0.02, high=0.6, source=seen(0.057))
    b: Any = varies(0.79, unit="1", cv=0.1, low=0.6, high=0.95, source=seen(0.82))
    d: Any = varies(0.17, unit="1", cv=0.35, low=0.05, high=0.4, source=seen(0.010))
    f: Any = fixed(0.9, unit="1", source=table)
    Vg: Any = varies(1.86, unit="dL/kg", cv=0.08, low=1.4, high=2.3, source=seen(1.88))
    k1: Any = varies(0.057, unit="/min", cv=0.25, low=0.03, high=0.1, source=seen(0.065))
    k2: Any = varies(0.11, unit="/min", cv=0.3, low=0.05, high=0.22, source=seen(0.079))
    kp2: Any = varies(0.0038, unit="/min", cv=0.35, low=0.0015, high=0.008, source=seen(0.0021))
    kp3: Any = varies(
        0.0085, unit="mg/kg/min per pmol/L", cv=0.35, low=0.004, high=0.02, source=seen(0.009)
    )
    ki: Any = varies(0.0085, unit="/min", cv=0.4, low=0.003, high=0.02, source=seen(0.0079))
    Fsnc: Any = fixed(1.0, unit="mg/kg/min", source=table)
    ke1: Any = fixed(0.0005, unit="/min", source=table)
    ke2: Any = fixed(339.0, unit="mg/kg", source=table)
    Vmx: Any = varies(
        0.045, unit="mg/kg/min per pmol/L", cv=0.4, low=0.015, high=0.11, source=seen(0.047)
    )
    Km0: Any = varies(240.0, unit="mg/kg", cv=0.1, low=180.0, high=320.0, source=seen(225.59))
    p2u: Any = varies(0.035, unit="/min", cv=0.3, low=0.015, high=0.07, source=seen(0.0331))
    Vi: Any = varies(0.051, unit="L/kg", cv=0.2, low=0.03, high=0.09, source=seen(0.05))
    m1: Any = varies(0.17, unit="/min", cv=0.3, low=0.08, high=0.35, source=seen(0.190))
    m2: Any = varies(0.29, unit="/min", cv=0.25, low=0.15, high=0.5, source=seen(0.484))
    extraction: Any = fixed(0.6, unit="1", source=f"HEb, {table}")
    ka1: Any = varies(
        0.0034, unit="/min", cv=0.25, low=0.0015, high=0.006, source=f"{adults}; GIM 0.0018"
    )
    ka2: Any = varies(
        0.0165, unit="/min", cv=0.28, low=0.007, high=0.03, source=f"{adults}; GIM 0.0182"
    )
    kd: Any = varies(
        0.0158, unit="/min", cv=0.12, low=0.011, high=0.023, source=f"{adults}; GIM 0.0164"
    )
    ksc: Any = varies(0.09, unit="/min", cv=0.25, low=0.04, high=0.18, source=adults)


def tissue_at_rest(p: Any) -> Any:
    """Glucose in slow tissue of a fasting person (mg/kg), from the balance of plasma glucose."""
    plasma = p.fasting_glucose * p.Vg
    return (p.k1 * plasma + p.Fsnc - p.fasting_production) / p.k2


def m4(p: Any) -> Any:
    """Insulin cleared outside the liver (/min): 0.4 of the liver's share, Dalla Man 2007 eq. 9."""
    return 0.4 * p.m2


def insulin_at_rest(p: Any) -> Any:
    """Insulin that must enter plasma to hold `fasting_insulin` (pmol/kg/min)."""
    return p.fasting_insulin * p.Vi * (m4(p) + p.m2 * p.extraction)


def basal(p: Any) -> Any:
    """The pump rate (U/h) that keeps this person at the fasting glucose for ever."""
    return insulin_at_rest(p) * p.weight * 60.0 / pmol_per_unit


def start(p: Any) -> tuple[Any, ...]:
    """Fasting, with the basal rate running: nothing changes until something is given."""
    plasma = p.fasting_glucose * p.Vg
    insulin = p.fasting_insulin * p.Vi
    liver = insulin * p.m2 * (1.0 - p.extraction) / p.m1
    first = insulin_at_rest(p) / (p.ka1 + p.kd)
    second = first * p.kd / p.ka2
    none, level = 0.0 * plasma, p.fasting_insulin + 0.0 * plasma
    return (
        *(none, none, none, plasma, tissue_at_rest(p) + none, insulin, liver),
        *(level, level, level, first, second, plasma, none),
    )


def emptying(content: Any, meal: Any, falls: Any, rises: Any, p: Any) -> Any:
    """How fast the stomach empties (/min): full and nearly empty fast, half empty slowly."""
    size = where(meal > 0.0, meal, 1.0)
    share = content / size
    slowing = tanh(falls * (share - p.b)) - tanh(rises * (share - p.d)) + 2.0
    return where(meal > 0.0, p.kmin + (p.kmax - p.kmin) / 2.0 * slowing, p.kmax)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per minute)."""
    solid, liquid, gut, plasma, tissue, insulin, liver = x[:7]
    in_tissue, delayed, delayed_twice, depot, far_depot, interstitial, meal = x[7:]
    bolus, pump, eating = u

    swallowed = 1000.0 * eating
    ground = p.kmax * solid
    falls, rises = 2.5 / (1.0 - p.b), 2.5 / p.d
    emptied = emptying(solid + liquid, meal, falls, rises, p) * liquid
    absorbed = p.kabs * gut

    at_rest = tissue_at_rest(p)
    Vm0 = (p.fasting_production - p.Fsnc) * (p.Km0 + at_rest) / at_rest
    kp1 = p.fasting_production + p.kp2 * p.fasting_glucose * p.Vg + p.kp3 * p.fasting_insulin
    production = positive(kp1 - p.kp2 * plasma - p.kp3 * delayed_twice)
    excretion = p.ke1 * positive(plasma - p.ke2)
    # the brain takes its share whatever the level, but not of nothing: fades below 5 mg/dL
    brain = p.Fsnc * between(plasma / (5.0 * p.Vg), 0.0, 1.0)
    uptake = positive(Vm0 + p.Vmx * (in_tissue - p.fasting_insulin)) * tissue / (p.Km0 + tissue)
    exchange = p.k1 * plasma - p.k2 * tissue

    level = insulin / p.Vi
    given = (bolus * 6000.0 + pump * 100.0) / p.weight
    return (
        swallowed - ground,
        ground - emptied,
        emptied - absorbed,
        production + p.f * absorbed / p.weight - brain - excretion - exchange,
        exchange - uptake,
        p.m1 * liver - (p.m2 + m4(p)) * insulin + p.ka1 * depot + p.ka2 * far_depot,
        p.m2 * insulin - p.m1 / (1.0 - p.extraction) * liver,
        p.p2u * (level - in_tissue),
        p.ki * (level - delayed),
        p.ki * (delayed - delayed_twice),
        given - (p.ka1 + p.kd) * depot,
        p.kd * depot - p.ka2 * far_depot,
        p.ksc * (plasma - interstitial),
        swallowed,
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """A bolus enters the first depot; a meal the stomach, which remembers how full it is."""
    solid, liquid, gut, plasma, tissue, insulin, liver = x[:7]
    in_tissue, delayed, delayed_twice, depot, far_depot, interstitial, meal = x[7:]
    if code == codes.insulin_bolus:
        depot = depot + amount * pmol_per_unit / p.weight
    elif code == codes.carbohydrate:
        solid = solid + amount * 1000.0
        meal = solid + liquid
    return (
        *(solid, liquid, gut, plasma, tissue, insulin, liver),
        *(in_tissue, delayed, delayed_twice, depot, far_depot, interstitial, meal),
    )


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """A sensor under the skin shows interstitial glucose."""
    return {codes.glucose: x[12] / p.Vg}


model = Model(
    name="type 1 (UVA/Padova S2008)",
    reference="Dalla Man 2007; Kovatchev 2009",
    states=(
        *("stomach solid", "stomach liquid", "gut", "plasma glucose", "tissue glucose"),
        *("plasma insulin", "liver insulin", "tissue insulin", "delayed insulin"),
        *("liver signal", "insulin depot", "far depot", "interstitial glucose", "meal"),
    ),
    units=(
        *("mg", "mg", "mg", "mg/kg", "mg/kg", "pmol/kg", "pmol/kg", "pmol/L", "pmol/L"),
        *("pmol/L", "pmol/kg", "pmol/kg", "mg/kg", "mg"),
    ),
    parameters=Parameters,
    inputs=(codes.insulin_bolus, codes.carbohydrate),
    channels=(codes.insulin_bolus, codes.insulin_basal, codes.carbohydrate),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.5,
    pace=((0.0, 1.0), (30.0, 2.5)),
    trust="virtual patients; not a person's own twin until its parameters are",
)
