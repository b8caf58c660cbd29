"""Values of every primitive type, to be accepted or refused (JSON lines of google/fhir)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.conformance.suite import Case, Suite
from medtwin.fhir.primitives import CHECKS
from medtwin.fhir.validation import validated

CONTAINED = {"resourceType": "Patient", "id": "p1", "active": True}


def run(directory: Path) -> Iterator[Case]:
    """Each value of each file; null, which stands for no value, is left out."""
    for path in sorted(directory.rglob("*.ndjson")):
        name, verdict, _ = path.name.split(".")
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            if line.strip() not in {"", "null"}:
                wrong = complaint(kind(name), line)
                agreed = (wrong is None) == (verdict == "valid")
                yield Case(f"{path.name}:{i + 1}", agreed, f"{line}: {wrong or 'accepted'}")


def kind(name: str) -> str:
    """`date_time` as FHIR writes it."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def complaint(of: str, line: str) -> str | None:
    """What is wrong with a value, or None."""
    try:
        value = json.loads(line)
    except ValueError:
        return "this is not JSON"
    return _reference(value) if of == "reference" else CHECKS[of](value)


def _reference(value: Any) -> str | None:
    contained = {"contained": [CONTAINED]} if "#p1" in str(value) else {}
    found = validated(
        {"resourceType": "Basic", **contained, "code": {"text": "x"}, "subject": value}
    )
    return found[0].said if found else None


suite = Suite("google-fhir-testdata", run)
