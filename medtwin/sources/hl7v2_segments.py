"""HL7 v2 segments as FHIR resources, one function for each, after HL7's maps (v2-to-FHIR)."""

from dataclasses import dataclass
from typing import Any

from medtwin.sources.fhir_words import Resource
from medtwin.sources.hl7_times import moment
from medtwin.sources.hl7v2_parser import Segment
from medtwin.sources.hl7v2_tables import (
    ADMISSION,
    ALLERGY_CATEGORY,
    BOOKED,
    CONTROLLED,
    CRITICALITY,
    EVENT_STATUS,
    ORDERED,
    REPORTED,
    SEVERITY,
    SEX,
    VISIT_CLASS,
    VISIT_STATUS,
)
from medtwin.sources.hl7v2_types import (
    Sender,
    address,
    concept,
    identifier,
    name,
    number,
    telecom,
)


@dataclass(frozen=True)
class Context:
    """What the segments before this one said: whose, when, during which visit and order."""

    by: Sender
    sent: str  # MSH-7, or EVN-2 where the event says its own time
    event: str  # MSH-9.2
    whose: Resource | None = None  # a reference to the patient
    visit: Resource | None = None
    order: Segment | None = None  # ORC
    request: Segment | None = None  # OBR

    def about(self, kind: str, **said: Any) -> Resource:
        """A resource of this kind about the patient; what is empty is left out."""
        found = {"resourceType": kind, "subject": self.whose, **said}
        if self.visit:
            found["encounter"] = {"reference": "Encounter/visit"}
        return {k: v for k, v in found.items() if v not in (None, "", [], {})}


def dated(segment: Segment, field: int) -> str:
    """A time field as FHIR writes times."""
    return moment(segment.text(field))


def coded(segment: Segment, field: int, by: Sender, table: str = "") -> Resource:
    """A coded field."""
    return concept(segment[field], by, table)


def patient(pid: Segment, by: Sender) -> Resource:
    """PID: who it is. The medical record number comes first: it is what they are called by."""
    known = [identifier(v, by) for n in (3, 2, 4) for v in pid.every(n) if v[1]]
    known.sort(key=lambda i: _sort(i) not in ("MR", "PI", "MRN"))
    if social := pid.text(19):
        known.append({"system": "http://hl7.org/fhir/sid/us-ssn", "value": social})
    named = [name(v) for n in (5, 9) for v in pid.every(n)]
    reached = [telecom(v) for n in (13, 14, 40) for v in pid.every(n)]
    language = coded(pid, 15, by, "HL70296")
    said: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": list({f"{i['system']}|{i['value']}": i for i in known}.values()),
        "name": [n for n in named if n],
        "birthDate": dated(pid, 7)[:10],
        "gender": SEX.get(pid.text(8), ""),
        "address": [a for a in map(address, pid.every(11)) if a],
        "telecom": [t for t in reached if t],
        "communication": [{"language": language}] if language else [],
        "maritalStatus": coded(pid, 16, by, "HL70002"),
        "deceasedDateTime": dated(pid, 29),
    }
    if pid.text(30) in ("Y", "N") and not said["deceasedDateTime"]:
        said["deceasedBoolean"] = pid.text(30) == "Y"
    return {k: v for k, v in said.items() if v not in ("", [], {})}


def _sort(known: Resource) -> str:
    return known.get("type", {}).get("coding", [{}])[0].get("code", "")


def encounter(pv1: Segment, at: Context) -> Resource:
    """PV1: a visit or a stay. What the event says of its status comes before its class."""
    sort = pv1.text(2)
    system, code, display = VISIT_CLASS.get(sort, ("", "", ""))
    ended = dated(pv1, 45) or (at.sent if at.event == "A03" else "")
    status = EVENT_STATUS.get(at.event, "")
    if not status or status == "unknown":
        status = "finished" if ended else VISIT_STATUS.get(sort, "unknown")
    began = dated(pv1, 44) or (at.sent if at.event in ("A01", "A04", "A05") else "")
    admitted = coded(pv1, 4, at.by, "HL70007")
    if admitted and pv1.text(4) in ADMISSION:
        admitted.setdefault("text", ADMISSION[pv1.text(4)])
    period = {k: v for k, v in (("start", began), ("end", ended)) if v}
    found = at.about(
        "Encounter",
        id="visit",
        status=status,
        type=[admitted] if admitted else [],
        period=period,
        identifier=[identifier(v, at.by) for v in pv1.every(19) if v[1]],
        serviceType=coded(pv1, 10, at.by, "HL70069"),
    )
    found["class"] = {"system": system, "code": code, "display": display} if code else {}
    return found


def reason(pv2: Segment, at: Context) -> Resource:
    """PV2-3: why somebody was admitted, which is part of the visit."""
    return coded(pv2, 3, at.by)


def allergy(segment: Segment, at: Context) -> Resource:
    """AL1 or IAM: what a person must not be given."""
    onset = dated(segment, 6) if segment.name == "AL1" else dated(segment, 11)
    recorded = dated(segment, 13) if segment.name == "IAM" else ""  # allergies come without dates
    severity, seen = segment.text(4), [v.text for v in segment.every(5)]
    reaction: dict[str, Any] = {"manifestation": [{"text": said} for said in seen]}
    reaction |= {"severity": SEVERITY[severity]} if severity in SEVERITY else {}
    sort, iam = segment.text(2), segment.name == "IAM"
    category = ALLERGY_CATEGORY.get(sort)
    found = at.about(
        "AllergyIntolerance",
        code=coded(segment, 3, at.by) or (coded(segment, 27, at.by) if iam else {}),
        type="allergy" if sort.endswith("A") else "",
        clinicalStatus=coded(segment, 17, at.by) if iam else {},
        category=[category] if category else [],
        criticality=CRITICALITY.get(severity, ""),
        reaction=[reaction] if seen or "severity" in reaction else [],
        onsetDateTime=onset,
        recordedDate=recorded or at.sent,
    )
    found["patient"] = found.pop("subject", None)
    taken = iam and segment.text(6) == "D"
    return _verified(found, "entered-in-error" if taken else "")


