"""A view of FHIR resources as rows of a table, by SQL on FHIR's view definitions.

https://sql-on-fhir.org/ig, version 2. A definition is checked and turned into functions once;
then each resource becomes rows, one after the other.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from medtwin.fhir.moments import Moment
from medtwin.fhir.nodes import Node, Nodes, root, text
from medtwin.fhir.path_grammar import BadPath, tree
from medtwin.fhir.path_items import State
from medtwin.fhir.paths import compiled
from medtwin.fhir.quantities import Quantity
from medtwin.fhir.types import RESOURCE_KINDS

Definition = Mapping[str, Any]
Row = tuple[Any, ...]
Ask = Callable[[State, Nodes], Nodes]
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
OVER = ("forEach", "forEachOrNull", "repeat")
MOST = 100_000  # rows of one resource; more is a definition gone wrong


class BadView(ValueError):
    """The definition, or what it finds in a resource, is not what SQL on FHIR allows."""


@dataclass(frozen=True)
class Column:
    """One column: its name, the FHIR type of its values ("" if not told), whether it is a list."""

    name: str
    type: str = ""
    collection: bool = False
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Scope:
    """Where we stand in a resource: the resource, the constants, and the number of the item."""

    whole: Node
    variables: dict[str, Nodes]

    def ask(self, question: Ask, focus: Node) -> Nodes:
        """What is answered of this part."""
        here = [focus]
        return question(State(self.whole, here, self.whole, self.variables), here)

    def numbered(self, i: int) -> "Scope":
        """The same at the i-th item of what is gone through."""
        return Scope(self.whole, {**self.variables, "rowIndex": [Node(i, "System.Integer")]})


Told = Callable[[Scope, Node], list[Row]]


@dataclass(frozen=True)
class View:
    """A definition ready to run: which resources it takes, its columns, and how rows are found."""

    name: str
    resource: str
    columns: tuple[Column, ...]
    constants: Mapping[str, Nodes] = field(repr=False)
    where: tuple[Ask, ...] = field(repr=False)
    told: Told = field(repr=False)


@dataclass(frozen=True)
class Part:
    """A select: its columns, its rows at one place of a resource, its row where there is none."""

    columns: tuple[Column, ...]
    told: Told
    blank: Row


def view(definition: Definition) -> View:
    """A view definition (as JSON), checked and ready; `BadView` says what is wrong with it."""
    if not isinstance(definition, Mapping):
        raise BadView("a view definition is a JSON object")
    kind = definition.get("resource")
    if not isinstance(kind, str) or kind not in RESOURCE_KINDS:
        raise BadView(f"a view is of one kind of resource of FHIR R4; {kind!r} is none")
    constants = dict(map(_constant, _listed(definition, "constant")))
    reader = Reader(frozenset({*constants, "rowIndex"}))
    selects = _listed(definition, "select")
    if not selects:
        raise BadView("a view selects something; add 'select' with at least one column")
    whole = _joined([reader.select(s) for s in selects])
    _once(whole.columns)
    where = tuple(reader.path(w.get("path"), "where") for w in _listed(definition, "where"))
    name = str(definition.get("name") or kind.lower())
    return View(_named(name), kind, whole.columns, constants, where, whole.told)


def rows(one: View, resources: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The rows of these resources, in the order of the view's columns; others are passed by.

    Values are texts, whole numbers, `Decimal`, booleans, None; lists of them in a collection.
    """
    for resource in resources:
        if resource.get("resourceType") == one.resource:
            yield from _rows(one, resource)


def _rows(one: View, resource: Mapping[str, Any]) -> list[Row]:
    whole = root(resource)
    scope = Scope(whole, dict(one.constants)).numbered(0)
    try:
        if all(_holds(scope.ask(w, whole)) for w in one.where):
            return one.told(scope, whole)
    except BadPath as why:
        raise BadView(f"view {one.name}: {why}") from why
    return []


