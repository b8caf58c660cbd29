"""A drug in one compartment: by mouth, by injection or by drip.

    wait'    = -1 while a swallowed dose waits (the lag time), then 0
    waiting' = -ka waiting             once its wait is over
    depot'   = -ka depot + F r         r = what is swallowed slowly (mg/h)
    blood'   =  ka (depot + waiting that waits no longer) + i - k blood
    k = CL / V,  CL = clearance (weight/70)^0.75,  V = volume (weight/70)
    level    = blood / V

i is the drip (mg/h); a bolus enters the blood at once; of a dose by mouth the share F (the
bioavailability) ever arrives. Between events the course is known in closed form (Gibaldi &
Perrier, Pharmacokinetics, 2nd ed. 1982, ch. 1), also where ka and k are alike.

The typical drug is theophylline: medians and spreads of 12 adults (Boeckmann, Sheiner & Beal
1994, NONMEM Users Guide part V; fit of R nlme 3.1.162 for a body of 70 kg). `for_drug` gives
the same model for another drug, with its own codes and parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, varies
from medtwin.maths.functions import exp, where
from medtwin.physiology.absorption import arrived, open_time, swallowed
from medtwin.record import codes
from medtwin.record.codes import Code

theophylline = "theophylline, 12 adults: Boeckmann 1994, fit of R nlme 3.1.162"
size = "Anderson & Holford 2009, Drug Metab Pharmacokinet 24:25: exponents 0.75 and 1"


@dataclass(frozen=True)
class Parameters:
    """One person's handling of the drug; clearance and volume are of a body of 70 kg."""

    clearance: Any = varies(
        2.78, unit="L/h", cv=0.17, low=0.001, high=1000.0, source=f"{theophylline}; {size}"
    )
    volume: Any = varies(
        32.3, unit="L", cv=0.15, low=0.1, high=5000.0, source=f"{theophylline}; spread assumed"
    )
    ka: Any = varies(1.59, unit="/h", cv=0.72, low=0.005, high=50.0, source=theophylline)
    bioavailability: Any = varies(
        1.0, unit="1", cv=0.0, low=0.0, high=1.0, source="by mouth almost all; a drug's own"
    )
    lag: Any = varies(0.0, unit="h", cv=0.0, low=0.0, high=24.0, source="none; a drug's own")
    weight: Any = varies(70.0, unit="kg", cv=0.2, low=0.3, high=350.0, source="told by the record")


def clearance(p: Any) -> Any:
    """Blood cleared of the drug (L/h)."""
    return p.clearance * (p.weight / 70.0) ** 0.75


def volume(p: Any) -> Any:
    """Litres in which the drug seems to be dissolved."""
    return p.volume * p.weight / 70.0


def start(p: Any) -> tuple[Any, ...]:
    """No drug in the body."""
    none = 0.0 * p.volume
    return (none, none, none, none)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per hour)."""
    depot, waiting, wait, blood = x
    by_mouth, drip = u
    no_longer = where(wait > 0.0, 0.0, waiting)
    return (
        p.bioavailability * by_mouth - p.ka * depot,
        -p.ka * no_longer,
        where(wait > 0.0, -1.0, 0.0 * wait),
        p.ka * (depot + no_longer) + drip - clearance(p) / volume(p) * blood,
    )


def solution(dt: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """The states `dt` hours later, nothing new being given."""
    depot, waiting, wait, blood = x
    by_mouth, drip = u
    k = clearance(p) / volume(p)
    slowly = p.bioavailability * by_mouth
    above = depot - slowly / p.ka  # over the level at which the depot loses what comes in
    new = arrived(k, dt, above, waiting, wait, p.ka, drip + slowly)
    return (
        above * exp(-p.ka * dt) + slowly / p.ka,
        waiting * exp(-p.ka * open_time(wait, dt)),
        where(wait > dt, wait - dt, 0.0),
        blood * exp(-k * dt) + new,
    )


def for_drug(
    name: str,
    by_mouth: Code,
    injected: Code,
    level: Code,
    parameters: type[Any] = Parameters,
    reference: str = "one compartment, first order",
) -> Model[Any]:
    """The model of one drug: its name, the codes of its doses (mg) and of its level (mg/L).

    `parameters` has the fields of `Parameters`, with the drug's own medians and spreads.
    """

    def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
        """A dose by mouth begins to wait; a bolus is in the blood at once."""
        depot, waiting, wait, blood = x
        if code == by_mouth:
            depot, waiting, wait = swallowed(
                depot, waiting, wait, p.bioavailability * amount, p.lag
            )
        elif code == injected:
            blood = blood + amount
        return (depot, waiting, wait, blood)

    def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
        """The laboratory shows the level in blood."""
        return {level: x[3] / volume(p)}

    return Model(
        name=name,
        reference=reference,
        states=("depot", "waiting", "wait", "blood"),
        units=("mg", "mg", "h", "mg"),
        parameters=parameters,
        inputs=(by_mouth, injected),
        channels=(by_mouth, injected),
        start=start,
        drift=drift,
        take=take,
        observe=observe,
        step=0.05,
        clock="h",
        solution=solution,
        covariates={"weight": codes.weight},
        trust="levels of one drug that is cleared in proportion to its level; not where "
        "clearance saturates (phenytoin, alcohol), and not in the first minutes after a bolus",
    )


model = for_drug(
    "one compartment",
    codes.drug_swallowed,
    codes.drug_injected,
    codes.drug_level,
    reference="Gibaldi & Perrier 1982; Boeckmann 1994 (theophylline)",
)
