"""FHIRPath's functions over collections: what exists, which of them, how they combine.

https://hl7.org/fhirpath/N1/#functions and https://hl7.org/fhir/R4/fhirpath.html#functions. A
function takes the collection it stands on and its arguments, already worked out. Those whose
arguments are asked item by item (`where`, `select`) are in `path_items.py`.
"""

from collections.abc import Callable
from typing import Any

from medtwin.fhir import quantities
from medtwin.fhir.narrative import html_complaint
from medtwin.fhir.nodes import (
    FALSE,
    NOTHING,
    Node,
    Nodes,
    boolean,
    children,
    every_child,
    every_descendant,
    number,
    single,
    system,
    text,
    truth,
)
from medtwin.fhir.path_equality import as_amount, negated, order, same
from medtwin.fhir.path_grammar import BadPath
from medtwin.fhir.path_operators import add, distinct, divide

Function = Callable[..., Nodes]
FUNCTIONS: dict[str, Function] = {}
MOST: dict[str, int] = {}  # arguments of those that take them as a row


def function(name: str) -> Callable[[Function], Function]:
    """Enter a function under FHIRPath's own name for it."""

    def enter(what: Function) -> Function:
        FUNCTIONS[name] = what
        return what

    return enter


# What exists


@function("empty")
def empty(nodes: Nodes) -> Nodes:
    """Whether there is nothing."""
    return truth(not nodes)


@function("not")
def not_(nodes: Nodes) -> Nodes:
    """The opposite."""
    return negated(truth(boolean(nodes, "not()")))


@function("count")
def count(nodes: Nodes) -> Nodes:
    """How many."""
    return number(len(nodes))


def _told(nodes: Nodes) -> list[bool]:
    if any(type(n.value) is not bool for n in nodes):
        raise BadPath("a collection of yes and no expected")
    return [n.value for n in nodes]


FUNCTIONS["allTrue"] = lambda nodes: truth(all(_told(nodes)))
FUNCTIONS["anyTrue"] = lambda nodes: truth(any(_told(nodes)))
FUNCTIONS["allFalse"] = lambda nodes: truth(not any(_told(nodes)))
FUNCTIONS["anyFalse"] = lambda nodes: truth(not all(_told(nodes)))


def _within(some: Nodes, others: Nodes) -> bool:
    return all(any(same(one, other) for other in others) for one in some)


FUNCTIONS["subsetOf"] = lambda nodes, other: truth(_within(nodes, other))
FUNCTIONS["supersetOf"] = lambda nodes, other: truth(_within(other, nodes))
FUNCTIONS["distinct"] = distinct
FUNCTIONS["isDistinct"] = lambda nodes: truth(len(distinct(nodes)) == len(nodes))


@function("hasValue")
def has_value(nodes: Nodes) -> Nodes:
    """Whether this is one primitive with a value of its own."""
    if len(nodes) != 1 or nodes[0].value is None or nodes[0].kind == "xhtml":
        return FALSE
    return truth(not isinstance(nodes[0].value, dict | quantities.Quantity))


@function("getValue")
def get_value(nodes: Nodes) -> Nodes:
    """The value of one primitive."""
    if not has_value(nodes)[0].value:
        return NOTHING
    kind, value = system(nodes[0])
    return [Node(value, "System." + kind)]


# Which of them


@function("single")
def only(nodes: Nodes) -> Nodes:
    """The one there is. Raises `BadPath` for several."""
    single(nodes, "single()")
    return nodes


FUNCTIONS["first"] = lambda nodes: nodes[:1]
FUNCTIONS["last"] = lambda nodes: nodes[-1:]
FUNCTIONS["tail"] = lambda nodes: nodes[1:]


def whole(nodes: Nodes, what: str) -> int | None:
    """An integer argument."""
    node = single(nodes, what)
    if node is None:
        return None
    if type(node.value) is not int:
        raise BadPath(f"{what} takes an integer")
    return node.value


@function("skip")
def skip(nodes: Nodes, some: Nodes) -> Nodes:
    """All but the first so many."""
    return nodes[max(whole(some, "skip()") or 0, 0) :]


@function("take")
def take(nodes: Nodes, some: Nodes) -> Nodes:
    """The first so many."""
    return nodes[: max(whole(some, "take()") or 0, 0)]


@function("intersect")
def intersect(nodes: Nodes, other: Nodes) -> Nodes:
    """Those in both, each once."""
    return distinct([n for n in nodes if any(same(n, o) for o in other)])


@function("exclude")
def exclude(nodes: Nodes, other: Nodes) -> Nodes:
    """Those not among the others."""
    return [n for n in nodes if not any(same(n, o) for o in other)]


FUNCTIONS["union"] = lambda nodes, other: distinct([*nodes, *other])
FUNCTIONS["combine"] = lambda nodes, other: [*nodes, *other]


# The tree


