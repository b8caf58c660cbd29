"""The last value of everything measured of one person."""

from dataclasses import dataclass
from functools import partial

from medtwin.record.record import Record
from medtwin.vault.consent import Purpose
from medtwin.web.bedside.origins import way
from medtwin.web.page import Visit
from medtwin.web.views.tiles import Tile, tiles


@dataclass(frozen=True)
class Vitals:
    """The tiles."""

    patient: str
    tiles: tuple[Tile, ...]


def vitals(visit: Visit) -> Vitals:
    """The tiles alone, as they are asked for when something arrives."""
    record = visit.vault.record(visit.who, visit.patient, Purpose.care, by=visit.now)
    return of_record(visit, record)


def of_record(visit: Visit, record: Record) -> Vitals:
    """The tiles of this record."""
    return Vitals(
        visit.patient, tiles(record, visit.region, visit.now, partial(way, visit.patient))
    )
