"""The examples of US Core: each accepted by the base rules, and round-tripped without loss."""

from collections.abc import Iterator
from pathlib import Path

from evidence.conformance.fhir_r4_spec_examples import exactly
from evidence.conformance.suite import Case, Suite
from medtwin.fhir import parsing
from medtwin.fhir.validation import validated


def run(directory: Path) -> Iterator[Case]:
    """Each example."""
    for path in sorted(directory.rglob("*.json")):
        raw = path.read_bytes()
        found = validated(raw)
        if found:
            yield Case(path.stem, False, f"{found[0].path}: {found[0].said}")
            continue
        same = exactly(parsing.written(parsing.parsed(raw))) == exactly(raw)
        yield Case(path.stem, same, "valid, and the same again")


suite = Suite("us-core-examples", run)
