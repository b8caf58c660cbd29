"""FHIR's events of care: conditions, medications, procedures, visits, allergies, vaccinations."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from medtwin.record.codes import Code, Kind, insulin_bolus, insulin_long, warfarin
from medtwin.record.observation import WITHDRAWN, Observation
from medtwin.record.units import convert
from medtwin.sources.fhir_observation import Fact, measured
from medtwin.sources.fhir_words import (
    NotUnderstood,
    Resource,
    Told,
    joined,
    meant,
    period,
    spoken,
    tokens,
    when,
)

ORDINARY = {"", "active", "completed", "final", "finished", "confirmed"}
NOT_DONE = {"not-done", "cancelled", "declined", "not-taken"}


def condition(resource: Resource, told: Told) -> Iterator[Fact]:
    """A diagnosis, from onset to abatement."""
    onset, ended = period(resource.get("onsetPeriod"), told)
    at = onset or dated(resource, told, "onsetDateTime", "recordedDate", "assertedDate")
    until = dated(resource, told, "abatementDateTime") or ended
    until = until or period(resource.get("abatementPeriod"), told)[1]
    code = meant(resource.get("code"), Kind.condition)
    status = spoken(resource.get("clinicalStatus"))
    yield event(resource, code, at, until, told, spoken(resource.get("code")), status)


def allergy(resource: Resource, told: Told) -> Iterator[Fact]:
    """What a person must not be given."""
    at = dated(resource, told, "onsetDateTime", "recordedDate", "lastOccurrence")
    code = meant(resource.get("code"), Kind.allergy)
    how_bad = resource.get("criticality")
    words = joined(spoken(resource.get("code")), f"criticality {how_bad}" if how_bad else None)
    status = spoken(resource.get("clinicalStatus"))
    yield event(resource, code, at, None, told, words, status)


def procedure(resource: Resource, told: Told) -> Iterator[Fact]:
    """Something done to or for a person."""
    start, end = period(resource.get("performedPeriod"), told)
    at = start or dated(resource, told, "performedDateTime") or end
    code = meant(resource.get("code"), Kind.procedure)
    words = spoken(resource.get("code"))
    yield event(resource, code, at, end, told, words, resource.get("status", ""))


def encounter(resource: Resource, told: Told) -> Iterator[Fact]:
    """A visit or a stay."""
    start, end = period(resource.get("period"), told)
    kind = next(iter(resource.get("type") or ()), None) or _class(resource)
    reason = spoken(next(iter(resource.get("reasonCode") or ()), None))
    words = joined(spoken(kind), f"for {reason}" if reason else None)
    code = meant(kind, Kind.encounter)
    yield event(resource, code, start or end, end, told, words, resource.get("status", ""))


def immunisation(resource: Resource, told: Told) -> Iterator[Fact]:
    """A vaccine given, or not."""
    at = dated(resource, told, "occurrenceDateTime", "recorded")
    concept = resource.get("vaccineCode")
    code = meant(concept, Kind.immunisation)
    yield event(resource, code, at, None, told, spoken(concept), resource.get("status", ""))


def report(resource: Resource, told: Told) -> Iterator[Fact]:
    """A diagnostic report: its name and conclusion; its results are facts of their own."""
    start, end = period(resource.get("effectivePeriod"), told)
    at = start or dated(resource, told, "effectiveDateTime", "issued") or end
    concept = resource.get("code")
    words = joined(spoken(concept), resource.get("conclusion"))
    code = meant(concept, Kind.report)
    yield event(resource, code, at, end, told, words, resource.get("status", ""))


def care_plan(resource: Resource, told: Told) -> Iterator[Fact]:
    """What was agreed to be done."""
    start, end = period(resource.get("period"), told)
    at = start or dated(resource, told, "created") or end
    concept = next((c for c in resource.get("category") or () if spoken(c)), None)
    words = resource.get("title") or spoken(concept) or resource.get("description")
    concept = concept or {"text": words or "care plan"}
    code = meant(concept, Kind.care_plan)
    yield event(resource, code, at, end, told, words or "", resource.get("status", ""))


def medication(resource: Resource, told: Told) -> Iterator[Fact]:
    """A medicine ordered, reported, or handed out: then it lasts as long as its supply."""
    start, end = period(resource.get("effectivePeriod"), told)
    at = start or dated(resource, told, *MEDICINE_TIMES)
    days = (resource.get("daysSupply") or {}).get("value")
    if days and at and end is None:
        end = at + timedelta(days=float(days))
    concept = medicine(resource, told)
    dosages = resource.get("dosageInstruction") or resource.get("dosage") or ()
    how = joined(*(d.get("text") for d in dosages if isinstance(d, dict)))
    words = joined(spoken(concept), how)
    code = meant(concept, Kind.medication)
    yield event(resource, code, at, end, told, words, resource.get("status", ""))


def administration(resource: Resource, told: Told) -> Iterator[Fact]:
    """A medicine given: the dose with its unit, where it is told."""
    start, end = period(resource.get("effectivePeriod"), told)
    at = start or dated(resource, told, "effectiveDateTime")
    concept = medicine(resource, told)
    amount, code = _given(resource, concept)
    status = resource.get("status", "")
    yield event(resource, code, at, end, told, spoken(concept), status, amount)


def _given(resource: Resource, concept: Resource) -> tuple[float, Code]:
    """How much of what; of a medicine that some model doses by, in the house's own code."""
    dose = (resource.get("dosage") or {}).get("dose")
    amount, _, unit = measured(dose) if dose else (1.0, "", "1")
    own = next((DOSED[t] for t in tokens(concept) if t in DOSED), None)
    if own and dose:
        return convert(amount, unit or "", own), own
    return amount, meant(concept, Kind.dose, unit or "1")


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
# RxNorm ingredients: lispro, aspart, glulisine, human regular; glargine, detemir, degludec.
INSULINS = {f"{RXNORM}|{n}": insulin_bolus for n in ("86009", "51428", "400008", "253182")}
INSULINS |= {f"{RXNORM}|{n}": insulin_long for n in ("274783", "139825", "1670007")}
DOSED = INSULINS | {f"{RXNORM}|11289": warfarin}
MEDICINE_TIMES = (
    "effectiveDateTime",
    "authoredOn",
    "whenHandedOver",
    "whenPrepared",
    "dateAsserted",
)


