"""The ensemble Kalman update: move every member towards a noisy measurement.

Each member is moved by K (y + e - h), with e a draw of the measurement's noise and
K = cov(members, h) / (var(h) + noise²), both from the ensemble itself.
Burgers, van Leeuwen & Evensen (1998), Monthly Weather Review 126:1719; Evensen (2003),
Ocean Dynamics 53:343. For a linear model and many members it is the Kalman filter.
"""

import numpy as np
from jaxtyping import Float


def update(
    members: Float[np.ndarray, "state member"],
    predicted: Float[np.ndarray, " member"],
    measured: float,
    noise: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "state member"]:
    """What the members believe after one measurement, whose standard error is `noise`.

    `predicted` is what each member expected to be measured, in the measurement's unit.
    Raises ValueError for a noise that is not above zero.
    """
    return corrected(members, predicted, perturbed(measured, noise, members.shape[1], rng), noise)


def perturbed(
    measured: float, noise: float, members: int, rng: np.random.Generator
) -> Float[np.ndarray, " member"]:
    """The measurement as each member hears it: with a draw of its noise."""
    if not noise > 0:
        raise ValueError(f"a measurement's noise is {noise:g}; it must be above 0")
    return measured + noise * rng.standard_normal(members)


def corrected(
    members: Float[np.ndarray, "state member"],
    predicted: Float[np.ndarray, " member"],
    heard: Float[np.ndarray, " member"],
    noise: float,
) -> Float[np.ndarray, "state member"]:
    """The members moved towards what each of them heard."""
    doubt = predicted - predicted.mean()
    n = len(predicted) - 1
    centred = members - members.mean(axis=1, keepdims=True)
    gain = centred @ doubt / n / (doubt @ doubt / n + noise**2)
    return members + np.outer(gain, heard - predicted)
