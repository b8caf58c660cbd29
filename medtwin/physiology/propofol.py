"""Propofol in people of any age and size: its level under boluses and infusions.

    blood' = drip - (CL + Q2 + Q3) blood / V1 + Q2 near / V2 + Q3 far / V3
    near'  = Q2 blood / V1 - Q2 near / V2
    far'   = Q3 blood / V1 - Q3 far / V3
    V1 = 6.28 central(weight),  central(w) = w / (w + 33.6) beside its value at 70 kg
         (samples from a vein: 1 + 1.42 (1 - central) times as large)
    V2 = 25.5 weight/70 e^(-0.0156 (age - 35))
    V3 = 273 lean/lean0 e^(-0.0138 age, with an opioid)
    CL = 1.79 (a woman 2.10) (weight/70)^0.75 ripe(42.3 weeks, 9.06)
         e^(-0.00286 age, with an opioid)
    Q2 = 1.75 (V2/25.5)^0.75 (1 + 1.30 (1 - ripe(68.3 weeks, 1))), from a vein 0.68 of it
    Q3 = 1.11 (V3/273)^0.75 ripe(68.3 weeks, 1) beside its value at 35 years

ripe(half, g) = PMA^g / (PMA^g + half^g), beside its value at 35 years for CL; PMA is the age since
conception (weeks), here the age and 40 weeks. lean is the fat-free mass of Al-Sallami et al.
(2015), Clin Pharmacokinet 54:1169; lean0 that of a man of 35 years, 70 kg and 170 cm.

Eleveld, Colin, Absalom & Struys (2018), Br J Anaesth 120:942: 1,033 people in 30 studies, 27 weeks
to 88 years, 0.68 to 160 kg. Each person differs from these figures by a factor of their own.
Between events the course is known in closed form (Newton's, through the three rate constants).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, offset, varies
from medtwin.maths.functions import exp, positive, sqrt, where
from medtwin.record import codes
from medtwin.record.codes import Code

told = "from the record"
spread = "a person's own factor; Eleveld 2018, variance of its logarithm"


@dataclass(frozen=True)
class Parameters:
    """One person: six factors of their own, and what is told of the body and of the sampling."""

    central: Any = varies(1.0, unit="1", cv=0.917, low=0.02, high=50.0, source=f"{spread} 0.610")
    near: Any = varies(1.0, unit="1", cv=0.872, low=0.02, high=50.0, source=f"{spread} 0.565")
    far: Any = varies(1.0, unit="1", cv=0.904, low=0.02, high=50.0, source=f"{spread} 0.597")
    clearance: Any = varies(1.0, unit="1", cv=0.551, low=0.02, high=50.0, source=f"{spread} 0.265")
    near_exchange: Any = varies(
        1.0, unit="1", cv=0.643, low=0.02, high=50.0, source=f"{spread} 0.346"
    )
    far_exchange: Any = varies(
        1.0, unit="1", cv=0.482, low=0.02, high=50.0, source=f"{spread} 0.209"
    )
    age: Any = varies(45.0, unit="a", cv=0.4, low=0.1, high=105.0, source=told)
    weight: Any = varies(70.0, unit="kg", cv=0.25, low=1.5, high=250.0, source=told)
    height: Any = varies(168.0, unit="cm", cv=0.07, low=40.0, high=225.0, source=told)
    female: Any = offset(0.5, unit="1", sd=0.5, low=0.0, high=1.0, source=told)
    opioid: Any = offset(0.5, unit="1", sd=0.5, low=0.0, high=1.0, source=told)
    venous: Any = varies(
        0.0, unit="1", cv=0.0, low=0.0, high=1.0, source="1 if sampled from a vein, 0 an artery"
    )


def fat_free_mass(age: Any, weight: Any, height: Any, female: Any) -> Any:
    """Kilograms of the body that are not fat: Al-Sallami 2015."""
    bmi = weight / (height / 100.0) ** 2
    man = 0.88 + 0.12 / (1.0 + (age / 13.4) ** -12.7)
    woman = 1.11 - 0.11 / (1.0 + (age / 7.1) ** -1.1)
    of_man = man * 9270.0 * weight / (6680.0 + 216.0 * bmi)
    of_woman = woman * 9270.0 * weight / (8780.0 + 244.0 * bmi)
    return of_man + female * (of_woman - of_man)


def ripeness(age: Any, half: float, steepness: float) -> Any:
    """How far the function has ripened, from 0 before birth to 1."""
    return 1.0 / (1.0 + (half / (age * 52.143 + 40.0)) ** steepness)


def central_share(weight: Any) -> Any:
    """How full the central volume is for this weight, 0 to 1."""
    return weight / (weight + 33.6)


def v1(p: Any) -> Any:
    """Central volume (L)."""
    from_vein = 1.0 + p.venous * 1.42 * (1.0 - central_share(p.weight))
    return 6.28 * p.central * central_share(p.weight) / central_share(70.0) * from_vein


def v2(p: Any) -> Any:
    """Volume of the near tissue (L)."""
    return 25.5 * p.near * p.weight / 70.0 * exp(-0.0156 * (p.age - 35.0))


def v3(p: Any) -> Any:
    """Volume of the far tissue (L)."""
    lean = fat_free_mass(p.age, p.weight, p.height, p.female)
    size = lean / fat_free_mass(35.0, 70.0, 170.0, 0.0)
    return 273.0 * p.far * size * exp(-0.0138 * p.opioid * p.age)


def cleared(p: Any) -> Any:
    """Clearance (L/min)."""
    sex = 1.79 + p.female * (2.10 - 1.79)
    ripe = ripeness(p.age, 42.3, 9.06) / ripeness(35.0, 42.3, 9.06)
    size = (p.weight / 70.0) ** 0.75
    return sex * p.clearance * size * ripe * exp(-0.00286 * p.opioid * p.age)


def q2(p: Any) -> Any:
    """Exchange with the near tissue (L/min)."""
    young = 1.0 + 1.30 * (1.0 - ripeness(p.age, 68.3, 1.0))
    return 1.75 * p.near_exchange * (v2(p) / 25.5) ** 0.75 * young * (1.0 - 0.32 * p.venous)


def q3(p: Any) -> Any:
    """Exchange with the far tissue (L/min)."""
    ripe = ripeness(p.age, 68.3, 1.0) / ripeness(35.0, 68.3, 1.0)
    return 1.11 * p.far_exchange * (v3(p) / 273.0) ** 0.75 * ripe


def out(p: Any) -> Any:
    """All that leaves blood, over blood (/min)."""
    return (cleared(p) + q2(p) + q3(p)) / v1(p)


def fastest(p: Any) -> Any:
    """The largest root of the cubic: the rate constant of the first fall (/min), by Laguerre."""
    k21, k31, k10 = q2(p) / v2(p), q3(p) / v3(p), cleared(p) / v1(p)
    a = out(p) + k21 + k31
    b = k10 * (k21 + k31) + q2(p) / v1(p) * k31 + q3(p) / v1(p) * k21 + k21 * k31
    c = k10 * k21 * k31
    root = a
    for _ in range(12):
        value = ((root - a) * root + b) * root - c
        slope = (3.0 * root - 2.0 * a) * root + b
        bend = 6.0 * root - 2.0 * a
        below = slope + sqrt(positive(4.0 * slope * slope - 6.0 * value * bend))
        root = root - where(below > 0.0, 3.0 * value / where(below > 0.0, below, 1.0), 0.0)
    return root


def middle(p: Any) -> Any:
    """The larger of the two other roots (/min)."""
    rest = out(p) + q2(p) / v2(p) + q3(p) / v3(p) - fastest(p)
    product = cleared(p) / v1(p) * (q2(p) / v2(p)) * (q3(p) / v3(p)) / fastest(p)
    return (rest + sqrt(positive(rest * rest - 4.0 * product))) / 2.0


def slowest(p: Any) -> Any:
    """The rate constant of the long tail (/min)."""
    product = cleared(p) / v1(p) * (q2(p) / v2(p)) * (q3(p) / v3(p))
    return product / (fastest(p) * middle(p))


def leaving(less: Any, blood: Any, near: Any, far: Any, p: Any) -> tuple[Any, ...]:
    """What leaves each compartment, less so much of its content (mg/min)."""
    return (
        (out(p) - less) * blood - q2(p) / v2(p) * near - q3(p) / v3(p) * far,
        (q2(p) / v2(p) - less) * near - q2(p) / v1(p) * blood,
        (q3(p) / v3(p) - less) * far - q3(p) / v1(p) * blood,
    )


def start(p: Any) -> tuple[Any, ...]:
    """No propofol in the body."""
    none = 0.0 * p.central
    return (none, none, none)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per minute)."""
    blood, near, far = x
    bolus, drip = u
    from_blood, from_near, from_far = leaving(0.0, blood, near, far, p)
    return (bolus + drip - from_blood, -from_near, -from_far)


