"""Resources that are made when asked for: the audit, the twin and what it foretells."""

from dataclasses import dataclass

from medtwin.web.fhir.asked import Question
from medtwin.web.fhir.call import Call
from medtwin.web.fhir.wire import Resource


@dataclass(frozen=True)
class Made:
    """What was made for a search; `instead` of what is kept, or beside it."""

    resources: tuple[Resource, ...]
    instead: bool


def one(call: Call, kind: str, id_: str) -> Resource | None:
    """The resource of this name, if it is one that is made."""
    return None


def found(call: Call, kind: str, asked: Question) -> Made | None:
    """What a search finds of those that are made."""
    return None
