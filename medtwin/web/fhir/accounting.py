"""The audit as resources: `AuditEvent` says who did what, `Provenance` who brought it in."""

from collections.abc import Iterable
from typing import Any

import orjson

from medtwin.vault.audit import Line
from medtwin.vault.resources import Version
from medtwin.web.fhir.wire import Resource, instant

ACTIONS = {
    "list people": "R",
    "receive records": "C",
    "identify": "R",
    "read": "R",
    "add facts": "U",
    "keep a result": "C",
    "retire": "D",
    "log in": "E",
}
DCM = "http://dicom.nema.org/resources/ontology/DCM"
TYPE = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}


def event(line: Line, who: str) -> Resource:
    """One line of the audit; never a name or a value of a patient."""
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"line.{line.line}",
        "type": TYPE,
        "subtype": [{"system": "https://medtwin.org/fhir/action", "code": line.action}],
        "action": ACTIONS.get(line.action, "E"),
        "recorded": instant(line.at),
        "outcome": "0" if line.allowed else "4",
        "outcomeDesc": line.because,
        "agent": [
            {
                "type": {"coding": [{"system": DCM, "code": "110153"}], "text": line.role},
                "name": line.who,
                "requestor": True,
            }
        ],
        "source": {"observer": {"display": "medtwin"}},
    }
    if line.purpose:
        made["purposeOfEvent"] = [{"text": line.purpose}]
    if line.patient:
        made["entity"] = [{"what": {"reference": who}, **_detail(line)}]
    return made


def _detail(line: Line) -> Resource:
    said = orjson.loads(line.detail) if line.detail else {}
    pairs = [{"type": str(k), "valueString": str(v)} for k, v in said.items()]
    return {"detail": pairs} if pairs else {}


def provenance(version: Version, lines: Iterable[Line]) -> Resource:
    """Who brought a version in, and when; by the audit's line of the same moment."""
    by = next((line for line in lines if line.at == version.updated), None)
    agent = by.who if by is not None else "told in the audit only"
    code = "DELETE" if version.deleted else "CREATE" if version.version == 1 else "UPDATE"
    target = f"{version.reference}/_history/{version.version}"
    system = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
    return {
        "resourceType": "Provenance",
        "id": f"of.{version.number}",
        "target": [{"reference": target}],
        "recorded": instant(version.updated),
        "activity": {"coding": [{"system": system, "code": code}]},
        "agent": [{"who": {"display": agent}}],
    }
