"""MathML as SBML uses it, turned into plain arithmetic that a model file may hold."""

import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.etree.ElementTree import Element

MATHML = "{http://www.w3.org/1998/Math/MathML}"
TIME = "http://www.sbml.org/sbml/symbols/time"
AVOGADRO = "http://www.sbml.org/sbml/symbols/avogadro"


class Unsupported(ValueError):
    """A part of an SBML file that a model here cannot hold; nothing is left out in silence."""


@dataclass(frozen=True)
class Words:
    """What names mean where an expression stands, and the functions that the file defines."""

    names: Mapping[str, str]
    functions: Mapping[str, Element] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """The plain name of an SBML identifier."""
        if name not in self.names:
            raise Unsupported(f"a formula speaks of {name}, which the file does not define")
        return self.names[name]


def tag(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rsplit("}", 1)[-1]


def plain(element: Element, words: Words) -> str:
    """The expression as Python in brackets; `t` is the time.

    Raises Unsupported for delays, rates of change, and functions that a compiled lane lacks.
    """
    kind = tag(element)
    if kind in ("math", "semantics"):
        return plain(element[0], words)
    if kind == "cn":
        return _number(element)
    if kind == "ci":
        return words.of((element.text or "").strip())
    if kind in constants:
        return constants[kind]
    if kind == "csymbol":
        return _symbol(element)
    if kind == "piecewise":
        return _piecewise(element, words)
    if kind == "apply":
        return _applied(element, words)
    raise Unsupported(f"MathML <{kind}> is not known here")


constants = {
    "pi": "3.141592653589793",
    "exponentiale": "2.718281828459045",
    "true": "(1.0 > 0.0)",
    "false": "(0.0 > 1.0)",
    "infinity": "1e300",
}


def _number(element: Element) -> str:
    parts = [(element.text or "").strip(), *((e.tail or "").strip() for e in element)]
    kind = element.get("type", "real")
    if kind == "e-notation":
        value = float(f"{parts[0]}e{parts[1]}")
    elif kind == "rational":
        value = float(parts[0]) / float(parts[1])
    else:
        value = float(parts[0])
    return f"({value!r})" if value < 0 else repr(value)


def _symbol(element: Element) -> str:
    known = {TIME: "t", AVOGADRO: "6.02214076e23"}
    url = element.get("definitionURL", "")
    if url not in known:
        raise Unsupported(f"{url.rsplit('/', 1)[-1]} is not possible here; write the model without")
    return known[url]


def _piecewise(element: Element, words: Words) -> str:
    otherwise = [e for e in element if tag(e) == "otherwise"]
    told = plain(otherwise[0][0], words) if otherwise else "0.0"
    for piece in reversed([e for e in element if tag(e) == "piece"]):
        told = f"where({plain(piece[1], words)}, {plain(piece[0], words)}, {told})"
    return told


def _applied(element: Element, words: Words) -> str:
    head, rest = element[0], list(element[1:])
    name = tag(head)
    if name == "ci":
        return _own_function((head.text or "").strip(), rest, words)
    if name == "csymbol":
        return _symbol(head)
    if name in ("root", "log"):
        return _with_qualifier(name, rest, words)
    parts = [plain(e, words) for e in rest]
    if name == "power" and tag(rest[1]) == "cn" and float(_number(rest[1]).strip("()")) % 1 == 0:
        return f"({parts[0]} ** {int(float(parts[1].strip('()')))})"
    if name not in meanings:
        raise Unsupported(f"the function {name} is not possible here; allowed: {allowed()}")
    return meanings[name](parts)


def allowed() -> str:
    """The functions that an expression may use."""
    return ", ".join(sorted([*meanings, "root", "log", "piecewise"]))


def _own_function(name: str, rest: Sequence[Element], words: Words) -> str:
    """A function that the file defines, written out where it is called."""
    if name not in words.functions:
        raise Unsupported(f"the function {name} is called but not defined")
    bound = words.functions[name]
    takes = [(e[0].text or "").strip() for e in bound if tag(e) == "bvar"]
    given = dict(zip(takes, (plain(e, words) for e in rest), strict=True))
    return plain(bound[-1], Words(given, words.functions))


def _with_qualifier(name: str, rest: list[Element], words: Words) -> str:
    said = [e for e in rest if tag(e) in ("degree", "logbase")]
    value = plain(next(e for e in rest if e not in said), words)
    if name == "root":
        degree = plain(said[0][0], words) if said else "2.0"
        return f"sqrt({value})" if degree == "2.0" else f"power({value}, 1.0 / {degree})"
    base = plain(said[0][0], words) if said else "10.0"
    return f"(log({value}) / log({base}))"


def _joined(sign: str, alone: str) -> Callable[[Sequence[str]], str]:
    return lambda parts: f"({f' {sign} '.join(parts)})" if parts else alone


def _minus(parts: Sequence[str]) -> str:
    return f"(-{parts[0]})" if len(parts) == 1 else f"({parts[0]} - {parts[1]})"


def _called(name: str) -> Callable[[Sequence[str]], str]:
    return lambda parts: f"{name}({', '.join(parts)})"


def _compared(sign: str) -> Callable[[Sequence[str]], str]:
    def told(parts: Sequence[str]) -> str:
        pairs = [f"({a} {sign} {b})" for a, b in pairwise(parts)]
        return _all(pairs)

    return told


def _all(parts: Sequence[str]) -> str:
    """Every one of the conditions, in words that lanes know."""
    told = parts[-1]
    for part in reversed(parts[:-1]):
        told = f"(where({part}, where({told}, 1.0, 0.0), 0.0) > 0.5)"
    return told


def _any(parts: Sequence[str]) -> str:
    told = parts[-1]
    for part in reversed(parts[:-1]):
        told = f"(where({part}, 1.0, where({told}, 1.0, 0.0)) > 0.5)"
    return told


def _folded(name: str) -> Callable[[Sequence[str]], str]:
    def told(parts: Sequence[str]) -> str:
        value = parts[0]
        for part in parts[1:]:
            value = f"{name}({value}, {part})"
        return value

    return told


meanings: dict[str, Callable[[Sequence[str]], str]] = {
    "plus": _joined("+", "0.0"),
    "times": _joined("*", "1.0"),
    "minus": _minus,
    "divide": _joined("/", "1.0"),
    "power": _called("power"),
    "exp": _called("exp"),
    "ln": _called("log"),
    "abs": _called("abs"),
    "floor": _called("floor"),
    "ceiling": lambda p: f"(-floor(-{p[0]}))",
    "sin": _called("sin"),
    "cos": _called("cos"),
    "tan": lambda p: f"(sin({p[0]}) / cos({p[0]}))",
    "tanh": _called("tanh"),
    "sinh": lambda p: f"((exp({p[0]}) - exp(-{p[0]})) / 2.0)",
    "cosh": lambda p: f"((exp({p[0]}) + exp(-{p[0]})) / 2.0)",
    "min": _folded("least"),
    "max": _folded("greatest"),
    "lt": _compared("<"),
    "leq": _compared("<="),
    "gt": _compared(">"),
    "geq": _compared(">="),
    "eq": _compared("=="),
    "neq": _compared("!="),
    "and": _all,
    "or": _any,
    "not": lambda p: f"(where({p[0]}, 0.0, 1.0) > 0.5)",
}


def plain_names(identifiers: Sequence[str], taken: set[str]) -> dict[str, str]:
    """A Python name for each SBML identifier, apart from the words that are taken."""
    names = {}
    for one in identifiers:
        name = one
        while name in taken or keyword.iskeyword(name) or name.startswith("__"):
            name = f"{name.lstrip('_')}_"
        names[one] = name
        taken = taken | {name}
    return names
