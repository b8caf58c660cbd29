"""How much of a resource is shown: the whole, a summary, its text, its data, some elements."""

from functools import cache

from medtwin.fhir.r4_types import ELEMENTS
from medtwin.vault.resource_paths import stems
from medtwin.web.fhir.r4_summaries import SUMMARIES
from medtwin.web.fhir.wire import Resource

ALWAYS = frozenset({"resourceType", "id", "meta"})
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


def shown(resource: Resource, summary: str, elements: tuple[str, ...]) -> Resource:
    """The part that was asked for, marked as a part."""
    if summary in ("", "false", "count") and not elements:
        return resource
    if summary == "data":
        return _marked({k: v for k, v in resource.items() if k != "text"})
    if summary == "text":
        keep = ALWAYS | {"text", *required(resource)}
    elif elements:
        wanted = {e.rpartition(".")[2] for e in elements}
        keep = ALWAYS | wanted | required(resource)
    else:
        keep = ALWAYS | _there(resource, frozenset(SUMMARIES[resource["resourceType"]].split()))
    return _marked({k: v for k, v in resource.items() if k in keep})


def required(resource: Resource) -> set[str]:
    """Elements that must not be left out: R4 requires them."""
    return _there(resource, _required(resource["resourceType"]))


@cache
def _required(kind: str) -> frozenset[str]:
    lines = (line.split() for line in ELEMENTS.get(kind, "").split(";"))
    return frozenset(line[0].removesuffix("[x]") for line in lines if line[1].startswith("1"))


def _there(resource: Resource, names: frozenset[str]) -> set[str]:
    """Those that are there; a choice under whichever type it has."""
    return {k for k in resource if stems(k) & names}


def _marked(resource: Resource) -> Resource:
    meta = dict(resource.get("meta") or {})
    meta["tag"] = [*(meta.get("tag") or ()), SUBSETTED]
    return {**resource, "meta": meta}
