"""Whether a resource says what FHIR R4 wants of it, before it is kept."""

from medtwin.web.fhir.problem import Fault, Problem
from medtwin.web.fhir.wire import Resource


def check(resource: Resource) -> None:
    """Raise a `Problem` with every fault and its path."""
    wrong = [f for f in faults(resource) if f.severity in ("error", "fatal")]
    if wrong:
        raise Problem(422, *wrong)


def faults(resource: Resource) -> list[Fault]:
    """Everything that is wrong with it."""
    return []
