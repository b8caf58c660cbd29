"""What a FHIRPath walks over: each value with its type and the extensions of a primitive."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from medtwin.fhir.moments import Moment, moment
from medtwin.fhir.path_grammar import BadPath
from medtwin.fhir.quantities import CALENDAR_OF, Quantity
from medtwin.fhir.r4_types import ELEMENTS
from medtwin.fhir.types import (
    PRIMITIVES,
    RESOURCE_KINDS,
    ancestors,
    elements,
    fields,
    json_name,
)

UCUM = "http://unitsofmeasure.org"
SYSTEM = {
    "boolean": "Boolean",
    "integer": "Integer",
    "positiveInt": "Integer",
    "unsignedInt": "Integer",
    "integer64": "Long",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "instant": "DateTime",
    "time": "Time",
    **{f"System.{k}": k for k in ("String", "Boolean", "Integer", "Long", "Decimal")},
    **{f"System.{k}": k for k in ("Date", "DateTime", "Time", "Quantity")},
}
MEASURES = frozenset({"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity"})
NUMBERS = frozenset({"Integer", "Long", "Decimal"})
MOMENTS = frozenset({"Date", "DateTime", "Time"})
SYSTEM_TYPES = frozenset({*NUMBERS, *MOMENTS, "String", "Boolean", "Quantity", "Any"})


class Node:
    """A value, what type it has ("" if nobody said), and the `_sibling` of a primitive."""

    __slots__ = ("kind", "sibling", "value")

    def __init__(self, value: Any, kind: str = "", sibling: Any = None) -> None:
        self.value = value
        self.kind = kind
        self.sibling = sibling

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.kind!r})"


Nodes = list[Node]
TRUE = [Node(True, "System.Boolean")]
FALSE = [Node(False, "System.Boolean")]
NOTHING: Nodes = []


def truth(value: bool | None) -> Nodes:
    """A yes, a no, or nothing."""
    return NOTHING if value is None else TRUE if value else FALSE


def text(value: str) -> Nodes:
    """A string."""
    return [Node(value, "System.String")]


def number(value: int | Decimal) -> Nodes:
    """An integer or a decimal."""
    return [Node(value, "System.Integer" if isinstance(value, int) else "System.Decimal")]


def measured(value: Quantity | None) -> Nodes:
    """A quantity, or nothing."""
    return NOTHING if value is None else [Node(value, "System.Quantity")]


def at(value: Moment | None) -> Nodes:
    """A date or time, or nothing."""
    return NOTHING if value is None else [Node(value, "System." + value.kind)]


def root(resource: Any, kind: str | None = None) -> Node:
    """The node of a whole resource (or of a part, if its kind is given)."""
    if kind is None:
        said = resource.get("resourceType") if isinstance(resource, dict) else None
        kind = said if isinstance(said, str) and said in RESOURCE_KINDS else ""
    return Node(resource, kind or "")


# Children


@cache
def json_names(kind: str, name: str) -> tuple[tuple[str, str], ...] | None:
    """The JSON names of an element, each with its kind; None for an element nobody knows."""
    if name == "resourceType":
        return (("resourceType", "code"),)
    if name == "id" or (kind, name) == ("Extension", "url"):
        return ((name, "System.String"),) if kind in ELEMENTS else None
    element = elements(kind).get(name)
    if element is None:
        field = fields(kind).get(name)
        return ((name, field.kind),) if field else None
    return tuple((json_name(element, k), k) for k in element.kinds)


def children(node: Node, name: str) -> Nodes:
    """The elements of this name, each with its type."""
    held = node.value
    if type(held) is not dict:
        return _of_primitive(node, name)
    if not node.kind:
        return _untyped(held, name)
    names = json_names(node.kind, name)
    if names is None:
        return NOTHING
    found: Nodes = []
    for json, kind in names if len(names) < FEW else _chosen(node.kind, name, held):
        value, sibling = held.get(json), held.get("_" + json)
        if type(value) is list and sibling is None and kind != "Resource":
            found += [Node(one, kind) for one in value]
        elif value is not None or sibling is not None:
            _grow(found, value, kind, sibling)
    return found


FEW = 4  # names that may each be tried; of a wider choice the one is looked for


def _chosen(kind: str, name: str, held: dict[str, Any]) -> list[tuple[str, str]]:
    """Which of many names a choice has here."""
    names = _by_json(kind, name)
    found = [names[key] for key in held if key in names]
    return found if len(found) < 2 else list(dict.fromkeys(found))


@cache
def _by_json(kind: str, name: str) -> dict[str, tuple[str, str]]:
    pairs = json_names(kind, name) or ()
    return {key: pair for pair in pairs for key in (pair[0], "_" + pair[0])}


def _grow(found: Nodes, value: Any, kind: str, sibling: Any) -> None:
    if type(value) is not list and type(sibling) is not list:
        found.append(Node(value, _actual(value, kind), sibling))
        return
    values = value if type(value) is list else []
    siblings = sibling if type(sibling) is list else []
    for i in range(max(len(values), len(siblings))):
        one = values[i] if i < len(values) else None
        other = siblings[i] if i < len(siblings) else None
        found.append(Node(one, _actual(one, kind), other))


def _actual(value: Any, kind: str) -> str:
    if kind == "Resource" and type(value) is dict:
        said = value.get("resourceType")
        return said if isinstance(said, str) and said in RESOURCE_KINDS else ""
    return kind


def _untyped(held: dict[str, Any], name: str) -> Nodes:
    found: Nodes = []
    if name in held or "_" + name in held:
        _grow(found, held.get(name), "", held.get("_" + name))
        return [n for n in found if n.value is not None or n.sibling is not None]
    return found


def _of_primitive(node: Node, name: str) -> Nodes:
    if isinstance(node.value, Quantity):
        return _of_quantity(node.value, name)
    if type(node.sibling) is not dict or name not in {"id", "extension"}:
        return NOTHING
    return children(Node(node.sibling, "Element" if node.kind else ""), name)


def _of_quantity(held: Quantity, name: str) -> Nodes:
    if name == "value":
        return number(held.value)
    return text(held.unit) if name == "unit" else NOTHING


def every_child(node: Node) -> Iterator[Node]:
    """All elements, one level down."""
    held = node.value
    if type(held) is dict:
        names = elements(node.kind) if node.kind else _plain_names(held)
        for name in names:
            yield from children(node, name)
    if type(node.sibling) is dict:
        for name in ("id", "extension"):
            yield from _of_primitive(node, name)


def _plain_names(held: dict[str, Any]) -> dict[str, None]:
    return dict.fromkeys(n.removeprefix("_") for n in held if n != "resourceType")


def every_descendant(*nodes: Node) -> Iterator[Node]:
    """All elements at any depth, nearest first."""
    level = list(nodes)
    while level:
        level = [child for one in level for child in every_child(one)]
        yield from level


# What a value is to FHIRPath itself


def system(node: Node) -> tuple[str, Any]:
    """Kind and value as FHIRPath's own types have them; ("", value) for what has parts."""
    value, kind = node.value, node.kind
    if type(value) is dict:
        return _quantity(value, kind)
    own = SYSTEM.get(kind) or _guessed(value, kind)
    if own == "Decimal" and type(value) is not Decimal:
        return own, _decimal(value)
    if own in MOMENTS and type(value) is str:
        said = f"T{value}" if own == "Time" and value[:1] != "T" else value
        found = moment(said, own)
        return ("String", value) if found is None else (own, found)
    return own, value


