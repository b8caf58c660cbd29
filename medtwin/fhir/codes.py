"""Which codes FHIR R4 requires where, and which extensions it publishes."""

from functools import cache

from medtwin.fhir.r4_codes import SETS
from medtwin.fhir.r4_extensions import EXTENSIONS, PROFILES
from medtwin.fhir.types import RESOURCE_KINDS, ancestors

HOME = "http://hl7.org/fhir/StructureDefinition/"
PUBLISHED = frozenset(PROFILES)
OF_PROFILES = ("StructureDefinition.", "ElementDefinition.")  # HL7 itself is free there


@cache
def allowed(value_set: str) -> frozenset[tuple[str, str]]:
    """System and code of every member of a value set; empty where we do not hold it."""
    rows = (line.split(" ") for line in SETS.get(value_set, "").splitlines())
    return frozenset((system, code) for system, *codes in rows for code in codes)


@cache
def plain(value_set: str) -> frozenset[str]:
    """The codes alone, as an element of type code writes them."""
    return frozenset(code for _, code in allowed(value_set))


@cache
def places(url: str) -> tuple[str, ...]:
    """Where a published extension may stand."""
    return tuple(_published(url)[0].split())


@cache
def holds(url: str) -> tuple[str, ...]:
    """The types of value that a published extension may have; none if it has parts."""
    return tuple(_published(url)[1].split())


@cache
def parts(url: str) -> tuple[str, ...]:
    """The extensions that a published extension is made of; none if it has a value."""
    return tuple(_published(url)[2].split())


def _published(url: str) -> list[str]:
    return [*EXTENSIONS.get(url, "").split("\n"), "", "", ""]


@cache
def may_stand(url: str, kind: str, element: str) -> bool:
    """Whether an extension may stand on an element (`HumanName.family`) of this type.

    Anything may that the standard did not publish.
    """
    allowed = places(url)
    if not allowed or "Element" in allowed or element.startswith(OF_PROFILES):
        return True
    here = {element, *ancestors(kind)}
    deep = [a for a in allowed if a.count(".") > 1]
    near = any(a.startswith(element + ".") or a.endswith(element.rpartition(".")[2]) for a in deep)
    return near or not here.isdisjoint(allowed)


@cache
def known_profile(url: str) -> bool:
    """Whether a profile of HL7's core is one that exists."""
    plain_url = url.partition("|")[0]
    if not plain_url.startswith(HOME):
        return True
    return plain_url in PUBLISHED or plain_url.removeprefix(HOME) in RESOURCE_KINDS
