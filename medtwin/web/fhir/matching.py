"""Who is this? Everybody who may be somebody described, with the chance and the reasons.

How descriptions are compared is the room of identity's; here candidates are looked up, among
those whom the asker may see and nobody else.
"""

from datetime import UTC, datetime
from typing import Any

from medtwin.identity.arrival import Match, Verdict
from medtwin.identity.arrival import match as compared
from medtwin.identity.comparing import Crowd
from medtwin.identity.traits import traits
from medtwin.record.person import Person
from medtwin.sources.fhir_patient import person
from medtwin.sources.fhir_words import Told
from medtwin.vault.resource_asking import Asked, Search
from medtwin.vault.resource_values import parameters, tokens, values
from medtwin.vault.resources import Version
from medtwin.web.fhir.bundles import address, bundle, link
from medtwin.web.fhir.call import Call, Reply
from medtwin.web.fhir.problem import problem
from medtwin.web.fhir.wire import Resource, read, served

MOST, LOOKED_AT = 100, 200
PROBABLE = 0.7
TOWN = 10_000  # however few are kept here, whoever comes is one of so many
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
REASON = "https://medtwin.org/fhir/match-reason"


def match(call: Call, kind: str) -> Reply:
    """Those who may be the Patient sent, likeliest first."""
    call.entrant.need("search", kind)
    sent = read(call.body)
    in_parts = sent.get("resourceType") == "Parameters"
    asked = part_of(sent, "resource", "resource") if in_parts else sent
    if not isinstance(asked, dict) or asked.get("resourceType") != "Patient":
        said = "$match needs a Patient; send it as parameter resource"
        raise problem(400, "required", said, "Parameters.parameter")
    most = part_of(sent, "count", "valueInteger") if in_parts else None
    certain = in_parts and part_of(sent, "onlyCertainMatches", "valueBoolean") is True
    found = _compared(call, asked)
    kept = [f for f in found if f[0].verdict is Verdict.same or not certain]
    some = kept[: most if isinstance(most, int) and 0 < most <= MOST else 10]
    entries = [_scored(call, one, version) for one, version in some]
    return Reply(200, bundle("searchset", [link("self", address(call, ()))], entries, len(entries)))


def _compared(call: Call, asked: Resource) -> list[tuple[Match, Version]]:
    """Everybody who may be them, with what their descriptions share."""
    many = max(call.vault.resources.count(call.entrant.principal, Search("Patient")), TOWN)
    newcomer, crowd = traits(_described(asked)), Crowd(many)
    met = [
        (compared(v.id, newcomer, traits(_described(served(v))), crowd, 0.5 / many), v)
        for v in _candidates(call, asked)
    ]
    likely = [pair for pair in met if pair[0].verdict is not Verdict.other]
    return sorted(likely, key=lambda pair: -pair[0].chance)


def _described(resource: Resource) -> Person:
    try:
        return person(resource, Told(datetime.now(UTC), UTC))[0]
    except (TypeError, AttributeError, KeyError, ValueError):
        said = "the Patient is not shaped as FHIR says; ask $validate what is wrong"
        raise problem(422, "structure", said, "Patient") from None


def _candidates(call: Call, asked: Resource) -> list[Version]:
    """Those who share an identifier, a number, a birthday or how the family name begins."""
    given = asked.get("identifier")
    known = [t for i in given for t in tokens(i)] if isinstance(given, list) else []
    wanted = [Asked("identifier", "", (f"{s}|{c}" if s else c,)) for s, c, _ in known if c]
    wanted += [Asked("family", "", (name[:3],)) for name in _said(asked, "family") if name]
    wanted += [Asked("telecom", "", (code,)) for _, code, _ in _said(asked, "telecom") if code]
    if isinstance(asked.get("birthDate"), str) and len(asked["birthDate"]) == 10:
        wanted.append(Asked("birthdate", "", (asked["birthDate"],)))
    who, met = call.entrant.principal, {}
    for one in wanted:
        page = call.vault.resources.find(who, Search("Patient", (one,), count=LOOKED_AT)).page
        met |= {v.number: v for v in page.versions}
    return list(met.values())


def _said(resource: Resource, name: str) -> list[Any]:
    return values(parameters("Patient")[name], resource)


def _scored(call: Call, one: Match, version: Version) -> Resource:
    likely = "probable" if one.chance >= PROBABLE else "possible"
    grade = "certain" if one.verdict is Verdict.same else likely
    told = {
        "extension": [{"url": GRADE, "valueCode": grade}, {"url": REASON, "valueString": one.said}],
        "mode": "match",
        "score": round(one.chance, 4),
    }
    full = f"{call.base}/{version.reference}"
    return {"fullUrl": full, "resource": served(version), "search": told}


def part_of(sent: Resource, name: str, part: str) -> Any:
    """One parameter of a Parameters resource; None where it is not."""
    given = sent.get("parameter")
    inside = (p for p in given if isinstance(p, dict)) if isinstance(given, list) else ()
    return next((p.get(part) for p in inside if p.get("name") == name), None)
