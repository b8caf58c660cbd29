"""The standard's own rules (invariants), each as a plain Python function of a JSON object.

A rule is FHIRPath, https://hl7.org/fhir/R4/conformance-rules.html#constraints. What it says about
which elements are there becomes Python source; the rest is asked of `paths`. `quick` answers yes
only where the rule certainly holds, so that most resources never need more.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from medtwin.fhir.nodes import Node, boolean
from medtwin.fhir.path_grammar import MISSHAPEN, BadPath, Tree, tree
from medtwin.fhir.path_items import State
from medtwin.fhir.paths import ask_of, compiled
from medtwin.fhir.r4_invariants import BOUND, RULES
from medtwin.fhir.types import Element, elements, json_name

Quick = Callable[[dict[str, Any]], bool]
# Looked at by the validator itself: they need more than the object they stand on.
ELSEWHERE = frozenset({"dom-3", "ref-1", "ext-1", "txt-1", "txt-2"})


class Rule(NamedTuple):
    """One invariant."""

    key: str
    severity: str
    expression: str
    human: str


@cache
def rules(path: str, severity: str = "error") -> tuple[Rule, ...]:
    """The rules that bind a type, or an element named by its path."""
    bound = [Rule(*RULES[int(i)]) for i in BOUND.get(path, "").split()]
    return tuple(r for r in bound if r.severity == severity and r.key not in ELSEWHERE)


def broken(rule: Rule, node: Node, resource: Node, within: Node) -> bool:
    """Whether a rule does not hold; `resource` it stands in, `within` what contains that.

    A rule must be true: without an answer it is broken, as the standard says. Of an object whose
    parts are not what they should be nothing is said here.
    """
    state = State(resource, [node], within, {})
    try:
        return boolean(compiled(rule.expression)(state, [node])) is not True
    except BadPath:
        return True
    except MISSHAPEN:  # then that is what is wrong, and is said already
        return False


@cache
def quick(path: str) -> tuple[Quick, ...]:
    """The rules of a type as Python; yes means that it holds, no that it must be asked."""
    return tuple(_quick(r.expression, path) for r in rules(path))


def _quick(expression: str, path: str) -> Quick:
    if (known := KNOWN.get(expression)) is not None:
        return known
    writer = _Writer(path)
    source, _ = writer.written(tree(expression))
    named: dict[str, Any] = {f"ask{i}": a for i, a in enumerate(writer.asks)}
    return eval(f"lambda o: {source}", named)  # noqa: S307 - the standard's own rules, rewritten


class _Writer:
    """Writes an expression as Python over a JSON object `o`; what it cannot, becomes a call."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.elements = elements(path)
        self.asks: list[Quick] = []

    def written(self, what: Tree) -> tuple[str, bool]:
        """Source, and whether its no is as certain as its yes."""
        return self.exactly(what) or self.combined(what) or self.asked(what)

    def exactly(self, what: Tree) -> tuple[str, bool] | None:
        """Whether elements are there, or an element is one of some words."""
        if what[0] != "dot" or what[2][0] != "call" or what[2][2]:
            return self.worded(what)
        inner, called = what[1], what[2][1]
        if called == "not":
            found = self.exactly(inner)
            return (f"(not {found[0]})", True) if found and found[1] else None
        if inner[0] != "name" or called not in {"exists", "empty", "hasValue"}:
            return None
        there = self.there(inner[1], called)
        if there is None:
            return None
        return (f"(not {there})", True) if called == "empty" else (there, True)

    def there(self, name: str, called: str) -> str | None:
        element = self.elements.get(name)
        if element is None:
            return None
        names = [json_name(element, k) for k in element.kinds]
        if called != "hasValue":
            names += [
                f"_{n}" for n, k in zip(list(names), element.kinds, strict=True) if k[0].islower()
            ]
        if len(names) > 4:
            return f"(not {frozenset(names)!r}.isdisjoint(o))" if len(names) < 200 else None
        return "(" + " or ".join(f"{n!r} in o" for n in names) + ")"

    def worded(self, what: Tree) -> tuple[str, bool] | None:
        """`status = 'final'`: certain only where it is so."""
        if what[0] != "operator" or what[1] not in {"=", "!="} or what[2][0] != "name":
            return None
        element, literal = self.elements.get(what[2][1]), what[3]
        if not _is_text(element) or literal[0] != "literal" or literal[1] != "String":
            return None
        name, said = what[2][1], literal[2]
        if what[1] == "=":
            return f"(o.get({name!r}) == {said!r})", False
        return f"(o.get({name!r}, {said!r}) != {said!r})", False

    def combined(self, what: Tree) -> tuple[str, bool] | None:
        if what[0] != "operator" or what[1] not in {"and", "or", "implies", "xor", "=", "!="}:
            return None
        (one, sure), (other, certain) = self.written(what[2]), self.written(what[3])
        if what[1] in {"and", "or"}:
            return f"({one} {what[1]} {other})", sure and certain
        if what[1] == "implies" and sure:
            return f"(not {one} or {other})", certain
        if what[1] in {"xor", "=", "!="} and sure and certain:
            return f"({one} {'==' if what[1] == '=' else '!='} {other})", True
        return None

    def asked(self, what: Tree) -> tuple[str, bool]:
        self.asks.append(_asked(what, self.path, frozenset(self.needs(what))))
        return f"ask{len(self.asks) - 1}(o)", False

    def needs(self, what: Any) -> set[str]:
        """The JSON names of the elements that an expression speaks of, wherever in it."""
        found: set[str] = set()
        if isinstance(what, tuple):
            if len(what) == 2 and what[0] == "name" and what[1] in self.elements:
                element = self.elements[what[1]]
                for kind in element.kinds:
                    found |= {json_name(element, kind), "_" + json_name(element, kind)}
            for part in what:
                found |= self.needs(part)
        return found


