"""A drug in three compartments: blood, tissue that fills fast, and tissue that fills slowly.

    blood' = (what comes in) - (k10 + k12 + k13) blood + k21 near + k31 far
    near'  = k12 blood - k21 near
    far'   = k13 blood - k31 far
    k10 = CL / V,  k12 = Q / V,  k21 = Q / V2,  k13 = Q3 / V,  k31 = Q3 / V3;  level = blood / V

What comes in (by mouth with a lag time, slowly, by injection, by drip) is that of one
compartment (`absorption.py`). Flows grow with (weight/70)^0.75, volumes with weight/70.
The closed form is Newton's through the three rate constants of the course (the roots of the
matrix's cubic, by Laguerre's method, which meets real roots from above without overshooting).
Gibaldi & Perrier, Pharmacokinetics, 2nd ed. 1982, ch. 2; Higham, Functions of Matrices, 2008.

The typical drug is remifentanil in 65 adults: the simple model of Minto et al. 1997,
Anesthesiology 86:10 (abstract; spreads are assumed). `for_drug` gives the same model for
another drug.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, varies
from medtwin.maths.functions import exp, positive, sqrt, where
from medtwin.physiology.absorption import arrived, open_time, swallowed
from medtwin.record import codes
from medtwin.record.codes import Code

remifentanil = "remifentanil, 65 adults: Minto 1997, simple model; spread assumed"
size = "Anderson & Holford 2009, Drug Metab Pharmacokinet 24:25: exponents 0.75 and 1"


@dataclass(frozen=True)
class Parameters:
    """One person's handling of the drug; flows and volumes are of a body of 70 kg."""

    clearance: Any = varies(
        147.6, unit="L/h", cv=0.2, low=0.001, high=2000.0, source=f"{remifentanil}; {size}"
    )
    volume: Any = varies(4.98, unit="L", cv=0.3, low=0.1, high=2000.0, source=remifentanil)
    near_exchange: Any = varies(
        101.4, unit="L/h", cv=0.3, low=0.001, high=2000.0, source=f"Q; {remifentanil}"
    )
    near_volume: Any = varies(
        9.01, unit="L", cv=0.3, low=0.1, high=5000.0, source=f"V2; {remifentanil}"
    )
    far_exchange: Any = varies(
        3.9, unit="L/h", cv=0.4, low=0.0001, high=1000.0, source=f"Q3; {remifentanil}"
    )
    far_volume: Any = varies(
        6.54, unit="L", cv=0.4, low=0.1, high=50000.0, source=f"V3; {remifentanil}"
    )
    ka: Any = varies(1.0, unit="/h", cv=0.7, low=0.005, high=50.0, source="a drug's own")
    bioavailability: Any = varies(
        1.0, unit="1", cv=0.0, low=0.0, high=1.0, source="by mouth almost all; a drug's own"
    )
    lag: Any = varies(0.0, unit="h", cv=0.0, low=0.0, high=24.0, source="none; a drug's own")
    weight: Any = varies(70.0, unit="kg", cv=0.2, low=0.3, high=350.0, source="told by the record")


def volume(p: Any) -> Any:
    """Litres in which the drug seems to be dissolved at first."""
    return p.volume * p.weight / 70.0


def quicker(p: Any) -> Any:
    """How much quicker a smaller body is: flow over volume goes with weight^-0.25."""
    return (p.weight / 70.0) ** -0.25


def cleared(p: Any) -> Any:
    """k10 (/h)."""
    return p.clearance / p.volume * quicker(p)


def to_near(p: Any) -> Any:
    """k12 (/h)."""
    return p.near_exchange / p.volume * quicker(p)


def from_near(p: Any) -> Any:
    """k21 (/h)."""
    return p.near_exchange / p.near_volume * quicker(p)


def to_far(p: Any) -> Any:
    """k13 (/h)."""
    return p.far_exchange / p.volume * quicker(p)


def from_far(p: Any) -> Any:
    """k31 (/h)."""
    return p.far_exchange / p.far_volume * quicker(p)


def fastest(p: Any) -> Any:
    """The largest root of the cubic: the rate constant of the first fall (/h)."""
    k10, k12, k21, k13, k31 = cleared(p), to_near(p), from_near(p), to_far(p), from_far(p)
    a = k10 + k12 + k13 + k21 + k31
    b = k10 * k21 + k10 * k31 + k12 * k31 + k13 * k21 + k21 * k31
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
    """The larger of the two other roots (/h)."""
    rest = cleared(p) + to_near(p) + to_far(p) + from_near(p) + from_far(p) - fastest(p)
    product = cleared(p) * from_near(p) * from_far(p) / fastest(p)
    return (rest + sqrt(positive(rest * rest - 4.0 * product))) / 2.0


def slowest(p: Any) -> Any:
    """The rate constant of the long tail (/h)."""
    return cleared(p) * from_near(p) * from_far(p) / (fastest(p) * middle(p))


