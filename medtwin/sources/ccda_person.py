"""Who a C-CDA document is about: its recordTarget, as a FHIR Patient."""

from typing import Any

from medtwin.sources.ccda_words import Element, at, child, every, system, text
from medtwin.sources.fhir_words import NotUnderstood, Resource

SEX = {"F": "female", "M": "male", "UN": "other"}
SOCIAL = "http://hl7.org/fhir/sid/us-ssn"


def patient(root: Element) -> Resource:
    """The one patient. Raises `NotUnderstood` where there is none, or more than one."""
    targets = every(root, "recordTarget/patientRole")
    if len(targets) != 1:
        raise NotUnderstood(f"it is about {len(targets)} patients; allowed is one recordTarget")
    role = targets[0]
    who = child(role, "patient")
    sex = child(role, "patient/administrativeGenderCode")
    known = [i for i in map(identifier, every(role, "id")) if i]
    said: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": sorted(known, key=lambda i: i["system"] == SOCIAL),
        "gender": SEX.get(sex.get("code", ""), "") if sex is not None else "",
        "address": [a for a in map(_address, every(role, "addr")) if a],
        "telecom": [{"value": t} for t in map(_reached, every(role, "telecom")) if t],
    }
    if who is not None:
        language = child(who, "languageCommunication/languageCode")
        said |= {
            "name": [n for n in map(_name, every(who, "name")) if n],
            "birthDate": at(child(who, "birthTime"))[:10],
            "communication": [{"language": {"text": language.get("code")}}]
            if language is not None and language.get("code")
            else [],
        }
    return {k: v for k, v in said.items() if v not in ("", [], {})}


def identifier(element: Element) -> Resource:
    """II: a number and who gave it; a root alone is a number of its own."""
    root, number = element.get("root", ""), element.get("extension", "")
    if element.get("nullFlavor") or not (root or number):
        return {}
    if not number:
        return {"system": "urn:ietf:rfc:3986", "value": root}
    return {"system": system(root), "value": number}


def _name(name: Element) -> Resource:
    if name.get("nullFlavor"):
        return {}
    use = {"L": "official", "C": "usual", "P": "nickname"}.get(name.get("use", ""), "")
    given = [text(g) for g in every(name, "given") if g.get("qualifier") != "CL" and text(g)]
    family = " ".join(filter(None, map(text, every(name, "family"))))
    said: dict[str, Any] = {"family": family, "given": given, "use": use}
    said |= {part: [text(p) for p in every(name, part) if text(p)] for part in ("prefix", "suffix")}
    found = {k: v for k, v in said.items() if v}
    return found if family or given else ({"text": text(name)} if text(name) else {})


def _address(address: Element) -> Resource:
    if address.get("nullFlavor"):
        return {}
    parts = {"city": "city", "state": "state", "postalCode": "postalCode", "country": "country"}
    said: dict[str, Any] = {"line": [text(s) for s in every(address, "streetAddressLine")]}
    for name, part in parts.items():
        element = child(address, part)
        said[name] = text(element) if element is not None else ""
    said["line"] = [line for line in said["line"] if line]
    return {k: v for k, v in said.items() if v}


def _reached(telecom: Element) -> str:
    value = telecom.get("value", "")
    return value.removeprefix("tel:").removeprefix("mailto:").strip()
