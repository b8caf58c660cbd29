"""Patterns across everything that is known of one person: seen, not proven to be a cause.

Days are the unit: the mean of what is measured, the sum of what is added up. Readings of
neighbouring days resemble each other, so every test counts only as many days as stand for
themselves (Bartlett 1935; Pyper and Peterman 1998, Can J Fish Aquat Sci 55:2127). All that was
looked at is counted, and what is told is held to a false discovery rate of 5 % (Benjamini and
Hochberg 1995, J R Stat Soc B 57:289), a quarter of it for each of the four kinds of regularity.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from itertools import permutations

import numpy as np
from jaxtyping import Float
from scipy.stats import false_discovery_control, fisher_exact, norm, rankdata, t

from medtwin.record.codes import Code, Kind
from medtwin.record.priority import counted, summed
from medtwin.record.record import Record, Series, moment

Daily = Float[np.ndarray, " day"]
rate = 0.05  # of false discoveries among what is told
fewest = 28  # days with data
most_codes = 12  # those with the most days
lags = (0, 1, 2)  # days
kinds = ("together", "change", "week", "missing")
day = 86400.0


@dataclass(frozen=True)
class Pattern:
    """One regularity: a sentence, an estimate with its 95 % interval, days that count, and `q`.

    `q` is the false discovery rate at which it would just be told.
    """

    kind: str
    says: str
    estimate: float
    low: float
    high: float
    n: int
    p: float
    q: float = 1.0


@dataclass(frozen=True)
class Patterns:
    """What is told, the surest first, and how many regularities were looked for."""

    looked: int
    told: tuple[Pattern, ...]


@dataclass(frozen=True)
class Course:
    """One kind of fact day by day; NaN where nothing was said."""

    code: Code
    values: Daily

    @property
    def amount(self) -> str:
        """What a day's figure is."""
        return "a day's " if summed(self.code) else ""


def patterns(record: Record, zone: tzinfo = UTC) -> Patterns:
    """Everything that can be looked for in this record, and what of it is to be told."""
    first, courses = daily(record, zone)
    found = [*_together(courses), *_shifts(courses, first), *_weekends(courses, first)]
    found += _missing(courses, first)
    if not found:
        return Patterns(0, ())
    told = [f for kind in kinds for f in _sure([f for f in found if f.kind == kind])]
    return Patterns(len(found), tuple(sorted(told, key=lambda f: f.q)))


def _sure(found: list[Pattern]) -> Iterator[Pattern]:
    """Those of one kind that survive having looked at so many."""
    if found:
        q = len(kinds) * false_discovery_control([f.p for f in found])
        yield from (replace(f, q=float(v)) for f, v in zip(found, q, strict=True) if v <= rate)


def daily(record: Record, zone: tzinfo) -> tuple[int, tuple[Course, ...]]:
    """The first day (since 1970, on the reader's clock), and the kinds known on the most days."""
    told = (Kind.measurement, Kind.dose, Kind.meal)
    whole = {c: counted(record, c) for c in record.columns if c.kind in told}
    days = {c: _days(s, zone) for c, s in whole.items() if len(s) >= fewest}
    enough = {c: d for c, d in days.items() if len(np.unique(d)) >= fewest}
    chosen = sorted(enough, key=lambda c: (-len(np.unique(enough[c])), c.id))[:most_codes]
    if not chosen:
        return 0, ()
    first = min(int(enough[c].min()) for c in chosen)
    last = max(int(enough[c].max()) for c in chosen)
    return first, tuple(
        Course(c, _course(c, enough[c] - first, whole[c], last - first + 1)) for c in chosen
    )


