"""A person's twin as the pages need it: brought up to date, and looked ahead from."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from threading import Lock
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.care.admission import birth_of, kept_heads, supported
from medtwin.learning.head import Learned
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record, facts, moment
from medtwin.twin.assimilate import assimilate, caught_up
from medtwin.twin.bytes import dumped, loaded
from medtwin.twin.forecast import Forecast, forecast
from medtwin.twin.heads import speaking
from medtwin.twin.loop import speak
from medtwin.twin.mix import Said, Weights, shown
from medtwin.twin.timeline import places
from medtwin.twin.twin import Twin
from medtwin.vault.consent import Purpose
from medtwin.web.page import Visit
from medtwin.web.views.glucose import COVERAGES, Ahead

HELD = 64
IN_STEP = timedelta(days=14)
LOOKS_BACK = timedelta(days=14)
STEP = timedelta(minutes=5)


class NoTwin(LookupError):
    """There is nothing yet that a twin could be born from."""


@dataclass
class Unpacked:
    """The last twins read from the vault, unpacked; a twin's bytes are its name here.

    Only what the vault has just handed out to this very request is looked up, so nothing is
    shown from here that consent does not allow.
    """

    twins: OrderedDict[bytes, Twin] = field(default_factory=OrderedDict)
    weights: dict[tuple[str, date, tuple[str, ...]], Weights] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock)

    def of(self, kept: bytes) -> Twin:
        """The twin of these bytes."""
        name = blake2b(kept, digest_size=16).digest()
        with self.lock:
            found = self.twins.get(name)
        twin = found or loaded(kept)
        with self.lock:
            self.twins[name] = twin
            self.twins.move_to_end(name)
            if len(self.twins) > HELD:
                self.twins.popitem(last=False)
        return twin


unpacked = Unpacked()


def twin_of(visit: Visit, patient: str) -> Twin:
    """The twin as of the newest fact; born from the record where none was kept. `Refused` or
    `NoTwin` where there can be none."""
    kept = visit.vault.checkpoint(visit.who, patient, model.name, Purpose.twin)
    if kept is None:
        return _newborn(visit, patient)
    twin = unpacked.of(kept)
    since = moment(twin.at)
    still_measured(visit, since)
    record = visit.vault.record(
        visit.who, patient, Purpose.twin, by=visit.now, since=since, codes=places(model)
    )
    return assimilate(twin, later(record, twin.at))


def still_measured(visit: Visit, last: datetime) -> None:
    """Raises `NoTwin` where the newest fact is too old for a twin to be in step with it."""
    if visit.now - last > IN_STEP:
        raise NoTwin(
            f"the newest reading is from {last:%d %B %Y}, and a twin follows what is measured "
            f"now: {IN_STEP.days} days at most may lie between; bring in newer data"
        )


def later(record: Record, at: float) -> list[Observation]:
    """What the twin has not lived through yet."""
    new = [fact for code, s in record.columns.items() for fact in facts(code, s.keep(s.at > at))]
    return sorted(new, key=lambda fact: fact.at)


def _newborn(visit: Visit, patient: str) -> Twin:
    record = visit.vault.record(visit.who, patient, Purpose.twin, by=visit.now)
    if not len(record[codes.glucose]):
        raise NoTwin("no glucose was ever measured, and this twin learns from glucose")
    still_measured(visit, moment(record[codes.glucose].at.max()))
    twin = caught_up([birth_of(patient, record, visit.now)], record, visit.now)
    at = moment(twin.at)
    visit.vault.keep(visit.who, dumped(twin), patient, model.name, at, Purpose.twin)
    return twin


def mix_of(visit: Visit, twin: Twin, at: datetime) -> tuple[Weights, Said, tuple[Said, ...]]:
    """How far the ledger supports mechanism and heads today, and what each says now.

    Asked for only after the vault has handed out this person's twin to this very request.
    """
    patient = twin.patient
    followed = visit.ward.at_hand.following.get(patient) if visit.ward else None
    if followed is not None:
        told, weights = followed.record.known(by=at), followed.weights
        own = speak(twin, codes.glucose, at, weights.horizons, ())
        return weights, own, tuple(head(told, at, (), own) for head in followed.heads)
    learned = kept_heads(visit.vault, patient)
    weights = weights_of(visit, patient, learned)
    own = speak(twin, codes.glucose, at, weights.horizons, ())
    if not learned:
        return weights, own, ()
    since = visit.now - LOOKS_BACK
    record = visit.vault.record(visit.who, patient, Purpose.twin, by=visit.now, since=since)
    return weights, own, tuple(speaking(one)(record, at, (), own) for one in learned)


def weights_of(visit: Visit, patient: str, learned: tuple[Learned, ...]) -> Weights:
    """What this person's ledger supports today; the same all day, so it is read once."""
    name = (patient, visit.now.date(), tuple(one.head for one in learned))
    if name not in unpacked.weights:
        ledger = visit.vault.ledger(visit.who, patient, Purpose.twin, visit.now - LOOKS_BACK)
        if len(unpacked.weights) >= HELD:
            unpacked.weights.clear()
        unpacked.weights[name] = supported(ledger, visit.now, learned)
    return unpacked.weights[name]


def times(twin: Twin, now: datetime, ahead: timedelta) -> tuple[datetime, ...]:
    """Every five minutes from now on; a twin that is ahead of the clock begins at its own time."""
    start = max(now, moment(twin.at))
    return tuple(start + STEP * i for i in range(1, int(ahead / STEP) + 1))


def looked_ahead(visit: Visit, twin: Twin, ahead: timedelta) -> Forecast:
    """Glucose as expected from now on: the forecast shown, calibrated by what the ledger holds."""
    start = max(visit.now, moment(twin.at))
    weights, own, said = mix_of(visit, twin, start)
    paths = forecast(twin, codes.glucose, times(twin, visit.now, ahead))
    return shown(paths, said, weights, start, own)


def lines(seen: Forecast) -> Ahead:
    """A forecast as the lines a chart draws."""
    bands = {c: seen.band(c) for c in COVERAGES}
    return Ahead(
        _seconds(seen.times),
        bands[COVERAGES[0]][1],
        {c: (b[0], b[2]) for c, b in bands.items()},
        seen.made,
        seen.by,
    )


def _seconds(at: Sequence[datetime]) -> Float[np.ndarray, " time"]:
    return np.array([t.timestamp() for t in at])
