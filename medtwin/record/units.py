"""Units: what a source sends becomes the one unit of the code, or is refused with a reason.

Units are UCUM, read by ucumvert and pint; both are imported when the first unit has to be
worked out, and each pair of unit and code is worked out once.
"""

import re
from functools import cache
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float

from medtwin.record.codes import Code

Value = float | Float[np.ndarray, "*batch"]

MilligramPerDecilitre = Annotated[Value, "mg/dL"]
MillimolPerLitre = Annotated[Value, "mmol/L"]
MicromolPerLitre = Annotated[Value, "umol/L"]
MillimetresOfMercury = Annotated[Value, "mm[Hg]"]
PerMinute = Annotated[Value, "/min"]
Minutes = Annotated[Value, "min"]
Grams = Annotated[Value, "g"]
Kilograms = Annotated[Value, "kg"]
Centimetres = Annotated[Value, "cm"]
Years = Annotated[Value, "a"]
Units = Annotated[Value, "U"]
UnitsPerHour = Annotated[Value, "U/h"]
Percent = Annotated[Value, "%"]
Celsius = Annotated[Value, "Cel"]


class UnknownUnit(ValueError):
    """The unit is not one we can turn into the unit of this code."""


# What devices and laboratories write where UCUM has another spelling.
ALIASES = {
    "mmhg": "mm[Hg]",
    "mm hg": "mm[Hg]",
    "bpm": "/min",
    "beats/min": "/min",
    "beats/minute": "/min",
    "beats per minute": "/min",
    "breaths/min": "/min",
    "breaths/minute": "/min",
    "breaths per minute": "/min",
    "/minute": "/min",
    "1/min": "/min",
    "meq/l": "meq/L",
    "mg/dl": "mg/dL",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "g/dl": "g/dL",
    "k/ul": "10*3/uL",
    "k/mm3": "10*3/uL",
    "thousand/ul": "10*3/uL",
    "x10e3/ul": "10*3/uL",
    "m/ul": "10*6/uL",
    "million/ul": "10*6/uL",
    "x10e6/ul": "10*6/uL",
    "x10^9/l": "10*9/L",
    "10e9/l": "10*9/L",
    "x10^12/l": "10*12/L",
    "10e12/l": "10*12/L",
    "cells/ul": "/uL",
    "°c": "Cel",
    "degc": "Cel",
    "celsius": "Cel",
    "°f": "[degF]",
    "degf": "[degF]",
    "f": "[degF]",
    "c": "Cel",
    "fahrenheit": "[degF]",
    "kg/m^2": "kg/m2",
    "kg/m²": "kg/m2",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pounds": "[lb_av]",
    "oz": "[oz_av]",
    "in": "[in_i]",
    "inch": "[in_i]",
    "inches": "[in_i]",
    "ft": "[ft_i]",
    "feet": "[ft_i]",
    "years": "a",
    "year": "a",
    "yr": "a",
    "yrs": "a",
    "minutes": "min",
    "hours": "h",
    "hr": "h",
    "sec": "s",
    "seconds": "s",
    "cc": "mL",
    "percent": "%",
    "mcg": "ug",
    "gram": "g",
    "grams": "g",
    "gr": "g",
    "unit": "U",
    "units": "U",
    "iu": "U",
    "ie": "U",
    "u/hr": "U/h",
    "units/h": "U/h",
    "units/hr": "U/h",
    "units/hour": "U/h",
    "u/hour": "U/h",
    "steps": "1",
    "count": "1",
    "score": "1",
    "(score)": "1",
    "kcal": "kcal",
    "cal": "kcal",
    "ml/min/1.73m2": "mL/min",
    "ml/min/1.73 m2": "mL/min",
    "ml/min/1.73m^2": "mL/min",
    "ml/min/1.73m²": "mL/min",
    "ml/min/1.73sqm": "mL/min",
    "ml/min": "mL/min",
    "mmol/mol": "mmol/mol",
}

# HbA1c: NGSP % = 0.09148 x IFCC mmol/mol + 2.152, Weykamp et al., Clin Chem 2008;54:240.
MASTER_EQUATIONS = {("hba1c", "mmol/mol"): (0.09148, 2.152)}


def convert(value: Any, from_unit: str, code: Code) -> Any:
    """The value in the code's unit. Takes a number or an array.

    Raises `UnknownUnit` where the unit is not one we know, or measures something else.
    """
    factor, offset = scale(from_unit, code)
    return value * factor + offset


@cache
def scale(from_unit: str, code: Code) -> tuple[float, float]:
    """What to multiply by, then to add, to come from this unit to the code's."""
    if from_unit == code.unit:
        return 1.0, 0.0
    unit = spelled(from_unit, code)
    if (code.id, unit) in MASTER_EQUATIONS:
        return MASTER_EQUATIONS[code.id, unit]
    try:
        return _worked_out(unit, code)
    except Exception as why:  # ucumvert and pint raise a dozen kinds, none of them ours
        raise UnknownUnit(
            f"{code.name} in {from_unit or 'no unit'}: allowed is {code.unit} or what converts "
            f"to it; say which unit the source sends"
        ) from why


def spelled(unit: str, code: Code) -> str:
    """This unit as UCUM spells it."""
    plain = unit.strip().replace("µ", "u").replace("μ", "u")
    plain = ALIASES.get(plain.lower(), plain)
    plain = re.sub(r"/?\{[^}]*\}$|\{[^}]*\}", "", plain) or "1"
    plain = "1" + plain if plain.startswith("/") else plain
    return _insulin_units(plain) if re.search(r"\bU\b", code.unit) else plain


def _insulin_units(unit: str) -> str:
    return re.sub(r"\[I?i?U\]|\bIU\b|\biU\b|\[USP'U\]|\bu\b", "U", unit)


def _worked_out(unit: str, code: Code) -> tuple[float, float]:
    registry = _registry()
    there, here = (_quantity(registry, u) for u in (unit, spelled(code.unit, code)))
    if "equivalent" in str(there.units) and "equivalent" not in str(here.units):
        if not code.charge:
            raise UnknownUnit(f"the charge of {code.name} is not known")
        there = there / code.charge
    there = _through_molar_mass(there, here, code)
    zero = (there * 0).to(here.units).magnitude if _multiplies(there) else _at_zero(there, here)
    one = there.to(here.units).magnitude
    return float(one - zero) / here.magnitude, float(zero) / here.magnitude


def _through_molar_mass(there: Any, here: Any, code: Code) -> Any:
    if code.molar_mass is None or there.dimensionality == here.dimensionality:
        return there
    per_mole = there.__class__(code.molar_mass, "g/mol")
    for through in (there * per_mole, there / per_mole):
        if through.dimensionality == here.dimensionality:
            return through
    return there


def _multiplies(quantity: Any) -> bool:
    return "degree" not in str(quantity.units)


def _at_zero(there: Any, here: Any) -> float:
    return there.__class__(0, there.units).to(here.units).magnitude


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


def _quantity(registry: Any, unit: str) -> Any:
    return registry.from_ucum(unit) if unit != "1" else registry.from_ucum("m/m")
