"""The official cases of FHIR's Java validator: whether a resource is valid by the base rules.

Of the manifest those cases count that need nothing besides the file: no other profiles, no other
resources, no logical models, no package under test, and whose outcome was written for R4. HL7's
FHIRPath tests for R4 lie in the same folder and run with them.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.conformance import fhirpath_cases
from evidence.conformance.suite import Case, Suite
from medtwin.fhir.validation import validated

NEEDS_MORE = ("supporting", "profiles", "logical", "matchetype")
BAD = ("error", "fatal")


def run(directory: Path) -> Iterator[Case]:
    """Each case: whether our verdict is that of the Java validator; each FHIRPath, its answer."""
    paths = list(fhirpath_cases.cases(directory / "r4"))
    yield from paths
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
    yield Case("summary", True, _summary(counted) + _paths(paths))


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


def _paths(cases: list[Case]) -> str:
    return f", {sum(c.agreed for c in cases)} of {len(cases)} FHIRPath tests answered alike"


suite = Suite("fhir-test-cases", run)
