"""FHIRPath's equality, with doubt and without, and its order.

https://hl7.org/fhirpath/N1/#equality and #comparison.
"""

from collections.abc import Callable
from decimal import Decimal
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
    single,
    system,
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
