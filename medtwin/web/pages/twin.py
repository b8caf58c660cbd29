"""One person and their twin: what is known, what is likely, what a plan would change, and why."""

from dataclasses import dataclass

from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose
from medtwin.web.bedside import (
    adherence,
    advice,
    alerts,
    devices,
    glucose,
    journey,
    organs,
    plans,
    track,
    vitals,
)
from medtwin.web.page import Page, Visit
from medtwin.web.views import people
from medtwin.web.views.tiles import Pill


@dataclass(frozen=True)
class Band:
    """Who this is and what they agreed to."""

    patient: str
    name: str
    who: str
    consent: tuple[Pill, ...]


@dataclass(frozen=True)
class TwinView:
    """The whole page."""

    band: Band
    vitals: vitals.Vitals
    glucose: glucose.GlucosePart
    what_if: plans.WhatIf
    alerts: alerts.AlertsPart
    advice: advice.Advice
    track: track.TrackPart
    organs: organs.OrgansPart
    devices: devices.DevicesPart
    adherence: adherence.AdherencePart
    journey: journey.JourneyPart


def view(visit: Visit) -> TwinView:
    """Everything about one person that this reader may see."""
    record = visit.vault.record(visit.who, visit.patient, Purpose.care, by=visit.now)
    return TwinView(
        band(visit),
        vitals.of_record(visit, record),
        glucose.of_record(visit, record),
        plans.what_if(visit),
        alerts.alerts(visit),
        advice.advice(visit),
        track.track(visit),
        organs.of_record(visit, record),
        devices.of_record(visit, record),
        adherence.of_record(visit, record),
        journey.of_record(visit, record),
    )


def band(visit: Visit) -> Band:
    """Identity and consent."""
    person = visit.vault.who(visit.who, visit.patient, Purpose.care)
    said = {c.purpose: c.yes for c in visit.vault.choices(visit.who, visit.patient)}
    pills = tuple(
        Pill(p.value, "good", "good") if said.get(p) else Pill(f"{p.value}: no", "", "lock")
        for p in Purpose
    )
    who = people.described(person, visit.now)
    return Band(visit.patient, person.name or visit.patient, who, pills)


page = Page(
    "twin",
    "Patient",
    "/patients/{patient}",
    "one person and their twin",
    view,
    roles=frozenset({Role.clinician}),
    parts={
        "glucose": glucose.glucose,
        "what-if": plans.what_if,
        "alerts": alerts.alerts,
        "advice": advice.advice,
        "vitals": vitals.vitals,
        "track": track.track,
        "journey": journey.journey,
    },
    acts={"acknowledge": alerts.acknowledge, "prefer": devices.prefer},
    live="/live?patient={patient}",
)
