"""What can be searched for in each kind of resource, and what of a resource is found by it.

https://hl7.org/fhir/R4/search.html and https://hl7.org/fhir/R4/searchparameter-registry.html. A
value is a token, a text, a span of time, a number, an amount, a reference, an address, or several
of these side by side (composite).
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

from medtwin.fhir.nodes import Node, Nodes, children, json_names, root
from medtwin.fhir.path_functions import reference_kind
from medtwin.fhir.path_grammar import MISSHAPEN, BadPath, Tree, tree
from medtwin.fhir.path_items import Ask, State
from medtwin.fhir.paths import ask_of
from medtwin.fhir.r4_search import ROWS
from medtwin.fhir.sought import READERS, Amount, Span, Target, Token
from medtwin.fhir.types import RESOURCE_KINDS, elements, is_a, json_name

__all__ = ["Amount", "Found", "Parameter", "Span", "Target", "Token", "parameters", "values"]
OF_ALL = frozenset({"Resource", "DomainResource"})
# What R4 lets be asked of each type, https://hl7.org/fhir/R4/search.html#modifiers.
MODIFIERS = {
    "token": ("missing", "text", "not", "of-type", "in", "not-in", "above", "below"),
    "string": ("missing", "exact", "contains"),
    "reference": ("missing", "identifier", "type", "above", "below"),
    "uri": ("missing", "above", "below"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "composite": ("missing",),
    "special": ("missing",),
}
PREFIXED = frozenset({"date", "number", "quantity"})


class Parameter(NamedTuple):
    """One search parameter of one kind of resource; `components` are (code, expression) pairs."""

    name: str
    type: str
    expression: str
    targets: tuple[str, ...]
    components: tuple[tuple[str, str], ...]

    @property
    def modifiers(self) -> tuple[str, ...]:
        """What may stand behind its name."""
        return MODIFIERS[self.type]


class Found(NamedTuple):
    """A parameter's name, its type, and one value that the resource has for it."""

    parameter: str
    type: str
    value: Any


@cache
def parameters(kind: str) -> Mapping[str, Parameter]:
    """The search parameters of a kind of resource, by name. Empty for a kind that is none."""
    if kind not in RESOURCE_KINDS:
        return MappingProxyType({})
    found = {}
    for name, type_, bases, targets, expression, parts in ROWS:
        if kind in bases.split() or OF_ALL.intersection(bases.split()):
            found[name] = _parameter(kind, name, type_, targets, expression, parts)
    return MappingProxyType(dict(sorted(found.items())))


def _parameter(kind: str, *row: str) -> Parameter:
    name, type_, targets, expression, parts = row
    pairs = (p.partition("=") for p in parts.splitlines())
    mine = _of_kind(kind, expression)
    components = tuple((code, path) for code, _, path in pairs)
    return Parameter(name, type_, mine, tuple(targets.split()), components)


def _of_kind(kind: str, expression: str) -> str:
    """The branches of an expression that begin with this kind, of all that it is written for."""
    branches = _branches(expression)
    mine = [b for b in branches if _begins(b) in {kind, *OF_ALL}]
    return " | ".join(mine) if mine else expression


def _branches(expression: str) -> list[str]:
    depth, found = 0, [""]
    for letter in expression:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [b.strip() for b in found]


def _begins(branch: str) -> str:
    return branch.lstrip("( ").partition(".")[0].partition(" ")[0].rstrip(")")


# Values


def values(resource: dict[str, Any]) -> Iterator[Found]:
    """All that can be searched for in a resource, parameter by parameter.

    Unknown kinds give nothing. A value that is not what its type promises is left out.
    """
    whole = [root(resource)]
    state = State(whole[0], whole, whole[0], {})
    table = _plans(whole[0].kind)
    met: dict[str, Plan] = {}
    for name in resource:
        for plan in table.get(name, ()):
            met[plan.parameter.name] = plan
    for plan in met.values():
        yield from _found(plan, state, whole)


class Plan(NamedTuple):
    """How to find the values of one parameter, and which elements it needs at all."""

    parameter: Parameter
    needs: frozenset[str]
    ask: Ask
    parts: tuple[tuple[str, str, Ask], ...]


@cache
def _plans(kind: str) -> dict[str, tuple[Plan, ...]]:
    """The plans that an element of a resource calls for, by its JSON name."""
    found: dict[str, tuple[Plan, ...]] = {}
    for parameter in parameters(kind).values():
        if parameter.expression:
            plan = _plan(kind, parameter)
            for name in plan.needs:
                found[name] = (*found.get(name, ()), plan)
    return found


def _plan(kind: str, parameter: Parameter) -> Plan:
    what = _picking(tree(parameter.expression))
    parts = tuple(
        (code, _type_of(kind, code), ask_of(_picking(tree(path))))
        for code, path in parameter.components
    )
    return Plan(parameter, frozenset(_needs(kind, what)), _straight(what) or ask_of(what), parts)


