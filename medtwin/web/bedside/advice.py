"""What could be done now, within stated limits, or why nothing is said."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from medtwin.record import codes
from medtwin.record.record import moment
from medtwin.twin.recommend import Limits, Recommendation, Withheld, recommend
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.web import region as reader
from medtwin.web.bedside.ahead import AHEAD, Closed
from medtwin.web.bedside.track import LOOKS_BACK
from medtwin.web.page import Visit
from medtwin.web.region import Region
from medtwin.web.twins import NoTwin, looked_ahead, twin_of
from medtwin.web.views.alerts import in_units
from medtwin.web.views.plans import signed

LIMITS = Limits()
DOUBTS = ("sensor_stuck", "sources_disagree")
WORDS = {
    codes.carbohydrate: "{} of carbohydrate now",
    codes.insulin_bolus: "A bolus of {} now",
}


@dataclass(frozen=True)
class Advice:
    """A recommendation with its reason, or why there is none."""

    patient: str
    headline: str
    because: str
    change: str
    limits: str
    withheld: str
    closed: Closed | None


def advice(visit: Visit) -> Advice:
    """One thing to do now, withheld while the twin's own record does not support it."""
    try:
        twin = twin_of(visit, visit.patient)
        since = visit.now - LOOKS_BACK
        ledger = visit.vault.ledger(visit.who, visit.patient, Purpose.twin, since)
        start = max(visit.now, moment(twin.at))  # news may come while the page is made
        doubt = sensor_in_doubt(visit)
        if doubt:
            return nothing(visit, withheld=in_units(doubt, visit.region))
        seen = looked_ahead(visit, twin, AHEAD)
        found = recommend(twin, seen, ledger, last_reading(visit), start, LIMITS)
    except Refused as refused:
        return nothing(visit, closed=Closed(refused.decision.because, consent=True))
    except NoTwin as none:
        return nothing(visit, closed=Closed(str(none), consent=False))
    if isinstance(found, Withheld):
        return nothing(visit, withheld=in_units(found.because, visit.region))
    return said(visit, found)


def last_reading(visit: Visit) -> datetime:
    """When glucose was last measured; `NoTwin` where that is more than a day ago."""
    since = visit.now - timedelta(days=1)
    record = visit.vault.record(
        visit.who, visit.patient, Purpose.twin, by=visit.now, since=since, codes=(codes.glucose,)
    )
    seen = record[codes.glucose].current
    if not len(seen):
        raise NoTwin("no glucose reading in 24 h; check the sensor, or measure with a meter")
    return moment(float(seen.at[-1]))


def sensor_in_doubt(visit: Visit) -> str:
    """Why the readings themselves may not be believed now; empty where nothing says so."""
    for alert in visit.vault.alerts(visit.who, visit.patient):
        if alert["code"] in DOUBTS and alert["resolved_at"] is None:
            return f"{alert['headline']}: {alert['because']}"
    return ""


def nothing(visit: Visit, withheld: str = "", closed: Closed | None = None) -> Advice:
    """No recommendation, and why."""
    return Advice(visit.patient, "", "", "", "", withheld, closed)


def said(visit: Visit, found: Recommendation) -> Advice:
    """The recommendation in words."""
    much = reader.amount(found.code, found.amount, visit.region)
    what = WORDS[found.code].format(much)
    return Advice(
        visit.patient,
        what if found.amount else "Nothing more is needed now",
        in_units(found.because, visit.region),
        change(found, visit.region) if found.amount else "",
        limits_in_words(visit.region),
        "",
        None,
    )


def change(found: Recommendation, region: Region) -> str:
    """What it would change two hours on, with its interval."""
    start = found.change.times[0] - timedelta(minutes=5)
    row = min(
        range(len(found.change.times)),
        key=lambda i: abs(found.change.times[i] - start - timedelta(hours=2)),
    )
    low, middle, high = (signed(float(v), region) for v in found.change.band(0.9)[:, row])
    return f"Changes glucose by {middle} {region.glucose} in 2 h (90 %: {low} to {high})."


def limits_in_words(region: Region) -> str:
    """Between what limits it was chosen."""
    low = reader.amount(codes.glucose, LIMITS.low, region)
    most = " or ".join(f"{m:g} {c.unit}" for c, m in LIMITS.largest)
    hours = LIMITS.within.total_seconds() / 3600
    chance = f"{LIMITS.low_chance:.0%}".replace("%", " %")
    return f"Limits: at most {most}; chance below {low} within {hours:g} h under {chance}."
