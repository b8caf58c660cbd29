"""FHIRPath as text, turned into a tree.

The grammar is that of FHIRPath 2.0, https://hl7.org/fhirpath/N1/#formal-specifications, with the
later Long literals (`1L`). A tree is nested tuples, its first part says what it is:

    ("name", text) ("call", text, arguments) ("dot", left, right) ("index", left, right)
    ("literal", kind, text) ("quantity", number, unit) ("empty",) ("variable", text)
    ("this",) ("position",) ("total",) ("sign", "-", x) ("type", "is", x, name)
    ("operator", symbol, left, right)
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

Tree = tuple[Any, ...]
DEEPEST = 60
LONGEST = 20_000


class BadPath(ValueError):
    """The expression cannot be read, or cannot be answered; the message says where and why."""


# What Python says where a resource is not shaped as its type promises.
MISSHAPEN = (
    TypeError, AttributeError, KeyError, ValueError, IndexError, ArithmeticError, RecursionError,
)  # fmt: skip


class Token(NamedTuple):
    """A piece of the text: what it is, what it says, where it begins."""

    kind: str
    text: str
    at: int


TOKENS = re.compile(
    r"""
    (?P<space>\s+|//[^\n\r]*|/\*.*?\*/)
  | (?P<moment>@(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?|\d{4}(?:-\d\d(?:-\d\d)?)?
        (?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?))
  | (?P<long>\d+L\b)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<quoted>`(?:[^`\\]|\\.)*`)
  | (?P<variable>%(?:[A-Za-z_]\w*(?:-\w+)*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'))
  | (?P<special>\$(?:this|index|total)\b)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<symbol><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
UNITS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR = {u + s: u for u in UNITS for s in ("", "s")}
POWER = {
    "implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4,
    "=": 5, "~": 5, "!=": 5, "!~": 5, "<": 6, ">": 6, "<=": 6, ">=": 6,
    "|": 7, "is": 8, "as": 8, "+": 9, "-": 9, "&": 9, "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
SIGN = 11
NOT_NAMES = frozenset({"and", "or", "xor", "implies", "div", "mod", "true", "false"})


def unescaped(text: str) -> str:
    """The inside of a quoted text."""
    plain = ESCAPE.sub(_escape, text)
    if not any("\ud800" <= letter <= "\udfff" for letter in plain):
        return plain
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escape(found: re.Match[str]) -> str:
    said = found[1]
    if len(said) == 5:
        return chr(int(said[1:], 16))
    return ESCAPED.get(said, said)


def tokens(text: str) -> list[Token]:
    """The pieces of an expression, without space and comments."""
    if len(text) > LONGEST:
        raise BadPath(f"a FHIRPath of {len(text)} characters; allowed are {LONGEST}")
    found, at = [], 0
    while at < len(text):
        match = TOKENS.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadPath(f"'{text[at : at + 12]}' at {at} is not FHIRPath: {text[:80]}")
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match[0], at))
        at = match.end()
    return [*found, Token("end", "", at)]


def tree(text: str) -> Tree:
    """The tree of an expression. Raises `BadPath` with the place where it stops making sense."""
    reader = _Reader(tokens(text), text)
    whole = reader.expression(0)
    if reader.now.kind != "end":
        raise reader.bad("something that does not belong here")
    return whole


class _Reader:
    """Walks along the tokens once, by precedence."""

    def __init__(self, pieces: list[Token], text: str) -> None:
        self.pieces = pieces
        self.text = text
        self.at = 0
        self.depth = 0

    @property
    def now(self) -> Token:
        return self.pieces[self.at]

    def bad(self, why: str) -> BadPath:
        return BadPath(f"{why} at {self.now.at} ('{self.now.text}') in: {self.text[:200]}")

    def take(self) -> Token:
        self.at += 1
        return self.pieces[self.at - 1]

    def meets(self, symbol: str) -> bool:
        if self.now.kind == "symbol" and self.now.text == symbol:
            self.at += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.meets(symbol):
            raise self.bad(f"'{symbol}' expected")

    def expression(self, least: int) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.bad(f"nested deeper than {DEEPEST}")
        left = self.signed()
        while self.now.kind in {"symbol", "word"} and POWER.get(self.now.text, 0) > least:
            left = self.operation(left)
        self.depth -= 1
        return left

    def operation(self, left: Tree) -> Tree:
        symbol = self.take().text
        if symbol in {"is", "as"}:
            return ("type", symbol, left, self.type_name())
        return ("operator", symbol, left, self.expression(POWER[symbol]))

    def signed(self) -> Tree:
        if self.now.kind == "symbol" and self.now.text in "+-":
            return ("sign", self.take().text, self.expression(SIGN - 1))
        return self.steps()

    def steps(self) -> Tree:
        left = self.term()
        while True:
            if self.meets("."):
                left = ("dot", left, self.invocation())
            elif self.meets("["):
                left = ("index", left, self.expression(0))
                self.expect("]")
            else:
                return left

    def term(self) -> Tree:
        read = TERMS.get(self.now.kind)
        if read is None:
            raise self.bad("a value or a name expected")
        return read(self)

    def bracket(self) -> Tree:
        if self.meets("("):
            inside = self.expression(0)
            self.expect(")")
            return inside
        self.expect("{")
        self.expect("}")
        return ("empty",)

    def number(self) -> Tree:
        text = self.take().text
        if self.now.kind == "string":
            return ("quantity", text, unescaped(self.take().text[1:-1]), "ucum")
        if self.now.kind == "word" and self.now.text in CALENDAR:
            return ("quantity", text, CALENDAR[self.take().text], "calendar")
        return ("literal", "Decimal" if "." in text else "Integer", text)

    def word(self) -> Tree:
        if self.now.text in {"true", "false"}:
            return ("literal", "Boolean", self.take().text)
        return self.invocation()

    def special(self) -> Tree:
        return ({"$this": "this", "$index": "position", "$total": "total"}[self.take().text],)

    def variable(self) -> Tree:
        name = self.take().text[1:]
        return ("variable", unescaped(name[1:-1]) if name[0] in "`'" else name)

    def invocation(self) -> Tree:
        if self.now.kind == "special":
            return self.special()
        name = self.name()
        if not self.meets("("):
            return ("name", name)
        arguments: list[Tree] = []
        while not self.meets(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.expression(0))
        return ("call", name, tuple(arguments))

    def name(self) -> str:
        if self.now.kind == "quoted":
            return unescaped(self.take().text[1:-1])
        if self.now.kind == "word" and self.now.text not in NOT_NAMES:
            return self.take().text
        raise self.bad("a name expected")

    def type_name(self) -> str:
        if self.meets("("):
            name = self.type_name()
            self.expect(")")
            return name
        name = self.name()
        while self.meets("."):
            name += "." + self.name()
        return name


TERMS: dict[str, Callable[[_Reader], Tree]] = {
    "symbol": _Reader.bracket,
    "number": _Reader.number,
    "long": lambda r: ("literal", "Long", r.take().text[:-1]),
    "moment": lambda r: ("literal", "Moment", r.take().text[1:]),
    "string": lambda r: ("literal", "String", unescaped(r.take().text[1:-1])),
    "variable": _Reader.variable,
    "special": _Reader.special,
    "word": _Reader.word,
    "quoted": _Reader.invocation,
}