def _holds(answer: Nodes) -> bool:
    if not answer:
        return False
    if len(answer) > 1 or type(answer[0].value) is not bool:
        raise BadView("'where' asks for yes or no; its path gives something else")
    return answer[0].value


@dataclass(frozen=True)
class Reader:
    """Reads the parts of a definition; `known` are the names that paths may use after %."""

    known: frozenset[str]

    def path(self, said: Any, where: str) -> Ask:
        """A path as a question."""
        if not isinstance(said, str):
            raise BadView(f"{where} needs a path in FHIRPath, not {said!r}")
        try:
            steps = tree(said)
            strange = _unknown(steps, self.known)
            if strange and "defineVariable" not in said:
                raise BadView(f"%{strange[0]} in {where} is no constant of this view")
            return _as_text(compiled(said)) if _joins(steps) else compiled(said)
        except BadPath as why:
            raise BadView(f"{where}: {why}") from why

    def select(self, said: Any) -> Part:
        """A select with everything in it."""
        if not isinstance(said, Mapping):
            raise BadView(f"a select is a JSON object, not {said!r}")
        parts = [self.columns(_listed(said, "column"))]
        parts += [self.select(s) for s in _listed(said, "select")]
        several = [self.select(s) for s in _listed(said, "unionAll")]
        inner = _joined([*parts, _union(several)] if several else parts)
        over = [word for word in OVER if word in said]
        if len(over) > 1:
            raise BadView(f"a select goes through one thing; {' and '.join(over)} are two")
        return self.through(over[0], said[over[0]], inner) if over else inner

    def columns(self, said: Sequence[Any]) -> Part:
        """Columns side by side: one row."""
        asks = [self.column(s) for s in said]
        blank = tuple(0 if str(s["path"]).strip() == "%rowIndex" else None for s in said)

        def told(scope: Scope, focus: Node) -> list[Row]:
            return [tuple(_value(column, scope.ask(a, focus)) for column, a in asks)]

        return Part(tuple(c for c, _ in asks), told, blank)

    def column(self, said: Any) -> tuple[Column, Ask]:
        """One column and its question."""
        if not isinstance(said, Mapping):
            raise BadView(f"a column is a JSON object, not {said!r}")
        name = _named(said.get("name"))
        tags = {t["name"]: t["value"] for t in _listed(said, "tag") if "value" in t}
        column = Column(name, str(said.get("type") or ""), said.get("collection") is True, tags)
        return column, self.path(said.get("path"), f"column {name}")

    def through(self, word: str, said: Any, inner: Part) -> Part:
        """The rows of each item of a collection; `forEachOrNull` gives empty ones for none."""
        asks = [self.path(p, word) for p in (_paths(said) if word == "repeat" else [said])]
        blank = [inner.blank] if word == "forEachOrNull" else []
        found = _repeated if word == "repeat" else _items

        def told(scope: Scope, focus: Node) -> list[Row]:
            items = found(scope, asks, focus)
            if not items:
                return blank
            each = (inner.told(scope.numbered(i), item) for i, item in enumerate(items))
            return [row for rows_ in each for row in rows_]

        return Part(inner.columns, told, (None,) * len(inner.columns))


def _items(scope: Scope, asks: Sequence[Ask], focus: Node) -> Nodes:
    return scope.ask(asks[0], focus)


def _repeated(scope: Scope, asks: Sequence[Ask], focus: Node) -> Nodes:
    """What the paths find, and what they find in that, at any depth; the nearest parent first."""
    found: Nodes = []
    waiting = [n for ask in reversed(asks) for n in reversed(scope.ask(ask, focus))]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if len(found) > MOST:
            raise BadView(f"'repeat' finds more than {MOST:,} items in one resource")
        waiting += [n for ask in reversed(asks) for n in reversed(scope.ask(ask, node))]
    return found


