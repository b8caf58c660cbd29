"""FHIRPath's operators: arithmetic, collections, logic of three values.

https://hl7.org/fhirpath/N1/#operations
"""

from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from medtwin.fhir import moments, quantities
from medtwin.fhir.moments import Moment, moment
from medtwin.fhir.nodes import (
    MOMENTS,
    NOTHING,
    NUMBERS,
    Node,
    Nodes,
    at,
    boolean,
    measured,
    number,
    single,
    system,
    text,
    truth,
)
from medtwin.fhir.path_equality import (
    as_amount,
    compares,
    equal,
    equivalent,
    inequivalent,
    same,
    unequal,
)
from medtwin.fhir.path_grammar import BadPath
from medtwin.fhir.quantities import Quantity

# Arithmetic


def _pair(left: Nodes, right: Nodes, sign: str) -> tuple[str, Any, str, Any] | None:
    a, b = single(left, f"'{sign}'"), single(right, f"'{sign}'")
    if a is None or b is None or a.value is None or b.value is None:
        return None
    return (*system(a), *system(b))


def _bad(sign: str, one: str, other: str) -> BadPath:
    return BadPath(f"'{sign}' does not go between {one or 'parts'} and {other or 'parts'}")


def add(left: Nodes, right: Nodes) -> Nodes:
    """`+`."""
    pair = _pair(left, right, "+")
    if pair is None:
        return NOTHING
    one, x, other, y = pair
    if one == other == "String":
        return text(x + y)
    return _sum(one, x, other, y, 1)


def subtract(left: Nodes, right: Nodes) -> Nodes:
    """`-`."""
    pair = _pair(left, right, "-")
    return NOTHING if pair is None else _sum(*pair, -1)


def _sum(one: str, x: Any, other: str, y: Any, sign: int) -> Nodes:
    if one in NUMBERS and other in NUMBERS:
        return _whole_or_decimal(one, other, x + sign * y)
    if other == "Quantity" and (one in MOMENTS or (one == "String" and moment(x))):
        return _moment_moved(x if isinstance(x, Moment) else moment(x), y, sign)
    p, q = as_amount(x), as_amount(y)
    if p is not None and q is not None:
        return measured(quantities.added(p, q, sign))
    raise _bad("+" if sign > 0 else "-", one, other)


def _moment_moved(start: Moment | None, by: Quantity, sign: int) -> Nodes:
    if start is None:
        return NOTHING
    unit = by.unit
    if not by.calendar:
        unit = {"s": "second", "ms": "millisecond"}.get(unit) or quantities.CALENDAR_OF.get(
            unit, ""
        )
        if unit in quantities.INDEFINITE or not unit:
            raise BadPath(f"{by} cannot be added to a date: say it in calendar words")
    whole = by.value if unit in {"second", "millisecond"} else Decimal(int(by.value))
    return at(moments.moved(start, sign * whole, unit))


def _whole_or_decimal(one: str, other: str, value: Any) -> Nodes:
    if "Decimal" in {one, other}:
        return number(Decimal(value))
    return [Node(value, "System.Long" if "Long" in {one, other} else "System.Integer")]


def multiply(left: Nodes, right: Nodes) -> Nodes:
    """`*`."""
    pair = _pair(left, right, "*")
    if pair is None:
        return NOTHING
    one, x, other, y = pair
    if one in NUMBERS and other in NUMBERS:
        return _whole_or_decimal(one, other, x * y)
    p, q = as_amount(x), as_amount(y)
    if p is not None and q is not None:
        return measured(quantities.times(p, q))
    raise _bad("*", one, other)


def divide(left: Nodes, right: Nodes) -> Nodes:
    """`/`: always a decimal."""
    pair = _pair(left, right, "/")
    if pair is None:
        return NOTHING
    one, x, other, y = pair
    if one in NUMBERS and other in NUMBERS:
        return NOTHING if y == 0 else number(Decimal(x) / Decimal(y))
    p, q = as_amount(x), as_amount(y)
    if p is not None and q is not None:
        return measured(quantities.divided(p, q))
    raise _bad("/", one, other)


def whole_division(left: Nodes, right: Nodes) -> Nodes:
    """`div`: how many times it fits."""
    return _parted(left, right, "div", lambda x, y: int(Decimal(x) / Decimal(y)))


