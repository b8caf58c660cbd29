"""What was amended and what was taken back: the words before the last word are kept, and shown."""

import numpy as np
from jaxtyping import Bool

from medtwin.record.observation import WITHDRAWN
from medtwin.record.record import Series


def amended(series: Series) -> Bool[np.ndarray, " fact"]:
    """Which facts of `series.current` were said otherwise before, by the same source."""
    now = series.current
    if len(now) == len(series):
        return np.zeros(len(now), dtype=bool)
    said = np.stack([series.at, series.source.astype(float)])
    each, times = np.unique(said, axis=1, return_counts=True)
    often = {(a, s) for (a, s), n in zip(each.T, times, strict=True) if n > 1}
    return np.array([(a, s) in often for a, s in zip(now.at, now.source, strict=True)], dtype=bool)


def taken_back(series: Series) -> Series:
    """What a source took back, as it was said before; in the order it was true."""
    if series.says is None or not np.any(series.says == WITHDRAWN):
        return series.keep(slice(0, 0))
    order = np.lexsort((series.known, series.source, series.at))
    at, source, says = series.at[order], series.source[order], series.says[order]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (at[1:] != at[:-1]) | (source[1:] != source[:-1])
    group = np.concatenate([[0], np.cumsum(last)[:-1]])
    ended = set(group[last & (says == WITHDRAWN)])
    before = np.flatnonzero((says != WITHDRAWN) & np.isin(group, list(ended)))
    newest = {group[i]: i for i in before}
    return series.keep(order[sorted(newest.values())])