def _straight(what: Tree) -> Ask | None:
    """A path of names, its values of one type, or its references to one: walked at once."""
    if what[:2] == ("type", "ofType"):
        inner, kind = _straight(what[2]), what[3]
        return inner and (
            lambda state, focus: [n for n in inner(state, focus) if is_a(n.kind, kind)]
        )
    if what[0] == "dot" and what[2][:2] == ("call", "where"):
        inner, kind = _straight(what[1]), _resolved_kind(what[2][2])
        return (inner and kind and _naming(inner, kind)) or None
    return _steps(what)


def _resolved_kind(arguments: tuple[Tree, ...]) -> str:
    """`Patient` of `where(resolve() is Patient)`."""
    (asked,) = arguments
    resolving = asked[:2] == ("type", "is") and asked[2] == ("call", "resolve", ())
    return asked[3] if resolving else ""


def _naming(inner: Ask, kind: str) -> Ask:
    def ask(state: State, focus: Nodes) -> Nodes:
        return [n for n in inner(state, focus) if _names_a(n.value, kind)]

    return ask


def _names_a(held: Any, kind: str) -> bool:
    if not isinstance(held, dict):
        return isinstance(held, str) and reference_kind(held) == kind
    address = held.get("reference")
    said = reference_kind(address) if isinstance(address, str) else ""
    return (said or held.get("type")) == kind


def _steps(what: Tree) -> Ask | None:
    names: list[str] = []
    while what[0] == "dot" and what[2][0] == "name":
        names.append(what[2][1])
        what = what[1]
    if what[0] != "name" or not names:
        return None
    last, *before = names
    steps = before[::-1]

    def walk(state: State, focus: Nodes) -> Nodes:
        level = [(n.value, n.kind) for n in focus]
        for name in steps:
            level = [part for held, kind in level for part in _below(held, kind, name)]
        return [child for held, kind in level for child in children(Node(held, kind), last)]

    return walk


def _below(held: dict[str, Any], kind: str, name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects under a name, each with its type."""
    for json, inner in json_names(kind, name) or ():
        part = held.get(json)
        if type(part) is dict:
            yield part, inner
        elif type(part) is list:
            for one in part:
                if type(one) is dict:
                    yield one, inner


def _picking(what: Any) -> Any:
    """`as` of several values picks those of the type: R4 writes its parameters so."""
    if not isinstance(what, tuple):
        return what
    if what[:2] == ("type", "as") or what[:2] == ("call", "as"):
        return (what[0], "ofType", *map(_picking, what[2:]))
    return tuple(map(_picking, what))


def _type_of(kind: str, code: str) -> str:
    known = parameters(kind).get(code)
    return known.type if known else "token"


def _needs(kind: str, what: Tree) -> Iterator[str]:
    """The JSON names of the first elements below the resource that a path goes through."""
    if what[0] == "operator" and what[1] == "|":
        yield from _needs(kind, what[2])
        yield from _needs(kind, what[3])
    elif (name := _second(what)) and (element := elements(kind).get(name)):
        for one in element.kinds:
            yield json_name(element, one)
            yield "_" + json_name(element, one)
    else:
        yield "resourceType"


def _second(what: Tree) -> str:
    """`name` of `Patient.name.family`."""
    while what[0] in {"dot", "type", "index"}:
        inner = what[2] if what[0] == "type" else what[1]
        if what[0] == "dot" and inner[0] == "name" and what[2][0] == "name":
            return what[2][1] if inner[1][:1].isupper() else ""
        what = inner
    return ""


def _found(plan: Plan, state: State, whole: Nodes) -> Iterator[Found]:
    """What a parameter finds; nothing more from where the resource is not what it should be."""
    try:
        yield from _shaped(plan, state, whole)
    except (BadPath, *MISSHAPEN):
        state.this = state.context


def _shaped(plan: Plan, state: State, whole: Nodes) -> Iterator[Found]:
    name, type_ = plan.parameter.name, plan.parameter.type
    read = READERS.get(type_)
    for node in plan.ask(state, whole):
        if plan.parts:
            yield from _composite(plan, state, node)
        elif read is not None:
            for value in read(node):
                yield Found(name, type_, value)


def _composite(plan: Plan, state: State, node: Node) -> Iterator[Found]:
    before = state.this
    state.this = [node]
    columns = [_part(state, node, *part) for part in plan.parts]
    state.this = before
    for row in product(*columns):
        yield Found(plan.parameter.name, "composite", row)


def _part(state: State, node: Node, code: str, type_: str, ask: Ask) -> list[Found]:
    read = READERS.get(type_)
    nodes = ask(state, [node]) if read else []
    return [Found(code, type_, v) for n in nodes for v in (read(n) if read else ())]