def _joined(parts: Sequence[Part]) -> Part:
    """Every row of one beside every row of the other."""
    if len(parts) == 1:
        return parts[0]
    tolds = [p.told for p in parts]

    def told(scope: Scope, focus: Node) -> list[Row]:
        each = [t(scope, focus) for t in tolds]
        some = 1
        for rows_ in each:
            some *= len(rows_)
        if some > MOST:
            raise BadView(f"one resource gives {some:,} rows; selects beside one another multiply")
        return [tuple(v for row in combined for v in row) for combined in product(*each)]

    columns = tuple(c for p in parts for c in p.columns)
    return Part(columns, told, tuple(v for p in parts for v in p.blank))


def _union(parts: Sequence[Part]) -> Part:
    """The rows of one after those of the other; both must have the same columns."""
    first = parts[0].columns
    for other in parts[1:]:
        if [(c.name, c.collection) for c in other.columns] != [
            (c.name, c.collection) for c in first
        ]:
            names = (", ".join(c.name for c in p) for p in (first, other.columns))
            raise BadView("parts of unionAll have the same columns; not: " + " | ".join(names))

    def told(scope: Scope, focus: Node) -> list[Row]:
        return [row for p in parts for row in p.told(scope, focus)]

    return Part(first, told, parts[0].blank)


def _value(column: Column, found: Nodes) -> Any:
    if column.collection:
        return [plain(n) for n in found if n.value is not None]
    held = [n for n in found if n.value is not None]
    if len(held) > 1:
        raise BadView(
            f"column {column.name} finds {len(held)} values; take the first, or say collection"
        )
    return plain(held[0]) if held else None


def plain(node: Node) -> Any:
    """A value as a table holds it."""
    value = node.value
    if isinstance(value, Moment):
        return value.text
    return str(value) if isinstance(value, Quantity) else value


def _constant(said: Any) -> tuple[str, Nodes]:
    if not isinstance(said, Mapping):
        raise BadView(f"a constant is a JSON object, not {said!r}")
    name, given = _named(said.get("name")), [k for k in said if k.startswith("value")]
    if len(given) != 1:
        raise BadView(f"constant {name} has one value[x]; it has {len(given)}")
    kind = given[0].removeprefix("value")
    return name, [Node(said[given[0]], kind[:1].lower() + kind[1:])]


def _unknown(what: Any, known: frozenset[str]) -> list[str]:
    """Names after % that nobody gave a value."""
    if isinstance(what, tuple) and len(what) == 2 and what[0] == "variable":
        ours = what[1] in known or what[1] in FIXED or what[1].startswith(("vs-", "ext-"))
        return [] if ours else [what[1]]
    if isinstance(what, tuple | list):
        return [name for one in what for name in _unknown(one, known)]
    return []


def _joins(steps: Any) -> bool:
    """Whether the last step is `join()`."""
    while steps[0] == "dot":
        steps = steps[2]
    return bool(steps[:2] == ("call", "join"))


def _as_text(ask: Ask) -> Ask:
    """In a view, nothing joined is an empty text; in FHIRPath elsewhere it is nothing."""
    return lambda state, focus: ask(state, focus) or text("")


FIXED = {"context", "resource", "rootResource", "ucum", "sct", "loinc"}


def _named(said: Any) -> str:
    if not isinstance(said, str) or not NAME.fullmatch(said):
        raise BadView(f"a name is letters, digits and _, with a letter first; not {said!r}")
    return said


def _paths(said: Any) -> list[Any]:
    if not isinstance(said, list) or not said:
        raise BadView(f"'repeat' is a list of paths, not {said!r}")
    return said


def _listed(said: Definition, word: str) -> list[Any]:
    found = said.get(word, [])
    if not isinstance(found, list):
        raise BadView(f"'{word}' is a list, not {found!r}")
    return found


def _once(columns: Sequence[Column]) -> None:
    names = [c.name for c in columns]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise BadView(f"column {twice} comes twice; every column has a name of its own")
