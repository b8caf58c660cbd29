"""HbA1c from a history of glucose: what the laboratory will say about the last three months.

    estimated average glucose (mg/dL) = 28.7 HbA1c (%) - 46.7

Nathan et al. (2008), Diabetes Care 31:1473 (ADAG, 507 people): HbA1c 6 % is 126 mg/dL and
7 % is 154 mg/dL. Red cells live about 120 days and most of the glucose bound is of the last
weeks: half of it of the last 30 days, a quarter of the 30 before, a quarter of the 60 before
those (Tahara & Shima 1993, Diabetes Care 16:1313).
"""

from typing import Annotated

import numpy as np
from jaxtyping import Float

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
