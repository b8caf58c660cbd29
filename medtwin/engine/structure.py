"""Which states of a model are linear whatever the others do: found from its own lines.

A state is linear here if its rate is a sum of states that are linear too, of rates that run,
and of a constant, each times something that depends on parameters alone. Such states have an
exact course between events, so that only the rest need steps.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Structure:
    """`linear` states in order; `fed[i]` the linear states that state i's rate names; `read`
    the linear states that the rates of the others name."""

    linear: tuple[int, ...]
    fed: dict[int, frozenset[int]]
    read: tuple[int, ...]

    def reach(self) -> dict[int, tuple[int, ...]]:
        """For each linear state, those that it depends on after some time, itself included."""
        found = {i: self.fed[i] | {i} for i in self.linear}
        for _ in self.linear:
            found = {i: frozenset().union(*(found[j] for j in found[i])) for i in found}
        return {i: tuple(sorted(found[i])) for i in self.linear}


@dataclass(frozen=True)
class _Value:
    """What an expression depends on: linearly, and in any other way."""

    lin: frozenset[Any] = frozenset()
    non: frozenset[Any] = frozenset()


class _Winding(Exception):
    """The lines branch or loop; nothing is known of them."""


def structure(drift: ast.FunctionDef, states: int, channels: int) -> Structure:
    """The linear part of a drift that is written in plain lines (see `lane_source`)."""
    try:
        rates = _rates(drift, states, channels)
    except _Winding:
        return Structure((), {}, ())
    linear = {i for i, r in enumerate(rates) if not r.non}
    while strays := {i for i in linear if _states(rates[i].lin) - linear}:
        linear -= strays
    others = [rates[i] for i in range(states) if i not in linear]
    read = {j for r in others for j in _states(r.lin | r.non)} & linear
    fed = {i: _states(rates[i].lin) for i in sorted(linear)}
    return Structure(tuple(sorted(linear)), fed, tuple(sorted(read)))


def _states(names: Iterable[Any]) -> frozenset[int]:
    return frozenset(n[1] for n in names if n[0] == "x")


def _rates(drift: ast.FunctionDef, states: int, channels: int) -> list[_Value]:
    t, x, u = (a.arg for a in drift.args.args[:3])
    known: dict[str, Any] = {
        t: _Value(non=frozenset({("t", 0)})),
        x: tuple(_Value(frozenset({("x", i)})) for i in range(states)),
        u: tuple(_Value(frozenset({("u", i)})) for i in range(channels)),
    }
    for line in drift.body:
        if isinstance(line, ast.Return) and line.value is not None:
            told = _value(line.value, known)
            if isinstance(told, tuple) and len(told) == states:
                return [_whole(v) for v in told]
            raise _Winding
        if not isinstance(line, ast.Assign):
            raise _Winding
        _assign(line.targets[0], _value(line.value, known), known)
    raise _Winding


def _assign(target: ast.expr, value: Any, known: dict[str, Any]) -> None:
    if isinstance(target, ast.Name):
        known[target.id] = value
        return
    if not isinstance(target, ast.Tuple):
        raise _Winding
    parts = value if isinstance(value, tuple) else (value,) * len(target.elts)
    for name, part in zip(target.elts, parts, strict=True):
        _assign(name, part, known)


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return known.get(name, _Value())
        case ast.Tuple(elts=parts):
            return tuple(v for part in parts for v in _spread(part, known))
        case ast.Subscript(value=whole, slice=place):
            return _picked(_value(whole, known), place)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _whole(_value(inner, known))
        case ast.BinOp(left=left, op=op, right=right):
            return _joined(_value(left, known), op, _value(right, known))
        case _:
            inner = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
            return _bent(*(_value(c, known) for c in inner))


def _spread(part: ast.expr, known: dict[str, Any]) -> tuple[Any, ...]:
    if not isinstance(part, ast.Starred):
        return (_value(part, known),)
    inner = _value(part.value, known)
    if not isinstance(inner, tuple):
        raise _Winding
    return inner


def _picked(whole: Any, place: ast.expr) -> Any:
    if not isinstance(whole, tuple):
        return whole
    try:
        return eval(f"whole[{ast.unparse(place)}]", {"__builtins__": {}}, {"whole": whole})  # noqa: S307  numbers in a model file of ours
    except (NameError, TypeError, IndexError) as unknown:
        raise _Winding from unknown


def _joined(left: Any, op: ast.operator, right: Any) -> Any:
    if isinstance(op, ast.Add) and isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    a, b = _whole(left), _whole(right)
    if isinstance(op, ast.Add | ast.Sub):
        return _Value(a.lin | b.lin, a.non | b.non)
    if isinstance(op, ast.Mult) and not (a.lin | a.non):
        return b
    if isinstance(op, ast.Mult | ast.Div) and not (b.lin | b.non):
        return a
    return _bent(a, b)


def _whole(value: Any) -> _Value:
    return _bent(*value) if isinstance(value, tuple) else value


def _bent(*values: Any) -> _Value:
    """Something made of these that is not a sum: all that they depend on, in any way."""
    flat = [_whole(v) for v in values]
    return _Value(non=frozenset().union(*(v.lin | v.non for v in flat)))
