"""Apple's words for what is measured, and ours; its units, and UCUM's.

Identifiers and units: Apple's HealthKit documentation; how they look in an export was seen in
exports and their readers published by others.
"""

from functools import cache

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.sources.readings import own, spoken

QUANTITY, CATEGORY = "HKQuantityTypeIdentifier", "HKCategoryTypeIdentifier"
QUANTITIES = {
    "StepCount": codes.steps,
    "HeartRate": codes.heart_rate,
    "RestingHeartRate": codes.resting_heart_rate,
    "HeartRateVariabilitySDNN": codes.hrv_sdnn,
    "OxygenSaturation": codes.spo2,
    "RespiratoryRate": codes.respiratory_rate,
    "BodyTemperature": codes.temperature,
    "BloodGlucose": codes.glucose,
    "BloodPressureSystolic": codes.systolic,
    "BloodPressureDiastolic": codes.diastolic,
    "PeripheralPerfusionIndex": codes.perfusion_index,
    "BodyMass": codes.weight,
    "Height": codes.height,
    "BodyMassIndex": codes.body_mass_index,
    "BodyFatPercentage": codes.body_fat,
    "LeanBodyMass": codes.lean_mass,
    "WaistCircumference": codes.waist,
    "VO2Max": codes.vo2_max,
    "ActiveEnergyBurned": codes.energy_active,
    "BasalEnergyBurned": codes.energy_resting,
    "DistanceWalkingRunning": codes.distance,
    "FlightsClimbed": codes.floors,
    "AppleExerciseTime": codes.exercise,
    "DietaryCarbohydrates": codes.carbohydrate,
}
# What lasts less than this was taken at a moment, whatever end the export writes.
SLEEP = {
    "InBed": codes.sleep_in_bed,
    "Asleep": codes.sleep,
    "AsleepUnspecified": codes.sleep,
    "AsleepCore": codes.sleep_light,
    "AsleepDeep": codes.sleep_deep,
    "AsleepREM": codes.sleep_rem,
    "Awake": codes.sleep_awake,
}
# A percentage of Apple's is a fraction: 0.97 % is what a full oxygen saturation looks like.
UNITS = {
    "%": "1",
    "count": "1",
    "count/min": "/min",
    "count/s": "/s",
    "degC": "Cel",
    "degF": "[degF]",
    "mmHg": "mm[Hg]",
    "lb": "[lb_av]",
    "oz": "[oz_av]",
    "st": "[stone_av]",
    "ft": "[ft_i]",
    "in": "[in_i]",
    "mi": "[mi_i]",
    "yd": "[yd_i]",
    "hr": "h",
    "mcg": "ug",
    "Cal": "kcal",
    "mL/min·kg": "mL/(kg.min)",
    "ml/(kg*min)": "mL/(kg.min)",
    "mL/kg·min": "mL/(kg.min)",
    "km/hr": "km/h",
    "mi/hr": "[mi_i]/h",
    "dBASPL": "dB[SPL]",
    "fl_oz_us": "[foz_us]",
    "IU": "[IU]",
}


@cache
def unit(written: str) -> str:
    """The unit as UCUM spells it: `mmol<180.1558800000541>/L` says its molar mass too."""
    if written.startswith("mmol<"):
        return "mmol/" + written.partition(">/")[2]
    return UNITS.get(written, written)


@cache
def quantity(kind: str, written: str) -> Code:
    """The code of an Apple quantity; one we have no line for keeps Apple's word and unit."""
    word = kind.removeprefix(QUANTITY)
    known = QUANTITIES.get(word)
    if known is not None:
        return known
    if word == "InsulinDelivery":
        return codes.insulin_bolus
    made = own("apple", kind, unit(written))
    return Code(made.id, spoken(word), made.unit)


@cache
def category(kind: str) -> Code:
    """The code of an Apple category, such as a symptom; its value is in words."""
    made = own("apple", kind, "", Kind.answer)
    return Code(made.id, spoken(kind.removeprefix(CATEGORY)), "1", kind=Kind.answer)
