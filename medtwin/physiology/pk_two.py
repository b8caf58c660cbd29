"""A drug in two compartments: blood, and tissue that fills and empties more slowly.

    blood'  = (what comes in) - (k10 + k12) blood + k21 tissue
    tissue' = k12 blood - k21 tissue
    k10 = CL / V,  k12 = Q / V,  k21 = Q / V2;  level = blood / V

What comes in (by mouth with a lag time, slowly, by injection, by drip) is that of one
compartment (`absorption.py`). CL and Q grow with (weight/70)^0.75, the volumes with weight/70.
The closed form is Newton's: with M the matrix of these rates and its fast and slow rate
constants as nodes, f(M) = f(slow) + (f(fast) - f(slow)) / (fast - slow) (M - slow), for e^-Mt
and for what came in meanwhile.
Gibaldi & Perrier, Pharmacokinetics, 2nd ed. 1982, ch. 2; Higham, Functions of Matrices, 2008.

The typical drug is indomethacin injected into 6 adults (Kwan et al. 1976, J Pharmacokinet
Biopharm 4:255; R's data set Indometh). `for_drug` gives the same model for another drug.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, varies
from medtwin.maths.functions import exp, sqrt, where
from medtwin.physiology.absorption import arrived, open_time, swallowed
from medtwin.record import codes
from medtwin.record.codes import Code

indomethacin = "indomethacin, 6 adults: Kwan 1976, our fit to R's Indometh"
size = "Anderson & Holford 2009, Drug Metab Pharmacokinet 24:25: exponents 0.75 and 1"


@dataclass(frozen=True)
class Parameters:
    """One person's handling of the drug; clearances and volumes are of a body of 70 kg."""

    clearance: Any = varies(
        7.80, unit="L/h", cv=0.2, low=0.001, high=1000.0, source=f"{indomethacin}; {size}"
    )
    volume: Any = varies(8.95, unit="L", cv=0.25, low=0.1, high=2000.0, source=indomethacin)
    exchange: Any = varies(
        5.39, unit="L/h", cv=0.3, low=0.001, high=1000.0, source=f"Q; {indomethacin}"
    )
    tissue_volume: Any = varies(
        19.4, unit="L", cv=0.3, low=0.1, high=10000.0, source=f"V2; {indomethacin}"
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


def out(p: Any) -> Any:
    """k10 + k12: how fast the drug leaves the blood, to be cleared or into tissue (/h)."""
    return (p.clearance + p.exchange) / p.volume * (p.weight / 70.0) ** -0.25


def into_tissue(p: Any) -> Any:
    """k12 (/h)."""
    return p.exchange / p.volume * (p.weight / 70.0) ** -0.25


def from_tissue(p: Any) -> Any:
    """k21 (/h)."""
    return p.exchange / p.tissue_volume * (p.weight / 70.0) ** -0.25


def fast(p: Any) -> Any:
    """The rate constant of the first, steep part of the course (/h)."""
    gap = out(p) - from_tissue(p)
    return (out(p) + from_tissue(p) + sqrt(gap**2 + 4.0 * into_tissue(p) * from_tissue(p))) / 2.0


def slow(p: Any) -> Any:
    """The rate constant of the long tail (/h)."""
    return (out(p) - into_tissue(p)) * from_tissue(p) / fast(p)


def start(p: Any) -> tuple[Any, ...]:
    """No drug in the body."""
    none = 0.0 * p.volume
    return (none, none, none, none, none)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per hour)."""
    depot, waiting, wait, blood, tissue = x
    by_mouth, drip = u
    no_longer = where(wait > 0.0, 0.0, waiting)
    return (
        p.bioavailability * by_mouth - p.ka * depot,
        -p.ka * no_longer,
        where(wait > 0.0, -1.0, 0.0 * wait),
        p.ka * (depot + no_longer) + drip - out(p) * blood + from_tissue(p) * tissue,
        into_tissue(p) * blood - from_tissue(p) * tissue,
    )


def solution(dt: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """The states `dt` hours later, nothing new being given."""
    depot, waiting, wait, blood, tissue = x
    by_mouth, drip = u
    a, b = fast(p), slow(p)
    slowly = p.bioavailability * by_mouth
    above = depot - slowly / p.ka  # over the level at which the depot loses what comes in
    left = exp(-b * dt)
    bend = (exp(-a * dt) - left) / (a - b)
    new = arrived(b, dt, above, waiting, wait, p.ka, drip + slowly)
    new_bend = (arrived(a, dt, above, waiting, wait, p.ka, drip + slowly) - new) / (a - b)
    return (
        above * exp(-p.ka * dt) + slowly / p.ka,
        waiting * exp(-p.ka * open_time(wait, dt)),
        where(wait > dt, wait - dt, 0.0),
        left * blood
        + bend * ((out(p) - b) * blood - from_tissue(p) * tissue)
        + new
        + new_bend * (out(p) - b),
        left * tissue
        + bend * ((from_tissue(p) - b) * tissue - into_tissue(p) * blood)
        - new_bend * into_tissue(p),
    )


def for_drug(
    name: str,
    by_mouth: Code,
    injected: Code,
    level: Code,
    parameters: type[Any] = Parameters,
    reference: str = "two compartments, first order",
) -> Model[Any]:
    """The model of one drug: its name, the codes of its doses (mg) and of its level (mg/L).

    `parameters` has the fields of `Parameters`, with the drug's own medians and spreads.
    """

    def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
        """A dose by mouth begins to wait; a bolus is in the blood at once."""
        depot, waiting, wait, blood, tissue = x
        if code == by_mouth:
            depot, waiting, wait = swallowed(
                depot, waiting, wait, p.bioavailability * amount, p.lag
            )
        elif code == injected:
            blood = blood + amount
        return (depot, waiting, wait, blood, tissue)

    def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
        """The laboratory shows the level in blood."""
        return {level: x[3] / volume(p)}

    return Model(
        name=name,
        reference=reference,
        states=("depot", "waiting", "wait", "blood", "tissue"),
        units=("mg", "mg", "h", "mg", "mg"),
        parameters=parameters,
        inputs=(by_mouth, injected),
        channels=(by_mouth, injected),
        start=start,
        drift=drift,
        take=take,
        observe=observe,
        step=0.02,
        clock="h",
        solution=solution,
        covariates={"weight": codes.weight},
        trust="levels of a drug that spreads into tissue and is cleared in proportion to its "
        "level; not where clearance saturates",
    )


model = for_drug(
    "two compartments",
    codes.drug_swallowed,
    codes.drug_injected,
    codes.drug_level,
    reference="Gibaldi & Perrier 1982; Kwan 1976 (indomethacin)",
)