def condition(dg1: Segment, at: Context) -> Resource:
    """DG1: a diagnosis."""
    code = coded(dg1, 3, at.by)
    if words := dg1.whole(4):
        code["text"] = words
    found = at.about(
        "Condition",
        code=code,
        onsetDateTime=dated(dg1, 5),
        recordedDate=dated(dg1, 19) or at.sent,
        identifier=[{"value": dg1.text(20)}] if dg1.text(20) else [],
    )
    return _verified(found, "entered-in-error" if dg1.text(21) == "D" else "")


def problem(prb: Segment, at: Context) -> Resource:
    """PRB: a problem somebody lives with, from when to when."""
    found = at.about(
        "Condition",
        code=coded(prb, 3, at.by),
        onsetDateTime=dated(prb, 16) or dated(prb, 7),
        recordedDate=dated(prb, 2) or at.sent,
        abatementDateTime=dated(prb, 9),
        clinicalStatus=coded(prb, 14, at.by),
    )
    return _verified(found, "entered-in-error" if prb.text(1) == "DE" else "")


def _verified(resource: Resource, status: str) -> Resource:
    if status:
        resource["verificationStatus"] = {"coding": [{"code": status}]}
    return resource


def procedure(pr1: Segment, at: Context) -> Resource:
    """PR1: something done to or for a person."""
    code = coded(pr1, 3, at.by)
    if pr1.whole(4) and not pr1[3][9]:
        code["text"] = pr1.whole(4)
    taken = pr1.text(20) == "D"
    return at.about(
        "Procedure",
        status="entered-in-error" if taken else "completed",
        code=code,
        performedDateTime=dated(pr1, 5) or at.sent,
        reasonCode=[c for c in [coded(pr1, 15, at.by)] if c],
    )


def report(obr: Segment, at: Context) -> Resource:
    """OBR with results: what was examined."""
    start, end = dated(obr, 7), dated(obr, 8)
    return at.about(
        "DiagnosticReport",
        status=REPORTED.get(obr.text(25), "unknown"),
        code=coded(obr, 4, at.by),
        effectiveDateTime=start if not end else "",
        effectivePeriod={"start": start, "end": end} if start and end else {},
        issued=dated(obr, 22) or at.sent,
    )


def order(obr: Segment, at: Context) -> Resource:
    """OBR without results: what somebody asked to be done."""
    return at.about(
        "ServiceRequest",
        status=asked(at.order, "active"),
        intent="order",
        code=coded(obr, 4, at.by),
        authoredOn=ordered(at) or dated(obr, 6) or at.sent,
        occurrenceDateTime=dated(obr, 7),
        reasonCode=[concept(v, at.by) for v in obr.every(31)],
    )


def ordered(at: Context) -> str:
    """When the order was entered (ORC-9)."""
    return dated(at.order, 9) if at.order else ""


def asked(orc: Segment | None, otherwise: str) -> str:
    """What has become of an order: ORC-5, else what ORC-1 asks for."""
    if orc is None:
        return otherwise
    return ORDERED.get(orc.text(5)) or CONTROLLED.get(orc.text(1)) or otherwise


# What the event says, where the filler's status (SCH-25) is not given.
BY_EVENT = {"S15": "cancelled", "S16": "cancelled", "S17": "entered-in-error", "S26": "noshow"}


def appointment(sch: Segment, at: Context) -> Resource:
    """SCH: a visit agreed on; its time in SCH-11, or in the AIS after it."""
    timing, minutes = sch[11], number(sch.text(9))
    status = BOOKED.get(sch.text(25).lower()) or BY_EVENT.get(at.event, "booked")
    in_minutes = sch.text(10).lower() in ("", "min", "minute", "minutes", "m")
    found = at.about(
        "Appointment",
        status=status,
        created=at.sent,
        start=moment(timing[4]),
        end=moment(timing[5]),
        minutesDuration=int(minutes) if minutes and in_minutes else None,
        reasonCode=[c for c in [coded(sch, 7, at.by, "HL70276")] if c],
        appointmentType=coded(sch, 8, at.by, "HL70277"),
        identifier=[{"value": sch.text(n)} for n in (1, 2) if sch.text(n)],
    )
    found["participant"] = [{"actor": found["subject"]}] if "subject" in found else []
    return found


# Table 0271 (completion) as far as FHIR's status of a composition has words for it.
WRITTEN = {"AU": "final", "LA": "final", "DI": "preliminary", "IP": "preliminary"}


def document(txa: Segment, at: Context, contents: list[Resource]) -> Resource:
    """TXA: a document; `contents` is what the OBX after it hold."""
    withdrawn = txa.text(19) in ("CA", "OB", "UN") or at.event == "T11"
    return at.about(
        "DocumentReference",
        status="superseded" if withdrawn else "current",
        docStatus=WRITTEN.get(txa.text(17), "preliminary"),
        type=coded(txa, 2, at.by, "HL70270"),
        date=dated(txa, 6) or dated(txa, 4) or at.sent,
        description=txa.whole(25) or txa.text(16),
        masterIdentifier={"value": txa.text(12)} if txa.text(12) else {},
        content=[{"attachment": c} for c in contents],
    )
