"""FHIRPath's functions over one text, one number or one date.

https://hl7.org/fhirpath/N1/#string-manipulation, #math and the later additions of FHIRPath 3.
"""

import base64
import binascii
import html
import json
import math
import re
import unicodedata
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Decimal,
    localcontext,
)
from functools import cache
from typing import Any

from medtwin.fhir.nodes import (
    NOTHING,
    NUMBERS,
    Node,
    Nodes,
    measured,
    number,
    single,
    system,
    text,
    truth,
)
from medtwin.fhir.path_functions import FUNCTIONS, MOST, whole
from medtwin.fhir.path_grammar import BadPath, unescaped
from medtwin.fhir.quantities import Quantity

# How many arguments at most; none where nothing is said.
TAKES = {
    **dict.fromkeys(("startsWith", "endsWith", "contains", "indexOf", "lastIndexOf"), 1),
    **dict.fromkeys(
        ("encode", "decode", "escape", "unescape", "split", "round", "log", "power"), 1
    ),
    **dict.fromkeys(("replace", "matches", "matchesFull"), 2),
    "replaceMatches": 3,
}
LONGEST = 100_000  # of a text that a pattern is tried on


def _text(nodes: Nodes, what: str) -> str | None:
    node = single(nodes, what)
    if node is None or node.value is None:
        return None
    kind, value = system(node)
    if kind != "String":
        if kind in {"Date", "DateTime", "Time"}:
            return value.text
        raise BadPath(f"{what} takes a text, not {kind or 'parts'}")
    return value


def _of_text(name: str, act: Callable[..., Any]) -> None:
    """A function of a text and texts, empty where any of them is."""

    def called(nodes: Nodes, *arguments: Nodes) -> Nodes:
        told = [_text(n, name + "()") for n in (nodes, *arguments)]
        return NOTHING if None in told else _answer(act(*told))

    FUNCTIONS[name] = called
    MOST[name] = TAKES.get(name, 0)


def _answer(value: Any) -> Nodes:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return truth(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [Node(v, "System.String") for v in value]
    return number(value)


def _pattern(said: str, *flags: str) -> re.Pattern[str]:
    wanted = "".join(flags)
    if set(wanted) - FLAGS.keys():
        raise BadPath(f"'{wanted}': the flags are {' and '.join(FLAGS)}")
    try:
        return re.compile(_in_categories(said), re.DOTALL | sum(FLAGS[f] for f in wanted))
    except re.error as why:
        raise BadPath(f"'{said}' is no pattern: {why}") from why


def _in_categories(said: str) -> str:
    r"""Python's patterns know no `\p{Lu}`: the letters themselves stand for it."""
    return CATEGORY.sub(lambda found: _letters(found[1]), said) if "\\p{" in said else said


@cache
def _letters(category: str) -> str:
    found = [chr(i) for i in range(1 << 16) if unicodedata.category(chr(i)).startswith(category)]
    return "[" + "".join(map(re.escape, found)) + "]"


CATEGORY = re.compile(r"\\p\{([A-Z][a-z]?)\}")
FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE}


def _replaced(said: str, pattern: str, by: str, *flags: str) -> str:
    if not pattern:
        return said
    by = re.sub(r"\$\{(\w+)\}|\$<(\w+)>", lambda m: f"\\g<{m[1] or m[2]}>", by)
    return _pattern(pattern, *flags).sub(re.sub(r"\$(\d+)", r"\\g<\1>", by), said[:LONGEST])


def _decoded(said: str, how: str) -> str | None:
    try:
        return DECODERS[how](said)
    except (ValueError, binascii.Error) as why:
        raise BadPath(f"this is not {how}") from why
    except KeyError:
        return None


def _base64(said: str) -> str:
    return base64.b64decode(said.encode(), validate=True).decode()


def _urlbase64(said: str) -> str:
    return base64.urlsafe_b64decode(said.encode()).decode()


DECODERS: dict[str, Callable[[str], str]] = {
    "hex": lambda s: bytes.fromhex(s).decode(),
    "base64": _base64,
    "urlbase64": _urlbase64,
}
ENCODERS: dict[str, Callable[[str], str]] = {
    "hex": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "urlbase64": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
}
ESCAPES: dict[str, Callable[[str], str]] = {
    "html": html.escape,
    "json": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
}
UNESCAPES: dict[str, Callable[[str], str]] = {
    "html": html.unescape,
    "json": unescaped,
}