def _days(series: Series, zone: tzinfo) -> np.ndarray:
    """Each fact's day on this clock; a day's offset is that of its noon in Greenwich."""
    whole, each = np.unique(np.floor(series.at / day), return_inverse=True)
    offsets = [
        zone.utcoffset(moment(d * day + day / 2).astimezone(zone).replace(tzinfo=None))
        for d in whole
    ]
    seconds = np.array([o.total_seconds() if o else 0.0 for o in offsets])
    return np.floor((series.at + seconds[each]) / day).astype(int)


def _course(code: Code, at: np.ndarray, series: Series, size: int) -> Daily:
    sums, counts = (np.bincount(at, w, size) for w in (series.value, np.ones(len(at))))
    known = counts > 0
    values = np.full(size, np.nan)
    values[known] = sums[known] if summed(code) else sums[known] / counts[known]
    return values


# What goes together


def _together(courses: tuple[Course, ...]) -> Iterator[Pattern]:
    """Every pair on the same day, and each before the other by one and two days."""
    for a, b in permutations(courses, 2):
        for lag in lags:
            if lag or a.code.id < b.code.id:
                yield from _pair(a, b, lag)


def _pair(a: Course, b: Course, lag: int) -> Iterator[Pattern]:
    x, y = a.values[: len(a.values) - lag], b.values[lag:]
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < fewest or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
        return
    one, other = (_ranks(v, both) for v in (x, y))
    r = float(np.corrcoef(one[both], other[both])[0, 1])
    n = standing(one, other)
    z, wide = np.arctanh(np.clip(r, -0.999999, 0.999999)), 1.06 / np.sqrt(max(n - 3, 1))
    p = 2 * norm.sf(abs(z) / wide)  # Fieller, Hartley and Pearson 1957 for Spearman's
    low, high = np.tanh([z - 1.96 * wide, z + 1.96 * wide])
    when = ("on the same day", "the day after", "two days after")[lag]
    less = f"{'more' if r > 0 else 'less'} {b.amount}{b.code.name}"
    says = f"on days with more {a.amount}{a.code.name}, there was {less} {when}"
    yield Pattern("together", says, r, float(low), float(high), round(n), float(p))


def _ranks(values: Daily, both: np.ndarray) -> Daily:
    """Ranks of the days that both know, a slow trend over the whole taken off."""
    at, found = np.flatnonzero(both).astype(float), np.full(len(values), np.nan)
    ranks = rankdata(values[both])
    slope, level = np.polyfit(at, ranks, 1)
    found[both] = rankdata(ranks - slope * at - level)
    return found