def start(p: Any) -> tuple[Any, ...]:
    """No drug in the body."""
    none = 0.0 * p.volume
    return (none, none, none, none, none, none)


def leaving(less: Any, blood: Any, near: Any, far: Any, p: Any) -> tuple[Any, ...]:
    """(M - less) times the amounts: what leaves each compartment, less so much of it (mg/h)."""
    return (
        (cleared(p) + to_near(p) + to_far(p) - less) * blood
        - from_near(p) * near
        - from_far(p) * far,
        (from_near(p) - less) * near - to_near(p) * blood,
        (from_far(p) - less) * far - to_far(p) * blood,
    )


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per hour)."""
    depot, waiting, wait, blood, near, far = x
    by_mouth, drip = u
    no_longer = where(wait > 0.0, 0.0, waiting)
    from_blood, near_out, far_out = leaving(0.0, blood, near, far, p)
    return (
        p.bioavailability * by_mouth - p.ka * depot,
        -p.ka * no_longer,
        where(wait > 0.0, -1.0, 0.0 * wait),
        p.ka * (depot + no_longer) + drip - from_blood,
        -near_out,
        -far_out,
    )


def solution(dt: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """The states `dt` hours later, nothing new being given."""
    depot, waiting, wait, blood, near, far = x
    by_mouth, drip = u
    a, b, c = slowest(p), middle(p), fastest(p)
    slowly = p.bioavailability * by_mouth
    above = depot - slowly / p.ka  # over the level at which the depot loses what comes in
    drips = drip + slowly

    left = exp(-a * dt)
    bend = (exp(-b * dt) - left) / (b - a)
    twist = ((exp(-c * dt) - exp(-b * dt)) / (c - b) - bend) / (c - a)
    new = arrived(a, dt, above, waiting, wait, p.ka, drips)
    new_b = arrived(b, dt, above, waiting, wait, p.ka, drips)
    new_c = arrived(c, dt, above, waiting, wait, p.ka, drips)
    new_bend = (new_b - new) / (b - a)
    new_twist = ((new_c - new_b) / (c - b) - new_bend) / (c - a)

    blood_1, near_1, far_1 = leaving(a, blood, near, far, p)
    blood_2, near_2, far_2 = leaving(b, blood_1, near_1, far_1, p)
    unit_1, unit_near, unit_far = leaving(a, 1.0, 0.0, 0.0, p)
    unit_2, unit_near_2, unit_far_2 = leaving(b, unit_1, unit_near, unit_far, p)
    return (
        above * exp(-p.ka * dt) + slowly / p.ka,
        waiting * exp(-p.ka * open_time(wait, dt)),
        where(wait > dt, wait - dt, 0.0),
        left * blood
        + bend * blood_1
        + twist * blood_2
        + (new + new_bend * unit_1 + new_twist * unit_2),
        left * near
        + bend * near_1
        + twist * near_2
        + (new_bend * unit_near + new_twist * unit_near_2),
        left * far + bend * far_1 + twist * far_2 + (new_bend * unit_far + new_twist * unit_far_2),
    )


def for_drug(
    name: str,
    by_mouth: Code,
    injected: Code,
    level: Code,
    parameters: type[Any] = Parameters,
    reference: str = "three compartments, first order",
) -> Model[Any]:
    """The model of one drug: its name, the codes of its doses (mg) and of its level (mg/L).

    `parameters` has the fields of `Parameters`, with the drug's own medians and spreads.
    """

    def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
        """A dose by mouth begins to wait; a bolus is in the blood at once."""
        depot, waiting, wait, blood, near, far = x
        if code == by_mouth:
            depot, waiting, wait = swallowed(
                depot, waiting, wait, p.bioavailability * amount, p.lag
            )
        elif code == injected:
            blood = blood + amount
        return (depot, waiting, wait, blood, near, far)

    def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
        """The laboratory shows the level in blood."""
        return {level: x[3] / volume(p)}

    return Model(
        name=name,
        reference=reference,
        states=("depot", "waiting", "wait", "blood", "near tissue", "far tissue"),
        units=("mg", "mg", "h", "mg", "mg", "mg"),
        parameters=parameters,
        inputs=(by_mouth, injected),
        channels=(by_mouth, injected),
        start=start,
        drift=drift,
        take=take,
        observe=observe,
        step=0.005,
        clock="h",
        solution=solution,
        covariates={"weight": codes.weight},
        trust="levels of a drug that spreads into tissue fast and slowly and is cleared in "
        "proportion to its level; levels in the first minute are a mixing problem, not this model",
    )


model = for_drug(
    "three compartments",
    codes.drug_swallowed,
    codes.drug_injected,
    codes.drug_level,
    reference="Gibaldi & Perrier 1982; Minto 1997 (remifentanil)",
)
