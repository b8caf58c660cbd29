"""One FHIR resource as facts: what every source shares that speaks FHIR, or is mapped onto it.

HL7 v2 messages and C-CDA documents are first said in FHIR, as HL7's own maps say, and then read
here; so a condition means the same whichever standard brought it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from medtwin.record.observation import Implausible, Observation
from medtwin.record.units import UnknownUnit
from medtwin.sources import fhir_answers, fhir_events, fhir_notes, fhir_plans
from medtwin.sources.fhir_kinds import KINDS
from medtwin.sources.fhir_observation import Fact, observation, parts
from medtwin.sources.fhir_patient import person
from medtwin.sources.fhir_subject import whose
from medtwin.sources.fhir_words import NoFact, NotUnderstood, Resource, Told
from medtwin.sources.source import Arrived, Refusal

MEDIA = "application/fhir+json"
READERS: dict[str, Callable[[Resource, Told], Iterator[Fact]]] = {
    "Observation": observation,
    **fhir_events.READERS,
    **fhir_plans.READERS,
    **fhir_answers.READERS,
}
OURS = (NotUnderstood, Implausible, UnknownUnit)
MISSHAPEN = (TypeError, AttributeError, KeyError, ValueError, IndexError)
Entry = tuple[Resource, bytes, str]  # resource, its bytes, its fullUrl


def one(resource: Resource, raw: bytes, name: str, url: str, told: Told) -> Arrived:
    """One resource as what it turned into."""
    kind = resource.get("resourceType")
    where = f"{name}#{kind}/{resource.get('id', '')}"
    if not isinstance(kind, str) or kind not in KINDS:
        because = f"{kind!r} is no FHIR R4 resource kind" if kind else "it has no resourceType"
        return refused(raw, where, None, because, "check resourceType; allowed are those of R4")
    try:
        about = whose(resource, url, told)
        return _understood(kind, resource, raw, where, about, told)
    except NoFact as why:
        kept = f"{kind} {why}"
        return Arrived(raw, MEDIA, where, whose(resource, url, told), None, (), (), kept, kind)
    except MISSHAPEN as why:
        because = str(why) if isinstance(why, OURS) else _misshapen(why)
        about = _named(resource, url, told)
        return replace(refused(raw, where, about, because, "correct and send again"), kind=kind)


def _understood(
    kind: str, resource: Resource, raw: bytes, where: str, about: str | None, told: Told
) -> Arrived:
    if kind == "Patient":
        who, doubts = person(resource, told)
        doubtful = tuple(_refusal(where, about, d, "correct and send again", raw) for d in doubts)
        return Arrived(raw, MEDIA, where, about, who, (), doubtful, "", kind)
    reader = READERS.get(kind)
    if reader is None or (about is None and kind in fhir_plans.READERS):
        return Arrived(raw, MEDIA, where, about, None, (), (), kind, kind)
    if about is None:
        raise NotUnderstood("it names no patient; allowed is a subject that is a Patient")
    told_of = list(zip(reader(resource, told), standing(kind, resource), strict=True))
    good = [(f, place) for f, place in told_of if isinstance(f, Observation)]
    if kind in ("DocumentReference", "DiagnosticReport") and good:
        good += fhir_notes.said(resource, good[0][0].at, told)
    bad = (f for f, _ in told_of if not isinstance(f, Observation))
    apart = tuple(_refusal(where, about, str(b), _next(b), raw) for b in bad)
    facts, places = tuple(f for f, _ in good), tuple(place for _, place in good)
    return Arrived(raw, MEDIA, where, about, None, facts, apart, "", kind, places)


def standing(kind: str, resource: Resource) -> list[str]:
    """Where in the resource each fact its reader yields stands."""
    if kind == "QuestionnaireResponse":
        return list(fhir_answers.places(resource))
    return [place for place, _ in parts(resource)] if kind == "Observation" else [kind]


def indexed(entries: Iterable[Entry]) -> dict[str, Resource]:
    """What can be referred to in a bundle, by kind and id and by address."""
    found: dict[str, Resource] = {}
    for resource, _, url in entries:
        kind = resource.get("resourceType")
        target = {**resource, "_url": url} if kind == "Patient" else resource
        found.setdefault(f"{kind}/{resource.get('id')}", target)
        if url:
            found[url] = target
    return found


def refused(raw: bytes, where: str, about: str | None, because: str, then: str) -> Arrived:
    """A whole resource refused, with its bytes."""
    return Arrived(
        raw, MEDIA, where, about, None, (), (_refusal(where, about, because, then, raw),)
    )


def _refusal(where: str, about: str | None, because: str, then: str, raw: bytes) -> Refusal:
    return Refusal(where.rpartition("#")[2], about or "nobody named", because, then, raw)


def _named(resource: Resource, url: str, told: Told) -> str | None:
    try:
        return whose(resource, url, told)
    except MISSHAPEN:
        return None


def _next(why: Fact) -> str:
    if isinstance(why, UnknownUnit):
        return "correct the unit at the sender, or add it to record/units.py"
    return "correct it at the sender and send it again"


def _misshapen(why: Exception) -> str:
    """Python's complaint, in words for whoever sent it."""
    stands = {"str": "a text", "int": "a number", "float": "a number", "list": "a list"}
    word = next((w for t, w in stands.items() if f"'{t}'" in str(why)), "something else")
    return f"it is not shaped as FHIR R4 says: {word} stands where another shape must ({why})"
