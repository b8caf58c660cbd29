"""Answers of several: pages of a search, of a history, and how much of each resource is shown."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from medtwin.vault.resource_door import Found, History
from medtwin.vault.resources import Version
from medtwin.web.fhir.asked import Question
from medtwin.web.fhir.call import Call
from medtwin.web.fhir.problem import outcome
from medtwin.web.fhir.shown import shown
from medtwin.web.fhir.wire import Resource, etag, instant, served


def link(relation: str, url: str) -> dict[str, str]:
    """One link of a Bundle."""
    return {"relation": relation, "url": url}


def address(call: Call, pairs: Iterable[tuple[str, str]]) -> str:
    """Where this call went, with these parameters."""
    path = "/".join(p for p in call.path if p != "_search")
    query = urlencode(list(pairs))
    return f"{call.base}/{path}" + (f"?{query}" if query else "")


def searchset(call: Call, asked: Question, found: Found, also: Sequence[Resource] = ()) -> Resource:
    """A page of a search."""
    used = [(k, v) for k, v in asked.used if k != "_after"]
    links = [link("self", address(call, asked.used))]
    if found.page.after:
        links.append(link("next", address(call, [*used, ("_after", found.page.after)])))
    entries = [_entry(call, v, "match", asked) for v in found.page.versions]
    entries += [_own(call, r) for r in also]
    entries += [_entry(call, v, "include", asked) for v in found.included]
    if asked.ignored:
        entries.append({"resource": outcome(asked.ignored), "search": {"mode": "outcome"}})
    total = None if found.total is None else found.total + len(also)
    return bundle("searchset", links, entries if asked.search.count else entries[:0], total)


def bundle(
    kind: str, links: Sequence[Resource], entries: Sequence[Resource], total: int | None
) -> Resource:
    """A Bundle; without entries it has none."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        made["total"] = total
    made["link"] = list(links)
    return made | ({"entry": list(entries)} if entries else {})


def _entry(call: Call, version: Version, mode: str, asked: Question) -> Resource:
    resource = shown(served(version), asked.summary, asked.elements)
    return {
        "fullUrl": f"{call.base}/{version.reference}",
        "resource": resource,
        "search": {"mode": mode},
    }


def _own(call: Call, resource: Resource) -> Resource:
    url = f"{call.base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": "match"}}


def past(call: Call, found: History) -> Resource:
    """A page of a history."""
    kept = [(k, v) for k, v in call.query if k != "_after"]
    links = [link("self", address(call, call.query))]
    if found.after:
        links.append(link("next", address(call, [*kept, ("_after", found.after)])))
    return bundle("history", links, [_version(call, v) for v in found.versions], found.total)


def _version(call: Call, version: Version) -> Resource:
    first = version.version == 1
    method = "DELETE" if version.deleted else "POST" if first else "PUT"
    url = version.kind if method == "POST" else version.reference
    status = "204" if version.deleted else "201" if first else "200"
    response = {"status": status, "etag": etag(version), "lastModified": instant(version.updated)}
    entry: Resource = {"fullUrl": f"{call.base}/{version.reference}"}
    if not version.deleted:
        entry["resource"] = served(version)
    return entry | {"request": {"method": method, "url": url}, "response": response}