def _by(table: dict[str, Callable[[str], str]]) -> Callable[[str, str], str | None]:
    return lambda said, how: table[how](said) if how in table else None


for _name, _act in {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": lambda s, part: part in s,
    "upper": str.upper,
    "lower": str.lower,
    "trim": str.strip,
    "length": len,
    "toChars": list,
    "indexOf": str.find,
    "lastIndexOf": str.rfind,
    "replace": lambda s, old, new: s.replace(old, new),
    "matches": lambda s, p, *f: bool(_pattern(p, *f).search(s[:LONGEST])),
    "matchesFull": lambda s, p, *f: bool(_pattern(f"^(?:{p})$", *f).search(s[:LONGEST])),
    "replaceMatches": _replaced,
    "encode": _by(ENCODERS),
    "decode": _decoded,
    "escape": _by(ESCAPES),
    "unescape": _by(UNESCAPES),
    "split": lambda s, by: s.split(by) if by else list(s),
}.items():
    _of_text(_name, _act)


def substring(nodes: Nodes, start: Nodes, length: Nodes | None = None) -> Nodes:
    """A part of a text, from a position counted from 0."""
    said, begin = _text(nodes, "substring()"), whole(start, "substring()")
    if said is None or begin is None or not 0 <= begin < len(said):
        return NOTHING
    some = whole(length, "substring()") if length else None
    return text(said[begin:] if some is None else said[begin : begin + max(some, 0)])


def joined(nodes: Nodes, by: Nodes | None = None) -> Nodes:
    """All texts in one."""
    between = (_text(by, "join()") or "") if by else ""
    told = [n for n in nodes if n.value is not None]
    if any(system(n)[0] != "String" for n in told):
        raise BadPath("join() takes texts")
    return text(between.join(n.value for n in told)) if nodes else NOTHING


FUNCTIONS["substring"] = substring
FUNCTIONS["join"] = joined


# Numbers


def _numeric(nodes: Nodes, what: str) -> Any:
    node = single(nodes, what)
    if node is None or node.value is None:
        return None
    kind, value = system(node)
    if kind not in NUMBERS and kind != "Quantity":
        raise BadPath(f"{what} takes a number, not {kind or 'parts'}")
    return value


def _of_number(name: str, act: Callable[..., Any]) -> None:
    """A function of a number (a quantity keeps its unit), empty where it has no answer."""

    def called(nodes: Nodes, *arguments: Nodes) -> Nodes:
        value = _numeric(nodes, name + "()")
        told = [_numeric(a, name + "()") for a in arguments]
        if value is None or None in told:
            return NOTHING
        if isinstance(value, Quantity):
            found = act(value.value, *told)
            return NOTHING if found is None else measured(value._replace(value=Decimal(found)))
        return _answer(act(value, *told))

    FUNCTIONS[name] = called
    MOST[name] = TAKES.get(name, 0)


def _real(act: Callable[..., float]) -> Callable[..., Decimal | None]:
    def answer(*told: Any) -> Decimal | None:
        try:
            return Decimal(repr(act(*map(float, told)))).normalize() + 0
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    return answer


def _power(value: Any, exponent: Any) -> Any:
    if isinstance(value, int) and isinstance(exponent, int) and 0 <= exponent <= 1024:
        return value**exponent
    found = _real(lambda x, y: (x**y) if not isinstance(x**y, complex) else math.nan)(
        value, exponent
    )
    return None if found is None or found.is_nan() else found


def _rounded(value: Any, digits: int = 0) -> Any:
    if digits < 0:
        raise BadPath("round() takes 0 digits or more")
    if isinstance(value, int):
        return Decimal(value)
    with localcontext() as here:
        here.prec = 60
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


for _name, _act in {
    "abs": abs,
    "ceiling": lambda x: int(Decimal(x).to_integral_value(ROUND_CEILING)),
    "floor": lambda x: int(Decimal(x).to_integral_value(ROUND_FLOOR)),
    "truncate": int,
    "round": _rounded,
    "exp": _real(math.exp),
    "ln": _real(math.log),
    "log": _real(lambda x, b: math.log(x) / math.log(b)),
    "sqrt": _real(math.sqrt),
    "power": _power,
}.items():
    _of_number(_name, _act)
