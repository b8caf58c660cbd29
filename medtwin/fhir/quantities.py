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
LOGARITHMIC = frozenset({"B", "Np", "B[SPL]", "B[V]", "B[mV]", "B[uV]", "B[W]", "B[kW]", "[pH]"})
ALONE = re.compile(r"(^|[./(])\{[^{}]*\}(?=$|[./)])")
ANNOTATION = re.compile(r"\{[^{}]*\}")
# 10+3 is none (10*3 is), nor a number behind words, nor words outside ASCII.
NO_UNIT = re.compile(r"(?<![A-Za-z\]*^])\d+[+-]\d|\}\d|^\{[^{}]*\}[A-Za-z]|[^\x21-\x7e]")
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
    if NO_UNIT.search(unit):
        return None
    plain = without_annotations(unit)
    if plain == "1":
        return 1.0, 0.0, "dimensionless"
    try:
        there = _registry().from_ucum(plain)
        zero = there.__class__(0, there.units).to_base_units()
        one = there.__class__(1, there.units).to_base_units()
        scale = float(there.magnitude)
    except Exception:  # noqa: BLE001 - ucumvert and pint raise a dozen kinds, none of them ours
        return None
    offset = float(zero.magnitude)
    return (float(one.magnitude) - offset) * scale, offset, str(one.units)


def without_annotations(unit: str) -> str:
    """The unit without the words in braces, each of which alone is 1."""
    alone = ALONE.sub(r"\g<1>1", unit)
    return ANNOTATION.sub("", alone)


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
    return not {a.unit, b.unit}.isdisjoint({*INDEFINITE, *INDEFINITE.values()})


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
    if not (a.calendar and b.calendar) or not {a.unit, b.unit} & INDEFINITE.keys():
        return None
    finest = min((a.unit, b.unit), key=SPANS.__getitem__)
    one, other = in_calendar(a, finest), in_calendar(b, finest)
    return (one.value, "s"), (other.value, "s")


SPANS = {
    "year": Decimal(365 * 86400),
    "month": Decimal(30 * 86400),
    "week": Decimal(604800),
    "day": Decimal(86400),
    "hour": Decimal(3600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}


def in_calendar(one: Quantity, word: str) -> Quantity:
    """The same span in another word: 12 months a year, else 365 days; 30 days a month."""
    if {one.unit, word} == {"year", "month"}:
        return Quantity(one.value * 12 if word == "month" else one.value / 12, word, True)
    return Quantity(one.value * SPANS[one.unit] / SPANS[word], word, True)


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
    return _alike_in_finer(a, b) or _days_equivalent(a, b)


def _alike_in_finer(a: Quantity, b: Quantity) -> bool:
    """The same to the digits of the less exact, both in the finer unit."""
    one, other = canonical(a.ucum), canonical(b.ucum)
    finer = a.ucum if one and other and one[0] <= other[0] else b.ucum
    left, right = to_unit(a, finer), to_unit(b, finer)
    return left is not None and right is not None and nearly(left.value, right.value)


def nearly(x: Decimal, y: Decimal) -> bool:
    """To the digits of the less exact; zeros at the end say nothing."""
    step = Decimal(1).scaleb(min(max(int(v.normalize().as_tuple().exponent) for v in (x, y)), 0))
    return x.quantize(step) == y.quantize(step)


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
    return Quantity(Decimal(f"{amount:.15g}"), unit)


def times(a: Quantity, b: Quantity) -> Quantity | None:
    """Their product, in the first units if both have one."""
    return _combined(a, b, 1)


def divided(a: Quantity, b: Quantity) -> Quantity | None:
    """Their ratio; None for a division by zero."""
    return _combined(a, b, -1) if b.value else None


def _plain_number(one: Quantity) -> Quantity:
    """A ratio like g/kg as the number that it is."""
    known = canonical(one.ucum)
    plain = known is not None and known[2] == "dimensionless" and one.unit not in LOGARITHMIC
    if known is None or not plain or one.unit == "1":
        return one
    return Quantity(_neat(one.value * Decimal(repr(known[0]))), "1")


def _countable(a: Quantity, b: Quantity) -> bool:
    """Whether the two can be multiplied: not on logarithmic scales, not words of the calendar."""
    if {a.unit, b.unit} & LOGARITHMIC:
        return False
    words = (a.calendar and not a.either, b.calendar and not b.either)
    return not (any(words) and "1" not in {a.unit, b.unit}) and not (words[1] and a.unit == "1")


def _combined(a: Quantity, b: Quantity, power: int) -> Quantity | None:
    a, b = _plain_number(a), _plain_number(b)
    if not (_countable(a, b) if power < 0 else _countable(a, b) or _countable(b, a)):
        return None
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


def _alike(one: Quantity, other: Quantity) -> Quantity:
    """A span of FHIR that may be read both ways, as the other is."""
    return Quantity(one.value, one.ucum) if one.either and not other.calendar else one


def added(a: Quantity, b: Quantity, sign: int) -> Quantity | None:
    """Their sum (or difference), in the finer of the two units."""
    if {a.unit, b.unit} & LOGARITHMIC:
        return None
    a, b = _alike(a, b), _alike(b, a)
    if a.unit == b.unit and a.calendar == b.calendar:
        return Quantity(a.value + sign * b.value, a.unit, a.calendar, a.either and b.either)
    if a.calendar != b.calendar and not {a.ucum, b.ucum} <= {"s", "ms"}:
        return None
    if not comparable(a, b):
        return None
    one, other = canonical(a.ucum), canonical(b.ucum)
    finer = a if one and other and one[0] <= other[0] else b
    left, right = to_unit(a, finer.ucum), to_unit(b, finer.ucum)
    if left is None or right is None:
        return None
    return Quantity(left.value + sign * right.value, finer.unit, finer.calendar)
