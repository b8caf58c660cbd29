"""FHIRPath's operators: equality with doubt, order, arithmetic, logic of three values.

https://hl7.org/fhirpath/N1/#operations
"""

from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from medtwin.fhir import moments, quantities
from medtwin.fhir.moments import Moment, moment
from medtwin.fhir.nodes import (
    FALSE,
    MEASURES,
    MOMENTS,
    NOTHING,
    NUMBERS,
    TRUE,
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
from medtwin.fhir.path_grammar import BadPath
from medtwin.fhir.quantities import Quantity

# Equality


def equal_nodes(a: Node, b: Node) -> bool | None:
    """Whether two single values are equal; None where what was said cannot tell."""
    if a.sibling is not None and _extended_otherwise(a, b):
        return False
    (one, x), (other, y) = system(a), system(b)
    if one == other and one in {"String", "Boolean", "Integer"}:
        return x == y
    if one in NUMBERS and other in NUMBERS:
        return x == y
    if one in MOMENTS or other in MOMENTS:
        return _moments_equal(one, x, other, y)
    if one == "Quantity" or other == "Quantity":
        return _quantities_equal(one, x, other, y)
    if one or other:
        return one == other and x == y and x is not None
    return deep_equal(a.value, b.value) and (a.value is not None or a.sibling == b.sibling)


def _extended_otherwise(a: Node, b: Node) -> bool:
    """Two primitives of FHIR with different extensions are not one value."""
    if type(a.sibling) is not dict or type(b.sibling) is not dict:
        return False
    return a.sibling.get("extension") != b.sibling.get("extension")


def deep_equal(x: Any, y: Any) -> bool:
    """Whether two pieces of JSON say the same."""
    return x == y and (type(x) is bool) == (type(y) is bool)


def _moments_equal(one: str, x: Any, other: str, y: Any) -> bool | None:
    x, y = _as_moment(x), _as_moment(y)
    if x is None or y is None:
        return False
    if (x.kind == "Time") != (y.kind == "Time"):
        return False
    order = moments.ordered(x, y)
    return None if order is None else order == 0


def _as_moment(value: Any) -> Moment | None:
    return value if isinstance(value, Moment) else moment(value) if isinstance(value, str) else None


def _quantities_equal(one: str, x: Any, other: str, y: Any) -> bool | None:
    a, b = as_amount(x), as_amount(y)
    if a is None or b is None:
        return False
    order = quantities.ordered(a, b)
    if order is None and not quantities.comparable(a, b):
        return None
    return None if order is None else order == 0


def as_amount(value: Any) -> Quantity | None:
    """A number or quantity as a quantity; None for anything else."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Quantity(Decimal(value), "1")
    return None


def equal(left: Nodes, right: Nodes) -> Nodes:
    """`=`: pair by pair in order."""
    if not left or not right:
        return NOTHING
    if len(left) != len(right):
        return FALSE
    answers = [equal_nodes(a, b) for a, b in zip(left, right, strict=True)]
    return truth(False if False in answers else None if None in answers else True)


def unequal(left: Nodes, right: Nodes) -> Nodes:
    """`!=`."""
    return negated(equal(left, right))


def negated(answer: Nodes) -> Nodes:
    """No for yes, yes for no, nothing for nothing."""
    return NOTHING if not answer else FALSE if answer[0].value else TRUE


def same(a: Node, b: Node) -> bool:
    """Equality without doubt, for sets: what cannot be told is not the same."""
    return equal_nodes(a, b) is True


def equivalent_nodes(a: Node, b: Node) -> bool:
    """`~` of two single values: case, spaces and further digits do not matter."""
    (one, x), (other, y) = system(a), system(b)
    if one == other == "String":
        return _plain(x) == _plain(y)
    if one in NUMBERS and other in NUMBERS:
        return quantities.nearly(Decimal(x), Decimal(y))
    if one in MOMENTS or other in MOMENTS:
        return _moments_equal(one, x, other, y) is True
    if "Quantity" in {one, other}:
        p, q = as_amount(x), as_amount(y)
        return p is not None and q is not None and quantities.equivalent(p, q)
    if one or other or x is None or y is None:
        return one == other and x == y and (x is not None or a.sibling == b.sibling)
    return _deep_equivalent(x, y)


def _plain(said: str) -> str:
    """Without case, and every white space a space."""
    return "".join(" " if letter.isspace() else letter for letter in said.lower())


def _deep_equivalent(x: Any, y: Any) -> bool:
    if isinstance(x, dict) and isinstance(y, dict):
        keys = (x.keys() | y.keys()) - {"id"}
        return all(k in x and k in y and _deep_equivalent(x[k], y[k]) for k in keys)
    if isinstance(x, list) and isinstance(y, list):
        return _paired(x, y, _deep_equivalent)
    if isinstance(x, dict | list) or isinstance(y, dict | list):
        return False
    return x is y if x is None or y is None else equivalent_nodes(Node(x), Node(y))


def _paired(left: list[Any], right: list[Any], alike: Callable[[Any, Any], bool]) -> bool:
    rest = list(right)
    for one in left:
        found = next((i for i, other in enumerate(rest) if alike(one, other)), None)
        if found is None:
            return False
        del rest[found]
    return not rest


def equivalent(left: Nodes, right: Nodes) -> Nodes:
    """`~`: in any order."""
    return truth(_paired(left, right, equivalent_nodes))


def inequivalent(left: Nodes, right: Nodes) -> Nodes:
    """`!~`."""
    return negated(equivalent(left, right))


# Order


def order(a: Node, b: Node) -> int | None:
    """-1, 0, 1, or None where it cannot be told. Raises `BadPath` for what has no order."""
    (one, x), (other, y) = system(a), system(b)
    if one == other == "String":
        return (x > y) - (x < y)
    if one in NUMBERS and other in NUMBERS:
        return (x > y) - (x < y)
    if one in MOMENTS or other in MOMENTS:
        return _moments_order(x, y)
    p, q = as_amount(x), as_amount(y)
    if "Quantity" in {one, other} and p is not None and q is not None:
        return quantities.ordered(p, q)
    if a.kind in MEASURES and b.kind in MEASURES:
        return _order_as_written(x, y)
    raise BadPath(f"{one or a.kind or 'this'} and {other or b.kind or 'that'} have no order")


def _order_as_written(x: Any, y: Any) -> int | None:
    """Two FHIR quantities in a unit that is not of UCUM: of one unit they have an order."""
    if not isinstance(x, dict) or not isinstance(y, dict):
        return None
    if any(x.get(part) != y.get(part) for part in ("system", "code", "unit", "comparator")):
        return None
    low, high = x.get("value"), y.get("value")
    return None if low is None or high is None else (low > high) - (low < high)


def _moments_order(x: Any, y: Any) -> int | None:
    x, y = _as_moment(x), _as_moment(y)
    if x is None or y is None or (x.kind == "Time") != (y.kind == "Time"):
        raise BadPath("a date, a time and something else have no order")
    return moments.ordered(x, y)


def compares(holds: Callable[[int], bool]) -> Callable[[Nodes, Nodes], Nodes]:
    """An operator of order."""

    def operator(left: Nodes, right: Nodes) -> Nodes:
        a, b = single(left, "a comparison"), single(right, "a comparison")
        if a is None or b is None or a.value is None or b.value is None:
            return NOTHING
        found = order(a, b)
        return NOTHING if found is None else truth(holds(found))

    return operator


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
