"""Bundles that are done: a transaction wholly or not at all, a batch entry by entry."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from medtwin.vault.resource_whose import references
from medtwin.vault.resource_writing import Writing
from medtwin.web.fhir import reading, writing
from medtwin.web.fhir.call import Call, Reply, kind_of, pairs
from medtwin.web.fhir.problem import Problem, problem
from medtwin.web.fhir.wire import Resource, read, written

Dispatch = Callable[[Call], Reply]
MOST = 5000
ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 3, "GET": 4, "HEAD": 4}
# Those that others point at come first: a fact looks for its person, a dose for its medicine.
EARLY = ("Patient", "Medication", "Encounter")
CONDITIONS = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifNoneExist": "if-none-exist",
    "ifModifiedSince": "if-modified-since",
}


@dataclass(frozen=True)
class Entry:
    """One entry: where it stands, what it asks, and what it will be called."""

    number: int
    url: str
    call: Call
    id: str = ""


def done(call: Call, dispatch: Dispatch) -> Reply:
    """Do the Bundle in the body."""
    bundle = read(call.body)
    sort = bundle.get("type")
    if bundle.get("resourceType") != "Bundle" or sort not in ("transaction", "batch"):
        said = f"a {bundle.get('resourceType')} of type {sort}; send a transaction or a batch"
        raise problem(400, "invalid", said, "Bundle.type")
    given = bundle.get("entry") or []
    if not isinstance(given, list) or len(given) > MOST:
        raise problem(413, "too-long", f"a Bundle holds at most {MOST} entries", "Bundle.entry")
    entries = [_entry(call, number, entry) for number, entry in enumerate(given)]
    if sort == "batch":  # each on its own; one that fails does not hold up the others
        replies = [dispatch(entry.call) for entry in entries]
    else:
        replies = _transaction(call, entries)
    answers = [_answered(reply) for reply in replies]
    answer: Resource = {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "type": f"{sort}-response",
    }
    return Reply(200, answer | ({"entry": answers} if answers else {}))


def _entry(call: Call, number: int, entry: Any) -> Entry:
    place = f"Bundle.entry[{number}]"
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise problem(400, "required", "an entry needs a request with method and url", place)
    method = str(request.get("method", ""))
    if method not in ORDER:
        said = f"{method[:20]!r} is no method; allowed are {', '.join(ORDER)}"
        raise problem(400, "value", said, f"{place}.request.method")
    parts = urlsplit(request["url"].removeprefix(call.base))
    resource = entry.get("resource")
    headers = {name: str(request[k]) for k, name in CONDITIONS.items() if k in request}
    made = replace(
        call,
        method=method,
        path=tuple(p for p in parts.path.split("/") if p),
        query=pairs(parts.query),
        headers={
            **headers,
            "prefer": call.header("prefer"),
            "content-type": "application/fhir+json",
        },
        body=b"" if resource is None else written(resource),
    )
    return Entry(number, str(entry.get("fullUrl") or ""), made)


def _transaction(call: Call, entries: list[Entry]) -> list[Reply]:
    """All in one transaction; references between entries become what these are called."""
    replies: dict[int, Reply] = {}
    with call.vault.resources.writing(call.entrant.ground, base=call.base) as w:
        named = [_named(entry, w) for entry in entries]
        meant = {e.url: "/".join((*e.call.path[:1], e.id)) for e in named if e.url and e.id}
        _nothing_twice(named)
        writes = [e for e in named if e.call.method not in ("GET", "HEAD")]
        for entry in sorted(writes, key=_order):
            replies[entry.number] = _one(entry, w, meant)
    for entry in named:
        if entry.number not in replies:
            replies[entry.number] = _looked(entry)
    return [replies[n] for n in sorted(replies)]


def _named(entry: Entry, w: Writing) -> Entry:
    """With the id it will have, so that others can point at it."""
    call, path = entry.call, entry.call.path
    if call.method == "PUT" and len(path) == 2:
        return replace(entry, id=path[1])
    condition = call.header("if-none-exist") if call.method == "POST" else ""
    if call.method == "PUT":
        condition = "&".join(f"{k}={v}" for k, v in call.query)
    if condition and path:
        there = writing.matching(call, w, kind_of(path[0]), condition)
        if there is not None:
            return replace(entry, id=there.id)
    return replace(entry, id=str(uuid.uuid4())) if call.method == "POST" else entry


def _nothing_twice(entries: Iterable[Entry]) -> None:
    seen: set[tuple[str, ...]] = set()
    for entry in entries:
        name = (*entry.call.path[:1], entry.id)
        if entry.id and name in seen and not entry.call.header("if-none-exist"):
            said = f"{'/'.join(name)} is written twice; a transaction writes each once"
            raise problem(400, "invalid", said, f"Bundle.entry[{entry.number}]")
        seen.add(name)


def _order(entry: Entry) -> tuple[int, int]:
    kind = entry.call.path[0] if entry.call.path else ""
    return ORDER[entry.call.method], EARLY.index(kind) if kind in EARLY else len(EARLY)


def _one(entry: Entry, w: Writing, meant: Mapping[str, str]) -> Reply:
    try:
        return _written(entry, w, meant)
    except Problem as wrong:
        place = f"Bundle.entry[{entry.number}]"
        faults = [replace(f, path=f"{place}: {f.path}" if f.path else place) for f in wrong.faults]
        raise Problem(wrong.status, *faults) from None


def _written(entry: Entry, w: Writing, meant: Mapping[str, str]) -> Reply:
    call, path = entry.call, entry.call.path
    kind = kind_of(path[0]) if path else ""
    refers = _refers(call, w, meant) if call.body and call.method != "PATCH" else {}
    if call.method == "POST" and len(path) == 1:
        return writing.create(call, w, kind, refers, entry.id)
    if call.method == "PUT" and len(path) == 1:
        return writing.update_where(call, w, kind, refers)
    if call.method == "PUT" and len(path) == 2:
        return writing.update(call, w, kind, path[1], refers)
    if call.method == "PATCH" and len(path) == 2:
        return writing.patch(call, w, kind, path[1])
    if call.method == "DELETE" and len(path) == 2:
        return writing.delete(call, w, kind, path[1])
    if call.method == "DELETE" and len(path) == 1 and call.query:
        return writing.delete_where(call, w, kind)
    said = f"{call.method} {'/'.join(path)[:80]} is nothing a transaction does; send it alone"
    raise problem(400, "not-supported", said)


def _refers(call: Call, w: Writing, meant: Mapping[str, str]) -> dict[str, str]:
    """What this resource's references mean: entries of the Bundle, or what a condition finds."""
    found: dict[str, str] = {}
    for written_ in set(references(read(call.body))):
        if written_ in meant:
            found[written_] = meant[written_]
        elif "?" in written_ and not written_.startswith("urn:"):
            found[written_] = _conditional(call, w, written_)
    return found


def _conditional(call: Call, w: Writing, reference: str) -> str:
    kind, _, condition = reference.partition("?")
    there = writing.matching(call, w, kind_of(kind), condition)
    if there is None:
        said = f"{reference[:80]} fits nothing; create it, or refer to what is there"
        raise problem(412, "not-found", said)
    return there.reference


def _looked(entry: Entry) -> Reply:
    call, path = entry.call, entry.call.path
    kind = kind_of(path[0]) if path else ""
    return reading.read(call, kind, path[1]) if len(path) == 2 else reading.search(call, kind)


def _answered(reply: Reply) -> Resource:
    """An entry of the answer."""
    status = f"{reply.status} {HTTPStatus(reply.status).phrase}"
    response: dict[str, Any] = {"status": status}
    for header, name in (("location", "location"), ("etag", "etag")):
        if header in reply.headers:
            response[name] = reply.headers[header]
    if reply.resource is None:
        return {"response": response}
    if reply.resource.get("resourceType") == "OperationOutcome":
        return {"response": response | {"outcome": reply.resource}}
    return {"resource": reply.resource, "response": response}
