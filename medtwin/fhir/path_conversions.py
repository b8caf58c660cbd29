"""FHIRPath's conversions between types, parts of dates, and bounds of what is not exact.

https://hl7.org/fhirpath/N1/#conversion, and of FHIRPath 3 #precision-and-boundaries.
"""

import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from medtwin.fhir import quantities
from medtwin.fhir.moments import Moment, moment, said
from medtwin.fhir.nodes import (
    NOTHING,
    NUMBERS,
    Node,
    Nodes,
    at,
    children,
    measured,
    number,
    single,
    system,
    truth,
)
from medtwin.fhir.path_functions import FUNCTIONS, whole
from medtwin.fhir.path_grammar import BadPath
from medtwin.fhir.quantities import WORDS, Quantity, quantity

YES = {"true", "t", "yes", "y", "1", "1.0"}
NO = {"false", "f", "no", "n", "0", "0.0"}
INTEGER = re.compile(r"[+-]?\d+$")
DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?$")
Convert = Callable[[str, Any], Any]


def _to_boolean(kind: str, value: Any) -> Any:
    if kind == "Boolean":
        return value
    if kind in NUMBERS:
        return {1: True, 0: False}.get(value)
    lower = value.lower() if kind == "String" else ""
    return True if lower in YES else False if lower in NO else None


def _to_integer(kind: str, value: Any) -> Any:
    if kind in {"Integer", "Long"}:
        return value if abs(value) < 2**31 else None
    if kind == "Boolean":
        return int(value)
    fits = kind == "String" and INTEGER.match(value) and abs(int(value)) < 2**31
    return int(value) if fits else None


def _to_long(kind: str, value: Any) -> Any:
    if kind in {"Integer", "Long"}:
        return value
    if kind == "Boolean":
        return int(value)
    fits = kind == "String" and INTEGER.match(value) and abs(int(value)) < 2**63
    return int(value) if fits else None


def _to_decimal(kind: str, value: Any) -> Any:
    if kind in NUMBERS or kind == "Boolean":
        return Decimal(value)
    return Decimal(value) if kind == "String" and DECIMAL.match(value) else None


def _to_string(kind: str, value: Any) -> Any:
    if kind == "Boolean":
        return "true" if value else "false"
    if kind == "Decimal":
        return f"{value:f}"
    if isinstance(value, Moment):
        return value.text
    return str(value) if kind in {"String", "Integer", "Long", "Quantity"} else None


def _to_date(kind: str, value: Any) -> Any:
    found = moment(value) if kind == "String" else value if isinstance(value, Moment) else None
    if found is None or found.kind == "Time":
        return None
    return said("Date", found.parts[:3], None) if found.kind == "DateTime" else found


def _to_date_time(kind: str, value: Any) -> Any:
    found = moment(value) if kind == "String" else value if isinstance(value, Moment) else None
    if found is None or found.kind == "Time":
        return None
    return found._replace(kind="DateTime")


def _to_time(kind: str, value: Any) -> Any:
    if isinstance(value, Moment):
        return value if value.kind == "Time" else None
    if kind != "String":
        return None
    found = moment(value if value.startswith("T") else "T" + value)
    return found if found and found.kind == "Time" else None


def _to_quantity(kind: str, value: Any) -> Any:
    if kind == "Quantity":
        return value
    if kind in {"Integer", "Decimal", "Boolean"}:
        return Quantity(Decimal(value), "1")
    return quantity(value) if kind == "String" else None


CONVERSIONS: dict[str, tuple[str, Convert]] = {
    "Boolean": ("System.Boolean", _to_boolean),
    "Integer": ("System.Integer", _to_integer),
    "Long": ("System.Long", _to_long),
    "Decimal": ("System.Decimal", _to_decimal),
    "String": ("System.String", _to_string),
    "Date": ("System.Date", _to_date),
    "DateTime": ("System.DateTime", _to_date_time),
    "Time": ("System.Time", _to_time),
}


