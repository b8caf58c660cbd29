"""FHIRPath: ask something of a resource, in the standard's own language.

An expression is read once, turned into nested functions, and kept. https://hl7.org/fhirpath and
https://hl7.org/fhir/R4/fhirpath.html. Answers are plain values: texts, numbers (`Decimal` as they
were written), dictionaries.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from medtwin.fhir import path_conversions, path_texts
from medtwin.fhir.moments import Moment, moment
from medtwin.fhir.nodes import (
    NOTHING,
    Node,
    Nodes,
    at,
    children,
    known_type,
    measured,
    root,
    single,
    text,
    truth,
    type_matches,
)
from medtwin.fhir.path_functions import FUNCTIONS, MOST
from medtwin.fhir.path_grammar import MISSHAPEN, BadPath, Tree, tree
from medtwin.fhir.path_items import ITEMS, State
from medtwin.fhir.path_operators import OPERATORS, signed
from medtwin.fhir.quantities import Quantity
from medtwin.fhir.types import is_a

__all__ = ["BadPath", "Moment", "Quantity", "asked", "compiled", "evaluate", "holds"]

Ask = Callable[[State, Nodes], Nodes]
LOADED = (path_conversions, path_texts)
CONSTANTS = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
ABSTRACT = {"Resource", "DomainResource"}


def evaluate(
    expression: str,
    resource: Any,
    *,
    kind: str | None = None,
    within: Any = None,
    variables: Mapping[str, Any] | None = None,
) -> list[Any]:
    """What the expression says of a resource, or of a part of it if its `kind` is given.

    `within` is the resource a part belongs to (`%resource`). Texts, numbers, `Decimal`,
    dictionaries come back; dates as text. Raises `BadPath` with the place and the reason.
    """
    found = asked(expression, root(resource, kind), within, variables)
    return [_given_back(n) for n in found if n.value is not None]


def asked(
    expression: str,
    focus: Node,
    within: Any = None,
    variables: Mapping[str, Any] | None = None,
) -> Nodes:
    """The same, as nodes that know their types."""
    whole = focus if within is None else root(within)
    named = {k: _variable(v) for k, v in variables.items()} if variables else {}
    ask = compiled(expression)
    try:
        return ask(State(whole, [focus], whole, named), [focus])
    except BadPath:
        raise
    except MISSHAPEN as why:
        raise BadPath(f"the {focus.kind or 'resource'} is not shaped as its type says") from why


def holds(expression: str, resource: Any) -> bool:
    """Whether the expression is true of a resource; nothing counts as not."""
    return evaluate(expression, resource) == [True]


def _variable(value: Any) -> Nodes:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [v if isinstance(v, Node) else root(v) for v in values]


def _given_back(node: Node) -> Any:
    value = node.value
    if isinstance(value, Moment):
        return value.text
    return str(value) if isinstance(value, Quantity) else value


@lru_cache(maxsize=8192)
def compiled(expression: str) -> Ask:
    """The expression as a function, kept for the next time."""
    try:
        return ask_of(tree(expression))
    except RecursionError as why:
        raise BadPath(f"too many steps in: {expression[:80]}") from why


def ask_of(what: Tree) -> Ask:
    """A tree as a function."""
    return COMPILERS[what[0]](*what[1:])


# Values


def _literal(kind: str, said: str) -> Ask:
    found = LITERALS[kind](said)
    return lambda state, focus: found


def _moment_literal(said: str) -> Nodes:
    found = moment(said)
    if found is None:
        raise BadPath(f"@{said} is no date or time")
    return at(found)


LITERALS: dict[str, Callable[[str], Nodes]] = {
    "String": text,
    "Boolean": lambda s: truth(s == "true"),
    "Integer": lambda s: [Node(int(s), "System.Integer")],
    "Long": lambda s: [Node(int(s), "System.Long")],
    "Decimal": lambda s: [Node(Decimal(s), "System.Decimal")],
    "Moment": _moment_literal,
}


def _quantity(said: str, unit: str, how: str) -> Ask:
    found = measured(Quantity(Decimal(said), unit, how == "calendar"))
    return lambda state, focus: found


def _empty() -> Ask:
    return lambda state, focus: NOTHING


def _variable_named(name: str) -> Ask:
    if name in CONSTANTS:
        return _literal("String", CONSTANTS[name])
    if name in {"resource", "rootResource", "context"}:
        return {
            "resource": lambda state, focus: [state.resource],
            "rootResource": lambda state, focus: [state.within],
            "context": lambda state, focus: state.context,
        }[name]
    if name.startswith(("vs-", "ext-")):
        return _literal("String", _short_address(name))
    return lambda state, focus: _looked_up(state, name)


def _short_address(name: str) -> str:
    kind, _, rest = name.partition("-")
    place = "ValueSet" if kind == "vs" else "StructureDefinition"
    return f"http://hl7.org/fhir/{place}/{rest}"


def _looked_up(state: State, name: str) -> Nodes:
    if name not in state.variables:
        known = ", ".join(f"%{n}" for n in sorted(state.variables)) or "none"
        raise BadPath(f"%{name} has no value; those that have: {known}")
    return state.variables[name]


# Steps


def _name(name: str) -> Ask:
    """A name: at the start of a path it may be the type of what is asked."""

    def step(state: State, focus: Nodes) -> Nodes:
        found: Nodes = []
        for node in focus:
            found += children(node, name)
        return found

    if not name[:1].isupper():
        return step
    return lambda state, focus: [n for n in focus if _is_called(n, name)] or step(state, focus)


def _is_called(node: Node, name: str) -> bool:
    if node.kind:
        return node.kind == name or (name in ABSTRACT and is_a(node.kind, name))
    held = node.value
    return isinstance(held, dict) and held.get("resourceType") == name


def _dot(left: Tree, right: Tree) -> Ask:
    first, then = ask_of(left), ask_of(right)
    return lambda state, focus: then(state, first(state, focus))


def _index(left: Tree, right: Tree) -> Ask:
    first, place = ask_of(left), ask_of(right)

    def step(state: State, focus: Nodes) -> Nodes:
        at_place = single(place(state, state.this), "an index")
        if at_place is None:
            return NOTHING
        if type(at_place.value) is not int:
            raise BadPath("an index is an integer")
        found = first(state, focus)
        return found[at_place.value : at_place.value + 1] if at_place.value >= 0 else NOTHING

    return step


def _sign(sign: str, what: Tree) -> Ask:
    inner = ask_of(what)
    ask: Any = lambda state, focus: signed(sign, inner(state, focus))  # noqa: E731
    ask.sign = -1 if sign == "-" else 1
    ask.inner = inner
    return ask


# Operators


def _operator(symbol: str, left: Tree, right: Tree) -> Ask:
    first, second = ask_of(left), ask_of(right)
    act = OPERATORS[symbol]
    if symbol in SHORT:
        return _short(symbol, first, second)

    def step(state: State, focus: Nodes) -> Nodes:
        variables = state.variables
        one = first(state, focus)
        state.variables = variables
        other = second(state, focus)
        state.variables = variables
        return act(one, other)

    return step


SHORT = {"and": False, "or": True}


def _short(symbol: str, first: Ask, second: Ask) -> Ask:
    """And and or stop where the first answer decides."""
    act, decides = OPERATORS[symbol], SHORT[symbol]

    def step(state: State, focus: Nodes) -> Nodes:
        variables = state.variables
        one = first(state, focus)
        state.variables = variables
        if len(one) == 1 and one[0].value is decides:
            return one
        other = second(state, focus)
        state.variables = variables
        return act(one, other)

    return step


def _type(word: str, what: Tree, name: str) -> Ask:
    inner = ask_of(what)
    return _typed(word, inner, name)


def _typed(word: str, inner: Ask, name: str) -> Ask:
    if not known_type(name):
        raise BadPath(f"'{name}' is no type")
    if word == "is":
        return lambda state, focus: _is(inner(state, focus), name)
    if word == "as":
        return lambda state, focus: _as(inner(state, focus), name)
    return lambda state, focus: [n for n in inner(state, focus) if type_matches(n, name)]


def _is(nodes: Nodes, name: str) -> Nodes:
    node = single(nodes, "'is'")
    return NOTHING if node is None else truth(type_matches(node, name))


def _as(nodes: Nodes, name: str) -> Nodes:
    node = single(nodes, "'as'")
    return [node] if node is not None and type_matches(node, name) else NOTHING


# Functions


def _call(name: str, arguments: tuple[Tree, ...]) -> Ask:
    if name in {"is", "as", "ofType"}:
        if len(arguments) != 1:
            raise BadPath(f"{name}() takes one type")
        return _typed(name, lambda state, focus: focus, _type_name(arguments[0]))
    if name in FUNCTIONS:
        return _function(name, arguments)
    if name in ITEMS:
        return _items(name, arguments)
    if name in CLOCK and not arguments:
        read = CLOCK[name]
        return lambda state, focus: read()
    raise BadPath(f"there is no function {name}()")


def _type_name(what: Tree) -> str:
    if what[0] == "name":
        return what[1]
    if what[0] == "dot":
        return f"{_type_name(what[1])}.{_type_name(what[2])}"
    if what[0] == "literal" and what[1] == "String":
        return what[2]
    raise BadPath("the name of a type expected")


def _function(name: str, arguments: tuple[Tree, ...]) -> Ask:
    act, asks = FUNCTIONS[name], [ask_of(a) for a in arguments]
    _counted(name, act, len(asks))
    if not asks:
        return lambda state, focus: act(focus)

    def step(state: State, focus: Nodes) -> Nodes:
        variables, told = state.variables, []
        for ask in asks:
            told.append(ask(state, state.this))
            state.variables = variables
        return act(focus, *told)

    return step


def _counted(name: str, act: Callable[..., Any], some: int) -> None:
    code = act.__code__
    most = MOST.get(name, 99) if code.co_flags & 0x04 else code.co_argcount - 1
    least = code.co_argcount - 1 - len(act.__defaults__ or ())
    if not least <= some <= most:
        raise BadPath(f"{name}() does not take {some} arguments")


def _items(name: str, arguments: tuple[Tree, ...]) -> Ask:
    act = ITEMS[name]
    asks = [_argument(name, a) for a in arguments]
    some = len(asks) + 1
    _counted(name, act, some)
    return lambda state, focus: act(state, focus, *asks)


def _argument(name: str, what: Tree) -> Ask:
    if name == "getReferenceKey":
        ask: Any = lambda state, focus: NOTHING  # noqa: E731
        ask.type_name = _type_name(what)
        return ask
    if name == "sort" and what[0] == "sign":
        inner = ask_of(what[2])
        key: Any = _copied(inner)
        key.sign = -1 if what[1] == "-" else 1
        return key
    return ask_of(what)


def _copied(ask: Ask) -> Ask:
    return lambda state, focus: ask(state, focus)  # noqa: PLW0108 - it will carry a sign


def _now() -> Nodes:
    said = datetime.now(UTC).isoformat(timespec="milliseconds")
    return at(moment(said))


def _today() -> Nodes:
    return at(moment(datetime.now(UTC).date().isoformat()))


def _time_of_day() -> Nodes:
    return at(moment("T" + datetime.now(UTC).time().isoformat(timespec="milliseconds")))


CLOCK: dict[str, Callable[[], Nodes]] = {
    "now": _now,
    "today": _today,
    "timeOfDay": _time_of_day,
}
COMPILERS: dict[str, Callable[..., Ask]] = {
    "name": _name,
    "call": _call,
    "dot": _dot,
    "index": _index,
    "literal": _literal,
    "quantity": _quantity,
    "empty": _empty,
    "variable": _variable_named,
    "this": lambda: lambda state, focus: state.this,
    "position": lambda: lambda state, focus: [Node(state.index, "System.Integer")],
    "total": lambda: lambda state, focus: state.total,
    "sign": _sign,
    "type": _type,
    "operator": _operator,
}
