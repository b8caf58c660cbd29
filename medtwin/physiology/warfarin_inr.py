"""INR under warfarin, from the doses, the CYP2C9 and VKORC1 genotypes, and age.

    depot' = -ka depot                        half of a racemic dose is S-warfarin
    body'  =  ka depot - CL / V body
    E      =  C^g / (EC50^g + C^g),  C = body / V
    f1'    =  k1 (1 - E - f1),  f2' = k1 (f1 - f2),  f3' = k1 (f2 - f3),  k1 = 3 / MTT1
    s1'    =  k2 (1 - E - s1),  s2' = k2 (s1 - s2),  s3' = k2 (s2 - s3),  k2 = 3 / MTT2
    INR    =  baseline + 20 (1 - (f3 + s3) / 2)

f and s are the fast and the slow clotting factors, each a chain of three. Each allele brings its
share: CL is the sum of two CYP2C9 alleles' clearances and falls with age, EC50 the sum of two
VKORC1 alleles' halves. A genotype that is not known is drawn, and doubt is wider for it.

Hamberg et al. (2010), Clin Pharmacol Ther 87:727 (tables 2 and 4, data set C): 1,426 warfarin
patients. Checked against three independent programs that hold the same figures; the paper's
between-person spreads are read as variances.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, fixed, offset, varies
from medtwin.maths.functions import positive
from medtwin.record import codes
from medtwin.record.codes import Code

hamberg = "Hamberg 2010"
white = "allele frequencies of white patients, IWPC 2009"


@dataclass(frozen=True)
class Parameters:
    """One patient."""

    clearance: Any = varies(
        0.174, unit="L/h", cv=0.305, low=0.03, high=0.9, source=f"{hamberg}, per *1; variance 0.089"
    )
    second: Any = fixed(0.505, unit="1", source=f"{hamberg}: 0.0879 / 0.174, what *2 clears of *1")
    third: Any = fixed(0.2425, unit="1", source=f"{hamberg}: 0.0422 / 0.174, what *3 clears of *1")
    ageing: Any = fixed(0.00571, unit="/a", source=f"{hamberg}, CL around 71 years")
    volume: Any = varies(
        14.3, unit="L", cv=0.236, low=5.0, high=45.0, source=f"{hamberg}, variance 0.054"
    )
    ka: Any = fixed(2.0, unit="/h", source=hamberg)
    half_effect: Any = varies(
        2.05, unit="mg/L", cv=0.636, low=0.2, high=20.0, source=f"{hamberg}, per G; variance 0.34"
    )
    sensitive: Any = fixed(0.468, unit="1", source=f"{hamberg}: 0.96 / 2.05, what A needs of G")
    steepness: Any = fixed(1.15, unit="1", source=hamberg)
    fast: Any = fixed(28.6, unit="h", source=f"{hamberg}, MTT1")
    slow: Any = fixed(118.3, unit="h", source=f"{hamberg}, MTT2")
    span: Any = fixed(20.0, unit="1", source=f"{hamberg}, INRmax")
    baseline: Any = varies(1.0, unit="1", cv=0.05, low=0.8, high=1.6, source=f"{hamberg}; usual")
    age: Any = varies(67.0, unit="a", cv=0.2, low=18.0, high=105.0, source="from the record")
    cyp2c9_2: Any = offset(0.26, unit="1", sd=0.47, low=0.0, high=2.0, source=white)
    cyp2c9_3: Any = offset(0.14, unit="1", sd=0.36, low=0.0, high=2.0, source=white)
    vkorc1_a: Any = offset(0.78, unit="1", sd=0.7, low=0.0, high=2.0, source=white)


def clearance(p: Any) -> Any:
    """Plasma cleared of S-warfarin (L/h): the sum of what the two CYP2C9 alleles clear."""
    whole = positive(2.0 - p.cyp2c9_2 - p.cyp2c9_3)
    alleles = whole + p.cyp2c9_2 * p.second + p.cyp2c9_3 * p.third
    return p.clearance * alleles * (1.0 - p.ageing * (p.age - 71.0))


def half_effect(p: Any) -> Any:
    """The level of S-warfarin that halves the making of clotting factors (mg/L)."""
    return p.half_effect * (2.0 - p.vkorc1_a + p.vkorc1_a * p.sensitive)


def steady_dose(inr: float, p: Any) -> Any:
    """The weekly dose (mg) that holds this INR in the long run."""
    effect = (inr - p.baseline) / p.span
    level = half_effect(p) * (effect / (1.0 - effect)) ** (1.0 / p.steepness)
    return 2.0 * level * clearance(p) * 24.0 * 7.0


def start(p: Any) -> tuple[Any, ...]:
    """No warfarin yet, and all clotting factors as they should be."""
    none = 0.0 * p.volume
    full = 1.0 + none
    return (none, none, full, full, full, full, full, full)


def drift(t: Any, x: Any, u: Any, p: Any) -> tuple[Any, ...]:
    """How fast each state changes (per hour)."""
    depot, body, f1, f2, f3, s1, s2, s3 = x
    level = (body / p.volume / half_effect(p)) ** p.steepness
    made = 1.0 / (1.0 + level)
    k1, k2 = 3.0 / p.fast, 3.0 / p.slow
    return (
        -p.ka * depot,
        p.ka * depot - clearance(p) / p.volume * body,
        *(k1 * (made - f1), k1 * (f1 - f2), k1 * (f2 - f3)),
        *(k2 * (made - s1), k2 * (s1 - s2), k2 * (s2 - s3)),
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """Half of a tablet is S-warfarin, the half that acts."""
    depot, body, f1, f2, f3, s1, s2, s3 = x
    if code == codes.warfarin:
        depot = depot + 0.5 * amount
    return (depot, body, f1, f2, f3, s1, s2, s3)


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """The laboratory shows the INR, and rarely the level of S-warfarin."""
    inr = p.baseline + p.span * (1.0 - (x[4] + x[7]) / 2.0)
    return {codes.inr: inr, codes.s_warfarin_level: x[1] / p.volume}


def error(x: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How far an INR and a level are off: a fifth and a tenth, Hamberg 2010."""
    inr = p.baseline + p.span * (1.0 - (x[4] + x[7]) / 2.0)
    return (0.20 * inr, 0.005 + 0.099 * x[1] / p.volume)


model = Model(
    name="warfarin and INR",
    reference="Hamberg et al. 2010, Clin Pharmacol Ther 87:727-734",
    states=(
        *("depot", "S-warfarin", "fast factors 1", "fast factors 2", "fast factors 3"),
        *("slow factors 1", "slow factors 2", "slow factors 3"),
    ),
    units=("mg", "mg", "1", "1", "1", "1", "1", "1"),
    parameters=Parameters,
    inputs=(codes.warfarin,),
    channels=(),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    error=error,
    step=0.25,
    clock="h",
    covariates={
        "age": codes.age,
        "cyp2c9_2": codes.cyp2c9_2,
        "cyp2c9_3": codes.cyp2c9_3,
        "vkorc1_a": codes.vkorc1_a,
    },
    horizons=(24.0, 72.0, 168.0),
    trust="weeks and months of warfarin in adults aiming at an INR of 2 to 4; not with vitamin K, "
    "bleeding, liver failure or an interacting drug newly begun or stopped",
)
