"""Operations: everything of a person, would this be accepted, who is this."""

from collections.abc import Callable, Mapping
from datetime import datetime

from medtwin.vault.access import Refused
from medtwin.vault.resources import Version
from medtwin.web.fhir.bundles import address, bundle, link
from medtwin.web.fhir.call import Call, Reply, kind_of
from medtwin.web.fhir.checking import faults
from medtwin.web.fhir.matching import match, part_of
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
    inside = part_of(sent, "resource", "resource")
    if not isinstance(inside, dict):
        said = "Parameters without a resource; send parameter resource with the resource"
        raise problem(400, "required", said, "Parameters.parameter")
    return inside


INSTANCE: Mapping[str, Mapping[str, Operation]] = {
    "Patient": {"everything": everything},
    "*": {"validate": validate},
}
KIND: Mapping[str, Mapping[str, Operation]] = {
    "Patient": {"match": match},
    "*": {"validate": validate},
}
