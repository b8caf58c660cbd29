"""Which codes FHIR R4 requires where, and which extensions it publishes."""

from functools import cache

from medtwin.fhir.r4_codes import SETS
from medtwin.fhir.r4_extensions import EXTENSIONS, PROFILES
from medtwin.fhir.types import RESOURCE_KINDS

HOME = "http://hl7.org/fhir/StructureDefinition/"
PUBLISHED = frozenset(PROFILES)


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
def known_extension(url: str) -> bool:
    """Whether an extension may have this address: HL7's own must be one that HL7 published."""
    return not url.startswith(HOME) or url in EXTENSIONS


@cache
def places(url: str) -> tuple[str, ...]:
    """Where a published extension may stand."""
    return tuple(EXTENSIONS.get(url, "").partition("\n")[0].split())


@cache
def holds(url: str) -> tuple[str, ...]:
    """The types of value that a published extension may have; none if it has parts."""
    return tuple(EXTENSIONS.get(url, "").partition("\n")[2].split())


@cache
def known_profile(url: str) -> bool:
    """Whether a profile of HL7's core is one that exists."""
    plain_url = url.partition("|")[0]
    if not plain_url.startswith(HOME):
        return True
    return plain_url in PUBLISHED or plain_url.removeprefix(HOME) in RESOURCE_KINDS
