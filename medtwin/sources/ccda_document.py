"""What every entry of a C-CDA document shares, and what each says of itself."""

from dataclasses import dataclass
from typing import Any

from medtwin.sources.ccda_words import Element, Words, at, child, concept, span
from medtwin.sources.fhir_words import Resource

Told = tuple[Resource, Element]


@dataclass(frozen=True)
class Document:
    """What every entry of a document shares: whose it is, when it was written, its words."""

    whose: Resource | None
    written: str
    words: Words
    section: str = ""

    def about(self, kind: str, element: Element, **said: Any) -> Resource:
        """A resource of this kind about the patient; what is empty is left out."""
        given = {"resourceType": kind, "subject": self.whose, **said}
        found = {k: v for k, v in given.items() if v not in (None, "", [], {})}
        recorded = at(child(element, "author/time")) or self.written
        return found | ({RECORDED[kind]: recorded} if kind in RECORDED else {})

    def concept(self, element: Element, path: str = "code") -> Resource:
        """What a coded child says."""
        return concept(child(element, path), self.words)


RECORDED = {"Condition": "recordedDate", "AllergyIntolerance": "recordedDate"}


def negated(element: Element) -> bool:
    """Whether it says that this is not so, or was not done."""
    return element.get("negationInd") == "true"


def planned(element: Element) -> bool:
    """Whether it is intended, ordered or promised rather than done."""
    return element.get("moodCode", "EVN") != "EVN"


def status(element: Element) -> str:
    """Its statusCode."""
    code = child(element, "statusCode")
    return code.get("code", "") if code is not None else ""


def order(element: Element, by: Document) -> Resource:
    """What is planned or asked for."""
    start, _ = span(element)
    return by.about(
        "ServiceRequest",
        element,
        status=ORDERED.get(status(element), "active"),
        code=by.concept(element) or {"text": by.words.of(child(element, "text"))},
        authoredOn=at(child(element, "author/time")) or by.written,
        occurrenceDateTime=start,
    )


ORDERED = {"completed": "completed", "cancelled": "revoked", "aborted": "revoked"}
