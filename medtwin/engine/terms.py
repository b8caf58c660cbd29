"""A model's formulas as they are written: its functions, run on terms instead of numbers.

A model file is plain arithmetic, so a number may be anything that adds and multiplies. Here it
remembers how it came about; `mathml` writes that down.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


class NotWritten(TypeError):
    """A step of a model's function that has no formula."""


@dataclass(frozen=True, eq=False)
class Term:
    """A number that is not known yet: what is done, and to which other terms or numbers.

    `does` is the name of a MathML operator, or "ci" for a name, "time", or "piecewise"
    (happens, yes, no).
    """

    does: str
    parts: tuple[Any, ...]

    def __add__(self, other: Any) -> "Term":
        return Term("plus", (self, other))

    def __radd__(self, other: Any) -> "Term":
        return Term("plus", (other, self))

    def __sub__(self, other: Any) -> "Term":
        return Term("minus", (self, other))

    def __rsub__(self, other: Any) -> "Term":
        return Term("minus", (other, self))

    def __mul__(self, other: Any) -> "Term":
        return Term("times", (self, other))

    def __rmul__(self, other: Any) -> "Term":
        return Term("times", (other, self))

    def __truediv__(self, other: Any) -> "Term":
        return Term("divide", (self, other))

    def __rtruediv__(self, other: Any) -> "Term":
        return Term("divide", (other, self))

    def __pow__(self, other: Any) -> "Term":
        return Term("power", (self, other))

    def __rpow__(self, other: Any) -> "Term":
        return Term("power", (other, self))

    def __neg__(self) -> "Term":
        return Term("minus", (self,))

    def __abs__(self) -> "Term":
        return Term("abs", (self,))

    def __lt__(self, other: Any) -> "Term":
        return Term("lt", (self, other))

    def __le__(self, other: Any) -> "Term":
        return Term("leq", (self, other))

    def __gt__(self, other: Any) -> "Term":
        return Term("gt", (self, other))

    def __ge__(self, other: Any) -> "Term":
        return Term("geq", (self, other))

    def __bool__(self) -> bool:
        raise NotWritten("a model asks whether something is so with `if`; use where() instead")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **how: Any) -> "Term":
        """What NumPy's functions do to a term."""
        if method != "__call__" or how or ufunc.__name__ not in operators:
            raise NotWritten(f"{ufunc.__name__} has no formula in SBML")
        return Term(operators[ufunc.__name__], inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, how: Any) -> "Term":
        """`where` is the one other function that a model may use."""
        if function is not np.where:
            raise NotWritten(f"{function.__name__} has no formula in SBML")
        return Term("piecewise", tuple(args))


operators = {
    "add": "plus",
    "subtract": "minus",
    "multiply": "times",
    "divide": "divide",
    "negative": "minus",
    "power": "power",
    "absolute": "abs",
    "floor": "floor",
    "exp": "exp",
    "log": "ln",
    "sqrt": "root",
    "sin": "sin",
    "cos": "cos",
    "tanh": "tanh",
    "maximum": "max",
    "minimum": "min",
    "greater": "gt",
    "less": "lt",
    "greater_equal": "geq",
    "less_equal": "leq",
    "equal": "eq",
    "not_equal": "neq",
}


def named(name: str) -> Term:
    """A term that is a name."""
    return Term("ci", (name,))


time = Term("time", ())


def used_twice(terms: Iterable[Any]) -> list[Term]:
    """Terms that several others are made of, inner ones first: worth a name of their own."""
    seen: dict[int, int] = {}
    order: list[Term] = []

    def visit(term: Any) -> None:
        if not isinstance(term, Term) or term.does in ("ci", "time"):
            return
        seen[id(term)] = seen.get(id(term), 0) + 1
        if seen[id(term)] == 1:
            for part in term.parts:
                visit(part)
            order.append(term)

    for one in terms:
        visit(one)
    truths = {"lt", "leq", "gt", "geq", "eq", "neq"}
    return [t for t in order if seen[id(t)] > 1 and t.does not in truths]


def mathml(term: Any, called: Mapping[int, str]) -> str:
    """The term as MathML; terms in `called` (by id) are written by their name."""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{_written(term, called)}</math>'


def _written(term: Any, called: Mapping[int, str]) -> str:
    if not isinstance(term, Term):
        return _number(float(term))
    if id(term) in called:
        return f"<ci> {called[id(term)]} </ci>"
    special: Callable[..., str] | None = _special.get(term.does)
    if special is not None:
        return special(term.parts, called)
    parts = "".join(_written(part, called) for part in term.parts)
    return f"<apply><{term.does}/>{parts}</apply>"


def _name(parts: tuple[Any, ...], called: Mapping[int, str]) -> str:
    return f"<ci> {parts[0]} </ci>"


def _time(parts: tuple[Any, ...], called: Mapping[int, str]) -> str:
    url = "http://www.sbml.org/sbml/symbols/time"
    return f'<csymbol encoding="text" definitionURL="{url}"> t </csymbol>'


def _piecewise(parts: tuple[Any, ...], called: Mapping[int, str]) -> str:
    happens, yes, no = (_written(part, called) for part in parts)
    return f"<piecewise><piece>{yes}{happens}</piece><otherwise>{no}</otherwise></piecewise>"


_special = {"ci": _name, "time": _time, "piecewise": _piecewise}


def _number(value: float) -> str:
    told = repr(value)
    if "e" not in told:
        return f"<cn> {told} </cn>"
    digits, power = told.split("e")
    return f'<cn type="e-notation"> {digits} <sep/> {int(power)} </cn>'
