"""JSON in and out, with every decimal as it was written: 72.50 stays 72.50."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from medtwin.vault.resources import Version
from medtwin.web.fhir.problem import problem

Resource = dict[str, Any]
JSON = "application/fhir+json"
deepest = 60
largest = 5 << 20  # bytes of one resource
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def read(raw: bytes) -> Resource:
    """A resource out of bytes, or a `Problem` that says what they are instead."""
    try:
        found = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as why:
        said = f"the body is no JSON that can be read ({why}); send one resource in UTF-8"
        raise problem(400, "structure", said) from None
    if not isinstance(found, dict):
        raise problem(400, "structure", "the body is no JSON object; send one resource")
    if _too_deep(found):
        raise problem(400, "structure", f"it is nested deeper than {deepest}; send it flatter")
    return found


def _too_deep(found: Resource) -> bool:
    level: list[Any] = [found]
    for _ in range(deepest):
        inside = (v for n in level for v in (n.values() if isinstance(n, dict) else n))
        level = [v for v in inside if isinstance(v, (dict, list))]
        if not level:
            return False
    return True


def written(resource: Any) -> bytes:
    """A resource as bytes."""
    return _encoder.encode(resource)


def served(version: Version) -> Resource:
    """The resource as it is served: as it came, with its id and meta, its references meant here."""
    raw = version.raw
    for address, meant in version.refers.items():
        raw = raw.replace(written(address), written(meant))
    body: Resource = _decoder.decode(raw)
    meta = body.get("meta")
    before = meta if isinstance(meta, dict) else {}
    known = {**before, "versionId": str(version.version), "lastUpdated": instant(version.updated)}
    first = {"resourceType": version.kind, "id": version.id, "meta": known}
    return {**first, **{k: v for k, v in body.items() if k not in first}}


def instant(at: datetime) -> str:
    """A FHIR instant."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def etag(version: Version) -> str:
    """The weak tag of a version."""
    return f'W/"{version.version}"'


def tags(version: Version) -> Mapping[str, str]:
    """What an answer with one version says about it."""
    at = version.updated.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"etag": etag(version), "last-modified": at}
