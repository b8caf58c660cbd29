"""What devices make of glucose: noise, gaps, late readings, a stuck sensor, a skewed meter.

The sensor's error is that of Breton & Kovatchev (2008), J Diabetes Sci Technol 2:853: an
autoregressive process at 15-minute steps, e' = 0.7 (e + v), v standard normal, made skewed and
heavy-tailed by a Johnson transform, xi + lambda sinh((e - gamma) / delta) mg/dL. The sensors of
2008 erred by about 13 %; today's by about 8 to 9, so the error is taken times 0.65. The meter
errs by 5 % at random (ISO 15197:2013 allows 15 % in 19 of 20).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

nodes = 96
readings = 288
memory = 0.7
xi, lam, gamma, delta = -5.471, 15.9574, -0.5444, 1.6898
today = 0.65
scale = (40.0, 400.0)
meter_spread = 0.05

Day = Float[np.ndarray, " reading"]


@dataclass(frozen=True)
class Errors:
    """One day of a sensor: its error at each quarter hour (and the next midnight's), its gaps.

    `known` is the reading (0 to 288) with which each one arrives; a gap's readings arrive late
    or, where `lost`, never.
    """

    nodes: Float[np.ndarray, " node"]
    last: float
    lost: Bool[np.ndarray, " reading"]
    known: Float[np.ndarray, " reading"]

    @property
    def readings(self) -> Day:
        """The error of each five-minute reading, between the nodes a straight line."""
        return np.interp(np.arange(readings) / 3.0, np.arange(nodes + 1), self.nodes)


def errors(last: float, rng: np.random.Generator) -> Errors:
    """A day of sensor error that goes on from yesterday's `last`."""
    shocks = rng.standard_normal(nodes)
    path = np.empty(nodes + 1)
    path[0] = last
    for k in range(nodes):
        path[k + 1] = memory * (path[k] + shocks[k])
    lost, known = np.zeros(readings, dtype=bool), np.arange(readings, dtype=float)
    for _ in range(rng.poisson(0.6)):
        _gap(lost, known, rng)
    return Errors(johnson(path), float(path[-1]), lost, known)


def johnson(e: Float[np.ndarray, " node"]) -> Float[np.ndarray, " node"]:
    """The sensor's error in mg/dL."""
    return today * (xi + lam * np.sinh((e - gamma) / delta))


def _gap(lost: Bool[np.ndarray, " reading"], known: Day, rng: np.random.Generator) -> None:
    """A lost connection of 20 to 100 minutes; half of them are made up for when it is back."""
    start = int(rng.integers(0, readings - 24))
    end = start + int(rng.integers(4, 20))
    if rng.random() < 0.5:
        lost[start:end] = True
    else:
        known[start:end] = np.maximum(known[start:end], end)


def on_the_scale(glucose: Day) -> Day:
    """What the display can say: whole numbers from 40 to 400 mg/dL."""
    return np.clip(np.round(glucose), *scale)
