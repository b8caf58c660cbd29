"""The text in a FHIR document: what it says as facts, each at its words."""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime

from medtwin.record.observation import Observation
from medtwin.sources.fhir_words import Resource, Told, spoken
from medtwin.sources.note_facts import facts_of


def said(resource: Resource, at: datetime, told: Told) -> Iterator[tuple[Observation, str]]:
    """Facts and their places in each plain text of a DocumentReference or DiagnosticReport."""
    if resource.get("status") == "entered-in-error":
        return
    kind = spoken(resource.get("type") or resource.get("code")) or "document"
    for where, attachment in _attached(resource):
        if text := written(attachment):
            noted = facts_of(text, at, f"FHIR, {kind}, read", told.received)
            for fact, place in zip(noted.facts, noted.places, strict=True):
                yield fact, f"{where}, {place}"


def _attached(resource: Resource) -> Iterator[tuple[str, Resource]]:
    for number, content in enumerate(resource.get("content") or ()):
        yield f"DocumentReference.content[{number}].attachment", content.get("attachment") or {}
    for number, form in enumerate(resource.get("presentedForm") or ()):
        yield f"DiagnosticReport.presentedForm[{number}]", form


def written(attachment: Resource) -> str:
    """The text of an attachment in base64; empty where it is none."""
    if not str(attachment.get("contentType", "")).startswith("text/plain"):
        return ""
    try:
        data = base64.b64decode(attachment.get("data") or "", validate=True)
        return data.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, TypeError):
        return ""
