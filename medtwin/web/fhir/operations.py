"""Operations: everything of a person, would this be accepted, who is this."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from medtwin.vault.access import Refused
from medtwin.vault.resource_asking import Asked, Search
from medtwin.vault.resource_values import parameters, plain, tokens, values
from medtwin.vault.resources import Version
from medtwin.web.fhir.bundles import address, bundle, link
from medtwin.web.fhir.call import Call, Reply, kind_of
from medtwin.web.fhir.checking import faults
from medtwin.web.fhir.problem import all_well, outcome, problem
from medtwin.web.fhir.reading import found
from medtwin.web.fhir.reading import moment_of as asked_moment
from medtwin.web.fhir.wire import Resource, read, served

Operation = Callable[..., Reply]
PAGE = 5000


def everything(call: Call, kind: str, id_: str) -> Reply:
    """All that is kept of one person, and whom and what of the house it points at."""
    call.entrant.need("read", "Patient")
    version = found(call, kind, id_)
    most = int(call.one("_count")) if call.one("_count").isdecimal() else PAGE
    kinds = [kind_of(k) for v in call.query if v[0] == "_type" for k in v[1].split(",")]
    since: datetime | None = asked_moment(call, "_since")
    everything_of = call.vault.resources.everything
    try:
        met = everything_of(
            call.entrant.principal,
            version.patient,
            kinds,
            since,
            call.one("_after"),
            min(most, PAGE),
        )
    except Refused:
        raise problem(404, "not-found", f"{kind}/{id_} is not here, or not yours to see") from None
    kept = [(k, v) for k, v in call.query if k != "_after"]
    links = [link("self", address(call, call.query))]
    if met.after:
        links.append(link("next", address(call, [*kept, ("_after", met.after)])))
    entries = [_entry(call, v, version.patient) for v in met.versions]
    return Reply(200, bundle("searchset", links, entries, None if met.after else met.total))


def _entry(call: Call, version: Version, patient: str) -> Resource:
    mode = "match" if version.patient == patient else "include"
    url = f"{call.base}/{version.reference}"
    return {"fullUrl": url, "resource": served(version), "search": {"mode": mode}}


def validate(call: Call, kind: str, id_: str = "") -> Reply:
    """Whether this would be accepted, with everything that is wrong; nothing is kept."""
    call.entrant.need("read", kind)
    resource = served(found(call, kind, id_)) if id_ and not call.body else _given(call)
    if resource.get("resourceType") != kind:
        said = f"it is a {resource.get('resourceType')!r}; the address says {kind}"
        raise problem(400, "invalid", said, "resourceType")
    wrong = faults(resource)
    return Reply(200, outcome(wrong) if wrong else all_well("nothing is wrong with it"))


def _given(call: Call) -> Resource:
    """The resource sent, or the one inside Parameters."""
    sent = read(call.body)
    if sent.get("resourceType") != "Parameters":
        return sent
    inside = _parameter(sent, "resource", "resource")
    if not isinstance(inside, dict):
        said = "Parameters without a resource; send parameter resource with the resource"
        raise problem(400, "required", said, "Parameters.parameter")
    return inside


def _parameter(sent: Resource, name: str, part: str) -> Any:
    given = sent.get("parameter")
    inside = (p for p in given if isinstance(p, dict)) if isinstance(given, list) else ()
    return next((p.get(part) for p in inside if p.get("name") == name), None)


def match(call: Call, kind: str) -> Reply:
    """Who this may be: the people whose identifiers, name and birth date agree, with a score."""
    call.entrant.need("search", kind)
    sent = read(call.body)
    asked = (
        _parameter(sent, "resource", "resource") if sent["resourceType"] == "Parameters" else sent
    )
    if not isinstance(asked, dict) or asked.get("resourceType") != "Patient":
        said = "$match needs a Patient; send it as parameter resource"
        raise problem(400, "required", said, "Parameters.parameter")
    most = _parameter(sent, "count", "valueInteger") or 10
    only_certain = bool(_parameter(sent, "onlyCertainMatches", "valueBoolean"))
    scored = sorted(_candidates(call, asked), key=lambda pair: -pair[0])
    kept = [p for p in scored if p[0] >= (CERTAIN if only_certain else POSSIBLE)][: int(most)]
    entries = [_scored(call, score, version) for score, version in kept]
    links = [link("self", address(call, ()))]
    return Reply(200, bundle("searchset", links, entries, len(entries)))


CERTAIN, PROBABLE, POSSIBLE = 0.95, 0.7, 0.3


def _scored(call: Call, score: float, version: Version) -> Resource:
    grade = "certain" if score >= CERTAIN else "probable" if score >= PROBABLE else "possible"
    url = "http://hl7.org/fhir/StructureDefinition/match-grade"
    told = {"extension": [{"url": url, "valueCode": grade}], "mode": "match", "score": score}
    full = f"{call.base}/{version.reference}"
    return {"fullUrl": full, "resource": served(version), "search": told}


def _candidates(call: Call, asked: Resource) -> list[tuple[float, Version]]:
    """Everybody who agrees in an identifier, a family name or the birth date."""
    wanted = [
        *(Asked("identifier", "", (f"{s}|{c}" if s else c,)) for s, c, _ in _identifiers(asked)),
        *(Asked("family", "exact", (name,)) for name in _said(asked, "family")),
    ]
    if isinstance(asked.get("birthDate"), str):
        wanted.append(Asked("birthdate", "", (asked["birthDate"],)))
    who, met = call.entrant.principal, {}
    for one in wanted:
        page = call.vault.resources.find(who, Search("Patient", (one,), count=200)).page
        met |= {v.number: v for v in page.versions}
    return [(agreement(asked, served(v)), v) for v in met.values()]


def _identifiers(resource: Resource) -> list[tuple[str, str, str]]:
    given = resource.get("identifier")
    return [t for i in given for t in tokens(i)] if isinstance(given, list) else []


def _said(resource: Resource, name: str) -> list[str]:
    return [v for v in values(parameters("Patient")[name], resource) if isinstance(v, str)]


def agreement(asked: Resource, there: Resource) -> float:
    """0 to 1: an identifier alone is certain unless name and birth both disagree."""
    same_id = bool({t[:2] for t in _identifiers(asked)} & {t[:2] for t in _identifiers(there)})
    family = _agree(_said(asked, "family"), _said(there, "family"))
    given = _agree(_said(asked, "given"), _said(there, "given"))
    born = _agree([str(asked.get("birthDate", ""))], [str(there.get("birthDate", ""))])
    sex = _agree([str(asked.get("gender", ""))], [str(there.get("gender", ""))])
    if same_id:
        return 0.6 if family < 0 and born < 0 else 0.99
    told = 0.35 * family + 0.2 * given + 0.35 * born + 0.05 * sex
    return round(max(0.0, min(told, 0.94)), 2)


def _agree(asked: list[str], there: list[str]) -> int:
    """1 agrees, -1 disagrees, 0 where either says nothing."""
    ours, theirs = {plain(a) for a in asked if a}, {plain(t) for t in there if t}
    return 0 if not ours or not theirs else 1 if ours & theirs else -1


INSTANCE: Mapping[str, Mapping[str, Operation]] = {
    "Patient": {"everything": everything},
    "*": {"validate": validate},
}
KIND: Mapping[str, Mapping[str, Operation]] = {
    "Patient": {"match": match},
    "*": {"validate": validate},
}
