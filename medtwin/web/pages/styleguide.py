"""Every part the pages are made of, on one page, with invented figures."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.web.page import Page, Visit
from medtwin.web.views.alerts import Row, rows
from medtwin.web.views.glucose import Ahead, Chart, chart
from medtwin.web.views.journey import Journey, journey
from medtwin.web.views.tiles import Pill, Tile, tiles

TONES = ("critical", "warning", "notice", "good")
SWATCHES = (
    "paper", "tile-c", "sunk", "accent", "critical", "warning", "notice", "good",
    "b50", "b80", "b90", "range",
)  # fmt: skip


@dataclass(frozen=True)
class Guide:
    """One of each part."""

    tones: tuple[str, ...]
    swatches: tuple[str, ...]
    pills: tuple[Pill, ...]
    tiles: tuple[Tile, ...]
    alerts: tuple[Row, ...]
    chart: Chart
    journey: Journey


def view(visit: Visit) -> Guide:
    """The parts, in the reader's units and theme."""
    now = visit.now.replace(minute=0, second=0, microsecond=0)
    record = invented(now)
    return Guide(
        TONES,
        SWATCHES,
        (Pill("in range", "good"), Pill("stale", "warning", "clock"), Pill("very low", "critical")),
        tiles(record, visit.region, now),
        rows(invented_alerts(now), visit.region, now, ""),
        chart(record, invented_ahead(now), visit.region, now, now - timedelta(hours=8)),
        journey(record, now - timedelta(days=2), now, visit.region),
    )


def invented(now: datetime) -> Record:
    """A record nobody has: two smooth days, so that the parts have something to show."""

    def fact(hours: float, code: codes.Code, value: float) -> Observation:
        at = now - timedelta(hours=hours)
        return Observation(at, code, value, "invented", at)

    hours = np.arange(48, 0, -1 / 12)
    wave = 135 + 45 * np.sin(hours / 2.1) + 12 * np.sin(hours * 1.7)
    facts = [fact(float(h), codes.glucose, float(v)) for h, v in zip(hours, wave, strict=True)]
    for day in (0, 24):
        for hour, grams in ((4, 60), (10, 45), (16, 30)):
            facts.append(fact(day + hour, codes.carbohydrate, grams))
            facts.append(fact(day + hour + 0.1, codes.insulin_bolus, grams / 10))
    facts += [fact(24 * d, codes.weight, 71 + d / 9) for d in (1, 30, 90)]
    facts += [fact(24 * 200, codes.hba1c, 7.1)]
    return Record("invented").add(facts)


def invented_ahead(now: datetime) -> Ahead:
    """A fan that opens with time, as doubt does."""
    minutes = np.arange(0, 185, 5.0)
    middle = 118 - 28 * np.sin(minutes / 110) + minutes / 14
    wide = 4 + 6 * np.sqrt(minutes / 5)
    bands = {
        c: (middle - z * wide, middle + z * wide)
        for c, z in ((0.5, 0.67), (0.8, 1.28), (0.9, 1.64))
    }
    return Ahead(now.timestamp() + 60 * minutes, middle, bands, now, "invented")


def invented_alerts(now: datetime) -> list[dict[str, object]]:
    """One of each urgency, one seen often, one acknowledged."""

    def one(number: int, urgency: str, headline: str, because: str, **more: object) -> dict:
        at = now - timedelta(minutes=7 * number)
        return {
            "id": number,
            "urgency": urgency,
            "headline": headline,
            "because": because,
            "at": at,
            **more,
        }

    return [
        one(1, "now", "Glucose may fall very low", "42 % chance below 54 mg/dL within the hour"),
        one(2, "soon", "The sensor may be stuck", "118 mg/dL ten times in a row", count=3),
        one(3, "note", "No glucose data", "nothing for 25 min; it usually reads every 5 min"),
        one(
            4,
            "note",
            "Two devices disagree",
            "by 3.9 standard errors",
            acknowledged_by="A. Example",
        ),
    ]


page = Page(
    "styleguide", "Style guide", "/styleguide", "the parts the pages are made of, one of each", view
)