def solution(dt: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """The states `dt` minutes later: what was there fades along the three rate constants towards
    the level that the drip would hold for ever."""
    bolus, drip = u
    held = (bolus + drip) / (cleared(p) / v1(p))
    held_near = held * v2(p) / v1(p)
    held_far = held * v3(p) / v1(p)
    blood, near, far = x[0] - held, x[1] - held_near, x[2] - held_far
    a, b, c = slowest(p), middle(p), fastest(p)
    left = exp(-a * dt)
    bend = (exp(-b * dt) - left) / (b - a)
    twist = ((exp(-c * dt) - exp(-b * dt)) / (c - b) - bend) / (c - a)
    blood_1, near_1, far_1 = leaving(a, blood, near, far, p)
    blood_2, near_2, far_2 = leaving(b, blood_1, near_1, far_1, p)
    return (
        held + left * blood + bend * blood_1 + twist * blood_2,
        held_near + left * near + bend * near_1 + twist * near_2,
        held_far + left * far + bend * far_1 + twist * far_2,
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """A bolus is in the blood at once."""
    blood, near, far = x
    if code == codes.propofol:
        blood = blood + amount
    return (blood, near, far)


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """The laboratory shows the level in plasma or blood."""
    return {codes.propofol_level: x[0] / v1(p)}


def error(x: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How far a level is off: 0.191 of it, and more in some people (Eleveld 2018)."""
    return (0.02 + 0.303 * x[0] / v1(p),)


model = Model(
    name="propofol",
    reference="Eleveld et al. 2018, Br J Anaesth 120:942-959",
    states=("blood", "near tissue", "far tissue"),
    units=("mg", "mg", "mg"),
    parameters=Parameters,
    inputs=(codes.propofol,),
    channels=(codes.propofol, codes.propofol_rate),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    error=error,
    step=0.05,
    solution=solution,
    covariates={
        "age": codes.age,
        "weight": codes.weight,
        "height": codes.height,
        "female": codes.female,
        "opioid": codes.opioid_given,
    },
    horizons=(1.0, 5.0, 15.0, 60.0),
    trust="propofol levels from birth at term to old age; not in the first minute after a bolus "
    "(mixing), not in shock, not for how deep the sleep is, which the level alone does not tell",
)
