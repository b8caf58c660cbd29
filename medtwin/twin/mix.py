"""The forecast that is shown: mechanism and statistical heads, mixed as far as the ledger
supports it, with intervals stretched until they are honest.

Weights: stacking by constrained least squares, Breiman (1996), Machine Learning 24:49, drawn
towards equal shares. Intervals: quantiles of past standardised misses, which is split conformal
prediction (Lei et al. 2018, JASA 113:1094).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls
from scipy.stats import norm

from medtwin.twin.forecast import Forecast
from medtwin.twin.lasting import Lasting, comes_back, nothing, rehearsed
from medtwin.twin.ledger import LedgerEntry

mechanism = "mechanism"
levels = np.array([0.005, 0.025, *np.arange(1, 20) / 20, 0.975, 0.995])
equal_worth = 60.0
"""How many scored forecasts the belief in equal shares and normal misses is worth."""
decay = 60.0
"""How fast (minutes) the heads' correction fades beyond their last horizon."""


@dataclass(frozen=True)
class Said:
    """What one head says: mean and sd at each horizon (minutes ahead), in the code's unit."""

    by: str
    horizons: tuple[float, ...]
    mean: Float[np.ndarray, " horizon"]
    spread: Float[np.ndarray, " horizon"]


@dataclass(frozen=True)
class Weights:
    """How much each head counts at each horizon (shares sum to 1), and what its misses looked
    like: quantiles of (measured - mean)/spread at `levels`. `n` forecasts stand behind them.
    `lasting` is what keeps coming back in this person's misses, where that is known; `silent` is
    what counts instead while the heads of a silent sensor speak."""

    by: tuple[str, ...]
    horizons: tuple[float, ...]
    share: Float[np.ndarray, "horizon head"]
    misses: Float[np.ndarray, "horizon level"]
    n: int
    lasting: tuple[Lasting, ...] = ()
    silent: "Weights | None" = None

    def now(self, said: Sequence[Said]) -> "Weights":
        """Those that count where these heads speak."""
        if self.silent is None:
            return self
        return self.silent if any(s.by in self.silent.by for s in said if speaks(s)) else self

    def comes_back(self, made: float) -> Float[np.ndarray, " horizon"]:
        """What to add to the mix at each horizon, made at that moment (UTC seconds)."""
        known = self.lasting or (nothing,) * len(self.horizons)
        return np.array([comes_back(one, made) for one in known])


def alone(horizons: Sequence[float] = (15, 30, 45, 60, 90, 120)) -> Weights:
    """Before there is a ledger: the mechanism alone, its own intervals."""
    count = len(horizons)
    misses = np.tile(norm.ppf(levels), (count, 1))
    return Weights((mechanism,), tuple(horizons), np.ones((count, 1)), misses, 0)


def weights(kept: Sequence[LedgerEntry], by: Sequence[str]) -> Weights:
    """What the scored entries support, from the moments at which every one of `by` spoke.

    Without any, the mechanism alone.
    """
    rows = together(kept, by)
    if not rows:
        return alone()
    parts = [arrays([v for _, v in row], by) for row in rows.values()]
    found = weighed(tuple(by), tuple(map(float, rows)), parts)
    made = [np.array([m.timestamp() for m, _ in row]) for row in rows.values()]
    return replace(found, lasting=_lasting(found, made, parts))


Row = tuple[datetime, Mapping[str, LedgerEntry]]


def together(kept: Sequence[LedgerEntry], by: Sequence[str]) -> dict[int, list[Row]]:
    """The moments, by horizon, at which every one of `by` spoke and was scored, in time order."""
    spoken: dict[tuple[int, datetime], dict[str, LedgerEntry]] = {}
    for e in kept:
        if e.measured is not None and e.by in by:
            spoken.setdefault((round(e.horizon), e.made), {})[e.by] = e
    whole = {k: v for k, v in spoken.items() if len(v) == len(by)}
    return {
        at: sorted(((m, v) for (h, m), v in whole.items() if h == at), key=lambda row: row[0])
        for at in sorted({h for h, _ in whole})
    }


Part = tuple[
    Float[np.ndarray, "head _"],
    Float[np.ndarray, "head _"],
    Float[np.ndarray, " _"],
]
"""Mean and spread that each head gave, and what was measured."""


def _lasting(w: Weights, made: Sequence[np.ndarray], parts: Sequence[Part]) -> tuple[Lasting, ...]:
    return tuple(
        rehearsed(at, measured - share @ mean, h)[0]
        for at, (mean, _, measured), share, h in zip(made, parts, w.share, w.horizons, strict=True)
    )


def weighed(
    by: tuple[str, ...],
    horizons: tuple[float, ...],
    parts: Sequence[Part],
    apart: int = 1,
) -> Weights:
    """Weights from mean and spread of each head, and what was measured, for each horizon.

    Of `apart` forecasts one alone stands for itself, where they overlap so much."""
    shares, misses = [], []
    for mean, spread, measured in parts:
        share = stacked(mean, measured, apart)
        missed = (measured - share @ mean) / (share @ spread)
        shares.append(share)
        misses.append(_quantiles(missed, apart))
    count = min(len(measured) for _, _, measured in parts)
    return Weights(by, horizons, np.array(shares), np.array(misses), count)


