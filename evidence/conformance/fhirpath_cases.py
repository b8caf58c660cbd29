"""HL7's own FHIRPath tests for R4 (`fhir-test-cases/r4/fhirpath`), as its suite runs them."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from evidence.conformance.suite import Case
from medtwin.fhir import parsing, xml_format
from medtwin.fhir.moments import Moment, moment
from medtwin.fhir.nodes import Node, root, system
from medtwin.fhir.path_grammar import BadPath
from medtwin.fhir.paths import asked
from medtwin.fhir.quantities import Quantity, quantity


def cases(folder: Path) -> Iterator[Case]:
    """Each test whose input is there."""
    path = folder / "fhirpath" / "tests-fhir-r4.xml"
    for test in etree.parse(path).getroot().iter("test") if path.exists() else ():
        held = resource(folder, test.get("inputfile"))
        if held is not None:
            yield Case(f"fhirpath/{test.get('name')}", *answered(test, held))


@cache
def resource(folder: Path, name: str | None) -> Any:
    """The input, from JSON or XML; None where it is not there."""
    if name is None:
        return {}
    stem = Path(name).stem
    for path in sorted(folder.rglob(f"{stem}.*")):
        if path.suffix == ".json":
            return parsing.read(path.read_bytes())
        if path.suffix == ".xml":
            return xml_format.read(path.read_bytes())[0]
    return None


def answered(test: Any, held: Any) -> tuple[bool, str]:
    """Whether the answer is the one expected."""
    expression = test.find("expression")
    wrong = expression.get("invalid") or test.get("invalid")
    try:
        found = [n for n in asked(expression.text, root(held)) if n.value is not None]
    except BadPath as why:
        return bool(wrong), f"{expression.text}: refused: {why}"
    wanted = [(o.get("type"), o.text or "") for o in test.iter("output")]
    said = f"{expression.text}: {[n.value for n in found]!r:.90}; expected {wanted!r:.90}"
    if wrong:
        return False, said
    if test.get("predicate") == "true":
        return bool(found and found[0].value is not False) == (wanted[0][1] == "true"), said
    same = len(found) == len(wanted) and all(map(alike, found, wanted))
    return same, said


def alike(node: Node, wanted: tuple[str | None, str]) -> bool:
    """Whether a value is the one that was written down."""
    _, value = system(node)
    said = wanted[1].strip()
    if isinstance(value, bool):
        return said == ("true" if value else "false")
    if isinstance(value, Moment):
        expected = moment(said.removeprefix("@"))
        return expected is not None and expected.parts == value.parts
    if isinstance(value, Quantity):
        return quantity(said) == value or str(value) == said
    if isinstance(value, int | Decimal):
        return abs(Decimal(value) - Decimal(said)) <= Decimal("1e-8") * max(1, abs(value))
    return isinstance(value, dict) or str(value) == said or wanted[1] == value
