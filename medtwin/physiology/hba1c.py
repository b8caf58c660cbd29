"""HbA1c from glucose: what the laboratory will say about the last three months.

The published line, for averages and for readings at hand (`hba1c_of_history`):

    estimated average glucose (mg/dL) = 28.7 HbA1c (%) - 46.7

Nathan et al. (2008), Diabetes Care 31:1473 (ADAG, 507 people): HbA1c 6 % is 126 mg/dL and
7 % is 154 mg/dL. Red cells live about 120 days and most of the glucose bound is of the last
weeks: half of it of the last 30 days, a quarter of the 30 before, a quarter of the 60 before
those (Tahara & Shima 1993, Diabetes Care 16:1313).

And the mechanism, for a life (`model`): red cells are born with a little glycated haemoglobin,
pass through `classes` of age, gather more in proportion to the glucose around them, and die.

    h1' = k G (n - h1) + out (young n - h1)          n = 1 / classes, out = classes / lifespan
    hi' = k G (n - hi) + out (h(i-1) - hi)           HbA1c = 100 (h1 + ... )

Ladyzynski et al. (2014), J Transl Med 12:328 (k = 1.296e-9 L/mmol/s, 17 % between people); Khera et
al. (2015), Am J Hematol 90:50 (mean age of red cells 58.7 d, 2 sd 9.1); Malka, Nathan & Higgins
(2016), Sci Transl Med 8:359ra130 (mean red cell age explains who lies off the published line).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model, varies
from medtwin.record import codes
from medtwin.record.codes import Code

Percent = Annotated[float, "%"]
MgPerDl = Annotated[float, "mg/dL"]

slope, intercept = 28.7, 46.7
ages = np.array([0.0, 30.0, 60.0, 120.0])  # days before now
shares = np.array([0.5, 0.25, 0.25])


def hba1c(average: MgPerDl) -> Percent:
    """The HbA1c of a person with this average glucose."""
    return (average + intercept) / slope


def average_glucose(a1c: Percent) -> MgPerDl:
    """The average glucose that this HbA1c stands for (eAG)."""
    return slope * a1c - intercept


def hba1c_of_history(
    at: Float[np.ndarray, " seen"], glucose: Float[np.ndarray, " seen"], now: float
) -> Percent | None:
    """The HbA1c at `now` of a person with this glucose (mg/dL) at these times (UTC seconds).

    Recent weeks count more; a period without readings leaves its share to the others. None
    where there is no reading in the 120 days before `now`.
    """
    age = (now - at) / 86400.0
    means, weights = [], []
    for young, old, share in zip(ages[:-1], ages[1:], shares, strict=True):
        seen = glucose[(age >= young) & (age < old)]
        if len(seen):
            means.append(float(np.mean(seen)))
            weights.append(share)
    return float(hba1c(np.average(means, weights=weights))) if means else None


classes = 8.0
ladyzynski = "Ladyzynski 2014: 1.296e-9 L/mmol/s; its 17 % hold cell age too, which is apart here"


@dataclass(frozen=True)
class Parameters:
    """One person's red cells, and the glucose they have been used to."""

    usual_glucose: Any = varies(
        130.0, unit="mg/dL", cv=0.25, low=50.0, high=500.0, source="of the months before"
    )
    glycation: Any = varies(
        6.215, unit="1e-6.dL/mg/d", cv=0.05, low=3.0, high=12.0, source=f"k, {ladyzynski}"
    )
    mean_age: Any = varies(
        58.7, unit="d", cv=0.078, low=25.0, high=90.0, source="of red cells, Khera 2015"
    )
    young: Any = varies(
        0.0163, unit="1", cv=0.1, low=0.0, high=0.03, source="at birth: Nathan 2008 at no glucose"
    )


def _out(p: Any) -> Any:
    """How fast cells leave each class of age (/d): the mean age is (classes + 1) / 2 of them."""
    return 0.5 * (classes + 1.0) / p.mean_age


def start(p: Any) -> tuple[Any, ...]:
    """Where years of the usual glucose lead, class by class."""
    n = 1.0 / classes
    out = _out(p)
    kept = out / (out + 1e-6 * p.glycation * p.usual_glucose)
    bare = n * (1.0 - p.young)
    ages = range(1, int(classes) + 1)
    return tuple(n - bare * kept**age for age in ages)


def drift(t: Any, x: tuple[Any, ...], u: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How fast each class of age gathers and passes on (per day)."""
    a, b, c, d, e, f, g, h = x
    n = 1.0 / classes
    out, speed = _out(p), 1e-6 * p.glycation * u[0]
    return (
        speed * (n - a) + out * (p.young * n - a),
        speed * (n - b) + out * (a - b),
        speed * (n - c) + out * (b - c),
        speed * (n - d) + out * (c - d),
        speed * (n - e) + out * (d - e),
        speed * (n - f) + out * (e - f),
        speed * (n - g) + out * (f - g),
        speed * (n - h) + out * (g - h),
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """Nothing is taken: glucose runs past the cells."""
    return x


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """What the laboratory measures (NGSP, %)."""
    a, b, c, d, e, f, g, h = x
    return {codes.hba1c: 100.0 * (a + b + c + d + e + f + g + h)}


model = Model(
    name="HbA1c (red cells by age)",
    reference="Malka 2016, Sci Transl Med 8:359ra130; Ladyzynski 2014; Khera 2015",
    states=tuple(f"glycated, age class {k}" for k in range(1, int(classes) + 1)),
    units=("1",) * int(classes),
    parameters=Parameters,
    inputs=(),
    channels=(codes.glucose,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.5,
    clock="d",
    usual=lambda p: (p.usual_glucose,),
    trust="red cells that live as they should: no bleeding, haemolysis, transfusion, new iron, EPO",
)
