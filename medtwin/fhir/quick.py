"""Whether a resource is certainly valid, as fast as Python can say it.

Yes is certain. No means only that `validation` must look more closely: something is wrong, or
rare (contained resources, nulls beside extensions, references that lead elsewhere). Each type
becomes one function over the JSON objects that orjson reads.
"""

from collections.abc import Callable, Iterator
from functools import cache
from threading import local
from typing import Any

from medtwin.fhir import codes, primitives, rules
from medtwin.fhir.bundles import bundle
from medtwin.fhir.r4_extensions import EXTENSIONS
from medtwin.fhir.references import named_kind
from medtwin.fhir.types import PRIMITIVES, RESOURCE_KINDS, Element, elements, fields, json_name

Check = Callable[[Any], bool]
LOCAL = local()
LEFT = (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError)


def certainly_valid(resource: Any) -> bool:
    """Whether nothing at all can be wrong with this resource."""
    met: list[str] = []
    LOCAL.met = met
    try:
        return resource_check(resource) and _contains_what_it_names(resource, met)
    except LEFT:  # something that has no place here: to be named by the one who looks closely
        return False


def _contains_what_it_names(resource: dict[str, Any], met: list[str]) -> bool:
    """Whether what is contained and what is named by `#id` are the same (dom-3, ref-1)."""
    if "contained" not in resource:
        return not met
    names = {"#" + one["id"] for one in resource["contained"]}
    return len(names) == len(resource["contained"]) and names == {*met} - {"#"}


def _contained(value: Any) -> bool:
    """Contained resources contain no others and have no versions (dom-2, dom-4, dom-5)."""
    return all("contained" not in o and "meta" not in o and resource_check(o) for o in value)


def _apart(resource: Any) -> bool:
    """A resource in a bundle: what it contains is its own affair."""
    outer = LOCAL.met
    try:
        return certainly_valid(resource)
    finally:
        LOCAL.met = outer


def resource_check(resource: Any) -> bool:
    """The check of a resource of any kind."""
    return _resource(resource["resourceType"])(resource)


@cache
def _resource(kind: str) -> Check:
    if kind not in RESOURCE_KINDS:
        return _no
    return _object(kind)


def _no(value: Any) -> bool:
    return False


@cache
def _object(kind: str) -> Check:
    """The check of an object of a type. Types that hold themselves find each other here."""
    table: dict[str, Check] = {}
    needed = tuple(e.name for e in elements(kind).values() if e.least and not e.choice)
    choices = () if kind == "Extension" else tuple(_choices(kind))
    check = _ruled(_shaped(table, needed), choices, rules.quick(kind))
    table.update(_table(kind))
    if kind in RESOURCE_KINDS and "url" in elements(kind):
        return _looked_closer(check)
    return SPECIAL.get(kind, lambda c: c)(check)


def _shaped(table: dict[str, Check], needed: tuple[str, ...]) -> Check:
    """An object with known names only, each well, and all that are needed."""

    def check(value: Any) -> bool:
        if type(value) is not dict or not value:
            return False
        for name, part in value.items():
            if not table[name](part):
                return False
        for name in needed:  # noqa: SIM110 - a generator takes twice the time here
            if name not in value:
                return False
        return True

    return check


def _ruled(
    shaped: Check, choices: tuple[tuple[int, frozenset[str]], ...], held: tuple[rules.Quick, ...]
) -> Check:
    """The same, at most one of each choice, and every rule of the type kept."""
    if not choices and not held:
        return shaped

    def check(value: Any) -> bool:
        if not shaped(value):
            return False
        for least, names in choices:
            if not least <= len(names & value.keys()) <= 1:
                return False
        for rule in held:  # noqa: SIM110 - a generator takes twice the time here
            if not rule(value):
                return False
        return True

    return check


def _choices(kind: str) -> Iterator[tuple[int, frozenset[str]]]:
    """Of each choice, whether it must be made, and the names of which at most one may be."""
    for element in elements(kind).values():
        if element.choice:
            names = [json_name(element, k) for k in element.kinds]
            yield element.least, frozenset([*names, *(f"_{n}" for n in names)])


def _table(kind: str) -> dict[str, Check]:
    """The check of each JSON name; types are looked up late, since they hold one another."""
    found: dict[str, Check] = {}
    for name, field in fields(kind).items():
        found[name] = _part(kind, field.element, field.kind)
        if field.kind in PRIMITIVES and name != "id":
            found["_" + name] = _no if field.element.many else _late("Element")
    if kind in RESOURCE_KINDS:
        found["resourceType"] = lambda value: value == kind
        found["contained"] = _contained
    return found


def _late(kind: str) -> Check:
    made: list[Check] = []

    def check(value: Any) -> bool:
        if not made:
            made.append(_object(kind))
        return made[0](value)

    return check


