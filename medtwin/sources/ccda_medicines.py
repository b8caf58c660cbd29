"""C-CDA's substances as FHIR resources: vaccines, medicines taken, given, or planned."""

from collections.abc import Iterator

from medtwin.sources.ccda_document import Document, Told, negated, order, planned, status
from medtwin.sources.ccda_words import (
    Element,
    Words,
    at,
    child,
    concept,
    every,
    quantity,
    span,
    templates,
)
from medtwin.sources.fhir_words import Resource


def substance(element: Element, by: Document) -> Iterator[Told]:
    """A vaccine, a medicine taken, a medicine given, or one that is planned."""
    code = concept(child(element, MATERIAL), by.words)
    if not code:
        name = child(element, f"{MATERIAL.rpartition('/')[0]}/name")
        code = {"text": by.words.of(name) or by.words.of(child(element, "text"))}
    if templates(element) & {"52", "120"}:
        yield _vaccine(element, code, by), element
    elif by.section == "29549-3" and not planned(element):  # medications administered
        yield _given(element, code, by), element
    else:
        yield _medicine(element, code, by), element


MATERIAL = "consumable/manufacturedProduct/manufacturedMaterial/code"


def _vaccine(element: Element, code: Resource, by: Document) -> Resource:
    start, _ = span(element)
    if planned(element):
        return order(element, by) | {"code": code}
    gone = negated(element) or status(element) in ("cancelled", "aborted")
    return by.about(
        "Immunization",
        element,
        status="not-done" if gone else "completed",
        vaccineCode=code,
        occurrenceDateTime=start or by.written,
        doseQuantity=quantity(child(element, "doseQuantity")),
    )


def _given(element: Element, code: Resource, by: Document) -> Resource:
    start, end = span(element)
    amount = quantity(child(element, "doseQuantity"))
    return by.about(
        "MedicationAdministration",
        element,
        status="not-done" if negated(element) else "completed",
        medicationCodeableConcept=code,
        effectiveDateTime=(start or by.written) if not end else "",
        effectivePeriod={"start": start or end, "end": end} if end else {},
        dosage={"dose": amount} if amount else {},
    )


def _medicine(element: Element, code: Resource, by: Document) -> Resource:
    start, end = span(element)
    text = how(element, by.words)
    if planned(element):
        return by.about(
            "MedicationRequest",
            element,
            status="stopped" if negated(element) else TAKEN.get(status(element), "active"),
            medicationCodeableConcept=code,
            authoredOn=at(child(element, "author/time")) or start or by.written,
            dosageInstruction=[{"text": text}] if text else [],
        )
    return by.about(
        "MedicationStatement",
        element,
        status="not-taken" if negated(element) else TAKEN.get(status(element), "active"),
        medicationCodeableConcept=code,
        effectivePeriod={k: v for k, v in (("start", start), ("end", end)) if v},
        dateAsserted=at(child(element, "author/time")) or by.written,
        dosage=[{"text": text}] if text else [],
    )


TAKEN = {
    "completed": "completed",
    "aborted": "stopped",
    "suspended": "on-hold",
    "nullified": "entered-in-error",
}


def how(element: Element, words: Words) -> str:
    """Dose, route and how often, in words."""
    dose, often = child(element, "doseQuantity"), ""
    for time in every(element, "effectiveTime"):
        period = child(time, "period")
        if period is not None and period.get("value"):
            often = f"every {period.get('value')} {period.get('unit', '')}".strip()
    amount = dose.get("value", "") if dose is not None else ""
    unit = dose.get("unit", "") if dose is not None else ""
    form = concept(child(element, "administrationUnitCode"), words).get("text", "")
    route = concept(child(element, "routeCode"), words).get("text", "")
    measured = " ".join(p for p in (amount, unit or form) if p) if amount else ""
    return ", ".join(p for p in (measured, route, often) if p)
