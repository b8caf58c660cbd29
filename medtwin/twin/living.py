"""A twin as a filter sees it: what is unknown of this body, how it moves, what a sensor shows.

The unknowns are the states, the parameters that differ between people (as logarithms where they
are positive), and what the sensor adds of its own. Any filter of `maths.filters` may follow them;
all of its points or members go through the compiled lanes in one call.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model, moment_on_clock, on_clock
from medtwin.engine.simulate import advance
from medtwin.maths.filters.filter import Doing, Dynamics, Gaussian
from medtwin.maths.kalman import Events, rate, reading, taken
from medtwin.record.codes import Code
from medtwin.twin.regimes import switched, within
from medtwin.twin.timeline import Timeline, events
from medtwin.twin.twin import Twin

Array = np.ndarray


@dataclass(frozen=True)
class Sensor:
    """What stands between the body and a reading, besides a reading's own noise.

    A slow error with standard deviation `bias` (in the code's unit) that is forgotten within
    `bias_minutes` (first-order autoregression), and a first-order delay of `lag_minutes`, as of a
    sensor under the skin. Facchinetti et al. (2014), IEEE Trans Biomed Eng 61:620. The sensor
    shows one code.
    """

    bias: float = 0.0
    bias_minutes: float = 60.0
    lag_minutes: float = 0.0


@dataclass(frozen=True)
class Unknowns:
    """Which rows of a belief are what. After the parameters come the regime, where the model has
    some and none is given as the only one, and then the sensor's own rows."""

    model: Model[Any]
    learned: tuple[int, ...]
    fixed: Float[np.ndarray, " parameter"]
    sensor: Sensor
    regime: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Each row by name; a parameter's row is its logarithm where it is positive."""
        told = [fields(self.model.parameters)[i].name for i in self.learned]
        extra = [*(["regime"] * self.switches)]
        extra += [*(["sensor bias"] * self._biased), *(["sensor level"] * self._lagged)]
        return (*self.model.states, *told, *extra)

    @property
    def switches(self) -> int:
        """1 where the regime is a row of its own."""
        return int(bool(self.model.regimes) and self.regime is None)

    def regimes(self, z: Array) -> Array:
        """The regime each member is in."""
        if not self.switches:
            return np.full(z.shape[1], self.regime or 0)
        row = len(self.model.states) + len(self.learned)
        return np.clip(np.rint(z[row]), 0, len(self.model.regimes) - 1).astype(np.int64)

    @property
    def _biased(self) -> int:
        return int(self.sensor.bias > 0)

    @property
    def _lagged(self) -> int:
        return int(self.sensor.lag_minutes > 0)

    def states(self, z: Array) -> Array:
        """The states of each member; none below nothing, but where the model is linear."""
        x = z[: len(self.model.states)]
        return x if self.model.linear else held_up(self.model, x)

    def parameters(self, z: Array) -> Array:
        """All parameters of each member as they are in its regime."""
        return within(self.model, self.own(z), self.regimes(z))

    def own(self, z: Array) -> Array:
        """All parameters of each member, within their bounds, whatever its regime."""
        told = np.repeat(self.fixed[:, None], z.shape[1], axis=1)
        for row, i in enumerate(self.learned, len(self.model.states)):
            meta = fields(self.model.parameters)[i].metadata
            value = np.exp(np.minimum(z[row], 700.0)) if meta["cv"] > 0 else z[row]
            told[i] = np.clip(value, meta["low"], meta["high"])
        return told

    def bias(self, z: Array) -> Array:
        """The slow error of each member's sensor."""
        return z[len(self.names) - 1 - self._lagged] if self._biased else np.zeros(z.shape[1])

    def level(self, z: Array, which: int) -> Array:
        """What each member's sensor holds, before its error."""
        return z[-1] if self._lagged else self.body(z, which)

    def body(self, z: Array, which: int) -> Array:
        """What the body itself would show."""
        told = self.model.parameters(*self.parameters(z))
        shown = list(self.model.observe(tuple(self.states(z)), told).values())[which]
        return np.broadcast_to(shown, z.shape[1]).astype(float)


def unknowns(twin: Twin, sensor: Sensor | None = None, regime: int | None = None) -> Unknowns:
    """What a filter is to learn of this twin; nobody's parameters where the model is linear. In a
    `regime`, if one is given, and else in whichever it may be."""
    told = [f.metadata for f in fields(twin.model.parameters)]
    learned = [i for i, m in enumerate(told) if m["cv"] > 0 or m.get("sd", 0.0) > 0]
    differ = [i for i in learned if np.ptp(twin.parameters[i]) > 0]
    which = () if twin.model.linear else tuple(differ)
    return Unknowns(
        twin.model, which, np.median(twin.parameters, axis=1), sensor or Sensor(), regime
    )


def held_up(model: Model[Any], x: Array) -> Array:
    """States of which none is below nothing, but those that may be."""
    signed = np.array([name in model.signed for name in model.states])
    return np.where(signed[:, None], x, np.maximum(x, 0.0))


def heard(model: Model[Any], code: Code, value: Any) -> Any:
    """A value of this code on the scale on which the model's readings err."""
    if code not in model.logarithmic:
        return value
    return np.log(np.maximum(value, 0.0) + model.logarithmic[code] + 1e-300)


def unheard(model: Model[Any], code: Code, value: Any) -> Any:
    """Back from that scale."""
    if code not in model.logarithmic:
        return value
    return np.exp(np.minimum(value, 700.0)) - model.logarithmic[code]


def members(twin: Twin, what: Unknowns) -> Float[np.ndarray, "unknown member"]:
    """The twin's members as rows of unknowns; the sensor starts without error, at the level."""
    told = [fields(twin.model.parameters)[i].metadata["cv"] > 0 for i in what.learned]
    own = [np.log(row) if log else row for row, log in zip(_rows(twin, what), told, strict=True)]
    z = np.vstack([twin.states, *own])
    extra = len(what.names) - len(z)
    z = np.vstack([z, np.zeros((extra, twin.members))])
    if what.switches and twin.regimes is not None:
        z[len(twin.states) + len(own)] = twin.regimes
    if what.sensor.lag_minutes > 0:
        z[-1] = what.body(z, 0)
    return z


def believed(twin: Twin, what: Unknowns) -> Gaussian:
    """Mean and covariance of what the twin does not know."""
    z = members(twin, what)
    spread = np.cov(z) if z.shape[1] > 1 else np.zeros((len(z), len(z)))
    covariance = spread.reshape(len(z), len(z))
    if twin.spread is not None:
        rows = [twin.model.states.index(name) for name in twin.model.linear]
        covariance[np.ix_(rows, rows)] += twin.spread.mean(axis=-1)
    if what.sensor.bias > 0:
        row = what.names.index("sensor bias")
        covariance[row, row] = what.sensor.bias**2
    return Gaussian(twin.at, z.mean(axis=1), covariance)


@dataclass(frozen=True)
class Life:
    """What was given, in order of UTC seconds, and each channel's rate from then on.

    A rate is NaN where nobody has said, and the usual one is in force.
    """

    at: Float[np.ndarray, " event"]
    which: Int[np.ndarray, " event"]
    amount: Float[np.ndarray, " event"]
    rates: Float[np.ndarray, "event channel"]
    first: Float[np.ndarray, " channel"]


def life(twin: Twin, timeline: Timeline) -> Life:
    """What happens to this twin besides being read; `which` is -1 where only a rate changes."""
    happened, _ = events(timeline, twin.ends)
    told = np.ptp(twin.running, axis=1) == 0 if twin.running.size else np.zeros(0, bool)
    first = np.where(told, twin.running.mean(axis=1), np.nan) if len(told) else np.zeros(0)
    rows, rates = np.flatnonzero(happened.kind != reading), first.copy()
    in_force = []
    for k in rows:
        if happened.kind[k] != taken:
            rates[happened.which[k]] = _rate(happened, int(k))
        in_force.append(rates.copy())
    which = np.where(happened.kind[rows] == taken, happened.which[rows], -1)
    at = np.round(60 * happened.minutes[rows], 3)
    stacked = np.array(in_force).reshape(len(rows), len(first))
    return Life(at, which, happened.amount[rows], stacked, first)


def dynamics(what: Unknowns, lived: Life) -> Dynamics:
    """How the unknowns move through this life, in UTC seconds, and what is shown of them."""
    noisy = _noisy(what)
    biased = what.sensor.bias > 0
    codes = shown_codes(what.model)
    return Dynamics(
        moved=lambda z, chance, begin, end: _moved(what, lived, noisy, z, chance, begin, end),
        shown=lambda z, which: heard(what.model, codes[which], what.level(z, which) + what.bias(z)),
        error=lambda z, which: _error(what, z, which),
        chances=len(noisy) + int(biased) + what.switches,
        done=lambda z, doing: _done(what, z, doing),
    )


def _rows(twin: Twin, what: Unknowns) -> Array:
    return twin.parameters[list(what.learned)]


def _rate(happened: Events, k: int) -> float:
    return float(happened.amount[k]) if happened.kind[k] == rate else np.nan


def _noisy(what: Unknowns) -> tuple[int, ...]:
    """The states that wander, found by asking at a place where none is nothing."""
    model = what.model
    if model.noise is None:
        return ()
    x, u = tuple(np.ones(len(model.states))), tuple(np.ones(len(model.channels)))
    sizes = model.noise(0.0, x, u, model.parameters(*what.fixed))
    return tuple(i for i, size in enumerate(sizes) if np.any(np.asarray(size) != 0))


def _moved(
    what: Unknowns,
    lived: Life,
    noisy: tuple[int, ...],
    z: Array,
    chance: Array,
    begin: float,
    end: float,
) -> Array:
    """Every member from `begin` to `end`, through what is given on the way."""
    z = _switched(what, z, chance, end - begin)
    after, p = z.copy(), what.parameters(z)
    x, clock = what.states(z), begin
    inside = np.flatnonzero((lived.at >= begin) & (lived.at < end))
    rates = _before(lived, begin)
    for k in inside:
        x = _carried(what.model, x, p, clock, lived.at[k], _filled(what.model, rates, p))
        x = _taken(what.model, x, p, int(lived.which[k]), float(lived.amount[k]))
        rates, clock = lived.rates[k], float(lived.at[k])
    x = _carried(what.model, x, p, clock, end, _filled(what.model, rates, p))
    after[: len(x)] = x
    if noisy:
        after[list(noisy)] += _wandered(what.model, x, p, rates, noisy, chance, begin, end)
    return _sensed(what, z, after, chance, end - begin)


def _switched(what: Unknowns, z: Array, chance: Array, seconds: float) -> Array:
    """Every member in the regime that it lives this stretch in; the last chance decides."""
    if not what.switches:
        return z
    z = z.copy()
    row = len(what.model.states) + len(what.learned)
    z[row] = switched(what.model, what.regimes(z), chance[-1], seconds)
    return z


def _done(what: Unknowns, z: Array, doing: Doing) -> Array:
    after, p = z.copy(), what.parameters(z)
    x = _taken(what.model, what.states(z), p, doing.which, doing.amount)
    after[: len(x)] = x
    return after


def _before(lived: Life, begin: float) -> Array:
    past = int(np.searchsorted(lived.at, begin, side="left"))
    return lived.rates[past - 1] if past else lived.first


def _filled(model: Model[Any], rates: Array, p: Array) -> Array:
    """The rates in force for each member; where nobody has said, the usual one."""
    told = np.repeat(rates[:, None], p.shape[1], axis=1)
    if model.usual is None:
        return np.nan_to_num(told)
    usual = [np.broadcast_to(u, p.shape[1]) for u in model.usual(model.parameters(*p))]
    return np.where(np.isnan(told), np.stack(usual), told) if len(told) else told


def _carried(model: Model[Any], x: Array, p: Array, begin: float, end: float, u: Array) -> Array:
    if end <= begin:
        return x
    now, lasting = moment_on_clock(model, begin), on_clock(model, end - begin)
    return advance(model, np.ascontiguousarray(x), p, now, now + lasting, u).states


def _taken(model: Model[Any], x: Array, p: Array, which: int, amount: float) -> Array:
    if which < 0:
        return x
    taken_up = model.take(tuple(x), model.inputs[which], amount, model.parameters(*p))
    return np.stack([np.broadcast_to(s, x.shape[1]) for s in taken_up]).astype(float)


def _wandered(
    model: Model[Any],
    x: Array,
    p: Array,
    rates: Array,
    noisy: tuple[int, ...],
    chance: Array,
    begin: float,
    end: float,
) -> Array:
    """The model's own noise over the interval."""
    assert model.noise is not None  # noqa: S101  only asked where there is some
    u = tuple(_filled(model, rates, p))
    sizes = model.noise(moment_on_clock(model, begin), tuple(x), u, model.parameters(*p))
    size = np.stack([np.broadcast_to(sizes[i], x.shape[1]) for i in noisy])
    return np.sqrt(on_clock(model, end - begin)) * size * chance[: len(noisy)]


def _sensed(what: Unknowns, z: Array, after: Array, chance: Array, seconds: float) -> Array:
    """The sensor's own rows, moved on: its error, and its delay behind a straight course."""
    sensor, minutes = what.sensor, seconds / 60
    if sensor.lag_minutes > 0:
        begun, ended = what.body(z, 0), what.body(after, 0)
        behind = (ended - begun) / minutes * sensor.lag_minutes
        left = np.exp(-minutes / sensor.lag_minutes)
        after[-1] = ended - behind + (z[-1] - begun + behind) * left
    if sensor.bias > 0:
        kept = np.exp(-minutes / sensor.bias_minutes)
        row = what.names.index("sensor bias")
        after[row] = kept * z[row] + sensor.bias * np.sqrt(1 - kept**2) * chance[-1 - what.switches]
    return after


def _error(what: Unknowns, z: Array, which: int) -> Array:
    """A reading's own error: the model's where it has one, else the code's."""
    told = what.model.parameters(*what.parameters(z))
    x = tuple(what.states(z))
    code = list(what.model.observe(x, told))[which]
    sd = code.noise if what.model.error is None else list(what.model.error(x, told))[which]
    return np.broadcast_to(np.asarray(sd, float), z.shape[1])
