"""Amounts with a UCUM unit or a calendar word, compared and combined as FHIRPath says.

https://hl7.org/fhirpath/N1/#quantity. Units are worked out by ucumvert and pint, once each.
"""

import re
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

# Calendar words and the UCUM units that mean the same span; those of years and months do not.
DEFINITE = {
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
INDEFINITE = {"year": "a", "month": "mo"}
WORDS = {**DEFINITE, **INDEFINITE}
CALENDAR_OF = {unit: word for word, unit in WORDS.items()}
WRITTEN = re.compile(
    r"\s*(?P<value>[+-]?\d+(?:\.\d+)?)\s*(?:'(?P<unit>[^']+)'|(?P<word>[a-zA-Z]+))?\s*$"
)
TOLERANCE = Decimal("1e-9")


class Quantity(NamedTuple):
    """A value and a unit; `calendar` where the unit is a word of the calendar, not of UCUM.

    `either` marks a unit of time that came from a FHIR Quantity and may be read both ways.
    """

    value: Decimal
    unit: str
    calendar: bool = False
    either: bool = False

    def __str__(self) -> str:
        """As FHIRPath writes it."""
        if self.calendar:
            return f"{self.value} {self.unit}{'' if self.value == 1 else 's'}"
        return f"{self.value} '{self.unit}'"

    @property
    def ucum(self) -> str:
        """The unit in UCUM."""
        return WORDS.get(self.unit, self.unit) if self.calendar else self.unit


def quantity(text: str) -> Quantity | None:
    """An amount as text: `4 days`, `72.50 'kg'`, `3`; None for anything else."""
    match = WRITTEN.match(text)
    if match is None:
        return None
    value, unit, word = Decimal(match["value"]), match["unit"], match["word"]
    if word:
        single = word.removesuffix("s")
        return Quantity(value, single, True) if single in WORDS else None
    return Quantity(value, unit or "1")


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@cache
def canonical(unit: str) -> tuple[float, float, str] | None:
    """Factor, offset and dimension of a unit in its kind's first units; None if unknown."""
    if unit in {"1", ""}:
        return 1.0, 0.0, "dimensionless"
    try:
        there = _registry().from_ucum(unit)
        one, zero = there.to_base_units(), (there * 0).to_base_units()
    except Exception:  # noqa: BLE001 - ucumvert and pint raise a dozen kinds, none of them ours
        return None
    offset = float(zero.magnitude)
    return float(one.magnitude) - offset, offset, str(one.units)


def in_canonical(one: Quantity) -> tuple[Decimal, str] | None:
    """The amount in the first units of its kind."""
    known = canonical(one.ucum)
    if known is None:
        return None
    factor, offset, dimension = known
    return one.value * Decimal(repr(factor)) + Decimal(repr(offset)), dimension


def comparable(a: Quantity, b: Quantity) -> bool:
    """Whether the two can be turned into each other."""
    one, other = canonical(a.ucum), canonical(b.ucum)
    same = one is not None and other is not None and one[2] == other[2]
    return same and not _mixes(a, b)


def _mixes(a: Quantity, b: Quantity) -> bool:
    """A calendar year or month against a fixed span: it depends which year."""
    if a.either or b.either or a.calendar == b.calendar:
        return False
    word = a.unit if a.calendar else b.unit
    return word in INDEFINITE


def ordered(a: Quantity, b: Quantity) -> int | None:
    """-1, 0 or 1, or None where the two measure different things."""
    if a.unit == b.unit and (a.calendar == b.calendar or a.either or b.either):
        return (a.value > b.value) - (a.value < b.value)
    if _mixes(a, b):
        return None
    days = _calendar_days(a, b)
    one, other = days or (in_canonical(a), in_canonical(b))
    if one is None or other is None or one[1] != other[1]:
        return None
    return close_order(one[0], other[0])


def _calendar_days(a: Quantity, b: Quantity) -> tuple[Any, Any] | None:
    """Among calendar words a month has thirty days and a year twelve months or 365 days."""
    units = {a.unit, b.unit}
    if not (a.calendar and b.calendar) or not units & INDEFINITE.keys():
        return None
    if units == {"year", "month"}:
        return tuple((q.value * (12 if q.unit == "year" else 1), "month") for q in (a, b))
    spans = {"year": 365 * 86400, "month": 30 * 86400, "week": 604800, "day": 86400}
    spans |= {"hour": 3600, "minute": 60, "second": 1, "millisecond": Decimal("0.001")}
    return tuple((q.value * spans[q.unit], "s") for q in (a, b))


def close_order(x: Decimal, y: Decimal) -> int:
    """The order of two amounts that came through floating factors."""
    if abs(x - y) <= TOLERANCE * max(abs(x), abs(y)):
        return 0
    return -1 if x < y else 1


def equivalent(a: Quantity, b: Quantity) -> bool:
    """Whether they are the same to the exactness of the less exact, a year being a year."""
    one, other = in_canonical(a), in_canonical(b)
    if one is None or other is None or one[1] != other[1]:
        return a.unit == b.unit and a.value == b.value
    if close_order(one[0], other[0]) == 0:
        return True
    converted = to_unit(a, b.ucum)
    if converted is None:
        return False
    exponent = max(int(a.value.as_tuple().exponent), int(b.value.as_tuple().exponent))
    step = Decimal(1).scaleb(exponent)
    nearly = abs(converted.value - b.value) < step / 2
    return nearly or _days_equivalent(a, b)


def _days_equivalent(a: Quantity, b: Quantity) -> bool:
    spans = {"a": 365, "mo": 30, "wk": 7, "d": 1}
    if a.ucum not in spans or b.ucum not in spans:
        return False
    return a.value * spans[a.ucum] == b.value * spans[b.ucum]


def to_unit(one: Quantity, unit: str) -> Quantity | None:
    """The same amount in another UCUM unit, or None if that measures something else."""
    there, here = canonical(one.ucum), canonical(unit)
    if there is None or here is None or there[2] != here[2]:
        return None
    if one.ucum == unit:
        return Quantity(one.value, unit)
    amount = (float(one.value) * there[0] + there[1] - here[1]) / here[0]
    return Quantity(Decimal(f"{amount:.12g}"), unit)


def times(a: Quantity, b: Quantity) -> Quantity | None:
    """Their product, in the first units if both have one."""
    return _combined(a, b, 1)


def divided(a: Quantity, b: Quantity) -> Quantity | None:
    """Their ratio; None for a division by zero."""
    return _combined(a, b, -1) if b.value else None


def _combined(a: Quantity, b: Quantity, power: int) -> Quantity | None:
    value = a.value * b.value if power > 0 else a.value / b.value
    if b.unit == "1":
        return Quantity(value, a.unit, a.calendar, a.either)
    if a.unit == "1" and power > 0:
        return Quantity(value, b.unit, b.calendar, b.either)
    if power < 0 and a.ucum == b.ucum:
        return Quantity(value, "1")
    if power < 0 and comparable(a, b):
        one, other = in_canonical(a), in_canonical(b)
        return Quantity(_neat(one[0] / other[0]), "1") if one and other else None
    text = f"{a.ucum}.{b.ucum}" if power > 0 else f"{a.ucum}/({b.ucum})"
    return Quantity(value, text) if canonical(text) else None


def _neat(value: Decimal) -> Decimal:
    return Decimal(f"{value:.12g}")


def added(a: Quantity, b: Quantity, sign: int) -> Quantity | None:
    """Their sum (or difference), in the finer of the two units."""
    if a.unit == b.unit and (a.calendar == b.calendar or a.either or b.either):
        return Quantity(a.value + sign * b.value, a.unit, a.calendar or b.calendar, a.either)
    if not comparable(a, b):
        return None
    one, other = canonical(a.ucum), canonical(b.ucum)
    finer = a if one and other and one[0] <= other[0] else b
    left, right = to_unit(a, finer.ucum), to_unit(b, finer.ucum)
    if left is None or right is None:
        return None
    return Quantity(left.value + sign * right.value, finer.unit, finer.calendar)
