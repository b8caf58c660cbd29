"""What the entries of a bundle owe one another: https://hl7.org/fhir/R4/bundle.html."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from medtwin.fhir.issue import Issue, error
from medtwin.fhir.nodes import Node, every_descendant
from medtwin.fhir.types import RESOURCE_KINDS

ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
RESTFUL = re.compile(r"https?://.+/(?P<kind>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})$")
ONCE = frozenset({"self", "first", "last", "next", "previous", "prev"})
SENT = frozenset({"batch", "transaction"})
Json = dict[str, Any]


def bundle(held: Json, path: str) -> Iterator[Issue]:
    """Findings about the entries as a whole."""
    entries = _objects(held.get("entry"))
    yield from _links(held, path)
    for i, entry in entries:
        yield from _full_url(entry, str(held.get("type")), f"{path}.entry[{i}]")
        if held.get("type") == "searchset":
            yield from _found(entry, f"{path}.entry[{i}]")
    if held.get("type") == "document":
        yield from _document(entries, path)


def _objects(values: Any) -> list[tuple[int, Json]]:
    some = values if isinstance(values, list) else []
    return [(i, v) for i, v in enumerate(some) if isinstance(v, dict)]


def _links(held: Json, path: str) -> Iterator[Issue]:
    counted = Counter(link.get("relation") for _, link in _objects(held.get("link")))
    for relation, times in counted.items():
        if relation in ONCE and times > 1:
            yield error("structure", f"{path}.link", f"the link '{relation}' may come once only")


def _full_url(entry: Json, kind: str, path: str) -> Iterator[Issue]:
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(url, str):
        return
    if not ABSOLUTE.match(url):
        yield error("value", f"{path}.fullUrl", f"'{url}' must be absolute: with http: or urn:")
    match = RESTFUL.match(url)
    if (
        match
        and match["kind"] in RESOURCE_KINDS
        and isinstance(resource, dict)
        and kind not in SENT
    ):
        said = f"{resource.get('resourceType')}/{resource.get('id', '(no id)')}"
        if said != f"{match['kind']}/{match['id']}":
            yield error("value", f"{path}.fullUrl", f"'{url}' must end with {said}")


def _found(entry: Json, path: str) -> Iterator[Issue]:
    resource, search = entry.get("resource"), entry.get("search")
    if not isinstance(resource, dict):
        return
    kind = resource.get("resourceType")
    outcome = isinstance(search, dict) and search.get("mode") == "outcome"
    if outcome and kind != "OperationOutcome":
        yield error("value", f"{path}.resource", f"an outcome is an OperationOutcome, not {kind}")
    if "id" not in resource and kind != "OperationOutcome":
        yield error("required", f"{path}.resource", "what a search finds has an id")


# Documents


def _document(entries: list[tuple[int, Json]], path: str) -> Iterator[Issue]:
    """Whatever the composition names must be in the document."""
    known = [(str(e.get("fullUrl", "")), e["resource"]) for _, e in entries if _is_resource(e)]
    if not known or known[0][1].get("resourceType") != "Composition":
        return
    url, composition = known[0]
    for address in _addresses(composition):
        some = [r for there, r in known if _meets(address, url, there, r)]
        if len(some) != 1:
            said = "is not in the bundle" if not some else "is several entries of the bundle"
            yield error("not-found", f"{path}.entry[0].resource", f"{address} {said}")


def _is_resource(entry: Json) -> bool:
    return isinstance(entry.get("resource"), dict)


def _addresses(composition: Json) -> Iterator[str]:
    whole = Node(composition, "Composition")
    for node in every_descendant(whole):
        if node.kind == "Reference" and isinstance(node.value, dict):
            address = node.value.get("reference")
            if isinstance(address, str) and not address.startswith(("#", "http:", "https:")):
                yield address


def _meets(address: str, source: str, there: str, resource: Json) -> bool:
    plain, _, version = address.partition("/_history/")
    if version and str(resource.get("meta", {}).get("versionId")) != version:
        return False
    if plain.startswith("urn:"):
        return plain == there
    match = RESTFUL.match(source)
    if match is None:
        return plain == f"{resource.get('resourceType')}/{resource.get('id')}" or there.endswith(
            "/" + plain
        )
    return there == source.removesuffix(f"{match['kind']}/{match['id']}") + plain