def _part(owner: str, element: Element, kind: str) -> Check:
    one = _one(owner, element, kind)
    bound = rules.quick(f"{owner}.{element.name}") if kind != f"{owner}.{element.name}" else ()
    one = _bound(one, bound) if bound else one
    return _many(one, element.most) if element.many else one


def _bound(one: Check, held: tuple[rules.Quick, ...]) -> Check:
    return lambda value: one(value) and all(rule(value) for rule in held)


def _many(one: Check, most: int | None) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not list or not value or (most and len(value) > most):
            return False
        for part in value:  # noqa: SIM110 - a generator takes twice the time here
            if not one(part):
                return False
        return True

    return check


def _one(owner: str, element: Element, kind: str) -> Check:
    if kind == "Resource":
        return _apart
    if kind == "Extension":
        return _extension_on(owner)
    if kind in PRIMITIVES:
        return _primitive(primitives.format_of(owner, element.name, kind), element.codes)
    if kind == "Reference":
        return _reference(element.targets.get("Reference", ()))
    if element.codes and (allowed := codes.allowed(element.codes)):
        return _coded(kind, allowed)
    return _late(kind)


@cache
def _shared_primitive(kind: str) -> Check:
    return primitives.quick(kind)


def _primitive(kind: str, value_set: str) -> Check:
    allowed = codes.plain(value_set) if kind == "code" else None
    return allowed.__contains__ if allowed else _shared_primitive(kind)


def _coded(kind: str, allowed: frozenset[tuple[str, str]]) -> Check:
    inner = _late(kind)

    def check(value: Any) -> bool:
        codings = value["coding"] if kind == "CodeableConcept" else (value,)
        return inner(value) and any((c["system"], c["code"]) in allowed for c in codings)

    return check


def _reference(targets: tuple[str, ...]) -> Check:
    inner = _late("Reference")
    wanted = frozenset(targets) if "Resource" not in targets else frozenset()

    def check(value: Any) -> bool:
        if not inner(value):
            return False
        address = value.get("reference")
        if address is None or not wanted:
            return True
        kind = named_kind(address)
        return (kind is None or kind in wanted) and value.get("type", kind) == kind

    return check


def _plain_reference(check: Check) -> Check:
    """What is named by `#id` is remembered, to be looked for when the whole has been seen."""

    def held(value: Any) -> bool:
        if (address := value.get("reference")) is not None and address[:1] == "#":
            LOCAL.met.append(address)
        return check(value)

    return held


def _extension(check: Check) -> Check:
    """An extension has a value or extensions of its own, not both (ext-1)."""

    def held(value: Any) -> bool:
        others = len(value) - ("id" in value) - ("url" in value)
        return check(value) and others == 1

    return held


def _extension_on(owner: str) -> Check:
    """Those that the standard publishes stand only where they may, and hold what they may."""
    inner = _late("Extension")

    def check(value: Any) -> bool:
        if (url := value["url"]) not in EXTENSIONS:
            return inner(value)
        if not codes.may_stand(url, owner, owner) or not value.keys() <= _held_by(url):
            return False
        parts = codes.parts(url)
        return inner(value) and all(e["url"] in parts for e in value.get("extension", ()))

    return check


@cache
def _held_by(url: str) -> frozenset[str]:
    values = ("value" + kind[0].upper() + kind[1:] for kind in codes.holds(url))
    return frozenset({"id", "url", "extension" if codes.parts(url) else "url", *values})


def _with_content(check: Check) -> Check:
    """An element with nothing but an id says nothing (ele-1)."""
    return lambda value: check(value) and (len(value) > 1 or "id" not in value)


def _identifier(check: Check) -> Check:
    """An identifier of the system of addresses is an address."""

    def held(value: Any) -> bool:
        addressed = value.get("system") == "urn:ietf:rfc:3986" and "value" in value
        return check(value) and not (addressed and primitives.absolute(value["value"]))

    return held


def _attachment(check: Check) -> Check:
    """Content and its size are compared by who looks closely."""
    return lambda value: not ("size" in value and "data" in value) and check(value)


def _bundle(check: Check) -> Check:
    """What the entries owe one another is asked of `bundles`."""
    return lambda value: check(value) and next(bundle(value, ""), None) is None


def _looked_closer(check: Check) -> Check:
    """A kind of which the standard says more than this can see."""
    return _no


def _observation(check: Check) -> Check:
    """A profile may ask for a code."""
    return lambda value: "profile" not in value.get("meta", ()) and check(value)


SPECIAL: dict[str, Callable[[Check], Check]] = {
    "Reference": _plain_reference,
    "Extension": _extension,
    "Element": _with_content,
    "Identifier": _identifier,
    "Attachment": _attachment,
    "Expression": _looked_closer,
    "Bundle": _bundle,
    "Observation": _observation,
}
