"""The examples of the R4 specification: read and written again without loss, 72.50 as 72.50.

That an example of the standard itself breaks the standard is said in the summary, by name; the
agreement here is about losing nothing, as typed structs and through XML.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.conformance.suite import Case, Suite
from medtwin.fhir import parsing, xml_format
from medtwin.fhir.validation import validated


def run(directory: Path) -> Iterator[Case]:
    """Each example: the same after a round trip through structs, and through XML."""
    invalid, total = [], 0
    for raw in _examples(directory):
        given = exactly(raw)
        name = f"{given['resourceType']}/{given.get('id')}"
        yield Case(name, *_same(given, raw))
        total += 1
        if validated(raw):
            invalid.append(name)
    yield Case(
        "summary", True, f"{total - len(invalid)} of {total} valid; not: {', '.join(invalid)}"
    )


def _examples(directory: Path) -> Iterator[bytes]:
    for path in sorted(directory.glob("*.ndjson.gz")):
        with gzip.open(path) as lines:
            yield from lines


def exactly(raw: bytes) -> Any:
    """JSON with every number as the text it was."""
    return json.loads(raw, parse_float=lambda said: f"number {said}", parse_int=_whole)


def _whole(said: str) -> str:
    return f"number {said}"


def _same(given: Any, raw: bytes) -> tuple[bool, str]:
    try:
        structs = exactly(parsing.written(parsing.parsed(raw)))
        xml = exactly(parsing.dumped(xml_format.read(xml_format.written(parsing.read(raw)))[0]))
    except (parsing.Unreadable, ValueError) as why:
        return False, f"refused: {why}"
    if structs != given:
        return False, "differs after a round trip through structs"
    return plainly(xml) == plainly(given), "the same, also through XML"


def plainly(value: Any) -> Any:
    """Without what XML may lay out otherwise: white space in narratives and base64."""
    if isinstance(value, dict):
        return {k: "" if k == "div" else plainly(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plainly(v) for v in value]
    return "".join(value.split()) if isinstance(value, str) else value


suite = Suite("fhir-r4-spec-examples", run)
