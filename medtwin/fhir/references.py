"""What a reference names: https://hl7.org/fhir/R4/references.html#literal."""

import re

from medtwin.fhir.types import RESOURCE_KINDS

LITERAL = re.compile(
    r"(?:(?:http|https)://(?:[A-Za-z0-9\-\\.:%$]*/)+)?(?P<kind>[A-Z][A-Za-z]+)"
    r"/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$"
)


def named_kind(address: str) -> str | None:
    """The type of resource that a literal reference names; None where it does not say."""
    kind, slash, rest = address.partition("/")
    if slash and kind in RESOURCE_KINDS and "/" not in rest:
        return kind
    match = LITERAL.match(address)
    return match["kind"] if match and match["kind"] in RESOURCE_KINDS else None