@function("children")
def all_children(nodes: Nodes) -> Nodes:
    """All elements, one level down."""
    return [child for node in nodes for child in every_child(node)]


@function("descendants")
def descendants(nodes: Nodes) -> Nodes:
    """All elements at any depth."""
    return list(every_descendant(*nodes))


@function("extension")
def extension(nodes: Nodes, url: Nodes) -> Nodes:
    """The extensions of this address."""
    wanted = single(url, "extension()")
    if wanted is None or not wanted.value:
        return NOTHING
    found = (e.value for node in nodes for e in children(node, "extension"))
    return [Node(e, "Extension") for e in found if e.get("url") == wanted.value]


@function("type")
def type_of(nodes: Nodes) -> Nodes:
    """Name and namespace of each item's type."""
    return [Node(_type_info(n), "") for n in nodes]


def _type_info(node: Node) -> dict[str, Any]:
    if node.kind and not node.kind.startswith("System."):
        return {"namespace": "FHIR", "name": node.kind}
    if isinstance(node.value, dict) and "resourceType" in node.value:
        return {"namespace": "FHIR", "name": node.value["resourceType"]}
    own = node.kind.removeprefix("System.") or system(node)[0]
    return {"namespace": "System", "name": own} if own else {"namespace": "System", "name": "Any"}


# Numbers over collections


def _total(nodes: Nodes) -> Nodes:
    found = nodes[:1]
    for node in nodes[1:]:
        found = add(found, [node])
    return found


def _extreme(nodes: Nodes, sign: int) -> Nodes:
    if any(n.value is None for n in nodes):
        return NOTHING
    found = nodes[:1]
    for node in nodes[1:]:
        if (order(node, found[0]) or 0) * sign > 0:
            found = [node]
    return found


FUNCTIONS["sum"] = _total
FUNCTIONS["min"] = lambda nodes: _extreme(nodes, -1)
FUNCTIONS["max"] = lambda nodes: _extreme(nodes, 1)
FUNCTIONS["avg"] = lambda nodes: divide(_total(nodes), number(len(nodes))) if nodes else NOTHING


# FHIR's own


@function("resolve")
def resolve(nodes: Nodes) -> Nodes:
    """What a reference names, as far as its address says: a node that knows only its type."""
    found = (_resolved(n) for n in nodes)
    return [n for n in found if n is not None]


def _resolved(node: Node) -> Node | None:
    value = node.value
    address = value.get("reference") if isinstance(value, dict) else value
    kind = reference_kind(address) if isinstance(address, str) else ""
    if not kind and isinstance(value, dict):
        kind = value.get("type") or ""
    return Node({"resourceType": kind}, kind) if kind else None


def reference_kind(address: str) -> str:
    """The type a literal reference names: `Patient` of `http://x/Patient/1/_history/2`."""
    parts = address.partition("/_history/")[0].partition("?")[0].split("/")
    if len(parts) >= 2 and parts[-2][:1].isupper():
        return parts[-2]
    return ""


@function("getResourceKey")
def resource_key(nodes: Nodes) -> Nodes:
    """The key of a resource in a table: its type and its id."""
    return [k for n in nodes for k in _resource_key(n)]


def _resource_key(node: Node) -> Nodes:
    held = node.value
    if not isinstance(held, dict) or "resourceType" not in held or "id" not in held:
        return NOTHING
    return text(f"{held['resourceType']}/{held['id']}")


@function("htmlChecks")
def html_checks(nodes: Nodes) -> Nodes:
    """Whether a narrative holds only what it may, and says something."""
    return truth(all(html_complaint(n.value) is None for n in nodes if isinstance(n.value, str)))


@function("conformsTo")
def conforms_to(nodes: Nodes, profile: Nodes) -> Nodes:
    """Whether a resource is of the type that a base definition names."""
    said = single(profile, "conformsTo()")
    node = single(nodes, "conformsTo()")
    if said is None or node is None:
        return NOTHING
    home, _, name = str(said.value).rpartition("/")
    if home != "http://hl7.org/fhir/StructureDefinition":
        raise BadPath(f"profile {said.value} is not known here")
    return truth(node.kind == name) if node.kind else truth(node.value.get("resourceType") == name)


FUNCTIONS["elementDefinition"] = lambda nodes: NOTHING
FUNCTIONS["checkModifiers"] = lambda nodes, *known: nodes


@function("comparable")
def comparable(nodes: Nodes, other: Nodes) -> Nodes:
    """Whether two amounts can be turned into each other."""
    a, b = single(nodes, "comparable()"), single(other, "comparable()")
    if a is None or b is None:
        return NOTHING
    (one, x), (two, y) = system(a), system(b)
    p, q = as_amount(x), as_amount(y)
    if p is not None and q is not None:
        return truth(p.unit == q.unit or quantities.comparable(p, q))
    return truth(one == two)
