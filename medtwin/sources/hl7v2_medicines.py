"""HL7 v2 medicines as FHIR resources: ordered, handed out, given; how much and how often."""

from medtwin.sources.fhir_words import Resource
from medtwin.sources.hl7v2_parser import Segment, Value
from medtwin.sources.hl7v2_segments import Context, asked, coded, dated, ordered
from medtwin.sources.hl7v2_tables import GIVEN
from medtwin.sources.hl7v2_types import concept, number, quantity, spoken, unit

MEDICINE_STATUS = {"revoked": "stopped"}  # FHIR's words for a medicine are not those for a request


def medicine_ordered(segment: Segment, at: Context, how: list[str]) -> Resource:
    """RXO or RXE: a medicine, how much, how often, by which route."""
    encoded = segment.name == "RXE"
    which, least, most, measure = (2, 3, 4, 5) if encoded else (1, 2, 3, 4)
    amount = " to ".join(segment.text(n) for n in (least, most) if segment.text(n))
    given = f"{amount} {spoken(segment[measure])}".strip() if amount else ""
    words = [spoken(v) for v in segment.every(7)]
    status = asked(at.order, "active")
    text = ", ".join(p for p in (given, *how, *words) if p)
    return at.about(
        "MedicationRequest",
        status=MEDICINE_STATUS.get(status, status),
        intent="order",
        medicationCodeableConcept=coded(segment, which, at.by),
        authoredOn=ordered(at) or at.sent,
        dosageInstruction=[{"text": text}] if text else [],
    )


def medicine_dispensed(rxd: Segment, at: Context, how: list[str]) -> Resource:
    """RXD: a medicine handed out."""
    amount = f"{rxd.text(4)} {spoken(rxd[5])}".strip()
    text = ", ".join(p for p in (amount, *how) if p)
    return at.about(
        "MedicationDispense",
        status="completed",
        medicationCodeableConcept=coded(rxd, 2, at.by),
        whenHandedOver=dated(rxd, 3) or at.sent,
        dosageInstruction=[{"text": text}] if text else [],
    )


def medicine_given(rxa: Segment, at: Context) -> Resource:
    """RXA outside vaccination: a dose given, or not."""
    start, end = dated(rxa, 3), dated(rxa, 4)
    lasted = bool(start and end and start != end)
    amount = rxa.text(6)
    known = amount and amount != "999" and number(amount) is not None
    return at.about(
        "MedicationAdministration",
        status=_done(rxa),
        medicationCodeableConcept=coded(rxa, 5, at.by),
        effectiveDateTime="" if lasted else start or at.sent,
        effectivePeriod={"start": start, "end": end} if lasted else {},
        dosage={"dose": quantity(amount, unit(rxa[7]))} if known else {},
    )


def vaccination(rxa: Segment, at: Context) -> Resource:
    """RXA in a VXU: a vaccine given, or not."""
    amount = rxa.text(6)
    known = amount and amount != "999" and number(amount) is not None
    found = at.about(
        "Immunization",
        status=_done(rxa),
        vaccineCode=coded(rxa, 5, at.by),
        occurrenceDateTime=dated(rxa, 3),
        recorded=ordered(at) or dated(rxa, 22) or at.sent,
        lotNumber=rxa.text(15),
        expirationDate=dated(rxa, 16),
        doseQuantity=quantity(amount, unit(rxa[7])) if known else {},
        statusReason=coded(rxa, 18, at.by, "NIP002"),
        reasonCode=[concept(v, at.by) for v in rxa.every(19)],
    )
    found["patient"] = found.pop("subject", None)
    return found


def _done(rxa: Segment) -> str:
    taken = rxa.text(21) == "D"
    return "entered-in-error" if taken else GIVEN.get(rxa.text(20), "completed")


def how_often(tq1: Segment) -> str:
    """TQ1: how much, how often, until when, in words."""
    amount = f"{tq1.text(2)} {_unit_name(tq1[2])}".strip()
    pattern = tq1[3].part(1, 1)
    until = dated(tq1, 8)
    said = (amount, pattern, f"until {until}" if until else "", tq1.whole(11))
    return ", ".join(p for p in said if p)


def _unit_name(value: Value) -> str:
    """CQ.2, whose parts are subcomponents."""
    within = value.within(2)
    return within[2] or within[1]
