"""The cases of fhirpath.js: expressions, and what each answers, or that it cannot be answered.

JavaScript writes a 64-bit integer as text and a fraction in binary; both are compared as numbers.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evidence.conformance.suite import Case, Suite
from medtwin.fhir.nodes import root
from medtwin.fhir.path_grammar import BadPath
from medtwin.fhir.paths import asked, evaluate

CLOSE = Decimal("1e-7")
Row = dict[str, Any]


def run(directory: Path) -> Iterator[Case]:
    """Every case that its authors have not switched off."""
    for path in sorted((directory / "test" / "cases").glob("*.yaml")):
        whole = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        for i, row in enumerate(rows(whole["tests"])):
            for expression in _several(row["expression"]):
                agreed, said = answered(row, expression, whole.get("subject"), directory)
                yield Case(f"{path.stem}:{i + 1} {expression}", agreed, said)


def rows(tests: list[Row]) -> Iterator[Row]:
    """The cases of nested groups."""
    for test in tests:
        if test.get("disable"):
            continue
        if "expression" in test:
            yield test
        for name, inner in test.items():
            if name.startswith("group"):
                yield from rows(inner or [])


def _several(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


def answered(row: Row, expression: Any, subject: Any, directory: Path) -> tuple[bool, str]:
    """Whether the answer is the one expected."""
    about = resource(row, subject, directory)
    try:
        found = answer(row, expression, about)
    except BadPath as why:
        return bool(row.get("error")), f"refused: {why}"
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as why:
        return False, f"broke: {why!r}"
    said = f"{found!r:.100}"
    if row.get("error"):
        return False, f"should be refused; {said}"
    wanted = row.get("result")
    return alike(plain(found), plain(wanted)), f"{said}; expected {wanted!r:.100}"


def resource(row: Row, subject: Any, directory: Path) -> Any:
    """What a case is asked of."""
    if "inputfile" not in row:
        return subject
    folder = directory / "test" / "resources"
    first = folder / str(row.get("model", "r4")) / row["inputfile"]
    return loaded(first if first.exists() else next(folder.rglob(row["inputfile"])))


@cache
def loaded(path: Path) -> Any:
    """A resource with its numbers as written."""
    return json.loads(path.read_bytes(), parse_float=Decimal)


def answer(row: Row, expression: Any, about: Any) -> list[Any]:
    """What we answer."""
    kind = None if row.get("model") else ""
    named = row.get("variables") or {}
    if isinstance(expression, dict):
        return evaluate(expression["expression"], about, kind=expression["base"], variables=named)
    if "context" in row:
        (focus,) = asked(row["context"], root(about, kind))
        return evaluate(expression, focus.value, kind=focus.kind, within=about, variables=named)
    return evaluate(expression, about, kind=kind, variables=named)


def plain(value: Any) -> Any:
    """Numbers as decimals, everything else as it is or as text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value if isinstance(value, Decimal) else str(value)


def alike(found: Any, wanted: Any) -> bool:
    """Whether two answers say the same."""
    if isinstance(found, Decimal) and isinstance(wanted, str):
        return str(found) == wanted
    if isinstance(found, Decimal) and isinstance(wanted, Decimal):
        return abs(found - wanted) <= CLOSE * max(1, abs(found))
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(alike, found, wanted))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(alike(found[k], wanted[k]) for k in found)
    return type(found) is type(wanted) and found == wanted


suite = Suite("fhirpath.js", run)