def _converts(name: str, kind: str, convert: Convert) -> None:
    def converted(nodes: Nodes) -> Nodes:
        node = single(nodes, f"to{name}()")
        found = None if node is None else convert(*system(node))
        return NOTHING if found is None else [Node(found, kind)]

    FUNCTIONS["to" + name] = converted
    FUNCTIONS["convertsTo" + name] = lambda nodes: (
        truth(bool(converted(nodes))) if nodes else NOTHING
    )


for _name, (_kind, _convert) in CONVERSIONS.items():
    _converts(_name, _kind, _convert)


def to_quantity(nodes: Nodes, unit: Nodes | None = None) -> Nodes:
    """As an amount, in a unit if one is named. Raises `BadPath` where a comparator stands."""
    node = single(nodes, "toQuantity()")
    if node is None:
        return NOTHING
    if isinstance(node.value, dict) and node.value.get("comparator"):
        raise BadPath("an amount with a comparator is no exact amount")
    found = _to_quantity(*system(node))
    if found is None or unit is None:
        return measured(found)
    wanted = single(unit, "toQuantity()")
    return measured(_in_unit(found, str(wanted.value)) if wanted else found)


def _in_unit(one: Quantity, unit: str) -> Quantity | None:
    word = unit.removesuffix("s")
    calendar = word in WORDS and unit not in {"s", "ms"}
    if one.unit == (word if calendar else unit):
        return one
    if calendar and one.calendar:
        return quantities.in_calendar(one, word)
    mixing = {one.unit, word, unit} & {*quantities.INDEFINITE, *quantities.INDEFINITE.values()}
    if calendar != one.calendar and not one.either and mixing:
        return None
    found = quantities.to_unit(one, WORDS[word] if calendar else unit)
    return found and (Quantity(found.value, word, True) if calendar else found)


FUNCTIONS["toQuantity"] = to_quantity
FUNCTIONS["convertsToQuantity"] = lambda nodes, unit=None: (
    truth(bool(to_quantity(nodes, unit))) if nodes else NOTHING
)


# Parts of dates and times

PARTS = {
    "yearOf": 0, "monthOf": 1, "dayOf": 2, "hourOf": 3, "minuteOf": 4, "secondOf": 5,
}  # fmt: skip


def _moment(nodes: Nodes) -> Moment | None:
    node = single(nodes, "a part of a date")
    if node is None:
        return None
    _, value = system(node)
    return value if isinstance(value, Moment) else moment(value) if isinstance(value, str) else None


def _part(index: int) -> Callable[[Nodes], Nodes]:
    def found(nodes: Nodes) -> Nodes:
        one = _moment(nodes)
        place = index - 3 if one and one.kind == "Time" else index
        if one is None or not 0 <= place < len(one.parts):
            return NOTHING
        return number(int(one.parts[place]))

    return found


for _name, _index in PARTS.items():
    FUNCTIONS[_name] = _part(_index)


def _millisecond(nodes: Nodes) -> Nodes:
    one = _moment(nodes)
    if one is None or one.length < 6 or not isinstance(one.parts[-1], Decimal):
        return NOTHING
    return number(int(one.parts[-1] % 1 * 1000))


def _zone_hours(nodes: Nodes) -> Nodes:
    one = _moment(nodes)
    return NOTHING if one is None or one.zone is None else number(Decimal(one.zone) / 60)


def _date_of(nodes: Nodes) -> Nodes:
    one = _moment(nodes)
    return NOTHING if one is None or one.kind == "Time" else at(said("Date", one.parts[:3], None))


def _time_of(nodes: Nodes) -> Nodes:
    one = _moment(nodes)
    if one is None or one.kind == "Time" or one.length < 4:
        return NOTHING
    return at(said("Time", one.parts[3:], None))


FUNCTIONS["millisecondOf"] = _millisecond
FUNCTIONS["timezoneOffsetOf"] = _zone_hours
FUNCTIONS["dateOf"] = _date_of
FUNCTIONS["timeOf"] = _time_of


