"""FHIRPath's functions that ask something of each item: where, select, all, repeat, aggregate.

Each takes the state of the evaluation, the collection, and its arguments still to be asked.
https://hl7.org/fhirpath/N1/#filtering-and-projection, #aggregates.
"""

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from medtwin.fhir.nodes import FALSE, NOTHING, TRUE, Node, Nodes, boolean, single, text, truth
from medtwin.fhir.path_equality import order, same
from medtwin.fhir.path_functions import reference_kind
from medtwin.fhir.path_grammar import BadPath

MOST = 1_000_000  # items that one expression may go through


class State:
    """Where an evaluation stands: the resource, what `$this` is, and the variables."""

    __slots__ = ("context", "index", "resource", "spent", "this", "total", "variables", "within")

    def __init__(
        self, resource: Node, context: Nodes, within: Node, variables: dict[str, Nodes]
    ) -> None:
        self.resource = resource
        self.context = context
        self.within = within
        self.variables = variables
        self.this = context
        self.index = 0
        self.total: Nodes = NOTHING
        self.spent = 0


Ask = Callable[[State, Nodes], Nodes]
ITEMS: dict[str, Callable[..., Nodes]] = {}


def function(name: str) -> Callable[[Callable[..., Nodes]], Callable[..., Nodes]]:
    """Enter a function under FHIRPath's own name for it."""

    def enter(what: Callable[..., Nodes]) -> Callable[..., Nodes]:
        ITEMS[name] = what
        return what

    return enter


def each(state: State, nodes: Nodes, ask: Ask) -> list[Nodes]:
    """What is answered for each item, which is `$this` meanwhile."""
    before, place, variables = state.this, state.index, state.variables
    state.spent += len(nodes)
    if state.spent > MOST:
        raise BadPath(f"the expression goes through more than {MOST} items")
    answers = []
    for i, node in enumerate(nodes):
        one = [node]
        state.this, state.index = one, i
        answers.append(ask(state, one))
        state.variables = variables
    state.this, state.index = before, place
    return answers


@function("where")
def where(state: State, nodes: Nodes, ask: Ask) -> Nodes:
    """Those for which it holds."""
    told = each(state, nodes, ask)
    return [n for n, answer in zip(nodes, told, strict=True) if boolean(answer, "where()")]


@function("select")
def select(state: State, nodes: Nodes, ask: Ask) -> Nodes:
    """What is answered, all together."""
    return [n for answer in each(state, nodes, ask) for n in answer]


@function("all")
def all_(state: State, nodes: Nodes, ask: Ask) -> Nodes:
    """Whether it holds for every one."""
    return truth(all(boolean(a, "all()") for a in each(state, nodes, ask)))


@function("exists")
def exists(state: State, nodes: Nodes, ask: Ask | None = None) -> Nodes:
    """Whether there is any (for which it holds)."""
    if ask is None:
        return TRUE if nodes else FALSE
    return truth(bool(where(state, nodes, ask)))


@function("repeat")
def repeat(state: State, nodes: Nodes, ask: Ask) -> Nodes:
    """What is answered, and what is answered for that, until nothing is new."""
    found: Nodes = []
    level = nodes
    while level:
        level = [n for n in select(state, level, ask) if not _met(n, found)]
        fresh: Nodes = []
        for node in level:
            if not _met(node, fresh):
                fresh.append(node)
        found += fresh
        level = fresh
    return found


def _met(node: Node, found: Nodes) -> bool:
    return any(n.value is node.value or same(n, node) for n in found)


@function("repeatAll")
def repeat_all(state: State, nodes: Nodes, ask: Ask) -> Nodes:
    """The same, keeping what is alike."""
    found: Nodes = []
    while nodes := select(state, nodes, ask):
        found += nodes
    return found


@function("aggregate")
def aggregate(state: State, nodes: Nodes, ask: Ask, start: Ask | None = None) -> Nodes:
    """One answer carried on from item to item as `$total`."""
    before = state.total
    state.total = start(state, state.this) if start else NOTHING

    def carried(now: State, item: Nodes) -> Nodes:
        now.total = ask(now, item)
        return now.total

    each(state, nodes, carried)
    found, state.total = state.total, before
    return found


@function("iif")
def iif(state: State, nodes: Nodes, ask: Ask, then: Ask, other: Ask | None = None) -> Nodes:
    """One of two answers."""
    if len(nodes) > 1:
        raise BadPath("iif() takes one value")
    before = state.this
    state.this = nodes or before
    told = single(ask(state, nodes), "iif()")
    if told is not None and type(told.value) is not bool:
        raise BadPath("iif() takes a condition")
    branch = then if told and told.value else other
    found = branch(state, nodes) if branch else NOTHING
    state.this = before
    return found


@function("coalesce")
def coalesce(state: State, nodes: Nodes, *asks: Ask) -> Nodes:
    """The first answer that is not empty."""
    return next((found for ask in asks if (found := ask(state, nodes))), NOTHING)


@function("trace")
def trace(state: State, nodes: Nodes, name: Ask, ask: Ask | None = None) -> Nodes:
    """The same collection; nothing of a person is written anywhere."""
    single(name(state, nodes), "trace()")
    return nodes


@function("defineVariable")
def define(state: State, nodes: Nodes, name: Ask, value: Ask | None = None) -> Nodes:
    """A name for what follows."""
    said = single(_asked_here(state, nodes, name), "defineVariable()")
    if said is None or not isinstance(said.value, str):
        raise BadPath("defineVariable() takes a name")
    if said.value in state.variables or said.value in FIXED:
        raise BadPath(f"%{said.value} has a value already")
    found = _asked_here(state, nodes, value) if value else nodes
    state.variables = {**state.variables, said.value: found}
    return nodes


FIXED = {"context", "resource", "rootResource", "ucum", "sct", "loinc", "factory", "terminologies"}


def _asked_here(state: State, nodes: Nodes, ask: Ask) -> Nodes:
    variables = state.variables
    found = ask(state, nodes)
    state.variables = variables
    return found


@function("sort")
def sort(state: State, nodes: Nodes, *asks: Ask) -> Nodes:
    """In order, by what is answered; a minus before a key turns it round."""
    keys = [each(state, nodes, ask) for ask in asks] or [[[n] for n in nodes]]
    signs = [getattr(ask, "sign", 1) for ask in asks] or [1]
    rows = list(zip(nodes, *keys, strict=True))

    def compared(a: tuple[Any, ...], b: tuple[Any, ...]) -> int:
        for x, y, sign in zip(a[1:], b[1:], signs, strict=True):
            found = _rank(x, y)
            if found:
                return found * sign
        return 0

    return [row[0] for row in sorted(rows, key=cmp_to_key(compared))]


def _rank(x: Nodes, y: Nodes) -> int:
    if not x or not y:
        return bool(x) - bool(y)
    return order(x[0], y[0]) or 0


@function("getReferenceKey")
def reference_key(state: State, nodes: Nodes, kind: Ask | None = None) -> Nodes:
    """The key of what a reference names, as `getResourceKey()` would say it."""
    wanted = getattr(kind, "type_name", "").rpartition(".")[2]
    found: Nodes = []
    for node in nodes:
        address = node.value.get("reference") if isinstance(node.value, dict) else None
        named = reference_kind(address) if isinstance(address, str) else ""
        if named and wanted in {"", named}:
            key = str(address).partition("/_history/")[0].split("/")[-1]
            found += text(f"{named}/{key}")
    return found
