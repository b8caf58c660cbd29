"""Findings as FHIR itself reports them: an OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable
from typing import Any

from medtwin.fhir.issue import Issue


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome with these findings; without any it says that all is well."""
    found = [_issue(i) for i in issues]
    well = {"severity": "information", "code": "informational", "diagnostics": "nothing was found"}
    return {"resourceType": "OperationOutcome", "issue": found or [well]}


def _issue(one: Issue) -> dict[str, Any]:
    said: dict[str, Any] = {
        "severity": one.severity,
        "code": one.code,
        "details": {"text": one.said},
    }
    return {**said, "expression": [one.path]} if one.path else said