# How exact, and between which bounds

LENGTHS = {1: 4, 2: 6, 3: 8, 4: 10, 5: 12, 6: 14}


def precision(nodes: Nodes) -> Nodes:
    """How many digits were said."""
    node = single(nodes, "precision()")
    if node is None:
        return NOTHING
    kind, value = system(node)
    if kind == "Decimal":
        return number(max(-int(value.as_tuple().exponent), 0))
    if isinstance(value, Moment):
        digits = LENGTHS[value.length] - (8 if value.kind == "Time" else 0)
        return number(digits + (3 if isinstance(value.parts[-1], Decimal) else 0))
    return number(len(str(value))) if kind in NUMBERS else NOTHING


FUNCTIONS["precision"] = precision


def _boundary(side: int) -> Callable[..., Nodes]:
    def found(nodes: Nodes, digits: Nodes | None = None) -> Nodes:
        node = single(nodes, "a boundary")
        some = whole(digits, "a boundary") if digits else None
        if node is None or node.value is None:
            return NOTHING
        if node.kind == "Period":
            return found(children(node, "start" if side < 0 else "end"), digits)
        kind, value = system(node)
        if kind in NUMBERS:
            return _decimal_bound(Decimal(value), side, some)
        if kind == "Quantity":
            bound = _decimal_bound(value.value, side, some)
            return measured(value._replace(value=bound[0].value)) if bound else NOTHING
        if isinstance(value, Moment):
            return _moment_bound(value, side, some)
        raise BadPath(f"{kind or 'what has parts'} has no boundary")

    return found


def _decimal_bound(value: Decimal, side: int, digits: int | None) -> Nodes:
    digits = 8 if digits is None else digits
    if not 0 <= digits <= 28:
        return NOTHING
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    edge = value + side * half
    step = Decimal(1).scaleb(-digits)
    return number(edge.quantize(step, ROUND_FLOOR if side < 0 else ROUND_CEILING))


def _moment_bound(one: Moment, side: int, digits: int | None) -> Nodes:
    time = one.kind == "Time"
    most = {"Date": 8, "DateTime": 17, "Time": 9}[one.kind]
    digits = most if digits is None else digits
    keep = {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 6}.get(digits + (8 if time else 0))
    if keep is None or digits > (17 if one.kind == "Date" else most):
        return NOTHING
    full = _extreme_parts(one, side)[: keep - (3 if time else 0)]
    kind = "DateTime" if one.kind == "Date" and keep > 3 else one.kind
    zone = _bound_zone(one, side) if kind == "DateTime" and keep > 3 else None
    if digits == 14 and keep == 6:
        full = (*full[:-1], int(full[-1]))
    return at(said(kind, full, zone, one))


def _bound_zone(one: Moment, side: int) -> int:
    if one.zone is not None:
        return one.zone
    return 14 * 60 if side < 0 else -12 * 60


def _extreme_parts(one: Moment, side: int) -> tuple[Any, ...]:
    from calendar import monthrange

    parts: list[Any] = list(one.parts)
    if one.kind != "Time":
        if len(parts) == 1:
            parts.append(1 if side < 0 else 12)
        if len(parts) == 2:
            parts.append(1 if side < 0 else monthrange(int(parts[0]), int(parts[1]))[1])
        clock, parts = parts[3:], parts[:3]
    else:
        clock, parts = parts, []
    ends = (0, 0, Decimal("0.000")) if side < 0 else (23, 59, Decimal("59.999"))
    if len(clock) == 3:
        clock[2] = _extreme_second(clock[2], side)
    return (*parts, *clock, *ends[len(clock) :])


def _extreme_second(second: Any, side: int) -> Decimal:
    if isinstance(second, int):
        return Decimal(second) + (Decimal("0.999") if side > 0 else Decimal("0.000"))
    return second.quantize(Decimal("0.001"))


FUNCTIONS["lowBoundary"] = _boundary(-1)
FUNCTIONS["highBoundary"] = _boundary(1)
