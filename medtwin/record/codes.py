"""The vocabulary: every kind of thing we can know about a person, each in exactly one unit.

Sources convert to these units at the door; nothing inside the house converts again.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf


class Kind(StrEnum):
    """What sort of fact a code names; a timeline has one lane for each."""

    measurement = "measurement"
    dose = "dose"
    meal = "meal"
    condition = "condition"
    medication = "medication"
    procedure = "procedure"
    encounter = "encounter"
    allergy = "allergy"
    immunisation = "immunisation"
    report = "report"
    care_plan = "care plan"
    answer = "answer"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of observation, in one unit (UCUM).

    `low` and `high` bound what has been measured in a living person; outside them the
    sensor is wrong, not the patient. `noise` is the usual standard error of one reading.
    `codings` are the FHIR tokens (`system|code`) that mean it; `molar_mass` (g/mol) lets
    mass and molar concentrations be converted. Two codes are the same if their `id` is.
    """

    id: str
    name: str = field(compare=False)
    unit: str = field(compare=False)
    low: float = field(default=-inf, compare=False)
    high: float = field(default=inf, compare=False)
    noise: float = field(default=0.0, compare=False)
    kind: Kind = field(default=Kind.measurement, compare=False)
    codings: tuple[str, ...] = field(default=(), compare=False)
    molar_mass: float | None = field(default=None, compare=False)


def loinc(*numbers: str) -> tuple[str, ...]:
    """FHIR tokens of these LOINC numbers."""
    return tuple(f"http://loinc.org|{n}" for n in numbers)


glucose = Code(
    "glucose",
    "glucose",
    "mg/dL",
    low=10,
    high=1500,
    noise=10,
    codings=loinc("2339-0", "2345-7", "15074-8", "14749-6", "41653-7", "99504-3", "105272-9"),
    molar_mass=180.156,
)
carbohydrate = Code("carbohydrate", "carbohydrate eaten", "g", low=0, high=500, kind=Kind.meal)
insulin_bolus = Code("insulin_bolus", "insulin bolus", "U", low=0, high=100, kind=Kind.dose)
insulin_basal = Code("insulin_basal", "basal insulin", "U/h", low=0, high=20, kind=Kind.dose)
hba1c = Code("hba1c", "HbA1c", "%", low=2, high=25, noise=0.2, codings=loinc("4548-4", "17856-6"))
weight = Code("weight", "body weight", "kg", low=0.2, high=650, noise=0.5, codings=loinc("29463-7"))
age = Code("age", "age", "a", low=0, high=125, codings=loinc("30525-0"))


def known() -> dict[str, Code]:
    """Every code this file names, by its id."""
    return {c.id: c for c in globals().values() if isinstance(c, Code)}