def medicine(resource: Resource, told: Told) -> Resource:
    """Which medicine: said at once, or by reference to a Medication."""
    if concept := resource.get("medicationCodeableConcept"):
        return concept
    reference = resource.get("medicationReference") or {}
    concept = told.found(reference, resource).get("code")
    words = reference.get("display") or reference.get("reference")
    if not concept and not words:
        raise NotUnderstood("it does not say which medicine")
    return concept or {"text": words}


def dated(resource: Resource, told: Told, *names: str) -> datetime | None:
    """The first of these times that is given."""
    text = next((resource[n] for n in names if resource.get(n)), None)
    return when(text, told) if text else None


def event(
    resource: Resource,
    code: Code,
    at: datetime | None,
    until: datetime | None,
    told: Told,
    words: str,
    status: str,
    value: float = 1.0,
) -> Observation:
    """The fact. Without a date it is true as of the visit it belongs to, else of its arrival."""
    undated = None if at else "date not told"
    at = at or _visited(resource, told) or told.received
    not_so = "refuted" if refuted(resource) else None
    says = joined(words, None if status in ORDINARY else status, not_so, undated)
    says = WITHDRAWN if in_error(resource) else says
    value = 0.0 if status in NOT_DONE or not_so else value
    until = None if until and until < at else until
    return Observation(at, code, value, "FHIR", told.received, until, says)


def in_error(resource: Resource) -> bool:
    """Whether the sender takes it back."""
    return "entered-in-error" in _verified(resource) | {resource.get("status")}


def refuted(resource: Resource) -> bool:
    """Whether it says that a condition or an allergy is not there."""
    return "refuted" in _verified(resource)


def _verified(resource: Resource) -> set[str | None]:
    status = (resource.get("verificationStatus") or {}).get("coding") or ()
    return {c.get("code") for c in status}


def _visited(resource: Resource, told: Told) -> datetime | None:
    visit = told.found(resource.get("encounter") or resource.get("context"), resource)
    return period(visit.get("period"), told)[0]


def _class(resource: Resource) -> Resource:
    coding = resource.get("class") or {}
    return {"coding": [coding]} if coding.get("code") else {"text": "encounter"}


READERS: dict[str, Callable[[Resource, Told], Iterator[Fact]]] = {
    "Condition": condition,
    "AllergyIntolerance": allergy,
    "Procedure": procedure,
    "Encounter": encounter,
    "Immunization": immunisation,
    "DiagnosticReport": report,
    "CarePlan": care_plan,
    "MedicationRequest": medication,
    "MedicationStatement": medication,
    "MedicationDispense": medication,
    "MedicationAdministration": administration,
}
