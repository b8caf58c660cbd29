"""How far each reading is to be trusted: doubtful ones count for less, none is thrown away.

Each rule gives a factor on the standard error of a reading, so that a doubt is added as variance: a
deviation `d` that a sound sensor of standard error `s` would not show makes it sqrt(1 + (d/s)^2)
times as wide. Rules that need what came after (a spike that returns, a dip that recovers) speak in
hindsight; the others at once, from what was known then.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.record import Series, nothing

Each = Float[np.ndarray, " reading"]
minute, hour = 60.0, 3600.0
fastest = 4.0  # mg/dL/min: the rates that Kovatchev et al. 2004 (Diabetes Care 27:1922) grade
silent = 2 * hour  # a sensor that starts anew says nothing for its warm-up
first_day = 24 * hour
# Wadwa et al. 2018 (Diabetes Technol Ther 20:395): within 20 % or 20 mg/dL on day 1 88.6 % of
# readings, over ten days 92.3 %. Normal errors that wide stand as 1.768 to 1.580.
new_sensor = 1.12
repeats_told = 12  # as care/stuck.py: an hour of five-minute readings
scale_ends = (40.0, 400.0)
agreeing = 0.2  # 20 % of a reference of 100 mg/dL and more, 20 mg/dL below: 21 CFR 862.1355
REFERENCE = re.compile(r"calibrat|finger|meter|strip|laborat|capillar", re.IGNORECASE)
believed = 12 * hour  # how long a disagreement with a reference is held against the sensor


@dataclass(frozen=True)
class Doubt:
    """Why some readings are doubted: `factor` widens their standard error, 1 where nothing is."""

    name: str
    because: str
    source: str
    factor: Each
    at_once: bool

    @property
    def doubted(self) -> Bool[np.ndarray, " reading"]:
        """Which readings."""
        return self.factor > 1


@dataclass(frozen=True)
class Quality:
    """The readings of `series.current`, and every doubt about them."""

    doubts: tuple[Doubt, ...]
    size: int

    @property
    def factor(self) -> Each:
        """How much wider than usual each reading's standard error is, seen from today."""
        return _together([d.factor for d in self.doubts], self.size)

    @property
    def factor_at_once(self) -> Each:
        """The same from what was known when each reading came."""
        return _together([d.factor for d in self.doubts if d.at_once], self.size)

    def because(self, i: int) -> tuple[str, ...]:
        """What is to be said of one reading."""
        return tuple(
            f"{d.name}: {d.because} ({d.source}); counts as {d.factor[i]:.1f} times as uncertain"
            for d in self.doubts
            if d.factor[i] > 1
        )


def _together(factors: Sequence[Each], size: int) -> Each:
    """Doubts of different causes add up as variances."""
    extra = sum((f**2 - 1 for f in factors), np.zeros(size))
    return np.sqrt(1 + extra)


def quality(code: Code, series: Series, reference: Series = nothing) -> Quality:
    """Every doubt about the readings of a code, source by source.

    `reference` holds what a meter or a laboratory measured of the same thing; if none is given, it
    is what such a source says in the series itself.
    """
    now = series.current
    truer = np.array([bool(REFERENCE.search(s)) for s in now.sources], dtype=bool)[now.source]
    reference = reference if len(reference) else now.keep(truer)
    rules: tuple[Rule, ...] = (spike, implausible_change, stuck)
    if code == codes.glucose:
        rules = (*rules, warm_up, compression)
    found = [_by_source(rule, code, now) for rule in rules]
    if len(reference):
        off = drift(code, now.keep(~truer), reference)
        factor = np.ones(len(now))
        factor[~truer] = off.factor
        found.append(replace(off, factor=factor))
    return Quality(tuple(d for d in found if d.doubted.any()), len(now))


Rule = Callable[[Code, Each, Each], Doubt]


def _by_source(rule: Rule, code: Code, now: Series) -> Doubt:
    """A rule looks at one device at a time."""
    factor, told = np.ones(len(now)), rule(code, np.empty(0), np.empty(0))
    for source in range(len(now.sources)):
        mine = np.flatnonzero(now.source == source)
        if len(mine):
            factor[mine] = rule(code, now.at[mine], now.value[mine]).factor
    return Doubt(told.name, told.because, told.source, factor, told.at_once)


def _widened(code: Code, deviation: Each) -> Each:
    return np.sqrt(1 + (deviation / max(code.noise, 1e-9)) ** 2)


def _fits(code: Code, at: Each) -> bool:
    """Enough readings, of something with a known error."""
    return code.noise > 0 and len(at) >= 3


def spike(code: Code, at: Each, value: Each) -> Doubt:
    """One reading far from both neighbours, which agree: an artefact.

    Three standard errors and more from the middle of the two, which differ by less than that.
    """
    factor = np.ones(len(at))
    if _fits(code, at):
        before, here, after = value[:-2], value[1:-1], value[2:]
        away = here - (before + after) / 2
        near = (np.diff(at)[:-1] <= 20 * minute) & (np.diff(at)[1:] <= 20 * minute)
        alone = near & (np.abs(away) > 3 * code.noise * np.sqrt(1.5))
        alone &= np.abs(after - before) < 3 * code.noise
        factor[1:-1] = np.where(alone, _widened(code, away), 1.0)
    because = "it stands alone between two readings that agree"
    return Doubt("artefact", because, "three standard errors, Hampel 1974", factor, at_once=False)


