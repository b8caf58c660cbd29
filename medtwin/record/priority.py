"""Two devices measured the same thing: which to believe, so that nothing counts twice."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from medtwin.record.record import Series


def preferred(series: Series, order: Sequence[str], within: float) -> Series:
    """Of what several sources say within so many seconds, what the first in `order` says.

    Rows come back in the order they were true, corrections applied. A source that `order`
    does not name is never dropped and drops nobody: we were not told that it measures the
    same thing. Works the same for readings (the trusted sensor wins) and for amounts such as
    doses or steps (the same dose told by pump and app is one dose).
    """
    now = series.current
    rank = ranks(now.sources, order)[now.source]
    keep = np.ones(len(now), dtype=bool)
    for place in range(1, len(order)):
        better = now.at[keep & (rank < place)]
        mine = rank == place
        keep[mine] = ~near(now.at[mine], better, within)
    return now.keep(keep)


def ranks(sources: Sequence[str], order: Sequence[str]) -> Float[np.ndarray, " source"]:
    """Each source's place in the order; infinite for one the order does not name."""
    places = {name: float(i) for i, name in enumerate(order)}
    return np.array([places.get(s, np.inf) for s in sources])


def near(
    at: Float[np.ndarray, " seen"], others: Float[np.ndarray, " other"], within: float
) -> Bool[np.ndarray, " seen"]:
    """Which times lie within so many seconds of one of the others (which are sorted)."""
    if not len(others):
        return np.zeros(len(at), dtype=bool)
    after = np.searchsorted(others, at).clip(0, len(others) - 1)
    before = (after - 1).clip(0)
    gap = np.minimum(np.abs(others[after] - at), np.abs(others[before] - at))
    return gap <= within
