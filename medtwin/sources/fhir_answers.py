"""A FHIR QuestionnaireResponse: what a person answered, question by question."""

import re
from collections.abc import Iterator
from datetime import datetime

from medtwin.record.codes import Code, Kind, opened
from medtwin.record.observation import WITHDRAWN, Implausible, Observation
from medtwin.record.units import UnknownUnit, convert
from medtwin.sources.fhir_observation import Fact, measured
from medtwin.sources.fhir_words import (
    ANSWERS,
    NoFact,
    NotUnderstood,
    Resource,
    Told,
    meant,
    spoken,
    when,
)

Place = tuple[Resource, str]  # an item of the response, and where it stands in it

LOINC = re.compile(r"^/?(?:.*/)?(\d{1,7}-\d)$")
ORDINAL = (
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
)
DEEPEST = 30


def answers(resource: Resource, told: Told) -> Iterator[Fact]:
    """One fact for each answer that is there; what fails comes as its error.

    An answer that is only drafted is no fact yet. Raises NoFact where nothing was answered.
    """
    status = resource.get("status")
    if status == "in-progress":
        raise NoFact("that is not finished")
    asked = questions(resource, told)
    given = [(item, place) for item, place in walked(resource) if item.get("answer")]
    if not given:
        raise NoFact("without an answer")
    text = resource.get("authored")
    at = when(text, told) if text else told.received
    for item, _ in given:
        for answer in item["answer"]:
            try:
                yield _fact(item, answer, asked, resource, at, told)
            except (Implausible, UnknownUnit, NotUnderstood) as why:
                yield why


def places(resource: Resource) -> Iterator[str]:
    """Where each answer stands, in the order of `answers`."""
    for item, place in walked(resource):
        for number in range(len(item.get("answer") or ())):
            yield f"{place}.answer[{number}]"


def walked(resource: Resource) -> Iterator[Place]:
    """Every item of the response, however deep, in reading order."""
    waiting = [(i, f"item[{n}]", 1) for n, i in enumerate(resource.get("item") or ())][::-1]
    while waiting:
        item, place, depth = waiting.pop()
        yield item, place
        if depth >= DEEPEST:
            raise NotUnderstood(f"its items are nested deeper than {DEEPEST}; send them flatter")
        inner = [(i, f"{place}.item[{n}]") for n, i in enumerate(item.get("item") or ())]
        for k, answer in enumerate(item.get("answer") or ()):
            below = f"{place}.answer[{k}].item"
            inner += [(i, f"{below}[{n}]") for n, i in enumerate(answer.get("item") or ())]
        waiting += [(i, p, depth + 1) for i, p in reversed(inner)]


def questions(resource: Resource, told: Told) -> dict[str, Resource]:
    """The questions of the questionnaire by linkId, where it came along; else nothing."""
    canonical = str(resource.get("questionnaire") or "").partition("|")[0]
    if canonical.startswith("#"):
        inside = resource.get("contained") or ()
        form = next((c for c in inside if c.get("id") == canonical[1:]), None)
    else:
        forms = [e for e in told.entries.values() if e.get("resourceType") == "Questionnaire"]
        form = next((f for f in forms if canonical and f.get("url") == canonical), None)
        form = form or told.entries.get(canonical)
    return {} if form is None else {i.get("linkId", ""): i for i, _ in walked(form)}


def source(resource: Resource) -> str:
    """Who answered, as far as it says."""
    who = (resource.get("source") or resource.get("author") or {}).get("display")
    return f"FHIR, {who}" if who else "FHIR"


def _fact(
    item: Resource,
    answer: Resource,
    asked: dict[str, Resource],
    whole: Resource,
    at: datetime,
    told: Told,
) -> Observation:
    question = asked.get(str(item.get("linkId") or ""), {})
    value, says, unit = answered(answer, question)
    code = _meaning(item, question, whole, unit or "1")
    if unit is not None and code.unit != unit:
        value = convert(value, unit, code)
    if whole.get("status") == "entered-in-error":
        says = WITHDRAWN
    return Observation(at, code, value, source(whole), told.received, None, says)


def _meaning(item: Resource, question: Resource, whole: Resource, unit: str) -> Code:
    """What was asked: by its code, by a LOINC number as its linkId, or by its words."""
    link = str(item.get("linkId") or "")
    words = str(item.get("text") or question.get("text") or "")
    if codings := question.get("code"):
        return meant({"coding": codings, "text": words or None}, Kind.answer, unit)
    if number := LOINC.match(link):
        coding = {"system": "http://loinc.org", "code": number[1]}
        return meant({"coding": [coding], "text": words or link}, Kind.answer, unit)
    form = str(whole.get("questionnaire") or "").partition("|")[0]
    if not words:
        raise NotUnderstood(
            f"question {link!r} has no words, and {form or 'its questionnaire'} is not here to say "
            "them; send the Questionnaire in the same bundle, or the text of each item"
        )
    token = f"{form or 'text'}|{link or words}"
    return opened(token if unit == "1" else f"{token}|{unit}", words, unit, Kind.answer)


def answered(answer: Resource, question: Resource) -> tuple[float, str, str | None]:
    """A number, words, and the unit where there is one."""
    for name, value in answer.items():
        if name == "valueCoding":
            return worth(value, question), spoken({"coding": [value]}), None
        if name == "valueQuantity":
            return measured(value)
        if name == "valueBoolean":
            return float(value), "yes" if value else "no", None
        if name in ("valueInteger", "valueDecimal"):
            return float(value), "", None
        if name in ("valueString", "valueDate", "valueDateTime", "valueTime", "valueUri"):
            return 1.0, str(value), None
        if name in ("valueReference", "valueAttachment"):
            return 1.0, str(value.get("display") or value.get("title") or name[5:].lower()), None
    raise NotUnderstood("an answer has no value; allowed are the value types of FHIR R4")


def worth(coding: Resource, question: Resource) -> float:
    """What a choice is worth: as it says itself, as its question does, or LOINC's list; else 1."""
    options = (o.get("valueCoding") or {} for o in question.get("answerOption") or ())
    alike = (o for o in options if o.get("code") == coding.get("code"))
    for said in (coding, next(alike, {})):
        for extension in said.get("extension") or ():
            if extension.get("url") in ORDINAL:
                return float(extension["valueDecimal"])
    return ANSWERS.get(str(coding.get("code")), 1.0)


READERS = {"QuestionnaireResponse": answers}
