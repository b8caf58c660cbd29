"""What went wrong, as FHIR says it: an OperationOutcome with the place, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing: how bad, which sort (issue-type), where (a FHIRPath or a parameter), in words."""

    code: str
    said: str
    path: str = ""
    severity: str = "error"


class Problem(Exception):
    """A request that cannot be done as asked; `status` is HTTP's."""

    def __init__(self, status: int, *faults: Fault) -> None:
        super().__init__("; ".join(f.said for f in faults))
        self.status, self.faults = status, faults


def problem(status: int, code: str, said: str, path: str = "") -> Problem:
    """A problem with one fault."""
    return Problem(status, Fault(code, said, path))


def outcome(faults: Sequence[Fault]) -> dict[str, Any]:
    """The faults as an OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(f) for f in faults]}


def _issue(fault: Fault) -> dict[str, Any]:
    issue = {"severity": fault.severity, "code": fault.code, "diagnostics": fault.said}
    return issue | ({"expression": [fault.path]} if fault.path else {})


def all_well(said: str) -> dict[str, Any]:
    """An outcome without a fault."""
    return outcome([Fault("informational", said, severity="information")])