def implausible_change(code: Code, at: Each, value: Each) -> Doubt:
    """A step faster than a body changes; for glucose only, whose fastest rates are known."""
    factor = np.ones(len(at))
    if code == codes.glucose and _fits(code, at):
        excess = _excess(code, at, value, 1)
        before = np.concatenate([[0.0], excess[:-1]]) > 0
        back = np.minimum(excess, _excess(code, at, value, 2))  # to where it was two readings ago
        factor = _widened(code, np.where(before, back, excess))
    because = f"it moved faster than {fastest:g} mg/dL a minute since the reading before"
    basis = "rates graded by Kovatchev 2004"
    return Doubt("implausible change", because, basis, factor, at_once=True)


def _excess(code: Code, at: Each, value: Each, behind: int) -> Each:
    """How much further each reading is from the one so many behind than a body moves."""
    found, gap = np.zeros(len(at)), at[behind:] - at[:-behind]
    away = np.abs(value[behind:] - value[:-behind]) - fastest * gap / minute - code.noise
    found[behind:] = np.where(gap <= hour, np.maximum(away, 0.0), 0.0)
    return found


def stuck(code: Code, at: Each, value: Each) -> Doubt:
    """The same number again and again tells once, not each time."""
    factor = np.ones(len(at))
    if _fits(code, at):
        same = np.concatenate([[False], (np.diff(value) == 0) & (np.diff(at) <= 20 * minute)])
        count = np.arange(len(at)) - np.maximum.accumulate(np.where(same, 0, np.arange(len(at))))
        ends = (value <= scale_ends[0]) | (value >= scale_ends[1])
        off = (count >= repeats_told) & ~(ends & (code == codes.glucose))
        factor = np.where(off, np.sqrt(count + 1.0), 1.0)
    because = f"the same number {repeats_told} times and more in a row"
    return Doubt("stuck", because, "repeats in AZT1D, care/stuck.py", factor, at_once=True)


def warm_up(code: Code, at: Each, value: Each) -> Doubt:
    """The first day after a silence as long as a sensor's change; of five-minute sensors only."""
    factor = np.ones(len(at))
    if len(at) > 50 and np.median(np.diff(at)) <= 15 * minute:
        gap = np.concatenate([[0.0], np.diff(at)])
        began = np.maximum.accumulate(np.where(gap >= silent, at, -np.inf))
        factor = np.where(at - began < first_day, new_sensor, 1.0)
    because = "the first day of a sensor after a silence"
    return Doubt("new sensor", because, "Wadwa 2018", factor, at_once=True)


def compression(code: Code, at: Each, value: Each) -> Doubt:
    """A sudden dip that recovers within an hour as fast as it came: somebody lay on the sensor.

    A fall of 25 mg/dL and more within 15 minutes to under 80 mg/dL, back to within 15 mg/dL of
    where it was within the hour (the shape Baysal et al. 2014 describe, J Diabetes Sci Technol
    8:1091; the limits are ours). A low that was treated rises as well; so it is doubted, not
    deleted, and no alarm is taken back.
    """
    factor = np.ones(len(at))
    if _fits(code, at):
        for begin in np.flatnonzero(_falls(at, value)):
            end = int(np.searchsorted(at, at[begin] + hour, side="right"))
            back = np.flatnonzero(value[begin + 1 : end] >= value[begin] - 15)
            low = value[begin + 1 : end] <= value[begin] - 25
            back = back[back > np.flatnonzero(low)[0]] if low.any() else back[:0]
            if len(back) and value[begin + 1 : begin + 1 + back[0]].min() < 80:
                dip = slice(begin + 1, begin + 1 + int(back[0]))
                factor[dip] = np.maximum(factor[dip], _widened(code, value[begin] - value[dip]))
    because = "a sudden dip that recovered as fast as it came, as when one lies on the sensor"
    return Doubt("pressed sensor", because, "shape of Baysal 2014", factor, at_once=False)


def _falls(at: Each, value: Each) -> Bool[np.ndarray, " reading"]:
    """From where the value falls by 25 and more within 15 minutes."""
    found = np.zeros(len(at), dtype=bool)
    for ahead in (1, 2, 3):
        quick = at[ahead:] - at[:-ahead] <= 15 * minute
        found[:-ahead] |= quick & (value[:-ahead] - value[ahead:] >= 25)
    return found


def drift(code: Code, now: Series, reference: Series) -> Doubt:
    """A sensor that disagreed with the last reference is doubted by as much as it disagreed."""
    factor, true = np.ones(len(now)), reference.current
    last = np.searchsorted(true.at, now.at, side="right") - 1
    for k in range(len(true.at)):
        near = np.flatnonzero(np.abs(now.at - true.at[k]) <= 10 * minute)
        if not len(near) or code.noise <= 0:
            continue
        away = float(np.median(now.value[near]) - true.value[k])
        allowed = (
            max(20.0, agreeing * float(true.value[k])) if code == codes.glucose else 3 * code.noise
        )
        if abs(away) > allowed:
            held = (last == k) & (now.at - true.at[k] <= believed)
            factor[held] = _widened(code, np.full(int(held.sum()), away))
    because = "it disagreed with the last finger-prick or laboratory value"
    return Doubt("drift", because, "20 % or 20 mg/dL, 21 CFR 862.1355", factor, at_once=True)
