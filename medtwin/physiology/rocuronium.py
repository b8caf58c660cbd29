"""Rocuronium: how deep it blocks the muscles, seen by train of four and post-tetanic count.

    blood' = infusion - (CL + Q2 + Q3) blood / V1 + Q2 near / V2 + Q3 far / V3
    near'  = Q2 blood / V1 - Q2 near / V2
    far'   = Q3 blood / V1 - Q3 far / V3
    site'  = ke0 (blood / V1 - site)                      the level where it acts (mg/L)
    ratio   = full / (1 + (site / EC50)^hill)              fourth twitch over first
    count   = sum over k = 4, 3, 2, 1 of 1 / (1 + (site / (EC50 fourth spacing^(4-k)))^sharp)
    tetanic = 15 / (1 + (site / (EC50 deep))^deep_hill)    twitches after a tetanus, 0 to 15

Flows grow with (weight/70)^0.75, volumes with weight/70, ke0 with (weight/70)^-0.25; clearance
falls by 0.68 % with each year over 43, and sevoflurane slows ke0 (0.433) and lowers EC50 (0.605).

Volumes and flows: Magorian et al. (1995), Anesth Analg 80:754 (k10 0.0364, k12 0.1082, k13
0.0203, k21 0.1807, k31 0.0176 /min, V1 5.96 L), the choice of NMBsim for its Japanese patients.
Spreads, age, ke0, EC50 and hill: Kleijn et al. (2011), Br J Clin Pharmacol 72:415, table 4: 446
people in eight trials; 1.62 umol/L are 0.988 mg/L of the bromide (609.7 g/mol). Twitches vanish one
by one as the block deepens beyond a ratio of zero, and come back only after a tetanus when it is
deeper still: where, in multiples of EC50, is fitted here to the 21 operations of NMBsim (Kagawa
University Hospital, MIT licence).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, fixed, offset, varies
from medtwin.maths.functions import positive
from medtwin.record import codes
from medtwin.record.codes import Code

kleijn = "Kleijn 2011, table 4"
magorian = "Magorian 1995 as in NMBsim; spread of Kleijn 2011"
here = "fitted here to 21 operations (NMBsim)"
told = "from the record"


@dataclass(frozen=True)
class Parameters:
    """One patient; flows and volumes are of a body of 70 kg and 43 years."""

    clearance: Any = varies(0.217, unit="L/min", cv=0.324, low=0.03, high=2.0, source=magorian)
    volume: Any = varies(5.96, unit="L", cv=0.238, low=1.0, high=25.0, source=magorian)
    near_exchange: Any = fixed(0.645, unit="L/min", source=magorian)
    near_volume: Any = varies(3.57, unit="L", cv=0.322, low=0.5, high=30.0, source=magorian)
    far_exchange: Any = fixed(0.121, unit="L/min", source=magorian)
    far_volume: Any = varies(6.87, unit="L", cv=0.322, low=1.0, high=60.0, source=magorian)
    ke0: Any = varies(0.134, unit="/min", cv=0.417, low=0.01, high=2.0, source=kleijn)
    half_effect: Any = varies(0.988, unit="mg/L", cv=0.249, low=0.1, high=6.0, source=kleijn)
    hill: Any = varies(7.52, unit="1", cv=0.411, low=1.5, high=30.0, source=kleijn)
    full: Any = varies(1.04, unit="1", cv=0.111, low=0.6, high=1.5, source=kleijn)
    fourth: Any = varies(1.22, unit="1", cv=0.15, low=0.6, high=4.0, source=here)
    spacing: Any = varies(1.09, unit="1", cv=0.04, low=1.005, high=1.6, source=here)
    sharp: Any = varies(26.0, unit="1", cv=0.3, low=4.0, high=120.0, source=here)
    deep: Any = varies(2.1, unit="1", cv=0.25, low=0.8, high=6.0, source=here)
    deep_hill: Any = varies(7.9, unit="1", cv=0.35, low=1.5, high=60.0, source=here)
    age: Any = varies(55.0, unit="a", cv=0.3, low=1.0, high=100.0, source=told)
    weight: Any = varies(70.0, unit="kg", cv=0.2, low=8.0, high=200.0, source=told)
    sevoflurane: Any = offset(0.5, unit="1", sd=0.5, low=0.0, high=1.0, source=told)


def volume(p: Any) -> Any:
    """Central volume (L)."""
    return p.volume * p.weight / 70.0


def quicker(p: Any) -> Any:
    """How much quicker a smaller body is: flow over volume goes with weight^-0.25."""
    return (p.weight / 70.0) ** -0.25


def cleared(p: Any) -> Any:
    """k10: how fast blood is cleared (/min)."""
    ageing = positive(1.0 - 0.00678 * (p.age - 43.0))
    return p.clearance * ageing / p.volume * quicker(p)


def half_effect(p: Any) -> Any:
    """The level at the muscle that halves the train-of-four ratio (mg/L)."""
    return p.half_effect * (1.0 - 0.395 * p.sevoflurane)


def start(p: Any) -> tuple[Any, ...]:
    """No rocuronium yet, and full strength."""
    none = 0.0 * p.volume
    return (none, none, none, none)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per minute)."""
    blood, near, far, site = x
    bolus, infusion = u
    to_near = p.near_exchange * quicker(p) * (blood / p.volume - near / p.near_volume)
    to_far = p.far_exchange * quicker(p) * (blood / p.volume - far / p.far_volume)
    ke0 = p.ke0 * (1.0 - 0.567 * p.sevoflurane) * quicker(p)
    return (
        bolus + infusion - cleared(p) * blood - to_near - to_far,
        to_near,
        to_far,
        ke0 * (blood / volume(p) - site),
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """A bolus is in the blood at once."""
    blood, near, far, site = x
    if code == codes.rocuronium:
        blood = blood + amount
    return (blood, near, far, site)


def standing(site: Any, half: Any, steepness: Any) -> Any:
    """What is left of a response at this level: 1 without the drug, a half at `half`."""
    return 1.0 / (1.0 + (positive(site) / half) ** steepness)


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """The nerve stimulator shows the ratio, the count, and the count after a tetanus."""
    site = x[3]
    ratio = half_effect(p)
    gone = ratio * p.fourth
    count = (
        standing(site, gone, p.sharp)
        + standing(site, gone * p.spacing, p.sharp)
        + standing(site, gone * p.spacing**2, p.sharp)
        + standing(site, gone * p.spacing**3, p.sharp)
    )
    return {
        codes.train_of_four: p.full * standing(site, ratio, p.hill),
        codes.train_of_four_count: count,
        codes.post_tetanic_count: 15.0 * standing(site, ratio * p.deep, p.deep_hill),
        codes.rocuronium_level: x[0] / volume(p),
    }


def error(x: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How far a ratio, the counts and a level are off: fitted here, and a fifth (Kleijn 2011)."""
    one = 1.0 + 0.0 * x[0]
    return (0.12 * one, 0.9 * one, 3.0 * one, 0.01 + 0.2 * x[0] / volume(p))


model = Model(
    name="rocuronium",
    reference="Magorian 1995; Kleijn et al. 2011, Br J Clin Pharmacol 72:415-433",
    states=("blood", "near tissue", "far tissue", "muscle"),
    units=("mg", "mg", "mg", "mg/L"),
    parameters=Parameters,
    inputs=(codes.rocuronium,),
    channels=(codes.rocuronium, codes.rocuronium_rate),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    error=error,
    step=0.1,
    covariates={
        "age": codes.age,
        "weight": codes.weight,
        "sevoflurane": codes.sevoflurane_given,
    },
    horizons=(2.0, 10.0, 30.0),
    trust="block by rocuronium during an operation, in people of 1 to 90 years; not after "
    "sugammadex or neostigmine, not in myasthenia or after suxamethonium",
)