def _is_text(element: Element | None) -> bool:
    return (
        element is not None
        and not element.many
        and not element.choice
        and element.kinds == ("code",)
    )


def _asked(what: Tree, path: str, needed: frozenset[str]) -> Quick:
    """Asked of the object; where it holds of an object without those elements, they decide."""
    ask = ask_of(what)

    def holds(o: dict[str, Any]) -> bool:
        node = Node(o, path)
        try:
            return boolean(ask(State(node, [node], node, {}), [node])) is True
        except BadPath:
            return False

    if needed and not _widely(what) and holds({}):
        return lambda o: needed.isdisjoint(o) or holds(o)
    return holds


def _widely(what: Any) -> bool:
    """Whether it speaks of more than the object: all children, the object itself."""
    if not isinstance(what, tuple):
        return False
    wide = {"children", "descendants", "hasValue"}
    if what[:1] == ("this",) or (what[:1] == ("call",) and what[1] in wide):
        return True
    return any(_widely(part) for part in what)


# Rules that nearly every resource meets


def _period(o: dict[str, Any]) -> bool:
    """Start before end; two texts of one shape and zone compare as texts."""
    start, end = o.get("start"), o.get("end")
    if start is None or end is None:
        return True
    alike = len(start) == len(end) and (len(start) < 11 or start[19:] == end[19:])
    return (alike and start <= end) or _period_asked(o)


@lru_cache(maxsize=1)
def _period_rule() -> Quick:
    rule = next(r for r in rules("Period") if r.key == "per-1")
    return _asked(tree(rule.expression), "Period", frozenset())


def _period_asked(o: dict[str, Any]) -> bool:
    return _period_rule()(o)


def _entries(o: dict[str, Any]) -> list[dict[str, Any]]:
    return o.get("entry", [])


def _asks(o: dict[str, Any]) -> bool:
    """Entries have a request where the bundle is one of requests, and only there (bdl-3)."""
    wanted = o.get("type") in {"batch", "transaction", "history"}
    return all(("request" in e) is wanted for e in _entries(o))


def _answers(o: dict[str, Any]) -> bool:
    """The same of responses (bdl-4)."""
    wanted = o.get("type") in {"batch-response", "transaction-response", "history"}
    return all(("response" in e) is wanted for e in _entries(o))


def _found_by_search(o: dict[str, Any]) -> bool:
    return o.get("type") == "searchset" or not any("search" in e for e in _entries(o))


def _each_once(o: dict[str, Any]) -> bool:
    """No address twice, or each time with another version (bdl-7)."""
    told = [(e["fullUrl"], e.get("resource", {}).get("meta", {}).get("versionId"))
            for e in _entries(o) if "fullUrl" in e]  # fmt: skip
    return o.get("type") == "history" or len(set(told)) == len(told)


def _no_document(o: dict[str, Any]) -> bool:
    return o.get("type") not in {"document", "message"}


def _unversioned(o: dict[str, Any]) -> bool:
    return "/_history/" not in o.get("fullUrl", "")


def _of(key: str) -> str:
    return next(r[2] for r in RULES if r[0] == key)


KNOWN: dict[str, Quick] = {
    **dict.fromkeys(map(_of, ("bdl-9", "bdl-10", "bdl-11", "bdl-12")), _no_document),
    _of("bdl-2"): _found_by_search,
    _of("bdl-3"): _asks,
    _of("bdl-4"): _answers,
    _of("bdl-7"): _each_once,
    _of("bdl-8"): _unversioned,
    _of("per-1"): _period,
    # What contains others, `quick` looks through itself.
    **{r[2]: lambda o: True for r in RULES if r[0] in {"dom-2", "dom-4", "dom-5"}},
}
