"""Create, update, patch and delete, also conditionally; each inside a transaction given to it."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

import orjson

from medtwin.vault.resource_asking import CannotAsk
from medtwin.vault.resource_whose import CannotKeep, Sent
from medtwin.vault.resource_writing import Kept, Writing
from medtwin.vault.resources import Version
from medtwin.web.fhir.asked import question, unanswerable
from medtwin.web.fhir.call import Call, Reply, pairs
from medtwin.web.fhir.checking import check
from medtwin.web.fhir.patching import patched
from medtwin.web.fhir.problem import Fault, outcome, problem
from medtwin.web.fhir.wire import Resource, etag, largest, read, served, tags, written

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
none: Mapping[str, str] = {}


def create(
    call: Call, w: Writing, kind: str, refers: Mapping[str, str] = none, id_: str = ""
) -> Reply:
    """A new resource under an id of ours; with If-None-Exist only if there is none such."""
    call.entrant.need("create", kind)
    resource = body(call, kind)
    condition = call.header("if-none-exist")
    if condition:
        there = matching(call, w, kind, condition)
        if there is not None:
            return _answer(call, Kept(there, created=False, changed=False))
    return keep(call, w, kind, id_ or str(uuid.uuid4()), resource, refers)


def update(call: Call, w: Writing, kind: str, id_: str, refers: Mapping[str, str] = none) -> Reply:
    """The resource as it is to be from now on; made if it was not there."""
    call.entrant.need("update", kind)
    resource = body(call, kind)
    check_id(id_)
    if resource.get("id") != id_:
        said = (
            f"the id in the body is {resource.get('id')!r}, in the address {id_!r}; make them one"
        )
        raise problem(400, "invariant", said, f"{kind}.id")
    _matches(call, w.newest(kind, id_))
    return keep(call, w, kind, id_, resource, refers)


def update_where(call: Call, w: Writing, kind: str, refers: Mapping[str, str] = none) -> Reply:
    """The one resource that fits the search, as it is to be; made if none fits."""
    call.entrant.need("update", kind)
    resource = body(call, kind)
    there = matching(call, w, kind, "&".join(f"{k}={v}" for k, v in call.query))
    sent_id = resource.get("id")
    if there is None:
        return keep(
            call, w, kind, sent_id if _is_id(sent_id) else str(uuid.uuid4()), resource, refers
        )
    if sent_id not in (None, there.id):
        said = f"the search fits {there.reference}, the body is {kind}/{sent_id}; leave its id out"
        raise problem(400, "invariant", said, f"{kind}.id")
    _matches(call, there)
    return keep(call, w, kind, there.id, resource, refers)


def patch(call: Call, w: Writing, kind: str, id_: str) -> Reply:
    """The resource with some of it changed."""
    call.entrant.need("update", kind)
    return _patched(call, w, _standing(w, kind, id_))


def patch_where(call: Call, w: Writing, kind: str) -> Reply:
    """The same for the one resource that fits the search."""
    call.entrant.need("update", kind)
    there = matching(call, w, kind, "&".join(f"{k}={v}" for k, v in call.query))
    if there is None:
        raise problem(404, "not-found", "nothing fits this search; patch what is there", kind)
    return _patched(call, w, there)


def _patched(call: Call, w: Writing, version: Version) -> Reply:
    _matches(call, version)
    changed = patched(served(version), call)
    if changed.get("id") != version.id or changed.get("resourceType") != version.kind:
        said = "a patch may change neither id nor resourceType; leave them out"
        raise problem(422, "invariant", said, f"{version.kind}.id")
    return keep(call, w, version.kind, version.id, changed, none)


def _standing(w: Writing, kind: str, id_: str) -> Version:
    """The newest version, as far as this principal may see it."""
    version = w.newest(kind, id_)
    if version is None or not w.may_see(version):
        said = f"{kind}/{id_[:64]} is not here, or not yours to see; create it first"
        raise problem(404, "not-found", said, kind)
    if version.deleted:
        raise problem(410, "deleted", f"{version.reference} was deleted; send it whole", kind)
    return version


def delete(call: Call, w: Writing, kind: str, id_: str) -> Reply:
    """Gone from now on; what it was stays in its history."""
    call.entrant.need("delete", kind)
    version = w.newest(kind, id_)
    if version is None or version.deleted:
        return Reply(204)
    _matches(call, version)
    gone = w.delete(version)
    return Reply(204, None, {"etag": etag(gone)})


def delete_where(call: Call, w: Writing, kind: str) -> Reply:
    """The same for the one resource that fits the search."""
    call.entrant.need("delete", kind)
    there = matching(call, w, kind, "&".join(f"{k}={v}" for k, v in call.query))
    return Reply(204) if there is None else delete(call, w, kind, there.id)


def keep(
    call: Call, w: Writing, kind: str, id_: str, resource: Resource, refers: Mapping[str, str]
) -> Reply:
    """Keep it, with the reason if it cannot be."""
    check(resource)
    bare = {k: v for k, v in resource.items() if k != "id"} if "id" in resource else resource
    same = bare is resource and call.body and resource.get("resourceType") == kind
    raw = call.body if same and len(call.body) <= largest else written(resource)
    if len(raw) > largest:
        raise problem(
            413, "too-long", f"a resource of {len(raw)} bytes; allowed are {largest}", kind
        )
    try:
        kept = w.keep(Sent(kind, id_, raw, plain(resource), dict(refers)))
    except CannotKeep as why:
        status = 409 if why.code == "duplicate" else 422
        raise problem(status, why.code, f"{why.because}; {why.then}", why.path) from None
    return _answer(call, kept)


def plain(resource: Resource) -> Any:
    """With numbers as sources read them."""
    return orjson.loads(written(resource))


def _answer(call: Call, kept: Kept) -> Reply:
    version = kept.version
    status = 201 if kept.created else 200
    location = f"{call.base}/{version.reference}/_history/{version.version}"
    headers = {**tags(version), "location": location}
    doubts = [
        Fault("informational", f"{d.because}; {d.next}", version.kind, "warning")
        for d in kept.doubts
    ]
    wanted = call.prefers("return")
    if wanted == "minimal":
        return Reply(status, None, headers)
    if wanted == "OperationOutcome":
        well = Fault("informational", f"kept as {version.reference}", "", "information")
        return Reply(status, outcome([well, *doubts]), headers)
    return Reply(status, served(version), headers)


def body(call: Call, kind: str) -> Resource:
    """The resource in the body, of the kind that the address says."""
    resource = read(call.body)
    said = resource.get("resourceType")
    if said != kind:
        words = f"the body is a {said!r}, the address says {kind}; send a {kind}"
        raise problem(400, "invalid", words, "resourceType")
    return resource


def check_id(id_: str) -> None:
    """A `Problem` unless it is an id."""
    if not _is_id(id_):
        said = f"{id_[:70]!r} is no id; allowed are 1 to 64 letters, digits, - and ."
        raise problem(400, "value", said, "id")


def _is_id(id_: Any) -> TypeGuard[str]:
    return isinstance(id_, str) and ID.fullmatch(id_) is not None


def _matches(call: Call, version: Version | None) -> None:
    wanted = call.header("if-match")
    if not wanted:
        return
    if version is None or wanted.strip() not in (etag(version), etag(version)[2:], "*"):
        there = "nothing" if version is None else f"version {version.version}"
        said = f"If-Match is {wanted[:40]}, but {there} is here; read it again and send your change"
        raise problem(412, "conflict", said)


def matching(call: Call, w: Writing, kind: str, condition: str) -> Version | None:
    """The one that fits a condition, or None; several are a `Problem`."""
    asked = question(kind, replace(call, query=pairs(condition)))
    if not asked.search.asked:
        raise problem(412, "required", "the condition asks nothing; give a search parameter", kind)
    try:
        found = w.find(replace(asked.search, count=2))
    except CannotAsk as why:
        raise unanswerable(why) from None
    if len(found) > 1:
        said = "several resources fit this condition; ask more exactly, so that one is left"
        raise problem(412, "multiple-matches", said, kind)
    return found[0] if found else None
