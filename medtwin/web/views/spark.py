"""A sparkline with its scale: the shape of the last values, and what its height means."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

WIDE, TALL, EDGE = 200.0, 40.0, 4.0
POINTS = 120


@dataclass(frozen=True)
class Spark:
    """A path in a 200 by 40 box, with the figures at its edges."""

    path: str
    end: tuple[float, float]
    low: str
    high: str
    since: str


def thinned(
    at: Float[np.ndarray, " seen"], value: Float[np.ndarray, " seen"], points: int = POINTS
) -> tuple[Float[np.ndarray, " shown"], Float[np.ndarray, " shown"]]:
    """At most so many points; each stretch of time keeps its last value."""
    if len(at) <= points:
        return at, value
    bins = np.minimum(((at - at[0]) / max(at[-1] - at[0], 1.0) * points).astype(int), points - 1)
    last = np.append(bins[1:] != bins[:-1], True)
    return at[last], value[last]


def path(
    at: Float[np.ndarray, " seen"], value: Float[np.ndarray, " seen"]
) -> tuple[str, tuple[float, float]]:
    """The line as SVG path words, and where it ends."""
    at, value = thinned(at, value)
    x = EDGE + (at - at[0]) / max(at[-1] - at[0], 1e-9) * (WIDE - 2 * EDGE)
    span = max(float(np.ptp(value)), 1e-9)
    y = TALL - EDGE - (value - value.min()) / span * (TALL - 2 * EDGE)
    y = np.full_like(y, TALL / 2) if np.ptp(value) == 0 else y
    words = " ".join(
        f"{'M' if i == 0 else 'L'}{a:.1f} {b:.1f}"
        for i, (a, b) in enumerate(zip(x, y, strict=True))
    )
    return words, (float(x[-1]), float(y[-1]))
