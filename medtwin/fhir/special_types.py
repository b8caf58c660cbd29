"""Types whose values must agree in themselves or with their place: references, extensions, codes.

https://hl7.org/fhir/R4/references.html, #extensibility, #terminologies.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from medtwin.fhir import codes, primitives
from medtwin.fhir.issue import Issue, error
from medtwin.fhir.nodes import Node
from medtwin.fhir.path_grammar import BadPath, tree
from medtwin.fhir.references import named_kind
from medtwin.fhir.types import RESOURCE_KINDS, Element, elements


class Place(NamedTuple):
    """Where one looks: the path, the resource that this belongs to, and what contains that."""

    path: str
    resource: Node
    within: Node
    element: str = ""
    kind: str = ""

    def at(self, name: str) -> "Place":
        """One step further."""
        return self._replace(path=f"{self.path}.{name}")

    def nth(self, index: int) -> "Place":
        """One of several."""
        return self._replace(path=f"{self.path}[{index}]")


def of_its_type(owner: Node, node: Node, element: Element, place: Place) -> Iterator[Issue]:
    """Findings about a value of this type at its place."""
    look = SPECIAL.get(node.kind)
    found = look(owner, node, element, place) if look else ()
    bound = _bound(node, element, place) if element.codes else ()
    yield from chain(found, bound)


def _bound(node: Node, element: Element, place: Place) -> Iterator[Issue]:
    """A Coding or concept whose code must come from a set that the standard names."""
    allowed = codes.allowed(element.codes)
    if not allowed or node.kind not in {"Coding", "CodeableConcept"}:
        return
    codings = node.value.get("coding", []) if node.kind == "CodeableConcept" else [node.value]
    codings = codings if isinstance(codings, list) else []
    told = [(str(c.get("system")), str(c.get("code"))) for c in codings if isinstance(c, dict)]
    if not any(pair in allowed for pair in told):
        said = " or ".join(f"{s}|{c}" for s, c in told) or "no code"
        some = ", ".join(f"{s}|{c}" for s, c in sorted(allowed)[:6])
        yield error("code-invalid", place.path, f"{said}: one of {some} is required")


def _reference(owner: Node, node: Node, element: Element, place: Place) -> Iterator[Issue]:
    address, targets = node.value.get("reference"), element.targets.get("Reference", ())
    if not isinstance(address, str):
        return
    if address.startswith("#"):
        yield from _local(address, targets, place)
        return
    kind, said = named_kind(address), node.value.get("type")
    if kind and targets and kind not in targets and "Resource" not in targets:
        yield error(
            "value", place.path, f"{element.name} may name {', '.join(targets)}; not {kind}"
        )
    if kind and isinstance(said, str) and said != kind and said in RESOURCE_KINDS:
        yield error("value", place.path, f"the reference says {said} and names {address}")


def _local(address: str, targets: tuple[str, ...], place: Place) -> Iterator[Issue]:
    if address == "#":
        return
    contained = place.within.value.get("contained")
    named = contained if isinstance(contained, list) else []
    there = [c for c in named if isinstance(c, dict) and f"#{c.get('id')}" == address]
    if not there:
        yield error("invariant", place.path, f"{address} is not contained here (ref-1)")
    elif targets and "Resource" not in targets and there[0].get("resourceType") not in targets:
        said = there[0].get("resourceType")
        yield error("value", place.path, f"{', '.join(targets)} may be named here; not {said}")


def _extension(owner: Node, node: Node, element: Element, place: Place) -> Iterator[Issue]:
    held = node.value
    values = [n for n in held if n.lstrip("_").startswith("value")]
    if bool(values) == ("extension" in held):
        yield error("invariant", place.path, "an extension has a value or others, not both (ext-1)")
    url = held.get("url")
    if not isinstance(url, str):
        return
    definition = "url" in elements(place.resource.kind)  # newer packages let these carry more
    if not definition and not codes.may_stand(
        url, owner.kind if owner.kind == "Extension" else place.kind, place.element
    ):
        said = ", ".join(codes.places(url))
        yield error("structure", place.path, f"{url} may stand on {said}; not on {place.element}")
    if types := codes.holds(url):
        yield from _held(url, values, types, place)
    if parts := codes.parts(url):
        yield from _inside(held, parts, place)


def _held(url: str, values: list[str], types: tuple[str, ...], place: Place) -> Iterator[Issue]:
    wanted = {"value" + t[0].upper() + t[1:] for t in types}
    wrong = [v for v in values if v.lstrip("_") not in wanted]
    if wrong:
        said = " or ".join(sorted(wanted))
        yield error("structure", place.path, f"{url} holds {said}, not {wrong[0]}")


def _inside(held: dict[str, Any], parts: tuple[str, ...], place: Place) -> Iterator[Issue]:
    inner = held.get("extension")
    for i, one in enumerate(inner if isinstance(inner, list) else []):
        if isinstance(one, dict) and one.get("url") not in parts:
            said = f"'{one.get('url')}' is none of {', '.join(parts)}"
            yield error("structure", f"{place.path}.extension[{i}].url", said)


def _identifier(owner: Node, node: Node, element: Element, place: Place) -> Iterator[Issue]:
    value = node.value.get("value")
    named = node.value.get("system") == "urn:ietf:rfc:3986" and isinstance(value, str)
    if named and (wrong := primitives.absolute(value)):
        yield error("value", f"{place.path}.value", wrong)


def _attachment(owner: Node, node: Node, element: Element, place: Place) -> Iterator[Issue]:
    data, size = node.value.get("data"), node.value.get("size")
    if isinstance(data, str) and isinstance(size, int) and primitives.base64(data) is None:
        plain = "".join(data.split())
        real = len(plain) // 4 * 3 - plain.count("=")
        if real != size:
            yield error("value", f"{place.path}.size", f"{size} said, {real} bytes sent")


def _expression(owner: Node, node: Node, element: Element, place: Place) -> Iterator[Issue]:
    said = node.value.get("expression")
    if node.value.get("language") == "text/fhirpath" and isinstance(said, str):
        try:
            tree(said)
        except BadPath as why:
            yield error("value", f"{place.path}.expression", str(why))


SPECIAL: dict[str, Callable[..., Iterator[Issue]]] = {
    "Reference": _reference,
    "Extension": _extension,
    "Identifier": _identifier,
    "Attachment": _attachment,
    "Expression": _expression,
}
