"""Whom a FHIR resource is about: ids, addresses, references inside and outside the bundle."""

from medtwin.sources import fhir_events
from medtwin.sources.fhir_patient import identifiers
from medtwin.sources.fhir_words import NotUnderstood, Resource, Told

# Which element names the person, beside subject and patient.
WHOSE = {"Coverage": "beneficiary", "ResearchSubject": "individual", "Task": "for"}
# Kinds that become facts have to be about a patient; others are kept whoever they are about.
FACTUAL = {"Observation", *fhir_events.READERS}


def whose(resource: Resource, url: str, told: Told) -> str | None:
    """The person this is about, as `fhir|id`; None where nobody is named.

    An id that came with a server's address keeps it: two hospitals' Patient/1 are two people.
    Raises `NotUnderstood` if the subject is something other than a patient.
    """
    kind = resource["resourceType"]
    if kind == "Patient":
        return patient_name(resource, url)
    reference = resource.get("subject") or resource.get("patient")
    reference = reference or resource.get(WHOSE.get(kind, "")) or _coming(resource, kind)
    if not isinstance(reference, dict):
        return None
    text = str(reference.get("reference", ""))
    target = told.found(reference, resource) or told.entries.get(_absolute(text, url), {})
    target = target or _searched(text, told)
    if target.get("resourceType") == "Patient":
        return (
            _contained(target) if text[:1] == "#" else patient_name(target, target.get("_url", ""))
        )
    if target:
        return _not_a_patient(kind, target["resourceType"])
    return _elsewhere(kind, reference)


def _coming(resource: Resource, kind: str) -> Resource | None:
    """The patient among those who come to an appointment."""
    if kind != "Appointment":
        return None
    actors = [p.get("actor") or {} for p in resource.get("participant") or ()]
    named = (a for a in actors if "Patient/" in a.get("reference", "") or _says_patient(a))
    return next(named, None)


def _says_patient(reference: Resource) -> bool:
    return reference.get("type") == "Patient"


def patient_name(resource: Resource, url: str) -> str:
    """What to call a Patient: its address if it has one, else its id, else its identifier."""
    if url.startswith("http"):
        return f"fhir|{url}"
    if resource.get("id"):
        return f"fhir|{resource['id']}"
    if url:
        return f"fhir|{url.removeprefix('urn:uuid:')}"
    known = identifiers(resource)
    if not known:
        raise NotUnderstood("this Patient has neither id nor identifier")
    return known[0]


def _elsewhere(kind: str, reference: Resource) -> str | None:
    text = reference.get("reference", "").split("/_history/")[0]
    if text.startswith("urn:"):
        return f"fhir|{text.removeprefix('urn:uuid:')}"
    if text.startswith("http") and "/Patient/" in text:
        return f"fhir|{text}"
    if text.startswith("Patient/"):
        return f"fhir|{text.removeprefix('Patient/')}"
    if text.startswith("Patient?identifier="):
        return text.partition("=")[2]
    identifier = reference.get("identifier") or {}
    if identifier.get("value"):
        return f"{identifier.get('system', '')}|{identifier['value']}"
    if text.startswith("#"):
        raise NotUnderstood(f"its subject {text} is not in it")
    return _not_a_patient(kind, text) if text else None


def _not_a_patient(kind: str, other: str) -> None:
    if kind in FACTUAL:
        raise NotUnderstood(f"its subject is {other}; allowed is a Patient")


def _contained(resource: Resource) -> str:
    """An id inside a resource means nothing outside it: only an identifier names the person."""
    known = identifiers(resource)
    if not known:
        raise NotUnderstood("its contained patient has no identifier; who it is cannot be told")
    return known[0]


def _searched(text: str, told: Told) -> Resource:
    """The bundle's patient of a conditional reference, `Patient?identifier=system|value`."""
    if not text.startswith("Patient?identifier="):
        return {}
    asked = text.partition("=")[2]
    patients = (r for r in told.entries.values() if r.get("resourceType") == "Patient")
    return next((p for p in patients if asked in _spellings(p)), {})


def _spellings(patient: Resource) -> set[str]:
    known = identifiers(patient)
    return set(known) | {i.rpartition("|")[2] for i in known}


def _absolute(text: str, url: str) -> str:
    """A relative reference against the server the entry came from (FHIR R4, bundle 2.36.4.1)."""
    server = url.rsplit("/", 2)[0] if url.startswith("http") else ""
    return f"{server}/{text}" if server else ""
