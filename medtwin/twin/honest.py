"""Forecasts that learn from their own misses: wider after each miss, narrower while they hold,
and moved by what keeps coming back (`lasting`).

Adaptive conformal inference, Gibbs & Candes (2021), Adv Neural Inf Process Syst 34, here on the
logarithm of a stretch of each horizon's intervals.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from medtwin.twin.lasting import Lasting, moved, nothing
from medtwin.twin.ledger import LedgerEntry
from medtwin.twin.mix import Weights, levels

promised = 0.9
pace = 0.02  # one miss widens by 1.8 %, one hit narrows by 0.2 %
narrowest, widest = np.log(0.5), np.log(2.5)


@dataclass(frozen=True)
class Stretch:
    """The logarithm by which each horizon's intervals are stretched; 0 where nothing is known.

    `lasting` is what keeps coming back in the misses of each horizon."""

    of: Mapping[float, float] = field(default_factory=dict)
    lasting: Mapping[float, Lasting] = field(default_factory=dict)

    def at(self, horizon: float) -> float:
        """How much this horizon's intervals are multiplied by."""
        return float(np.exp(self.of.get(horizon, 0.0)))


def learned(stretch: Stretch, scored: Iterable[LedgerEntry]) -> Stretch:
    """The stretch after these forecasts came to be judged; only those that were shown count."""
    of, lasting = dict(stretch.of), dict(stretch.lasting)
    for e in scored:
        if e.by == "shown" and e.measured is not None:
            held = bool(e.quantiles[0] <= e.measured <= e.quantiles[-1])
            of[e.horizon] = _moved(of.get(e.horizon, 0.0), held)
            known, missed = lasting.get(e.horizon, nothing), e.measured - e.mean
            lasting[e.horizon] = moved(known, e.made.timestamp(), missed)
    return Stretch(of, lasting)


def rehearsed(stretch: Stretch, horizon: float, off: Float[np.ndarray, " scored"]) -> Stretch:
    """The stretch after forecasts that missed by so much, in units of their 90 % interval's
    half width (1 is just inside)."""
    now = stretch.of.get(horizon, 0.0)
    for miss in off:
        now = _moved(now, bool(miss <= np.exp(now)))
    return replace(stretch, of={**stretch.of, horizon: now})


def stretched(w: Weights, stretch: Stretch) -> Weights:
    """The weights with each horizon's misses stretched about their median, and moved."""
    middle = w.misses[:, [int(np.argmin(np.abs(levels - 0.5)))]]
    factor = np.array([[stretch.at(h)] for h in w.horizons])
    lasting = tuple(stretch.lasting.get(h, nothing) for h in w.horizons)
    return replace(w, misses=middle + factor * (w.misses - middle), lasting=lasting)


def _moved(now: float, held: bool) -> float:
    after = now + pace * ((promised - 1) if held else promised)
    return float(np.clip(after, narrowest, widest))
