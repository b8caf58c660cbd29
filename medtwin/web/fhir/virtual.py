"""Resources that are made when asked for: the audit, the twin and what it foretells."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from medtwin.care.organs import library
from medtwin.physiology.glucose_living import model as of_glucose
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.resource_asking import Asked, answers
from medtwin.vault.resource_door import Absent, Gone
from medtwin.vault.resource_indexed import pseudonym
from medtwin.vault.times import micros
from medtwin.web.fhir import accounting, twin_resources
from medtwin.web.fhir.asked import Question
from medtwin.web.fhir.call import Call
from medtwin.web.fhir.foretold import Foretold, foretold
from medtwin.web.fhir.wire import Resource

MOST_LINES = 10_000
Make = Callable[[Foretold, str, str], Iterable[Resource]]


@dataclass(frozen=True)
class Person:
    """Whom made resources are about: their pseudonym, and how they are referred to."""

    pseudonym: str
    reference: str


def one(call: Call, kind: str, id_: str) -> Resource | None:
    """The resource of this name, if it is one that is made."""
    if kind not in MADE or "." not in id_:
        return None
    about = next((p for p in id_.split(".") if pseudonym.fullmatch(p)), "")
    if kind == "Device":
        resources = list(_devices(call, None))
    else:
        person = person_of(call, about) if about else None
        resources = list(MADE[kind](call, person)) if person or kind == "AuditEvent" else []
    return next((r for r in resources if r["id"] == id_), None)


def found(call: Call, kind: str, asked: Question) -> tuple[Resource, ...]:
    """What a search finds of those that are made."""
    if kind not in MADE or asked.search.after or not _meant(kind, asked):
        return ()
    criteria = asked.search.asked
    whose = next((a for a in criteria if a.parameter in ("patient", "subject")), None)
    targets = next((a for a in criteria if a.parameter == "target"), None)
    person = _person(call, whose or (targets if kind == "Provenance" else None))
    if person is None and kind not in ("Device", "AuditEvent"):
        return ()
    rest = [a for a in criteria if a is not whose]
    return tuple(r for r in MADE[kind](call, person) if _fits(call, kind, r, rest))


def _meant(kind: str, asked: Question) -> bool:
    """A forecast does not stand among measurements unless somebody asks for it."""
    if kind != "Observation":
        return True
    named = {a.parameter: a.values for a in asked.search.asked}
    said = (*named.get("_tag", ()), *named.get("category", ()), *named.get("_id", ()))
    return any("forecast" in value for value in said) or "focus" in named


def _fits(call: Call, kind: str, resource: Resource, criteria: Iterable[Asked]) -> bool:
    now = micros(call.now) if call.now else 0
    for asked in criteria:
        if asked.chain is not None or asked.has or asked.parameter == "_lastUpdated":
            return False
        if asked.parameter == "_id":
            if resource["id"] not in asked.values:
                return False
        elif not answers(kind, asked, now)(resource, {}):
            return False
    return True


def _person(call: Call, asked: Asked | None) -> Person | None:
    if asked is None or len(asked.values) != 1:
        return None
    kind, _, id_ = asked.values[0].split("/_history/")[0].removeprefix(call.base).rpartition("/")
    if asked.parameter == "target":
        return _owner(call, kind.strip("/"), id_)
    return person_of(call, id_)


def _owner(call: Call, kind: str, id_: str) -> Person | None:
    """Whose resource this is."""
    try:
        version = call.vault.resources.read(call.entrant.principal, kind, id_)
    except Gone as gone:
        version = gone.version
    except (Absent, Refused):
        return None
    return Person(version.patient, version.reference)


def person_of(call: Call, id_: str) -> Person | None:
    """The person of this Patient id or pseudonym, if they may be seen."""
    if pseudonym.fullmatch(id_):
        known = _owner(call, "Patient", id_)
        return Person(id_, known.reference if known else f"Patient/{id_}")
    return _owner(call, "Patient", id_)


def _events(call: Call, person: Person | None) -> Iterator[Resource]:
    who = call.entrant.principal
    try:
        lines = call.vault.audit(who, person.pseudonym if person else None, MOST_LINES)
    except Refused:
        return
    for line in lines:
        reference = person.reference if person else f"Patient/{line.patient}"
        yield accounting.event(line, reference)


def _provenances(call: Call, person: Person | None) -> Iterator[Resource]:
    if person is None:
        return
    who, vault = call.entrant.principal, call.vault
    kind, _, id_ = person.reference.rpartition("/")
    try:
        past = vault.resources.history(who, kind, id_, most=1000).versions
    except (Absent, Refused):
        return
    try:
        lines = vault.audit(who, person.pseudonym or None, MOST_LINES)
    except Refused:
        lines = ()
    yield from (accounting.provenance(version, lines) for version in past)


def _devices(_: Call, __: Person | None) -> Iterator[Resource]:
    yield from (twin_resources.device(m) for m in (of_glucose, *library()))


def _foretold(call: Call, person: Person | None, make: Make) -> Iterator[Resource]:
    """Each resource once, of everything foretold for this person."""
    made: dict[str, Resource] = {}
    for ahead in foretold(call, person.pseudonym) if person is not None else ():
        one_or_more = make(ahead, person.reference, person.pseudonym) if person else ()
        made |= {r["id"]: r for r in one_or_more}
    yield from made.values()


def _twins(call: Call, person: Person | None) -> Iterator[Resource]:
    return _foretold(call, person, lambda *about: [twin_resources.basic(*about)])


def _forecasts(call: Call, person: Person | None) -> Iterator[Resource]:
    return _foretold(call, person, twin_resources.observations)


def _risks(call: Call, person: Person | None) -> Iterator[Resource]:
    return _foretold(call, person, lambda *about: [twin_resources.risk(*about)])


MADE: Mapping[str, Callable[[Call, Person | None], Iterator[Resource]]] = {
    "AuditEvent": _events,
    "Provenance": _provenances,
    "Device": _devices,
    "Basic": _twins,
    "Observation": _forecasts,
    "RiskAssessment": _risks,
}


def unknown_patient(call: Call, id_: str) -> Resource | None:
    """A person of whom no source sent a Patient: who they are, as far as somebody said."""
    if not pseudonym.fullmatch(id_):
        return None
    try:
        person = call.vault.who(call.entrant.principal, id_, Purpose.care)
    except (Refused, LookupError):
        return None
    made: Resource = {"resourceType": "Patient", "id": id_}
    made |= {"name": [{"text": person.name}]} if person.name else {}
    made |= {"birthDate": person.born.isoformat()} if person.born else {}
    return made | ({"gender": person.sex} if person.sex in SEXES else {})


SEXES = ("male", "female", "other", "unknown")
