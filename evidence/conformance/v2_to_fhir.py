"""HL7's own maps from v2 to FHIR, held against what we make of messages.

Three sorts of cases: each row of the concept maps whose tables we use; each row of the segment maps
of segments we read, tried with a message that carries just that field; and the resources of the
published example pair. Rows that depend on other fields in ways a probe cannot set are left out.
Who did it, where, and extensions are not carried into the record: they disagree here, and stand
in the original.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from evidence.conformance.suite import Case, Suite
from medtwin.sources import hl7v2_tables as tables
from medtwin.sources.hl7v2_messages import told
from medtwin.sources.hl7v2_parser import parsed

HEAD = r"MSH|^~\&|LAB|WEST|EHR|EAST|20240501||{kind}|1|P|2.8"
CONCEPTS: dict[str, Mapping[str, Any]] = {
    "AdministrativeSex": tables.SEX,
    "ObservationResultStatusCodesInterpretation": tables.OBSERVED,
    "ResultStatus[Non-Queries]": tables.REPORTED,
    "PatientClass[EncounterClass]": {k: v[1] for k, v in tables.VISIT_CLASS.items()},
    "PatientClass[EncounterStatus]": tables.VISIT_STATUS,
    "Event[EncounterStatus]": tables.EVENT_STATUS,
    "AllergenType[AllergyIntoleranceCategory]": tables.ALLERGY_CATEGORY,
    "AllergySeverity[AllergyIntolerance.criticality]": tables.CRITICALITY,
    "AllergySeverity[AllergyIntolerance.reaction.severity]": tables.SEVERITY,
    "CompletionStatus": tables.GIVEN,
    "FillerStatusCodes[Appointment]": {k.title(): v for k, v in tables.BOOKED.items()},
    "OrderStatus": tables.ORDERED,
    "OrderControlCode[ServiceRequest.status]": tables.CONTROLLED,
    "NameType": tables.NAME_USE,
}
# Segment map, and the message it is tried in.
SEGMENTS = {
    "PID[Patient]": "ADT^A08",
    "PV1[Encounter]": "ADT^A01",
    "OBX[Observation]": "ORU^R01",
    "OBR[DiagnosticReport]": "ORU^R01",
    "AL1[AllergyIntolerance]": "ADT^A08",
    "IAM[AllergyIntolerance]": "ADT^A08",
    "DG1[Condition]": "ADT^A08",
    "PR1[Procedure]": "ADT^A08",
    "RXA[Immunization]": "VXU^V04",
    "RXO[MedicationRequest]": "ORM^O01",
    "SCH[Appointment]": "SIU^S12",
    "TXA[DocumentReference]": "MDM^T02",
}
# A value for each v2 data type, and what of it must be found in the resource.
SAMPLES = {
    "CX": ("77^^^AUTH&1.2.3&ISO^MR", "77"),
    "XPN": ("Fam^Giv^^^^^L", "Fam"),
    "XAD": ("Hill 1^^Ulm^BW^89073^DEU^H", "Ulm"),
    "XTN": ("07315550^PRN^PH", "07315550"),
    "XCN": ("9^Doctor^Ada", "Doctor"),
    "PL": ("WARD^1^2", "WARD"),
    "EI": ("E77^NS", "E77"),
    "CQ": ("5^mg", "5"),
    "TQ": ("1^^^20240102^20240103", "2024-01-02"),
    "NM": ("5", "5"),
    "NDL": ("9&Doctor&Ada", "Doctor"),
    "DLD": ("HOME", "HOME"),
    "DLN": ("D77", "D77"),
    **dict.fromkeys(("DTM", "DT", "TS"), ("20240102", "2024-01-02")),
    **dict.fromkeys(("CWE", "CE", "CNE"), ("C77^Words^LN", "C77")),
    **dict.fromkeys(("ST", "FT", "TX", "IS", "ID"), ("words77", "words77")),
}


def run(directory: Path) -> Iterator[Case]:
    """Every case of the maps under this folder, and the example pair."""
    maps = next(iter(directory.rglob("codesystems")), directory).parent
    yield from concepts(maps / "codesystems")
    yield from segments(maps / "segments", maps / "codesystems")
    yield from pair(directory)


def rows(path: Path) -> list[list[str]]:
    """The rows of a map, without its two lines of headings."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row + [""] * 20 for row in list(csv.reader(file))[2:]]


def found(folder: Path, name: str) -> Path | None:
    """The map of this name; its file is called after the sheet it came from."""
    return next((p for p in sorted(folder.glob("*.csv")) if f" {name} -" in p.name), None)


