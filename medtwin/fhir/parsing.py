"""Bytes to a resource and back, with nothing lost: 72.50 stays 72.50.

JSON of FHIR R4, https://hl7.org/fhir/R4/json.html. `parsed` gives typed structs, `read` the plain
JSON with `Decimal` numbers, `quickly_read` the same with floats where digits do not matter.
"""

import json
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import orjson

LARGEST = 64 << 20
BOM = b"\xef\xbb\xbf"
DEEPEST = 100


class Unreadable(ValueError):
    """The bytes are no resource; the message says where and why, `path` where in FHIRPath."""

    def __init__(self, said: str, path: str = "") -> None:
        super().__init__(said)
        self.path = path


def parsed(raw: bytes) -> Any:
    """A typed struct of the resource, decimals as they were written.

    Raises `Unreadable` with the path of the first thing that has no place there.
    """
    try:
        return _decoder().decode(_bounded(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        said, _, path = str(why).partition(" - at `")
        raise Unreadable(said, path.rstrip("`").removeprefix("$.")) from why


def written(struct: Any) -> bytes:
    """A struct as JSON, decimals as they were."""
    return _encoder().encode(struct)


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    from medtwin.fhir import structs

    return msgspec.json.Decoder(structs.Resource)


@cache
def _encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(decimal_format="number")


def read(raw: bytes) -> dict[str, Any]:
    """The resource as plain JSON with every number as it was written (`Decimal`).

    Raises `Unreadable`: not JSON, a name twice in one object, too large, too deep.
    """
    text = _text(raw)
    try:
        found = json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
    except (json.JSONDecodeError, RecursionError) as why:
        raise Unreadable(f"this is not JSON: {why}") from why
    return _resource(found)


def quickly_read(raw: bytes) -> dict[str, Any]:
    """The same with floats, several times as fast; names that come twice are not noticed."""
    try:
        found = orjson.loads(_bounded(raw))
    except orjson.JSONDecodeError as why:
        raise Unreadable(f"this is not JSON: {why}") from why
    brackets = raw.count(b"{") + raw.count(b"[")  # with so few nothing can be too deep
    return _named(found) if brackets <= DEEPEST else _resource(found)


def each_name_once(raw: bytes, found: dict[str, Any]) -> bool:
    """Whether no object in the bytes has a name twice, of which `found` would hold only the last.

    Each name has its colon, and what is between quotes keeps its own, unless it is escaped. No
    means that only `read` can tell.
    """
    try:
        again = orjson.dumps(found)
    except TypeError:  # nested deeper than orjson writes
        return False
    return b"\\u003" not in raw and raw.count(b":") == again.count(b":")


def _bounded(raw: bytes) -> bytes:
    """The bytes, without the mark that some programs write before them."""
    if len(raw) > LARGEST:
        raise Unreadable(f"{len(raw)} bytes; allowed are {LARGEST}: send it in parts")
    return raw.removeprefix(BOM)


def _text(raw: bytes) -> str:
    try:
        return _bounded(raw).decode()
    except UnicodeDecodeError as why:
        raise Unreadable(f"byte {why.start} is not UTF-8, which FHIR is written in") from why


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(n for n in names if names.count(n) > 1)
        raise Unreadable(f"'{twice}' comes twice in one object")
    return found


def _resource(found: Any) -> dict[str, Any]:
    if too_deep(found):
        raise Unreadable(f"nested deeper than {DEEPEST}")
    return _named(found)


def _named(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Unreadable("a resource is a JSON object")
    if "resourceType" not in found:
        raise Unreadable("a resource says its resourceType")
    return found


def too_deep(value: Any) -> bool:
    """Whether objects and arrays lie in one another beyond what any resource needs."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            return True
        level = [p for one in level for p in _parts(one) if type(p) in {dict, list}]
    return False


def _parts(one: Any) -> Any:
    return one.values() if type(one) is dict else one


def dumped(resource: dict[str, Any]) -> bytes:
    """Plain JSON with `Decimal` numbers as bytes, the numbers as they were."""
    return _encoder().encode(resource)
