"""Glucose and its forecast on one axis, and the forecast in words."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.twin.forecast import Forecast
from medtwin.vault.consent import Purpose
from medtwin.web import region as reader
from medtwin.web.bedside.ahead import AHEAD, Closed, expected
from medtwin.web.bedside.origins import way
from medtwin.web.page import Visit
from medtwin.web.twins import lines
from medtwin.web.views.glucose import Chart, chart
from medtwin.web.views.plans import percent

HOURS = ("8", "24", "72")
READS = (30, 60, 120)
STALE = timedelta(minutes=20)


@dataclass(frozen=True)
class Ahead:
    """One look into the forecast, in words."""

    when: str
    middle: str
    interval: str


@dataclass(frozen=True)
class GlucosePart:
    """Glucose, its forecast, and how old both are."""

    patient: str
    chart: Chart
    empty: bool
    stale: str
    closed: Closed | None
    made: str
    by: str
    reads: tuple[Ahead, ...]
    risk: str
    hours: str
    choices: tuple[str, ...]


def glucose(visit: Visit) -> GlucosePart:
    """The glucose part alone, as it is asked for when something arrives."""
    since = visit.now - timedelta(hours=72)
    wanted = (codes.glucose, codes.carbohydrate, codes.insulin_bolus)
    record = visit.vault.record(
        visit.who, visit.patient, Purpose.care, by=visit.now, since=since, codes=wanted
    )
    return of_record(visit, record)


def of_record(visit: Visit, record: Record) -> GlucosePart:
    hours = visit.choice("hours", HOURS)
    since = visit.now - timedelta(hours=int(hours))
    ahead, closed = expected(visit)
    seen = record[codes.glucose].current
    last = reader.utc(float(seen.at[-1])) if len(seen) else None
    stale = last is not None and visit.now - last > timedelta(minutes=20)
    return GlucosePart(
        patient=visit.patient,
        chart=chart(
            *(record, lines(ahead) if ahead else None, visit.region, visit.now, since),
            way=partial(way, visit.patient),
        ),
        empty=last is None,
        stale=reader.lasting(visit.now - last) if last and stale else "",
        closed=closed,
        made=reader.clock(ahead.made, visit.region, visit.now) if ahead else "",
        by=ahead.by if ahead else "",
        reads=tuple(_read(ahead, m, visit) for m in READS) if ahead else (),
        risk=risk(ahead) if ahead else "",
        hours=hours,
        choices=HOURS,
    )


def _read(ahead: Forecast, minutes: int, visit: Visit) -> Ahead:
    row = minutes // 5 - 1
    low, middle, high = (float(v) for v in ahead.band(0.9)[:, row])
    figures = [reader.figure(codes.glucose, v, visit.region) for v in (low, high)]
    return Ahead(
        f"in {minutes} min",
        reader.amount(codes.glucose, middle, visit.region),
        f"90 %: {figures[0]} to {figures[1]} {visit.region.glucose}",
    )


def risk(ahead: Forecast) -> str:
    """The chances that matter, over the hours shown."""
    low, high = ahead.chance(ahead.paths < 70), ahead.chance(ahead.paths > 250)
    hours = AHEAD.total_seconds() / 3600
    return f"chance within {hours:g} h of a low: {percent(low)}, of very high: {percent(high)}"