def _guessed(value: Any, kind: str) -> str:
    if type(value) is str:
        return "String"
    if kind in PRIMITIVES or type(value) is bool:
        return "Boolean" if type(value) is bool else ""
    if type(value) is int:
        return "Integer"
    return "Decimal" if isinstance(value, float | Decimal) else ""


def _decimal(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else _whole(value)


def _whole(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _quantity(value: dict[str, Any], kind: str) -> tuple[str, Any]:
    if kind not in MEASURES or "value" not in value:
        return "", value
    if value.get("comparator"):
        return "", value
    found = as_quantity(value)
    return ("Quantity", found) if found else ("", value)


def as_quantity(value: dict[str, Any]) -> Quantity | None:
    """A FHIR Quantity as FHIRPath's; None where its unit is not of UCUM."""
    amount = _decimal(value.get("value"))
    if not isinstance(amount, Decimal):
        return None
    unit = value.get("code")
    if unit is None:
        return Quantity(amount, "1") if "unit" not in value else None
    if value.get("system") != UCUM:
        return None
    word = CALENDAR_OF.get(unit)
    return Quantity(amount, word, True, True) if word else Quantity(amount, unit)


# Types


def type_matches(node: Node, name: str) -> bool:
    """Whether the node is of a type, as FHIRPath names it."""
    space, _, short = name.rpartition(".")
    own = node.kind
    if own.startswith("System."):
        return space in {"", "System"} and own == "System." + short
    if not own:
        return space in {"", "System", "FHIR"} and _looks_like(node, short)
    if space == "System":
        return False
    return short in ancestors(own)


def _looks_like(node: Node, short: str) -> bool:
    if type(node.value) is dict:
        said = node.value.get("resourceType")
        return isinstance(said, str) and short in ancestors(said)
    kind, _ = system(node)
    return kind == short


def known_type(name: str) -> bool:
    """Whether such a type exists at all."""
    space, _, short = name.rpartition(".")
    if space not in {"", "System", "FHIR"}:
        return False
    fhir = short in PRIMITIVES or bool(elements(short)) or short in {"Resource", "integer64"}
    fhir = fhir or short == "SimpleQuantity"
    return (space != "System" and fhir) or (space != "FHIR" and short in SYSTEM_TYPES)


def single(nodes: Nodes, what: str = "this") -> Node | None:
    """The one node, or None. Raises `BadPath` for several."""
    if len(nodes) > 1:
        raise BadPath(f"{what} takes one value, not {len(nodes)}")
    return nodes[0] if nodes else None


def boolean(nodes: Nodes, what: str = "a condition") -> bool | None:
    """A yes or no; one value of any other type counts as yes."""
    node = single(nodes, what)
    if node is None:
        return None
    return node.value if type(node.value) is bool else node.value is not None or None