def stacked(
    mean: Float[np.ndarray, "head scored"],
    measured: Float[np.ndarray, " scored"],
    apart: int = 1,
) -> Float[np.ndarray, " head"]:
    """Shares, none negative and summing to 1, with the least squared miss; of `apart` forecasts one
    stands for itself."""
    heads, n = mean.shape
    scale = float(np.mean((mean - measured) ** 2)) ** 0.5 + 1e-9
    off = (mean - measured).T / scale  # sum(share) = 1, so the mix's miss is share @ off
    equal = np.sqrt(equal_worth * apart / heads) * np.eye(heads)
    firm = 1e4 * np.ones((1, heads)) * np.sqrt(n + 1.0)
    left = np.vstack([off, equal, firm])
    right = np.concatenate([np.zeros(n), equal.sum(axis=0) / heads, firm[0, :1]])
    share, _ = nnls(left, right)
    return share / share.sum()


def mixed(said: Sequence[Said], w: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of the mix at the horizons of `w`; heads that are silent, or have no number
    to say, lend their share to those that speak."""
    spoken = {s.by: s for s in said if speaks(s)}
    here = [i for i, name in enumerate(w.by) if name in spoken]
    share = w.share[:, here]
    total = share.sum(axis=1, keepdims=True)
    share = np.where(total > 1e-9, share / np.maximum(total, 1e-9), 1.0 / max(1, len(here)))
    mean = np.stack([_at(spoken[w.by[i]], w.horizons, "mean") for i in here], axis=1)
    spread = np.stack([_at(spoken[w.by[i]], w.horizons, "spread") for i in here], axis=1)
    return (share * mean).sum(axis=1), (share * spread).sum(axis=1)


def speaks(said: Said) -> bool:
    """Whether there is a number behind it: a head without a recent reading has none."""
    return bool(np.isfinite(said.mean).all() and np.isfinite(said.spread).all())


def shown(own: Forecast, said: Sequence[Said], w: Weights, made: datetime, tell: Said) -> Forecast:
    """The mechanism's paths, moved and stretched so that their distribution is the mix's.

    `tell` is what the mechanism itself says at the horizons of `w`. Each path keeps its rank.
    """
    w = w.now(said)
    tell = replace(
        tell,
        horizons=w.horizons,
        mean=_at(tell, w.horizons, "mean"),
        spread=_at(tell, w.horizons, "spread"),
    )
    mean, spread = mixed([tell, *said], w)
    mean = mean + w.comes_back(made.timestamp())
    minutes = np.array([(t - made).total_seconds() / 60 for t in own.times])
    horizons = np.array(w.horizons)
    fade = np.exp(-np.maximum(minutes - horizons[-1], 0.0) / decay)
    shift = _between(minutes, horizons, mean - tell.mean, start=0.0) * fade
    ratio = _between(minutes, horizons, np.log(spread / tell.spread), start=None) * fade
    centre, sd = own.paths.mean(axis=1), own.paths.std(axis=1)
    rank = (own.paths.argsort(axis=1).argsort(axis=1) + 0.5) / own.paths.shape[1]
    shape = np.stack([_between(minutes, horizons, m, start=None) for m in w.misses.T], axis=1)
    z = np.stack([_bent(r, s) for r, s in zip(rank, shape, strict=True)])
    paths = (centre + shift)[:, None] + (sd * np.exp(ratio))[:, None] * z
    return replace(own, paths=np.maximum(paths, own.code.low), made=made, by="shown")


def _bent(rank: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Standardised misses at these ranks; straight in normal scores beyond the outer levels."""
    score, known = norm.ppf(rank), norm.ppf(levels)
    inner = np.interp(score, known, quantiles)
    low, high = quantiles[0] / known[0], quantiles[-1] / known[-1]
    return np.where(score < known[0], score * low, np.where(score > known[-1], score * high, inner))


def _between(
    minutes: np.ndarray, horizons: np.ndarray, values: np.ndarray, start: float | None
) -> np.ndarray:
    """Straight between horizons, held beyond the last; before the first from `start` at 0."""
    if start is None:
        return np.interp(minutes, horizons, values)
    return np.interp(minutes, [0.0, *horizons], [start, *values])


def _at(said: Said, horizons: Sequence[float], what: str) -> np.ndarray:
    return np.interp(horizons, said.horizons, getattr(said, what))


def _quantiles(missed: np.ndarray, apart: int) -> np.ndarray:
    """Empirical quantiles of the misses, drawn towards the normal's while there are few; further
    out where few of them stand for themselves (the n + 1 of split conformal prediction)."""
    trust = len(missed) / (len(missed) + equal_worth)
    n = max(len(missed) / apart, 1.0)
    further = (levels - 0.5) * (n + 1) / n + 0.5 if apart > 1 else levels
    return trust * np.quantile(missed, np.clip(further, 0.0, 1.0)) + (1 - trust) * norm.ppf(levels)


def arrays(rows: Sequence[Mapping[str, LedgerEntry]], by: Sequence[str]) -> Part:
    """Mean and spread of each of `by`, and what was measured, row by row."""
    mean = np.array([[r[name].mean for r in rows] for name in by])
    spread = np.array([[r[name].spread for r in rows] for name in by])
    return mean, spread, np.array([r[by[0]].measured for r in rows], dtype=float)