def remainder(left: Nodes, right: Nodes) -> Nodes:
    """`mod`: what is left over."""
    return _parted(left, right, "mod", lambda x, y: Decimal(x) % Decimal(y))


def _bare(kind: str, value: Any) -> tuple[str, Any]:
    """A quantity without unit is a number."""
    return ("Decimal", value.value) if kind == "Quantity" and value.unit == "1" else (kind, value)


def _parted(left: Nodes, right: Nodes, sign: str, parts: Callable[[Any, Any], Any]) -> Nodes:
    pair = _pair(left, right, sign)
    if pair is None:
        return NOTHING
    one, x, other, y = _bare(*pair[:2]) + _bare(*pair[2:])
    if one not in NUMBERS or other not in NUMBERS:
        raise _bad(sign, one, other)
    try:
        found = parts(x, y)
    except (DivisionByZero, InvalidOperation):
        return NOTHING
    whole = "Decimal" not in {one, other} or sign == "div"
    return (
        _whole_or_decimal(
            *((one, other) if "Decimal" not in {one, other} else ("", "")), int(found)
        )
        if whole
        else number(found)
    )


def join(left: Nodes, right: Nodes) -> Nodes:
    """`&`: texts one after the other, nothing counting as empty."""
    found = ""
    for node in (single(left, "'&'"), single(right, "'&'")):
        if node is not None and node.value is not None:
            kind, value = system(node)
            if kind != "String":
                raise BadPath("'&' joins texts")
            found += value
    return text(found)


def signed(sign: str, nodes: Nodes) -> Nodes:
    """A number or quantity with its sign."""
    node = single(nodes, "a sign")
    if node is None:
        return NOTHING
    kind, value = system(node)
    factor = -1 if sign == "-" else 1
    if kind in NUMBERS:
        return [Node(factor * value, "System." + kind)]
    if kind == "Quantity":
        return measured(value._replace(value=factor * value.value))
    raise BadPath(f"'{sign}' before {kind or 'parts'}")


# Collections and logic

TEXTS = frozenset({"System.String", "string", "code", "id"})  # equal as texts, whatever follows


def distinct(nodes: Nodes) -> Nodes:
    """Each once, in the order met."""
    if len(nodes) > 8 and all(n.kind in TEXTS and n.sibling is None for n in nodes):
        first: dict[str, Node] = {}
        for node in nodes:
            first.setdefault(node.value, node)
        return list(first.values())
    found: Nodes = []
    for node in nodes:
        if not any(same(node, other) for other in found):
            found.append(node)
    return found


def union(left: Nodes, right: Nodes) -> Nodes:
    """`|`."""
    return distinct([*left, *right])


def contains(left: Nodes, right: Nodes) -> Nodes:
    """`contains`: whether the one on the right is among those on the left."""
    one = single(right, "'contains'")
    if one is None:
        return NOTHING
    return truth(any(same(one, other) for other in left))


def member(left: Nodes, right: Nodes) -> Nodes:
    """`in`."""
    return contains(right, left)


def both(a: bool | None, b: bool | None) -> bool | None:
    """And, where a no decides."""
    return False if a is False or b is False else None if a is None or b is None else True


def either(a: bool | None, b: bool | None) -> bool | None:
    """Or, where a yes decides."""
    return True if a is True or b is True else None if a is None or b is None else False


def exclusive(a: bool | None, b: bool | None) -> bool | None:
    """One, not both."""
    return None if a is None or b is None else a != b


def implies(a: bool | None, b: bool | None) -> bool | None:
    """If the first then the second."""
    return either(None if a is None else not a, b)


def logical(decide: Callable[[bool | None, bool | None], bool | None]) -> Callable[..., Nodes]:
    """An operator over yes, no and nothing."""
    return lambda left, right: truth(decide(boolean(left), boolean(right)))


OPERATORS: dict[str, Callable[[Nodes, Nodes], Nodes]] = {
    "=": equal,
    "!=": unequal,
    "~": equivalent,
    "!~": inequivalent,
    "<": compares(lambda o: o < 0),
    ">": compares(lambda o: o > 0),
    "<=": compares(lambda o: o <= 0),
    ">=": compares(lambda o: o >= 0),
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "div": whole_division,
    "mod": remainder,
    "&": join,
    "|": union,
    "in": member,
    "contains": contains,
    "and": logical(both),
    "or": logical(either),
    "xor": logical(exclusive),
    "implies": logical(implies),
}
