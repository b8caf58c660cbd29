"""The official cases of FHIR's Java validator: whether a resource is valid by the base rules.

Of the manifest those cases count that need nothing besides the file: no other profiles, no other
resources, no logical models, no package under test, and whose outcome was written for R4.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.conformance.suite import Case, Suite
from medtwin.fhir.validation import validated

NEEDS_MORE = ("supporting", "profiles", "logical", "matchetype")
BAD = ("error", "fatal")


def run(directory: Path) -> Iterator[Case]:
    """Each case: whether our verdict is that of the Java validator."""
    cases = directory / "validator"
    manifest = json.loads((cases / "manifest-r4.json").read_bytes())["test-cases"]
    counted: Counter[tuple[bool, bool]] = Counter()
    for row in manifest:
        expected = outcome(cases, row)
        if expected is None:
            continue
        wrong = [i for i in expected.get("issue", []) if i["severity"] in BAD]
        found = validated((cases / row["file"]).read_bytes())
        counted[bool(wrong), bool(found)] += 1
        yield Case(row["name"], bool(wrong) == bool(found), _said(wrong, found))
    yield Case("summary", True, _summary(counted))


def outcome(cases: Path, row: dict[str, Any]) -> dict[str, Any] | None:
    """What the Java validator found, or None for a case that is not one of base rules."""
    said = row.get("java")
    if not isinstance(said, str) or any(k in row for k in NEEDS_MORE):
        return None
    path = cases / "outcomes" / said
    if not path.name.startswith("R4.") or not path.exists():
        return None
    return json.loads(path.read_bytes())


def _said(wrong: list[dict[str, Any]], found: list[Any]) -> str:
    if wrong and not found:
        return "not found: " + wrong[0].get("details", {}).get("text", "")
    return f"{found[0].path}: {found[0].said}" if found else "valid"


def _summary(counted: Counter[tuple[bool, bool]]) -> str:
    invalid = counted[True, True] + counted[True, False]
    valid = counted[False, False] + counted[False, True]
    return (
        f"{counted[True, True]} of {invalid} invalid found, "
        f"{counted[False, False]} of {valid} valid accepted"
    )


suite = Suite("fhir-test-cases", run)
