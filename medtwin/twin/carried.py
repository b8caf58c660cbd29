"""A twin whose belief a filter carries: unscented, mixed regimes, or particles that remember.

The belief goes on event by event; members are drawn of what is believed last. Chance is keyed by
the time of each event, so that facts one by one give the bits that facts at once give.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model, seconds_in
from medtwin.maths.filters.filter import Doing, Event, Filter, Reading
from medtwin.maths.filters.gaussian import unscented
from medtwin.maths.filters.regimes import Mixture, regimes
from medtwin.maths.filters.remembering import remembering
from medtwin.maths.kalman import Events, rate, reading, taken
from medtwin.twin import ensemble
from medtwin.twin.filters import at_birth, begun, by_beginning, chosen, sampled
from medtwin.twin.living import Life, Unknowns, believed, dynamics, heard, unknowns
from medtwin.twin.random import stream
from medtwin.twin.regimes import longest, switching
from medtwin.twin.timeline import Timeline, events
from medtwin.twin.twin import Carried, Twin, ensemble_members

Array = np.ndarray
live = {"unscented", "regimes", "remembering"}
"""The filters that a twin may live by here; the exact one and the ensemble live elsewhere."""
particles = 1000
most_pieces = 50


def learned(twin: Twin, timeline: Timeline) -> Twin:
    """The twin after living through these rows."""
    carried = twin.carried or first_belief(twin)
    happened, ends = events(timeline, twin.ends)
    running = _told(twin)
    for k in range(len(happened)):
        at = round(60 * float(happened.minutes[k]), 3)
        carried = _reached(twin, carried, at)
        carried = _stepped(twin, carried, _event(twin.model, happened, k, at))
        if happened.kind[k] not in {reading, taken}:
            running = running.copy()
            told = happened.kind[k] == rate
            running[int(happened.which[k])] = happened.amount[k] if told else np.nan
            carried = replace(carried, rates=np.vstack([carried.rates, np.r_[at, running]]))
    read = carried.read + int((happened.kind == reading).sum())
    carried = replace(_trimmed(carried), read=read)
    if read == 0:  # whoever was born lives on, until a reading tells who is more likely
        return replace(ensemble.learned(twin, timeline), carried=carried)
    after = replace(
        twin,
        at=float(timeline.at[-1]),
        ends=ends,
        told=max(twin.told, float(timeline.known.max())),
        facts=twin.facts + len(timeline),
        carried=carried,
    )
    return drawn_of(after, running)


def first_belief(twin: Twin) -> Carried:
    """What the filter of this twin's model believes at birth, from the members."""
    name = chosen(twin.model).name
    what = unknowns(twin, regime=0 if name == "regimes" else None)
    rates = np.r_[twin.at, _told(twin)][None]
    prior = at_birth(twin, what) if name in by_beginning else believed(twin, what)
    blank = Carried(name, what.learned, prior, rates)
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, "belief")
    return replace(blank, belief=_filter(twin, blank).init(prior, rng))


def drawn_of(twin: Twin, running: Float[np.ndarray, " channel"]) -> Twin:
    """The same twin with members drawn of what is believed, under these rates."""
    carried = twin.carried
    if carried is None:
        return twin
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, "members")
    z, regime = _members(carried, rng)
    what = _what(twin, carried, 0)
    p = what.own(z)
    return replace(
        twin,
        states=what.states(z),
        parameters=p,
        running=_in_force(twin.model, p, running),
        regimes=regime if twin.model.regimes else None,
    )


def _members(carried: Carried, rng: np.random.Generator) -> tuple[Array, Int[np.ndarray, " m"]]:
    """So many equally likely members and the regime of each."""
    count, belief = ensemble_members, carried.belief
    if isinstance(belief, Mixture):
        regime = np.sort(rng.choice(len(belief.chances), count, p=belief.chances))
        every = np.stack([sampled(b, count, rng) for b in belief.beliefs])
        return every[regime, :, np.arange(count)].T, regime
    z = sampled(belief, count, rng)
    row = len(z) - 1  # the regime's, where there is one: no sensor has rows here
    return z, np.rint(z[row]).astype(np.int64)


def _in_force(model: Model[Any], p: Array, running: Array) -> Array:
    """Each member's rates; the usual one where nobody has said."""
    told = np.repeat(running[:, None], p.shape[1], axis=1)
    if model.usual is None or not len(told):
        return np.nan_to_num(told)
    usual = [np.broadcast_to(u, p.shape[1]) for u in model.usual(model.parameters(*p))]
    return np.where(np.isnan(told), np.stack(usual), told)


def _told(twin: Twin) -> Float[np.ndarray, " channel"]:
    """The rates in force that somebody has told; NaN where it is the usual one."""
    if twin.carried is not None:
        return twin.carried.rates[-1, 1:]
    same = np.ptp(twin.running, axis=1) == 0 if twin.running.size else np.zeros(0, bool)
    return np.where(same, twin.running.mean(axis=1), np.nan) if len(same) else np.zeros(0)


def _event(model: Model[Any], happened: Events, k: int, at: float) -> Event:
    which, amount = int(happened.which[k]), float(happened.amount[k])
    if happened.kind[k] == taken:
        return Doing(at, which, amount)
    if happened.kind[k] != reading:
        return Reading(at, np.nan)
    return Reading(at, float(heard(model, shown_codes(model)[which], amount)), which)


def _reached(twin: Twin, carried: Carried, at: float) -> Carried:
    """The belief on the way to that time, in pieces where chance or regimes act meanwhile."""
    begin = carried.belief.at
    count = min(max(int(np.ceil((at - begin) / _piece(twin.model))), 1), most_pieces)
    for end in np.linspace(begin, at, count + 1)[1:-1]:
        carried = _stepped(twin, carried, Reading(float(end), np.nan))
    return carried


def _piece(model: Model[Any]) -> float:
    noisy = 20 * model.step * seconds_in[model.clock] if model.noise else np.inf
    return min(noisy, longest(model))


def _stepped(twin: Twin, carried: Carried, event: Event) -> Carried:
    kind = "given" if isinstance(event, Doing) else "time" if np.isnan(event.value) else "reading"
    purpose = f"{carried.filter} {kind} {event.which}"
    rng = stream(twin.seed, twin.patient, twin.model.name, event.at, purpose)
    belief, _ = _filter(twin, carried).step(carried.belief, event, rng)
    return replace(carried, belief=belief)


def _filter(twin: Twin, carried: Carried) -> Filter:
    lived = _rates(carried)
    if carried.filter == "regimes":
        each = range(len(twin.model.regimes))
        filters = [unscented(dynamics(_what(twin, carried, j), lived)) for j in each]
        return regimes(filters, lambda s: switching(twin.model, s), np.eye(len(filters))[0])
    what = _what(twin, carried, None)
    moves = dynamics(what, lived)
    if carried.filter == "unscented":
        return unscented(moves)
    return remembering(moves, lambda first: begun(what, first), particles)


def _what(twin: Twin, carried: Carried, regime: int | None) -> Unknowns:
    seen = unknowns(twin, regime=regime)
    return replace(seen, learned=carried.learned)


def _rates(carried: Carried) -> Life:
    """What ran since when, and nothing else."""
    at, rates = carried.rates[:, 0], carried.rates[:, 1:]
    nothing = np.full(len(at), -1)
    return Life(at, nothing, np.zeros(len(at)), rates, rates[0])


def _trimmed(carried: Carried) -> Carried:
    """Without rates that are over, where no past is lived again."""
    return carried if carried.filter in by_beginning else replace(carried, rates=carried.rates[-1:])
