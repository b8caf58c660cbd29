"""SQL on FHIR v2: each view of the suite over its resources gives the rows that it says.

Rows may come in any order; where a case names its columns, they come in that order.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from evidence.conformance.suite import Case, Suite
from medtwin.exports.views import BadView, rows, view

Test = dict[str, Any]


def run(directory: Path) -> Iterator[Case]:
    """Every case of every file."""
    for path in sorted((directory / "tests").glob("*.json")):
        whole = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        for test in whole["tests"]:
            yield Case(f"{path.stem}: {test['title']}", *answered(test, whole["resources"]))


def answered(test: Test, resources: list[Any]) -> tuple[bool, str]:
    """Whether we agree, and what we said."""
    try:
        made = view(test["view"])
        names = [c.name for c in made.columns]
        found = [dict(zip(names, row, strict=True)) for row in rows(made, resources)]
    except BadView as why:
        return bool(test.get("expectError")), f"refused: {why}"
    if test.get("expectError"):
        return False, f"an error is expected, {len(found)} rows are found"
    ordered = test.get("expectColumns", names) == names
    return ordered and _alike(found, test["expect"]), f"{found}"


def _alike(found: list[Any], expected: list[Any]) -> bool:
    """The same rows in any order; a column that is not named is empty."""
    left = [_filled(e, found) for e in expected]
    for row in found:
        if row not in left:
            return False
        left.remove(row)
    return not left


def _filled(expected: Test, found: list[Any]) -> Test:
    return {**dict.fromkeys(found[0]), **expected} if found else expected


suite = Suite("sql-on-fhir-v2", run)
