"""The number that stands after a laboratory test or a vital sign, in the unit of its code."""

import re

from medtwin.record.codes import Code
from medtwin.record.units import UnknownUnit, convert

FILLER = (
    r"(?:[\s:=,~(-]|\b(?:was|is|were|are|of|at|to|today|now|about|approximately|around|level|"
    r"count|rate|stable|remains|remained|reading|measured|measures|reads|showed|up|down|came|"
    r"back|on|admission|baseline|estimated|value|the|elevated|low|high|normal|currently|only|"
    r"saturation|sat|and|index)\b){0,14}?"
)
NUMBER = r"(?P<{}>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
UNIT = (
    r"(?P<unit>mg/dl|g/dl|mmol/l|mmol/mol|umol/l|µmol/l|nmol/l|meq/l|meq|g/l|ng/ml|pg/ml|ng/l|"
    r"ug/l|mcg/l|mg/l|mg/g|u/l|iu/l|miu/l|uiu/ml|miu/ml|k/ul|x?\s?10\^?[39]/u?l|/ul|/mm3|fl|"
    r"ml/min(?:/1\.73\s?m\^?2)?|kg/m2|kg/m\^2|kg/m²|mm\s?hg|beats per minute|bpm|"
    r"breaths per minute|/min(?:ute)?|percent|%|degrees? (?:fahrenheit|celsius|f|c)\b|"
    r"°\s?[fc]|fahrenheit|celsius|[fc]\b|kilograms?|kg|pounds?|lbs?\.?|centimeters?|cm|"
    r"inches|inch|meters|feet|mm|mg|mcg|g\b|ml|(?:days?|weeks?|months?|years?|times|points?)\b)"
)
VALUE = re.compile(
    FILLER + r"(?:(?:rose|fell|went|increased|decreased|improved|dropped|up|down)?\s*from\s+"
    r"[\d.,]+\s*\S{0,8}\s+to\s+)?"
    + r"(?P<sign>[<>]=?\s*)?"
    + NUMBER.format("number")
    + r"(?:\s*(?:-|to)\s*(?P<upto>\d+(?:\.\d+)?)(?=\s*(?:%|percent)))?"
    + r"(?![\d,]*[/:-]\s?\d)(?:\s*"
    + UNIT
    + r")?",
    re.IGNORECASE,
)
PRESSURE = re.compile(
    FILLER + r"(?P<upper>\d{2,3})\s*(?:/|over)\s*(?P<lower>\d{2,3})\b", re.IGNORECASE
)
SPELLED = {"kilogram": "kg", "kilograms": "kg", "centimeters": "cm", "centimeter": "cm"}
SPELLED |= {"miu/l": "m[IU]/L", "uiu/ml": "u[IU]/mL", "miu/ml": "m[IU]/mL", "percent": "%"}
SPELLED |= {"u/l": "U/L", "iu/l": "U/L", "ng/ml": "ng/mL", "pg/ml": "pg/mL", "g/l": "g/L"}
SPELLED |= {"ug/l": "ug/L", "mcg/l": "ug/L", "mg/l": "mg/L", "nmol/l": "nmol/L", "ng/l": "ng/L"}
SPELLED |= {"µmol/l": "umol/L", "/ul": "/uL", "/mm3": "/uL", "fl": "fL", "meters": "m"}
SPELLED |= {"pound": "[lb_av]", "meq": "meq/L", "kg/m^2": "kg/m2", "kg/m²": "kg/m2"}
SPELLED |= {"beats per minute": "/min", "breaths per minute": "/min", "/minute": "/min"}
SPELLED |= {"mmhg": "mm[Hg]", "mm hg": "mm[Hg]", "lb.": "[lb_av]", "lbs.": "[lb_av]"}


def unit(said: str) -> str:
    """A unit of a note as UCUM, or as `record.units` knows it."""
    low = said.lower().strip()
    if low.startswith(("degree", "°")):
        return "[degF]" if low.removesuffix("ahrenheit").endswith("f") else "Cel"
    if low.startswith(("x", "10")):
        return "10*9/L" if "9" in low else "10*3/uL"
    return SPELLED.get(low, low)


def amount(match: re.Match[str], code: Code, usual: tuple[str, ...]) -> float | None:
    """The number in the code's unit. Where the note tells no unit it is the first of the `usual`
    in which a living person could have it; None where there is none such, or the unit is another's.
    """
    number = float(match["number"].replace(",", ""))
    if match["upto"]:  # an echocardiogram's 55 to 60 %: the middle, its words keep both
        number = (number + float(match["upto"])) / 2
    told = match["unit"]
    for one in (unit(told),) if told else usual:
        try:
            value = float(convert(number, one, code))
        except UnknownUnit:
            continue
        if told or code.low <= value <= code.high:
            return value
    return None
