"""FHIR's papers and plans: documents, orders, appointments."""

from collections.abc import Iterator

from medtwin.record.codes import Kind
from medtwin.sources.fhir_events import dated, event
from medtwin.sources.fhir_observation import Fact
from medtwin.sources.fhir_words import Resource, Told, joined, meant, period, spoken


def document(resource: Resource, told: Told) -> Iterator[Fact]:
    """That a document exists: which sort, what about. What it says is for the notes room."""
    start, _ = period((resource.get("context") or {}).get("period"), told)
    at = dated(resource, told, "date") or start
    concept = resource.get("type") or {"text": "document"}
    status = resource.get("docStatus")
    unfinished = None if status == "final" else status
    words = joined(spoken(concept), resource.get("description"), unfinished)
    taken_back = resource.get("status") == "entered-in-error"
    code = meant(concept, Kind.report)
    yield event(resource, code, at, None, told, words, "entered-in-error" if taken_back else "")


def order(resource: Resource, told: Told) -> Iterator[Fact]:
    """What somebody asked to be done."""
    start, _ = period(resource.get("occurrencePeriod"), told)
    at = dated(resource, told, "authoredOn", "occurrenceDateTime") or start
    concept = resource.get("code")
    words = joined(f"ordered: {spoken(concept)}", resource.get("patientInstruction"))
    code = meant(concept, Kind.care_plan)
    yield event(resource, code, at, None, told, words, resource.get("status", ""))


def appointment(resource: Resource, told: Told) -> Iterator[Fact]:
    """A visit agreed on. True since it was booked; when it is to be stands in its words."""
    at = dated(resource, told, "created")
    sort = next(iter(resource.get("serviceType") or ()), None) or resource.get("appointmentType")
    why = next(iter(resource.get("reasonCode") or ()), None)
    start, minutes = resource.get("start"), resource.get("minutesDuration")
    words = joined(
        f"appointment at {start}" if start else "appointment",
        f"{minutes} min" if minutes else None,
        spoken(sort),
        spoken(why),
    )
    status = resource.get("status", "")
    code = meant({"text": "appointment"}, Kind.encounter)
    yield event(resource, code, at, None, told, words, "" if status == "booked" else status)


READERS = {"DocumentReference": document, "ServiceRequest": order, "Appointment": appointment}
