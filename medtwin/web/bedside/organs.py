"""The twins of one person's other organs: what each expects to be read next, and how it did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medtwin.care.organs import Expected, brought_up, covered, followed, shows
from medtwin.engine.model import Model
from medtwin.record.codes import Code
from medtwin.record.record import Record, moment
from medtwin.twin.forecast import Forecast
from medtwin.twin.ledger import LedgerEntry, honesty
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.web import region as reader
from medtwin.web.bedside.ahead import Closed
from medtwin.web.page import Visit
from medtwin.web.region import Region

HEADS = ("when", "expected", "nine times in ten")


@dataclass(frozen=True)
class Reading:
    """One thing a twin expects to be read: the last value, and the next ones with their doubt."""

    name: str
    last: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Organ:
    """One twin: its name, what it rests on, what it expects, and its own track record in words."""

    name: str
    because: str
    readings: tuple[Reading, ...]
    record: str


@dataclass(frozen=True)
class OrgansPart:
    """Every twin of this person besides that of glucose, or why none is shown."""

    patient: str
    heads: tuple[str, ...]
    organs: tuple[Organ, ...]
    closed: Closed | None


def of_record(visit: Visit, record: Record) -> OrgansPart:
    """The twins that this person's record can feed, brought to now."""
    models = tuple(followed([c for c in record.columns if len(record[c])]))
    if not models:
        return OrgansPart(visit.patient, HEADS, (), None)
    try:
        found = tuple(_organ(visit, record, model) for model in models)
    except Refused as refused:
        closed = Closed(refused.decision.because, consent=True)
        return OrgansPart(visit.patient, HEADS, (), closed)
    return OrgansPart(visit.patient, HEADS, tuple(o for o in found if o is not None), None)


def _organ(visit: Visit, record: Record, model: Model[Any]) -> Organ | None:
    known = brought_up(visit.vault, visit.who, visit.patient, model, visit.now)
    if known is None:
        return None
    ledger = visit.vault.ledger(visit.who, visit.patient, Purpose.twin)
    given = sum(len(record[c].current) for c in covered(model) if c not in shows(model))
    return Organ(
        name=_capital(model.name),
        because=(
            f"{_meanwhile(known)} It has learned from {known.twin.facts - given} readings "
            f"and {given} things given. "
            f"Model: {model.reference}."
        ),
        readings=tuple(_reading(visit, record, ahead) for ahead in known.ahead),
        record=_track([e for e in ledger if e.by == model.name]),
    )


def _reading(visit: Visit, record: Record, ahead: Forecast) -> Reading:
    seen, region = record[ahead.code].current, visit.region
    value = reader.amount(ahead.code, float(seen.value[-1]), region)
    last = f"{value}, {reader.age(moment(seen.at[-1]), visit.now)}"
    rows = tuple(
        _row(ahead.code, at, band, visit.now, region)
        for at, band in zip(ahead.times, ahead.band(0.9).T, strict=True)
    )
    return Reading(_capital(ahead.code.name), last, rows)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _meanwhile(known: Expected) -> str:
    """What is taken to happen until then."""
    if known.twin.running.any():
        return "This is what comes if what runs now goes on."
    if not known.plan:
        return "This is what comes if nothing more is given."
    return "This is what comes if the doses of the last week go on."


def _row(
    code: Code, at: datetime, band: Iterable[float], now: datetime, region: Region
) -> tuple[str, ...]:
    low, middle, high = (reader.figure(code, float(v), region) for v in band)
    return (reader.age(at, now), f"{middle} {reader.unit(code, region)}", f"{low} to {high}")


def _track(kept: Sequence[LedgerEntry]) -> str:
    done = [e for e in kept if e.measured is not None]
    if not done:
        return "No reading has come yet that it had foretold."
    held = round(honesty(done).cover90 * len(done))
    return (
        f"It foretold {len(done)} readings before they came; "
        f"{held} lay in the range given for nine times in ten."
    )
