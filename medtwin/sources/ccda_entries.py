"""The entries of a C-CDA document as FHIR resources, after HL7's C-CDA on FHIR.

What an entry is, its class, mood and templates say; the section only helps where they do not.
A plan (mood other than EVN) is never a thing that happened; what is negated did not happen.
"""

from collections.abc import Callable, Iterator

from medtwin.sources.ccda_document import Document, Told, negated, order, planned, status
from medtwin.sources.ccda_medicines import substance
from medtwin.sources.ccda_words import (
    Element,
    at,
    child,
    concept,
    every,
    span,
    tag,
    templates,
    valued,
)
from medtwin.sources.fhir_words import Resource


def somebody_elses(element: Element) -> bool:
    """Whether it is about a relative, a donor, a fetus: family history has a subject of its own."""
    return child(element, "subject") is not None or "45" in templates(element)


def told(element: Element, by: Document) -> Iterator[Told]:
    """The resources an entry holds, each with the element it came from."""
    if element.get("nullFlavor") or somebody_elses(element):
        return
    reader = READERS.get(tag(element))
    if reader is not None:
        yield from reader(element, by)


def act(element: Element, by: Document) -> Iterator[Told]:
    """A concern holds problems or allergies; other acts were done or are planned."""
    inner = [o for o in every(element, "entryRelationship/observation") if _problematic(o)]
    if inner:
        for observation in inner:
            yield from observed(observation, by)
    elif "12" in templates(element) or (planned(element) and "39" in templates(element)):
        yield from done(element, by)


PROBLEM = {"4"}
ALLERGY = {"7", "90"}
# Where no template says so: codes of "problem", "diagnosis" and the like; the value is which one.
PROBLEM_TYPES = {"64572001", "55607006", "282291009", "404684003", "418799008", "409586006"}
PROBLEM_TYPES |= {"75326-9", "75323-6", "75321-0", "75325-1", "29308-4"}


def _problematic(observation: Element) -> bool:
    return bool(templates(observation) & ALLERGY) or _problem(observation)


def _problem(observation: Element) -> bool:
    """By its template, or by a type of problem as its code and the diagnosis as its value."""
    code, value = child(observation, "code"), child(observation, "value")
    typed = code is not None and code.get("code") in PROBLEM_TYPES
    coded = value is not None and bool(value.get("code"))
    return bool(templates(observation) & PROBLEM) or (typed and coded)


def observed(element: Element, by: Document) -> Iterator[Told]:
    """A problem, an allergy, a procedure that observes, or simply a value."""
    sorts = templates(element)
    if sorts & ALLERGY:
        yield allergy(element, by), element
    elif _problem(element) and not planned(element):
        yield condition(element, by), element
    elif "13" in sorts:
        yield from done(element, by)
    elif planned(element):
        yield order(element, by), element
    else:
        yield observation(element, by), element


def condition(element: Element, by: Document) -> Resource:
    """A problem observation: its value is the diagnosis."""
    start, end = span(element)
    code = by.concept(element, "value") or {"text": by.words.of(child(element, "text"))}
    found = by.about("Condition", element, code=code, onsetDateTime=start, abatementDateTime=end)
    return _refuted(found, element)


def allergy(element: Element, by: Document) -> Resource:
    """An allergy observation: the substance is its participant."""
    start, _ = span(element)
    agent = concept(child(element, SUBSTANCE), by.words)
    name = child(element, f"{SUBSTANCE.rpartition('/')[0]}/name")
    agent = agent or ({"text": by.words.of(name)} if by.words.of(name) else {})
    risk = [o for o in every(element, "entryRelationship/observation") if "145" in templates(o)]
    found = by.about(
        "AllergyIntolerance",
        element,
        code=agent or by.concept(element, "value"),
        onsetDateTime=start,
        criticality=_criticality(by.concept(risk[0], "value")) if risk else "",
    )
    return _refuted(found, element)


SUBSTANCE = "participant/participantRole/playingEntity/code"


def _criticality(risk: Resource) -> str:
    code = next((c["code"] for c in risk.get("coding", ())), "")
    return {"CRITH": "high", "CRITL": "low", "CRITU": "unable-to-assess"}.get(code, "")


def _refuted(found: Resource, element: Element) -> Resource:
    if negated(element):
        found["verificationStatus"] = {"coding": [{"code": "refuted"}]}
    return found


def observation(element: Element, by: Document) -> Resource:
    """A result, a vital sign, a habit: what was seen, and when."""
    start, end = span(element)
    value = child(element, "value")
    found = by.about(
        "Observation",
        element,
        status=OBSERVED.get(status(element), "final"),
        code=by.concept(element),
        effectiveDateTime=(start if not end or end == start else "") or ("" if end else by.written),
        effectivePeriod={"start": start, "end": end} if start and end and end != start else {},
    )
    said = valued(value, by.words) if value is not None else {}
    if found.get("code", {}).get("coding", [{}])[0].get("code") == "ASSERTION":
        asserted = said.pop("valueCodeableConcept", None)
        return found | (
            {"code": asserted, "valueBoolean": not negated(element)} if asserted else {}
        )
    if negated(element) and "valueCodeableConcept" in said:
        words = said["valueCodeableConcept"].get("text") or "it"
        said = {"valueString": f"not {words}"}
    return found | said


OBSERVED = {"aborted": "cancelled", "cancelled": "cancelled", "nullified": "entered-in-error"}


def organizer(element: Element, by: Document) -> Iterator[Told]:
    """A battery or cluster: what it holds, and for results the report itself."""
    if "1" in templates(element) and by.concept(element):
        start, _ = span(element)
        code = by.concept(element)
        report = by.about(
            "DiagnosticReport",
            element,
            status="final",
            code=code,
            effectiveDateTime=start or by.written,
        )
        yield report, element
    for part in every(element, "component"):
        for inner in part:
            yield from told(inner, by)


def done(element: Element, by: Document) -> Iterator[Told]:
    """A procedure done, not done, or planned."""
    if planned(element):
        yield order(element, by), element
        return
    start, end = span(element)
    found = by.about(
        "Procedure",
        element,
        status="not-done" if negated(element) else DONE.get(status(element), "completed"),
        code=by.concept(element) or {"text": by.words.of(child(element, "text"))},
        performedDateTime=(start or by.written) if not end else "",
        performedPeriod={"start": start or end, "end": end} if end else {},
    )
    yield found, element


DONE = {
    "active": "in-progress",
    "aborted": "stopped",
    "cancelled": "not-done",
    "nullified": "entered-in-error",
}


def encounter(element: Element, by: Document) -> Iterator[Told]:
    """A visit; a planned one is an appointment."""
    start, end = span(element)
    code = by.concept(element)
    if planned(element):
        found = by.about(
            "Appointment",
            element,
            status="booked",
            created=at(child(element, "author/time")) or by.written,
            start=start,
            serviceType=[code] if code else [],
        )
        found["participant"] = [{"actor": by.whose}] if by.whose else []
        yield found, element
        return
    period = {k: v for k, v in (("start", start or by.written), ("end", end)) if v}
    sort = [code] if code else []
    found = by.about("Encounter", element, status="finished", type=sort, period=period)
    yield found, element
    for inner in every(element, "entryRelationship/act/entryRelationship/observation"):
        if _problematic(inner):
            yield from observed(inner, by)


READERS: dict[str, Callable[[Element, Document], Iterator[Told]]] = {
    "act": act,
    "observation": observed,
    "organizer": organizer,
    "procedure": done,
    "substanceAdministration": substance,
    "encounter": encounter,
}