def concepts(folder: Path) -> Iterator[Case]:
    """Each code of the tables we use, mapped as HL7 maps it, or not at all where HL7 does not."""
    for name, ours in CONCEPTS.items():
        path = found(folder, name)
        for row in rows(path) if path else []:
            if row[0].strip():
                said, theirs = ours.get(row[0].strip(), ""), row[6].strip()
                yield Case(f"{name} {row[0].strip()}", said == theirs, f"{said!r} for {theirs!r}")


def segments(folder: Path, codes: Path) -> Iterator[Case]:
    """Each field of the segments we read, in the element that HL7 gives it."""
    for name, kind in SEGMENTS.items():
        path = found(folder, name)
        for number, row in enumerate(rows(path) if path else []):
            case = _probed(name, kind, row, codes)
            if case:
                yield Case(f"{name} {row[1]} {row[9]} ({number})", *case)


def _probed(name: str, kind: str, row: list[str], codes: Path) -> tuple[bool, str] | None:
    field, sort, condition, target, literal = row[1], row[3], row[6], row[9].strip(), row[16]
    place = re.fullmatch(r"([A-Z0-9]{3})-(\d+)", field)
    conditional = condition and not re.fullmatch(r"IF \S+ NOT VALUED", condition.strip())
    if not place or not target or conditional or target.startswith("$") or sort not in SAMPLES:
        return None
    value, expected = _sample(sort, row[15], codes)
    if literal.strip():
        expected = literal.strip().strip('"')
    resource = _made(name, kind, place[1], int(place[2]), value)
    element = re.split(r"[.\[(]", target)[0]
    element = {"medication": "medicationCodeableConcept"}.get(element, element)
    holds = expected.lower() in orjson.dumps(resource.get(element, "")).decode().lower()
    return holds, "" if holds else f"{element} does not say {expected!r}; the original does"


def _sample(sort: str, vocabulary: str, codes: Path) -> tuple[str, str]:
    path = found(codes, vocabulary.strip()) if vocabulary.strip() else None
    mapped = [r for r in rows(path) if r[0] and r[6]] if path else []
    if mapped and sort in ("CWE", "ID", "IS", "CNE"):
        return mapped[0][0].strip(), mapped[0][6].strip()
    return SAMPLES[sort]


NEEDED = {  # fields without which the segment says nothing
    "PID": {3: "1^^^A&1.2.3&ISO^MR"},
    "PV1": {2: "I", 44: "20240101"},
    "OBX": {2: "NM", 3: "1^Test^LN", 5: "1", 11: "F"},
    "SCH": {11: "1^^^20240101^20240102"},
    "AL1": {3: "C1^Words^LN"},
    "OBR": {7: "20240101"},
    "RXA": {6: "5"},
}


def _made(name: str, kind: str, segment: str, field: int, value: str) -> dict[str, Any]:
    needed = NEEDED.get(segment, {}) | {field: value}
    fields = [needed.get(n, "") for n in range(1, max(needed) + 1)]
    line = "|".join([segment, *fields])
    pid = "PID|1||1^^^A&1.2.3&ISO^MR"
    head = HEAD.format(kind=kind)
    lines = [head, line] if segment == "PID" else [head, pid, line]
    parts = told(parsed("\r".join(lines).encode()))
    wanted = name[name.index("[") + 1 : -1]
    made = [f.resource for p in parts for f in p.found]
    made += [p.patient for p in parts if p.patient]
    return next((r for r in made if r["resourceType"] == wanted), {})


F = "{http://hl7.org/fhir}"


def pair(directory: Path) -> Iterator[Case]:
    """The published message and its bundle: the resources that carry facts are made of both."""
    for message in sorted(directory.rglob("samples/messages/*.txt")):
        name = message.name.removeprefix("Message.").removesuffix(".txt")
        bundle = next(iter(directory.rglob(f"FHIR_bundle.{name}.xml")), None)
        if bundle is None:
            continue
        kinds = {etree.QName(r[0]).localname for r in etree.parse(bundle).iter(f"{F}resource")}
        parts = told(parsed(message.read_bytes()))
        made = {f.resource["resourceType"] for p in parts for f in p.found}
        made |= {"Patient" for p in parts if p.patient}
        for kind in sorted(kinds & CARRIED):
            yield Case(f"{name} {kind}", kind in made, f"made: {', '.join(sorted(made))}")


CARRIED = {
    "Patient",
    "Encounter",
    "DocumentReference",
    "Observation",
    "ServiceRequest",
    "DiagnosticReport",
    "Condition",
    "AllergyIntolerance",
    "Procedure",
    "Immunization",
}

suite = Suite("v2-to-fhir", run)
