"""What can be searched for in each kind of resource, and what of a resource is found by it.

https://hl7.org/fhir/R4/search.html and https://hl7.org/fhir/R4/searchparameter-registry.html. A
value is a token, a text, a span of time, a number, an amount, a reference, an address, or several
of these side by side (composite).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

from medtwin.fhir import moments
from medtwin.fhir.nodes import MEASURES, Node, Nodes, children, json_names, root, system
from medtwin.fhir.path_functions import reference_kind
from medtwin.fhir.path_grammar import MISSHAPEN, BadPath, Tree, tree
from medtwin.fhir.path_items import Ask, State
from medtwin.fhir.paths import ask_of
from medtwin.fhir.r4_search import ROWS
from medtwin.fhir.types import RESOURCE_KINDS, elements, is_a, json_name

ISO_CURRENCIES = "urn:iso:std:iso:4217"
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


class Token(NamedTuple):
    """A code in a system (None: in none, or in one that the element implies), and its words."""

    system: str | None
    code: str | None
    text: str = ""


class Span(NamedTuple):
    """From this moment up to, not including, that one; None where an end is open."""

    start: datetime | None
    end: datetime | None


class Amount(NamedTuple):
    """A value with its unit; `least` to `most` is what it may mean (72.5 is 72.45 to 72.55)."""

    value: Decimal
    least: Decimal | None
    most: Decimal | None
    system: str | None
    code: str | None
    unit: str | None


class Target(NamedTuple):
    """What a reference names: kind and id if its address says so, the address, an identifier."""

    kind: str
    id: str
    address: str
    identifier: Token | None


Value = Token | str | Span | Amount | Target | tuple["Found", ...]


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


def _tokens(node: Node) -> Iterator[Token]:
    held = node.value
    if isinstance(held, dict):
        yield from (TOKENS.get(node.kind) or _no_token)(held)
    elif isinstance(held, bool):
        yield Token(None, "true" if held else "false")
    elif held is not None:
        yield Token(None, str(held))


def _no_token(held: dict[str, Any]) -> Iterator[Token]:
    yield from ()


def _coding(held: dict[str, Any]) -> Iterator[Token]:
    if "code" in held or "display" in held or "system" in held:
        yield Token(held.get("system"), held.get("code"), held.get("display", ""))


def _concept(held: dict[str, Any]) -> Iterator[Token]:
    for coding in held.get("coding", ()):
        yield from _coding(coding)
    if "text" in held:
        yield Token(None, None, held["text"])


def _identifier(held: dict[str, Any]) -> Iterator[Token]:
    if "value" in held or "system" in held:
        yield Token(held.get("system"), held.get("value"), held.get("type", {}).get("text", ""))


def _contact(held: dict[str, Any]) -> Iterator[Token]:
    if "value" in held:
        yield Token(held.get("system"), held["value"])


TOKENS: dict[str, Callable[[dict[str, Any]], Iterator[Token]]] = {
    "Coding": _coding,
    "CodeableConcept": _concept,
    "Identifier": _identifier,
    "ContactPoint": _contact,
    "Quantity": lambda held: iter((Token(held.get("system"), held.get("code")),)),
}
NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
ADDRESS_PARTS = ("text", "line", "city", "district", "state", "country", "postalCode")


def _texts(node: Node) -> Iterator[str]:
    held = node.value
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict):
        for part in ADDRESS_PARTS if node.kind == "Address" else NAME_PARTS:
            said = held.get(part)
            yield from (s for s in (said if isinstance(said, list) else (said,)) if s)


def _spans(node: Node) -> Iterator[Span]:
    held = node.value
    if isinstance(held, str):
        yield from _span(held)
    elif isinstance(held, dict):
        yield from _timing(held) if node.kind == "Timing" else _period(held)


def _span(said: str) -> Iterator[Span]:
    found = moments.moment(said)
    if found is not None and found.kind != "Time":
        yield Span(*moments.bounds(found))


def _period(held: dict[str, Any]) -> Iterator[Span]:
    begins = next(_span(held["start"]), None) if "start" in held else None
    ends = next(_span(held["end"]), None) if "end" in held else None
    if begins or ends:
        yield Span(begins.start if begins else None, ends.end if ends else None)


def _timing(held: dict[str, Any]) -> Iterator[Span]:
    spans = [s for said in held.get("event", ()) for s in _span(said)]
    spans += list(_period(held.get("repeat", {}).get("boundsPeriod", {})))
    if spans:
        starts, ends = [s.start for s in spans], [s.end for s in spans]
        first = None if None in starts else min(s for s in starts if s)
        yield Span(first, None if None in ends else max(e for e in ends if e))


def _numbers(node: Node) -> Iterator[Amount]:
    kind, value = system(node)
    if kind in {"Integer", "Decimal", "Long"} and value is not None:
        yield _amount(Decimal(value), None, None, None)


def _amount(value: Decimal, place: str | None, code: str | None, unit: str | None) -> Amount:
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    return Amount(value, value - half, value + half, place, code, unit)


def _amounts(node: Node) -> Iterator[Amount]:
    held = node.value
    if not isinstance(held, dict):
        yield from _numbers(node)
    elif node.kind in MEASURES and "value" in held:
        yield _measured(held)
    elif node.kind == "Money" and "value" in held:
        value = _decimal(held["value"])
        yield _amount(value, ISO_CURRENCIES, held.get("currency"), held.get("currency"))
    elif node.kind == "Range":
        yield from _range(held)


def _decimal(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _measured(held: dict[str, Any]) -> Amount:
    value = _decimal(held["value"])
    found = _amount(value, held.get("system"), held.get("code"), held.get("unit"))
    sign = held.get("comparator", "")
    if sign.startswith("<"):
        return found._replace(least=None)
    return found._replace(most=None) if sign.startswith(">") else found


def _range(held: dict[str, Any]) -> Iterator[Amount]:
    low, high = (
        next(_amounts(Node(held[e], "Quantity")), None) if e in held else None
        for e in ("low", "high")
    )
    one = low or high
    if one is not None:
        yield one._replace(least=low.least if low else None, most=high.most if high else None)


def _references(node: Node) -> Iterator[Target]:
    held = node.value
    if isinstance(held, str):
        yield target(held)
    elif isinstance(held, dict) and ("reference" in held or "identifier" in held):
        told = next(_identifier(held.get("identifier", {})), None)
        found = target(held.get("reference", ""))
        kind = found.kind or held.get("type", "")
        yield found._replace(kind=kind, identifier=told)


def target(address: str) -> Target:
    """What a literal reference names: `Patient/1/_history/2` is the Patient with the id 1."""
    kind = reference_kind(address)
    plain = address.partition("/_history/")[0]
    return Target(kind, plain.rpartition("/")[2] if kind else "", address, None)


def _addresses(node: Node) -> Iterator[str]:
    if isinstance(node.value, str):
        yield node.value


READERS: dict[str, Callable[[Node], Iterator[Any]]] = {
    "token": _tokens,
    "string": _texts,
    "date": _spans,
    "number": _numbers,
    "quantity": _amounts,
    "reference": _references,
    "uri": _addresses,
}
