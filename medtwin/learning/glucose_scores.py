"""How good a glucose forecast was, as a diabetologist counts it: MARD and the Clarke grid.

Clarke et al. (1987), Diabetes Care 10:622, published for meters against a laboratory
reference; here the measurement is the reference and the forecast stands in the meter's place.
"""

import numpy as np
from jaxtyping import Float, Shaped

Many = Float[np.ndarray, " forecast"]


def mard(forecast: Many, measured: Many) -> float:
    """Mean absolute relative difference: the average miss as a fraction of what was measured."""
    return float(np.mean(np.abs(forecast - measured) / measured))


def clarke_zones(forecast: Many, measured: Many) -> Shaped[np.ndarray, " forecast"]:
    """The zone (A to E) that each pair of forecast and measurement (mg/dL) falls in.

    A: within 20 %, or both below 70. E: the treatment would be the opposite of the right one.
    D: a low or a high is missed. C: an acceptable glucose would be over-corrected.
    B: off by more than 20 %, but the treatment would do no harm.
    """
    in_a = ((forecast < 70) & (measured < 70)) | (np.abs(forecast - measured) <= 0.2 * measured)
    in_e = ((measured <= 70) & (forecast >= 180)) | ((measured >= 180) & (forecast <= 70))
    over = (measured >= 70) & (measured <= 290) & (forecast >= measured + 110)
    under = (measured >= 130) & (measured <= 180) & (forecast <= 7 / 5 * measured - 182)
    in_d = ((measured >= 240) & (forecast >= 70) & (forecast <= 180)) | (
        (measured <= 70) & (forecast >= 70) & (forecast <= 180)
    )
    return np.select([in_a, in_e, over | under, in_d], ["A", "E", "C", "D"], default="B")


def clarke_ab(forecast: Many, measured: Many) -> float:
    """The share of forecasts a person could act on safely: zones A and B."""
    return float(np.isin(clarke_zones(forecast, measured), ["A", "B"]).mean())
