"""Whether a resource says what FHIR R4 wants of it, before it is kept."""

from medtwin.fhir.issue import Issue
from medtwin.fhir.validation import advice, validated
from medtwin.web.fhir.problem import Fault, Problem
from medtwin.web.fhir.wire import Resource


def check(resource: Resource) -> None:
    """Raise a `Problem` with every fault and its path."""
    wrong = [_fault(i) for i in validated(resource)]
    if wrong:
        raise Problem(422, *wrong)


def faults(resource: Resource) -> list[Fault]:
    """Everything that is wrong with it, and what could be better."""
    return [_fault(i) for i in (*validated(resource), *advice(resource))]


def _fault(issue: Issue) -> Fault:
    said = f"{issue.said}; correct it and send it again"
    return Fault(issue.code, said, issue.path, issue.severity)
