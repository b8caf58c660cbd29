"""What this server can do, written from what it does."""

from functools import cache
from typing import Any

from medtwin.sources.fhir_kinds import KINDS
from medtwin.vault.resource_values import parameters
from medtwin.web.fhir.call import Call, Reply
from medtwin.web.fhir.operations import INSTANCE, KIND
from medtwin.web.fhir.wire import instant

INTERACTIONS = (
    "read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create",
    "search-type",
)  # fmt: skip
MADE = frozenset({"AuditEvent"})
TRANSIENT = frozenset({"Bundle", "Parameters", "OperationOutcome"})


def metadata(call: Call) -> Reply:
    """The CapabilityStatement."""
    when = instant(call.now) if call.now else "2026-01-01"
    statement: dict[str, Any] = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": when,
        "kind": "instance",
        "software": {"name": "medtwin"},
        "implementation": {"description": "medtwin: living records and twins", "url": call.base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json", "application/fhir+xml", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "rest": [_rest(call.base)],
    }
    return Reply(200, statement)


def _rest(base: str) -> dict[str, Any]:
    return {
        "mode": "server",
        "security": {
            "cors": False,
            "description": "a session of the pages, or Authorization: Bearer; each person's own "
            "choices decide what is found",
        },
        "resource": [_resource(kind, base) for kind in sorted(KINDS - TRANSIENT)],
        "interaction": [{"code": c} for c in ("transaction", "batch", "history-system")],
        "searchParam": [
            {"name": n, "type": t}
            for n, t in (("_id", "token"), ("_lastUpdated", "date"), ("_tag", "token"))
        ],
    }


def _resource(kind: str, base: str) -> dict[str, Any]:
    return {**_known(kind)} | {"operation": _operations(kind, base)}


def _operations(kind: str, base: str) -> list[dict[str, str]]:
    names = [*KIND.get("*", {}), *KIND.get(kind, {}), *INSTANCE.get(kind, {})]
    where = "http://hl7.org/fhir/OperationDefinition"
    return [{"name": n, "definition": f"{where}/{_defined(kind, n)}"} for n in dict.fromkeys(names)]


def _defined(kind: str, name: str) -> str:
    return f"Resource-{name}" if name in KIND.get("*", {}) else f"{kind}-{name}"


@cache
def _known(kind: str) -> dict[str, Any]:
    doing = ("read", "search-type") if kind in MADE else INTERACTIONS
    references = [n for n, p in parameters(kind).items() if p.type == "reference"]
    standing = [{"name": "_id", "type": "token"}, {"name": "_lastUpdated", "type": "date"}]
    mine = [{"name": n, "type": p.type} for n, p in parameters(kind).items()]
    return {
        "type": kind,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{kind}",
        "interaction": [{"code": code} for code in doing],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "searchInclude": [f"{kind}:*", *(f"{kind}:{n}" for n in references)],
        "searchParam": standing + mine,
    }
