"""Whether a resource obeys FHIR R4, and if not, everything that is wrong with it and where.

Structure, cardinality, formats, required codes, what references may name, and the standard's own
rules; https://hl7.org/fhir/R4/validation.html. Profiles other than the base definitions are not
looked at, nor are codes of outside terminologies.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import chain
from typing import Any

from medtwin.fhir import codes, parsing, primitives, rules, xml_format
from medtwin.fhir.beyond import beyond
from medtwin.fhir.issue import Issue, error, fatal, warning
from medtwin.fhir.nodes import Node, root
from medtwin.fhir.parsing import Unreadable
from medtwin.fhir.quick import certainly_valid
from medtwin.fhir.special_types import Place, of_its_type
from medtwin.fhir.types import (
    PRIMITIVES,
    RESOURCE_KINDS,
    Element,
    Field,
    elements,
    fields,
    json_name,
)

__all__ = ["Issue", "advice", "validated"]
EXTENSIONS = ("extension", "modifierExtension")
MOST = 200  # findings; after so many nobody reads on


def validated(raw: bytes | dict[str, Any]) -> list[Issue]:
    """All that makes the resource invalid; an empty list for a valid one.

    Bytes may be FHIR's JSON or XML. What is neither gives one fatal finding.
    """
    if isinstance(raw, bytes) and raw.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        return _xml(raw)
    try:
        resource = parsing.quickly_read(raw) if isinstance(raw, bytes) else raw
        if certainly_valid(resource) and _once(raw, resource):
            return []
        exact = parsing.read(raw) if isinstance(raw, bytes) else raw
    except Unreadable as why:
        return [fatal("structure", why.path, str(why))]
    return _first(looked_at(exact))


def _once(raw: bytes | dict[str, Any], resource: dict[str, Any]) -> bool:
    return not isinstance(raw, bytes) or parsing.each_name_once(raw, resource)


def _xml(raw: bytes) -> list[Issue]:
    try:
        resource, wrong = xml_format.read(raw)
    except Unreadable as why:
        return [fatal("structure", why.path, str(why))]
    return _first(chain(wrong, looked_at(resource)))


def _first(found: Iterator[Issue]) -> list[Issue]:
    kept = []
    for one in found:
        if one.severity in {"error", "fatal"}:
            kept.append(one)
        if len(kept) >= MOST:
            break
    return kept


def advice(resource: dict[str, Any]) -> list[Issue]:
    """What leaves a resource valid, but should be better."""
    node = root(resource)
    found = [
        Issue("warning", "invariant", node.kind, f"{rule.human} ({rule.key})")
        for rule in rules.rules(node.kind, "warning")
        if rules.broken(rule, node, node, node)
    ]
    return found + [i for i in looked_at(resource) if i.severity == "warning"]


def looked_at(resource: dict[str, Any]) -> Iterator[Issue]:
    """Every finding, one after another."""
    node = root(resource)
    kind = node.kind
    if not kind:
        yield error("structure", "", _no_kind(resource.get("resourceType")))
        return
    yield from _resource(node, Place(kind, node, node, kind, kind))


def _no_kind(kind: Any) -> str:
    near = get_close_matches(str(kind), RESOURCE_KINDS, 1)
    return f"'{kind}' is no resource of FHIR R4" + (f"; did you mean {near[0]}?" if near else "")


def _resource(node: Node, place: Place) -> Iterator[Issue]:
    shaped = True
    for issue in _object(node, place):
        shaped = shaped and issue.code not in {"structure", "value"}
        yield issue
    if shaped:
        yield from beyond(node, place.path)


# Objects


def _object(node: Node, place: Place) -> Iterator[Issue]:
    held = node.value
    if not isinstance(held, dict):
        yield error("structure", place.path, f"an object expected ({node.kind}), not {held!r:.60}")
        return
    if not held or held.keys() == {"id"}:
        yield error("structure", place.path, f"this {node.kind} says nothing: leave it out (ele-1)")
        return
    yield from _names(node, place)
    for element in elements(node.kind).values():
        yield from _element(node, element, place)
    yield from _ruled(node, node.kind, place)


def _names(node: Node, place: Place) -> Iterator[Issue]:
    """Names that have no place here."""
    known = fields(node.kind)
    for name in node.value:
        if name in known or (name == "resourceType" and node.kind in RESOURCE_KINDS):
            continue
        plain = known.get(name[1:]) if name[:1] == "_" else None
        if plain is None or plain.kind not in PRIMITIVES:
            yield error("structure", f"{place.path}.{name}", _unknown(node, name, known))


def _unknown(node: Node, name: str, known: dict[str, Field]) -> str:
    near = get_close_matches(name, known, 1)
    return f"{node.kind} has no element '{name}'" + (f"; did you mean {near[0]}?" if near else "")


def _ruled(node: Node, path: str, place: Place) -> Iterator[Issue]:
    for rule in rules.rules(path):
        if rules.broken(rule, node, place.resource, place.within):
            yield error("invariant", place.path, f"{rule.human} ({rule.key})")


# Elements


def _element(node: Node, element: Element, place: Place) -> Iterator[Issue]:
    names = [json_name(element, k) for k in element.kinds]
    held = node.value
    there = [
        (n, k) for n, k in zip(names, element.kinds, strict=True) if n in held or "_" + n in held
    ]
    if not there and element.least:
        said = " or ".join(names) if len(names) < 6 else f"{element.name}[x]"
        yield error("required", place.path, f"{node.kind} needs {said}")
    if len(there) > 1:
        said = " and ".join(n for n, _ in there)
        yield error("structure", place.path, f"only one of {said} may be given")
    for name, kind in there:
        yield from _field(node, element, name, kind, place)


def _field(node: Node, element: Element, name: str, kind: str, place: Place) -> Iterator[Issue]:
    value, sibling = node.value.get(name), node.value.get("_" + name)
    here = place.at(element.name)
    if element.most == 0:
        yield error("structure", here.path, f"{node.kind} may not have {name}")
    elif not element.many:
        wrong = _not_one(node, name, value, sibling)
        if wrong:
            yield error("structure", here.path, wrong)
        else:
            yield from _value(node, element, kind, value, sibling, here)
    else:
        yield from _values(node, element, kind, name, here)


def _not_one(node: Node, name: str, value: Any, sibling: Any) -> str | None:
    if isinstance(value, list) or isinstance(sibling, list):
        return f"'{name}' of {node.kind} is one value: no array"
    if name in node.value and value is None:
        return f"'{name}' may not be null: leave it out"
    return None


def _values(node: Node, element: Element, kind: str, name: str, place: Place) -> Iterator[Issue]:
    values, siblings = node.value.get(name, []), node.value.get("_" + name, [])
    if not isinstance(values, list) or not isinstance(siblings, list):
        yield error("structure", place.path, f"'{name}' of {node.kind} is an array")
        return
    if not values and not siblings:
        yield error("structure", place.path, f"'{name}' is an empty array: leave it out")
    if values and siblings and len(values) != len(siblings):
        yield error("structure", place.path, f"'{name}' and '_{name}' differ in length")
    if element.most and len(values) > element.most:
        yield error("structure", place.path, f"at most {element.most} of {name} allowed")
    for i in range(max(len(values), len(siblings))):
        one = values[i] if i < len(values) else None
        other = siblings[i] if i < len(siblings) else None
        if one is None and other is None:
            yield error("structure", place.nth(i).path, "null is no value")
        else:
            yield from _value(node, element, kind, one, other, place.nth(i))


def _value(
    node: Node, element: Element, kind: str, value: Any, sibling: Any, place: Place
) -> Iterator[Issue]:
    here = Node(value, kind, sibling)
    own = f"{node.kind}.{element.name}"
    if element.name not in EXTENSIONS:
        place = place._replace(element=own, kind=kind)
    if kind in PRIMITIVES:
        yield from _primitive(node.kind, here, element, place)
    elif kind == "Resource":
        yield from _inner(here, element, place)
    else:
        yield from _object(here, place)
        if isinstance(value, dict):
            yield from of_its_type(node, here, element, place)
    if kind != own:
        yield from _ruled(here, own, place)


def _primitive(owner: str, node: Node, element: Element, place: Place) -> Iterator[Issue]:
    value = node.value
    if node.sibling is not None:
        yield from _object(Node(node.sibling, "Element"), place)
    if value is None:
        return
    wrong = primitives.CHECKS[primitives.format_of(owner, element.name, node.kind)](value)
    if wrong:
        yield error("value", place.path, wrong)
    elif primitives.loosely_said(owner, element.name, node.kind, value):
        yield warning("value", place.path, f"'{value}' should be absolute: with http: or urn:")
    elif node.kind == "code" and element.codes:
        allowed = codes.plain(element.codes)
        if allowed and value not in allowed:
            yield error("code-invalid", place.path, _not_among(value, allowed))


def _not_among(value: str, allowed: frozenset[str]) -> str:
    some = ", ".join(sorted(allowed)[:12]) + (", ..." if len(allowed) > 12 else "")
    near = get_close_matches(value, allowed, 1)
    return f"'{value}' is none of {some}" + (f"; did you mean {near[0]}?" if near else "")


def _inner(node: Node, element: Element, place: Place) -> Iterator[Issue]:
    """A resource inside another: contained in it, or an entry of its own."""
    held = node.value
    inner = root(held)
    if not inner.kind:
        kind = held.get("resourceType") if isinstance(held, dict) else held
        yield error("structure", place.path, _no_kind(kind))
        return
    if element.name != "contained" and certainly_valid(held):
        return
    within = place.within if element.name == "contained" else inner
    yield from _resource(inner, Place(place.path, inner, within, inner.kind, inner.kind))