def standing(x: Daily, y: Daily) -> float:
    """How many days stand for themselves, where those of both resemble their neighbours."""
    n = float((np.isfinite(x) & np.isfinite(y)).sum())
    inverse = 1 / n
    for lag in range(1, min(int(n // 5), 30) + 1):
        inverse += 2 / n * (1 - lag / n) * alike(x, lag) * alike(y, lag)
    return float(np.clip(1 / max(inverse, 1e-9), 4.0, n))


def alike(values: Daily, lag: int) -> float:
    """How a day resembles the one so many days before it."""
    a, b = values[:-lag], values[lag:]
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 10:
        return 0.0
    middle, spread = np.nanmean(values), np.nanvar(values)
    return float(np.mean((a[both] - middle) * (b[both] - middle)) / spread) if spread > 0 else 0.0


# What changed


def _shifts(courses: tuple[Course, ...], first: int) -> Iterator[Pattern]:
    """The day since when a level is another, by shuffled weeks of what came before and after."""
    for c in courses:
        known = np.flatnonzero(np.isfinite(c.values))
        values, rng = c.values[known], np.random.default_rng(len(known))
        if np.ptp(values) == 0:
            continue
        seen, at = _break(values[None, :])
        weeks = [values[i : i + 7] for i in range(0, len(values), 7)]
        order = (rng.permutation(len(weeks)) for _ in range(999))
        shuffled = np.stack([np.concatenate([weeks[i] for i in o]) for o in order])
        p = (1 + np.sum(_break(shuffled)[0] >= seen[0])) / 1000
        before, after = values[: at[0]], values[at[0] :]
        change, wide = _difference(after, before)
        since = moment(float(first + known[at[0]] + 0.5) * day)
        says = f"since {since:%-d %b %Y}, {_moved(c, change)}"
        yield Pattern("change", says, change, change - wide, change + wide, len(values), float(p))


def _moved(c: Course, change: float) -> str:
    way = "higher" if change > 0 else "lower"
    return f"{c.amount}{c.code.name} was {way} by {abs(change):.3g} {c.code.unit}"


def _break(rows: Float[np.ndarray, "row day"]) -> tuple[np.ndarray, np.ndarray]:
    """How far the two sides of the best cut are apart (CUSUM, Page 1954), and where it is."""
    n = rows.shape[1]
    centred = rows - rows.mean(axis=1, keepdims=True)
    k = np.arange(1, n)
    size = np.abs(np.cumsum(centred, axis=1)[:, :-1]) / np.sqrt(k * (n - k) / n)
    size[:, :6], size[:, -6:] = 0.0, 0.0
    return size.max(axis=1), size.argmax(axis=1) + 1


def _difference(
    one: Float[np.ndarray, " after"], other: Float[np.ndarray, " before"]
) -> tuple[float, float]:
    """Difference of means and half its 95 % interval, by the days that stand for themselves."""
    parts = [(v.var(ddof=1) / standing(v, v), standing(v, v)) for v in (one, other)]
    error = float(np.sqrt(sum(v for v, _ in parts)))
    wide = t.ppf(0.975, max(sum(n for _, n in parts) - 2, 1)) * error
    return float(one.mean() - other.mean()), float(wide)


# The week, and silence


def _weekend(size: int, first: int) -> np.ndarray:
    """Saturdays and Sundays; 1 January 1970 was a Thursday."""
    return (np.arange(size) + first + 3) % 7 >= 5


def _weekends(courses: tuple[Course, ...], first: int) -> Iterator[Pattern]:
    for c in courses:
        free, known = _weekend(len(c.values), first), np.isfinite(c.values)
        one, other = c.values[free & known], c.values[~free & known]
        if min(len(one), len(other)) < 8 or np.ptp(c.values[known]) == 0:
            continue
        change, wide = _difference(one, other)
        freedom = max(standing(one, one) + standing(other, other) - 2, 1)
        error = wide / t.ppf(0.975, freedom)
        p = float(2 * t.sf(abs(change) / max(error, 1e-12), freedom))
        says = f"on weekends, {_moved(c, change)}"
        n = int(known.sum())
        yield Pattern("week", says, change, change - wide, change + wide, n, p)


def _missing(courses: tuple[Course, ...], first: int) -> Iterator[Pattern]:
    """Whether days without data are more often weekends (Fisher's exact test)."""
    for c in courses:
        inside = np.flatnonzero(np.isfinite(c.values))
        values = c.values[inside[0] : inside[-1] + 1]
        free, gone = _weekend(len(values), first + int(inside[0])), np.isnan(values)
        if gone.sum() < 5:
            continue
        counts = [[int((g & f).sum()) for f in (free, ~free)] for g in (gone, ~gone)]
        p = np.asarray(fisher_exact(counts)[1])
        shares = [counts[0][k] / max(counts[0][k] + counts[1][k], 1) for k in (0, 1)]
        change, totals = shares[0] - shares[1], (int(free.sum()), int((~free).sum()))
        error = sum(s * (1 - s) / max(n, 1) for s, n in zip(shares, totals, strict=True)) ** 0.5
        says = (
            f"days without {c.code.name} were {'more' if change > 0 else 'less'} often weekends: "
            f"{shares[0]:.0%} of weekends against {shares[1]:.0%} of weekdays"
        )
        low, high = change - 1.96 * error, change + 1.96 * error
        yield Pattern("missing", says, change, low, high, len(values), float(p))
