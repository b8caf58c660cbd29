"""The small words of C-CDA: which concept, how much, from when to when, and where it stands.

CDA R2 data types as FHIR's, after HL7's C-CDA on FHIR. A nullFlavor is an absence with a reason:
no value is ever made of one.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from medtwin.sources.fhir_words import Resource
from medtwin.sources.hl7_times import moment

Element = Any  # lxml has no public name for it
V3 = "{urn:hl7-org:v3}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
UCUM = "http://unitsofmeasure.org"
SYSTEMS = {
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.3": "http://hl7.org/fhir/sid/icd-10",
    "2.16.840.1.113883.6.4": "http://www.cms.gov/Medicare/Coding/ICD10",
    "2.16.840.1.113883.6.103": "http://hl7.org/fhir/sid/icd-9-cm",
    "2.16.840.1.113883.6.104": "http://hl7.org/fhir/sid/icd-9-cm",
    "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
    "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
    "2.16.840.1.113883.6.59": "http://hl7.org/fhir/sid/cvx",
    "2.16.840.1.113883.6.69": "http://hl7.org/fhir/sid/ndc",
    "2.16.840.1.113883.3.26.1.1": "http://ncimeta.nci.nih.gov",
    "2.16.840.1.113883.4.1": "http://hl7.org/fhir/sid/us-ssn",
}


def child(element: Element, path: str) -> Element | None:
    """The first element along this path, such as `consumable/manufacturedProduct`."""
    return element.find("/".join(V3 + step for step in path.split("/")))


def every(element: Element, path: str) -> list[Element]:
    """Every element along this path."""
    return element.findall("/".join(V3 + step for step in path.split("/")))


def tag(element: Element) -> str:
    """The element's own name."""
    return str(element.tag).rpartition("}")[2]


def templates(element: Element) -> set[str]:
    """Which templates it says it follows: the last numbers of those of C-CDA."""
    roots = (t.get("root", "") for t in every(element, "templateId"))
    return {r.removeprefix("2.16.840.1.113883.10.20.22.4.") for r in roots}


def system(oid: str) -> str:
    """A coding system's FHIR address."""
    return SYSTEMS.get(oid) or (f"urn:oid:{oid}" if oid[:1].isdigit() else oid)


def concept(code: Element | None, words: "Words") -> Resource:
    """CD or CE: its codings, translations among them, and its words; empty if it says nothing."""
    if code is None:
        return {}
    codings = [_coding(c) for c in (code, *every(code, "translation"))]
    found: Resource = {"coding": [c for c in codings if c]} if any(codings) else {}
    said = code.get("displayName") or words.of(child(code, "originalText"))
    return found | {"text": said} if said else found


def _coding(code: Element) -> Resource:
    if not code.get("code") or code.get("nullFlavor"):
        return {}
    said = {"system": system(code.get("codeSystem", "")), "code": code.get("code")}
    return said | {"display": code.get("displayName")} if code.get("displayName") else said


class Words:
    """The narrative, in which `<reference value="#id"/>` points. Made once for a document."""

    def __init__(self, root: Element) -> None:
        self._named = {e.get("ID"): e for e in root.iter() if e.get("ID")}

    def of(self, element: Element | None) -> str:
        """The words an element holds or points at."""
        if element is None:
            return ""
        pointer = child(element, "reference")
        target = self._named.get(pointer.get("value", "")[1:]) if pointer is not None else None
        return text(element) or (text(target) if target is not None else "")


def text(element: Element) -> str:
    """All words inside, spaces tidied."""
    return " ".join(" ".join(element.itertext()).split())


BLOCKS = {"paragraph", "tr", "li", "item", "br", "caption", "title", "list", "table"}


def narrative(section: Element) -> str:
    """A section's words as plain text, a line for each row and paragraph."""
    body = child(section, "text")
    if body is None:
        return ""
    pieces = "".join(_lines(body))
    return "\n".join(" ".join(line.split()) for line in pieces.split("\n") if line.strip())


def _lines(element: Element) -> Iterator[str]:
    yield element.text or ""
    for inner in element:
        if isinstance(inner.tag, str):
            yield "\n" if tag(inner) in BLOCKS else " "
            yield from _lines(inner)
            yield "\n" if tag(inner) in BLOCKS else " "
        yield inner.tail or ""


def at(time: Element | None) -> str:
    """A time as FHIR writes it; empty where it is not told."""
    return moment(time.get("value", "")) if time is not None else ""


def span(element: Element) -> tuple[str, str]:
    """From when to when: effectiveTime as a point or an interval; a repeat pattern is neither."""
    for time in every(element, "effectiveTime"):
        if time.get(TYPE, "").endswith("PIVL_TS") or time.get(TYPE, "").endswith("EIVL_TS"):
            continue
        return at(time) or at(child(time, "low")), at(child(time, "high"))
    return "", ""


def quantity(value: Element | None) -> Resource:
    """PQ: a number with its UCUM unit; empty if it is not told."""
    if value is None or value.get("value") is None or value.get("nullFlavor"):
        return {}
    unit = value.get("unit") or "1"
    return {"value": _number(value.get("value")), "unit": unit, "code": unit, "system": UCUM}


def _number(said: str) -> float | str:
    try:
        return float(said)
    except ValueError:
        return said


def valued(value: Element, words: Words) -> Resource:
    """An observation's value as FHIR names it; empty where there is a nullFlavor instead."""
    sort = value.get(TYPE, "").rpartition(":")[2]
    if sort in ("PQ", "REAL", "MO"):
        measured = quantity(value)
        return {"valueQuantity": measured} if measured else {}
    if sort == "INT" and value.get("value"):
        return {"valueQuantity": {"value": _number(value.get("value")), "unit": "1"}}
    if sort == "IVL_PQ":
        return _interval(quantity(child(value, "low")), quantity(child(value, "high")))
    if sort in ("CD", "CE", "CV", "CO", "CS"):
        said = concept(value, words)
        return {"valueCodeableConcept": said} if said else {}
    if sort in ("TS", "BL"):
        name = "valueDateTime" if sort == "TS" else "valueBoolean"
        return _plain(name, at(value) if sort == "TS" else value.get("value"))
    return _plain("valueString", words.of(value))


def _plain(name: str, said: str | None) -> Resource:
    if not said:
        return {}
    return {name: said == "true" if name == "valueBoolean" else said}


def _interval(low: Resource, high: Resource) -> Resource:
    if low and high:
        return {"valueRange": {"low": low, "high": high}}
    if low or high:
        return {"valueQuantity": (low or high) | {"comparator": ">=" if low else "<="}}
    return {}


def place(element: Element, section: int) -> str:
    """Where an element stands, as an XPath without namespaces: (//section)[3]/entry[2]/act."""
    steps: list[str] = []
    while element is not None and tag(element) != "section":
        same = list(element.itersiblings(element.tag, preceding=True))
        alone = not same and next(element.itersiblings(element.tag), None) is None
        steps.append(tag(element) if alone else f"{tag(element)}[{len(same) + 1}]")
        element = element.getparent()
    return "/".join([f"(//section)[{section}]", *reversed(steps)])


def parser() -> etree.XMLParser:
    """Entities and document types are off, nothing is fetched, depth and text are bounded."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
