"""The vocabulary: every kind of thing we can know about a person, each in exactly one unit.

Sources convert to these units at the door; nothing inside the house converts again. What has
no line here still arrives: `opened` makes a code for it, in the unit and the words it came in.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
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
    mass and molar concentrations be converted, `charge` lets equivalents be. Two codes are the
    same if their `id` is.
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
    charge: int = field(default=0, compare=False)


def loinc(*numbers: str) -> tuple[str, ...]:
    """FHIR tokens of these LOINC numbers."""
    return tuple(f"http://loinc.org|{n}" for n in numbers)


# Bounds are of survivors or of what the method can show, rounded outwards, so that the sick are
# never refused. Noise is the standard error of one reading: the device standard where there is
# one (ISO 15197 and 15193, ISO 80601, NGSP), else the usual biological and analytical variation.

glucose = Code(
    "glucose",
    "glucose",
    "mg/dL",
    low=10,  # below any meter; survivors of insulin overdose have been measured at 10 to 20
    high=1500,  # hyperosmolar states reach 1,000 to 1,500
    noise=10,
    codings=loinc(
        "2339-0", "2345-7", "15074-8", "14749-6", "41653-7", "99504-3", "105272-9", "2340-8"
    ),
    molar_mass=180.156,
)
carbohydrate = Code(
    "carbohydrate",
    "carbohydrate eaten",
    "g",
    low=0,
    high=500,  # one sitting
    kind=Kind.meal,
    codings=loinc("9059-7"),
)
insulin_bolus = Code("insulin_bolus", "insulin bolus", "U", low=0, high=100, kind=Kind.dose)
glucose_injected = Code(
    "glucose_injected", "glucose injected", "g", low=0, high=500, kind=Kind.dose
)
insulin_rise = Code(
    "insulin_rise", "rise of plasma insulin", "m[IU]/L/min", low=-2000, high=2000, kind=Kind.answer
)
insulin_basal = Code("insulin_basal", "basal insulin", "U/h", low=0, high=20, kind=Kind.dose)
insulin_long = Code(
    "insulin_long", "long-acting insulin injected", "U", low=0, high=300, kind=Kind.dose
)
hba1c = Code(
    "hba1c", "HbA1c", "%", low=2, high=25, noise=0.2, codings=loinc("4548-4", "17856-6", "59261-8")
)
ketone = Code(
    "ketone",
    "beta-hydroxybutyrate",
    "mmol/L",
    low=0,
    high=30,
    noise=0.1,
    codings=loinc("53060-9", "6873-4"),
    molar_mass=104.105,
)

systolic = Code(
    "systolic",
    "systolic pressure",
    "mm[Hg]",
    low=30,  # palpable in shock
    high=370,  # Narloch and Brandstater 1995: 370 to 480/360 intra-arterial during lifting
    noise=5,
    codings=loinc("8480-6", "8459-0", "76534-7"),
)
diastolic = Code(
    "diastolic",
    "diastolic pressure",
    "mm[Hg]",
    low=10,
    high=260,
    noise=5,
    codings=loinc("8462-4", "8453-3", "76535-4"),
)
heart_rate = Code(
    "heart_rate",
    "heart rate",
    "/min",
    low=0,
    high=350,  # atrial flutter conducted 1:1, newborns
    noise=2,
    codings=loinc("8867-4", "8889-8", "76282-3"),
)
mean_arterial = Code(
    "mean_arterial", "mean arterial pressure", "mm[Hg]", 15, 300, 4, codings=loinc("8478-0")
)
arterial = Code("arterial", "arterial pressure, moment by moment", "mm[Hg]", -20, 400, 3)
central_venous = Code("central_venous", "central venous pressure", "mm[Hg]", -20, 80, 2)
stroke_volume = Code("stroke_volume", "stroke volume", "mL", 1, 300, 10)
cardiac_output = Code("cardiac_output", "cardiac output", "L/min", 0.2, 45, 0.5)
blood_lost = Code("blood_lost", "blood lost", "mL", 0, 20000, kind=Kind.dose)
fluid_given = Code("fluid_given", "blood or fluid given", "mL", 0, 20000, kind=Kind.dose)
vasoconstrictor = Code(
    "vasoconstrictor", "resistance vessels, change by a drug", "%", -90, 500, kind=Kind.dose
)
inotrope = Code("inotrope", "contractility, change by a drug", "%", -90, 500, kind=Kind.dose)
chronotrope = Code("chronotrope", "heart rate, change by a drug", "%", -80, 300, kind=Kind.dose)
venodilator = Code(
    "venodilator", "venous capacity, change by a drug", "%", -50, 100, kind=Kind.dose
)
spo2 = Code(
    "spo2",
    "oxygen saturation",
    "%",
    low=20,
    high=100,
    noise=2,
    codings=loinc("59408-5", "2708-6", "20564-1"),
)
temperature = Code(
    "temperature",
    "body temperature",
    "Cel",
    low=11.8,  # coldest survivor of accidental hypothermia, 11.8 Cel, 2014
    high=46.5,  # hottest survivor of heat stroke, 46.5 Cel, 1980
    noise=0.2,
    codings=loinc("8310-5", "8331-1", "8333-7", "60830-7", "8332-9"),
)
respiratory_rate = Code(
    "respiratory_rate",
    "respiratory rate",
    "/min",
    low=0,
    high=150,
    noise=2,
    codings=loinc("9279-1"),
)
height = Code(
    "height",
    "body height",
    "cm",
    low=20,  # smallest surviving preterm
    high=275,  # tallest person measured, 272 cm
    noise=0.5,
    codings=loinc("8302-2", "3137-7", "8306-3"),
)
weight = Code(
    "weight",
    "body weight",
    "kg",
    low=0.2,  # smallest survivor at birth, 212 g
    high=650,  # heaviest person measured, 635 kg
    noise=0.5,
    codings=loinc("29463-7", "3141-9", "3142-7"),
)
body_mass_index = Code(
    "body_mass_index",
    "body mass index",
    "kg/m2",
    low=5,
    high=210,
    noise=0.3,
    codings=loinc("39156-5"),
)
age = Code("age", "age", "a", low=0, high=125, codings=loinc("30525-0"))
pain = Code(
    "pain", "pain, 0 to 10", "{score}", low=0, high=10, noise=1, codings=loinc("72514-3", "38208-5")
)

mini_mental = Code(
    "mini_mental",
    "mini-mental score",
    "{score}",
    low=0,
    high=30,
    noise=1.5,
    codings=loinc("72106-8"),
)

creatinine = Code(
    "creatinine",
    "creatinine",
    "mg/dL",
    low=0.05,
    high=80,
    noise=0.06,
    codings=loinc("2160-0", "38483-4", "14682-9"),
    molar_mass=113.12,
)
egfr = Code(
    "egfr",
    "estimated filtration rate",
    "mL/min/{1.73_m2}",
    low=0,
    high=300,
    noise=5,
    codings=loinc("33914-3", "62238-1", "98979-8", "48642-3", "77147-7"),
)
urea_nitrogen = Code(
    "urea_nitrogen",
    "urea nitrogen",
    "mg/dL",
    low=0.5,
    high=350,
    noise=1,
    codings=loinc("3094-0", "6299-2", "22664-7"),
    molar_mass=28.014,  # two nitrogens for each urea, so mmol of urea convert as the clinic does
)
albumin_creatinine = Code(
    "albumin_creatinine",
    "urine albumin to creatinine",
    "mg/g",
    low=0,
    high=30000,
    noise=5,
    codings=loinc("14959-1", "9318-7", "14958-3"),
    molar_mass=113.12,  # of creatinine, for mg/mmol
)
sodium = Code(
    "sodium",
    "sodium",
    "mmol/L",
    low=80,
    high=260,
    noise=1,
    codings=loinc("2951-2", "2947-0"),
    molar_mass=22.990,
    charge=1,
)
potassium = Code(
    "potassium",
    "potassium",
    "mmol/L",
    low=0.8,
    high=15,
    noise=0.1,
    codings=loinc("2823-3", "6298-4"),
    molar_mass=39.098,
    charge=1,
)
chloride = Code(
    "chloride",
    "chloride",
    "mmol/L",
    low=40,
    high=200,
    noise=1,
    codings=loinc("2075-0", "2069-3"),
    molar_mass=35.45,
    charge=1,
)
bicarbonate = Code(
    "bicarbonate",
    "bicarbonate",
    "mmol/L",
    low=1,
    high=80,
    noise=1,
    codings=loinc("2028-9", "20565-8", "1963-8"),
    molar_mass=61.017,
    charge=1,
)
calcium = Code(
    "calcium",
    "calcium",
    "mg/dL",
    low=2,
    high=30,
    noise=0.15,
    codings=loinc("17861-6", "49765-1"),
    molar_mass=40.078,
    charge=2,
)
magnesium = Code(
    "magnesium",
    "magnesium",
    "mg/dL",
    low=0.2,
    high=30,
    noise=0.08,
    codings=loinc("19123-9", "2601-3"),
    molar_mass=24.305,
    charge=2,
)
phosphate = Code(
    "phosphate",
    "phosphate",
    "mg/dL",
    low=0.2,
    high=40,
    noise=0.15,
    codings=loinc("2777-1"),
    molar_mass=30.974,
)
urate = Code(
    "urate",
    "uric acid",
    "mg/dL",
    low=0.1,
    high=60,
    noise=0.2,
    codings=loinc("3084-1"),
    molar_mass=168.11,
)
lactate = Code(
    "lactate",
    "lactate",
    "mmol/L",
    low=0.1,
    high=45,
    noise=0.1,
    codings=loinc("2524-7", "32693-4", "2519-7"),
    molar_mass=90.08,
)

cholesterol = Code(
    "cholesterol",
    "total cholesterol",
    "mg/dL",
    low=10,
    high=2000,  # homozygous familial hypercholesterolaemia passes 1,000
    noise=7,
    codings=loinc("2093-3"),
    molar_mass=386.65,
)
ldl = Code(
    "ldl",
    "LDL cholesterol",
    "mg/dL",
    low=1,
    high=1500,
    noise=6,
    codings=loinc("18262-6", "13457-7", "2089-1"),
    molar_mass=386.65,
)
hdl = Code(
    "hdl",
    "HDL cholesterol",
    "mg/dL",
    low=1,
    high=250,
    noise=3,
    codings=loinc("2085-9"),
    molar_mass=386.65,
)
triglycerides = Code(
    "triglycerides",
    "triglycerides",
    "mg/dL",
    low=5,
    high=25000,
    noise=15,
    codings=loinc("2571-8"),
    molar_mass=885.4,
)

haemoglobin = Code(
    "haemoglobin",
    "haemoglobin",
    "g/dL",
    low=0.7,  # lowest survivor in the literature on people who refuse transfusion
    high=30,
    noise=0.3,
    codings=loinc("718-7", "30313-1"),
    molar_mass=16114.5,  # of one chain with its haem, as laboratories that report mmol count
)
haematocrit = Code(
    "haematocrit", "haematocrit", "%", low=2, high=85, noise=1, codings=loinc("4544-3", "20570-8")
)
leukocytes = Code(
    "leukocytes",
    "white blood cells",
    "10*3/uL",
    low=0,
    high=1500,
    noise=0.4,
    codings=loinc("6690-2", "26464-8"),
)
erythrocytes = Code(
    "erythrocytes",
    "red blood cells",
    "10*6/uL",
    low=0.2,
    high=12,
    noise=0.1,
    codings=loinc("789-8", "26453-1"),
)
platelets = Code(
    "platelets",
    "platelets",
    "10*3/uL",
    low=0,
    high=6000,
    noise=15,
    codings=loinc("777-3", "26515-7"),
)
mcv = Code("mcv", "red cell volume", "fL", low=30, high=200, noise=1, codings=loinc("787-2"))
mch = Code(
    "mch", "haemoglobin per red cell", "pg", low=8, high=70, noise=0.5, codings=loinc("785-6")
)
mchc = Code(
    "mchc",
    "haemoglobin in red cells",
    "g/dL",
    low=15,
    high=50,
    noise=0.4,
    codings=loinc("786-4"),
    molar_mass=16114.5,
)
red_cell_width = Code(
    "red_cell_width",
    "red cell width",
    "fL",
    low=20,
    high=200,
    noise=1,
    codings=loinc("21000-5"),
)
platelet_volume = Code(
    "platelet_volume",
    "platelet volume",
    "fL",
    low=3,
    high=30,
    noise=0.3,
    codings=loinc("32623-1", "28542-9"),
)
albumin = Code("albumin", "albumin", "g/dL", low=0.2, high=8, noise=0.15, codings=loinc("1751-7"))
protein = Code(
    "protein", "total protein", "g/dL", low=1, high=20, noise=0.2, codings=loinc("2885-2")
)
bilirubin = Code(
    "bilirubin",
    "bilirubin",
    "mg/dL",
    low=0,
    high=100,
    noise=0.1,
    codings=loinc("1975-2"),
    molar_mass=584.66,
)
alt = Code(
    "alt", "alanine transaminase", "U/L", low=0, high=30000, noise=3, codings=loinc("1742-6")
)
ast = Code(
    "ast", "aspartate transaminase", "U/L", low=0, high=40000, noise=3, codings=loinc("1920-8")
)
alkaline_phosphatase = Code(
    "alkaline_phosphatase",
    "alkaline phosphatase",
    "U/L",
    low=0,
    high=15000,
    noise=4,
    codings=loinc("6768-6"),
)
c_reactive_protein = Code(
    "c_reactive_protein",
    "C-reactive protein",
    "mg/L",
    low=0,
    high=1000,
    noise=1,
    codings=loinc("1988-5", "30522-7"),
)
inr = Code("inr", "INR", "1", low=0.3, high=60, noise=0.15, codings=loinc("6301-6", "34714-6"))
nt_probnp = Code(
    "nt_probnp",
    "NT-proBNP",
    "pg/mL",
    low=0,
    high=500000,
    noise=30,
    codings=loinc("33762-6"),
    molar_mass=8460.0,
)
ejection_fraction = Code(
    "ejection_fraction",
    "left ventricular ejection fraction",
    "%",
    low=3,
    high=95,
    noise=5,
    codings=loinc("10230-1", "8806-2"),
)
psa = Code(
    "psa",
    "prostate specific antigen",
    "ng/mL",
    low=0,
    high=50000,
    noise=0.2,
    codings=loinc("2857-1"),
)
androgen_suppression = Code(
    "androgen_suppression", "androgen suppression", "%", low=0, high=100, kind=Kind.medication
)
tsh = Code(
    "tsh", "thyrotropin", "m[IU]/L", low=0, high=2000, noise=0.1, codings=loinc("3016-3", "11580-8")
)
fev1_fvc = Code("fev1_fvc", "FEV1 to FVC", "%", low=5, high=100, noise=3, codings=loinc("19926-5"))

# Drugs that are dosed by their level or their effect, and the genes that decide the dose.
warfarin = Code("warfarin", "warfarin swallowed", "mg", low=0, high=300, kind=Kind.dose)
warfarin_level = Code("warfarin_level", "warfarin in plasma", "mg/L", low=0, high=200, noise=0.4)
s_warfarin_level = Code(
    "s_warfarin_level", "S-warfarin in plasma", "mg/L", low=0, high=100, noise=0.05
)
prothrombin_activity = Code(
    "prothrombin_activity", "prothrombin complex activity", "%", low=0, high=300, noise=4
)
cyp2c9_2 = Code("cyp2c9_2", "CYP2C9*2 alleles", "1", low=0, high=2, kind=Kind.answer)
cyp2c9_3 = Code("cyp2c9_3", "CYP2C9*3 alleles", "1", low=0, high=2, kind=Kind.answer)
vkorc1_a = Code("vkorc1_a", "VKORC1 -1639 A alleles", "1", low=0, high=2, kind=Kind.answer)
cyp3a5_expresser = Code(
    "cyp3a5_expresser", "CYP3A5*1 carrier", "1", low=0, high=1, kind=Kind.answer
)
tacrolimus = Code("tacrolimus", "tacrolimus swallowed", "mg", low=0, high=50, kind=Kind.dose)
tacrolimus_level = Code(
    "tacrolimus_level",
    "tacrolimus in whole blood",
    "ug/L",
    low=0,
    high=200,
    noise=1.5,
    codings=loinc("11253-2"),
)
prednisolone = Code(
    "prednisolone", "prednisolone each day", "mg/d", low=0, high=2000, kind=Kind.medication
)
propofol = Code("propofol", "propofol injected", "mg", low=0, high=2000, kind=Kind.dose)
propofol_rate = Code(
    "propofol_rate", "propofol infusion", "mg/min", low=0, high=500, kind=Kind.dose
)
propofol_level = Code("propofol_level", "propofol in plasma", "mg/L", low=0, high=200, noise=0.5)
opioid_given = Code("opioid_given", "an opioid is given too", "1", low=0, high=1, kind=Kind.answer)
rocuronium = Code("rocuronium", "rocuronium injected", "mg", low=0, high=500, kind=Kind.dose)
rocuronium_rate = Code(
    "rocuronium_rate", "rocuronium infusion", "mg/min", low=0, high=600, kind=Kind.dose
)
rocuronium_level = Code(
    "rocuronium_level", "rocuronium in plasma", "mg/L", low=0, high=100, noise=0.2
)
train_of_four = Code("train_of_four", "train-of-four ratio", "1", low=0, high=1.6, noise=0.05)
train_of_four_count = Code(
    "train_of_four_count", "train-of-four count", "1", low=0, high=4, noise=0.5
)
post_tetanic_count = Code("post_tetanic_count", "post-tetanic count", "1", low=0, high=25, noise=2)
sevoflurane_given = Code(
    "sevoflurane_given", "sevoflurane is given too", "1", low=0, high=1, kind=Kind.answer
)
female = Code("female", "female sex", "1", low=0, high=1, kind=Kind.answer)

steps = Code(
    "steps", "steps", "{steps}", low=0, high=250000, noise=0, codings=loinc("41950-7", "55423-8")
)
energy = Code("energy", "energy spent", "kcal", low=0, high=30000, codings=loinc("41981-2"))
exercise = Code("exercise", "exercise", "min", low=0, high=2880, codings=loinc("55411-3"))
drug_swallowed = Code("drug_swallowed", "drug swallowed", "mg", low=0, high=1e5, kind=Kind.dose)
drug_injected = Code("drug_injected", "drug injected", "mg", low=0, high=1e5, kind=Kind.dose)
drug_level = Code("drug_level", "drug level", "mg/L", low=0, high=1e4, noise=0.1)
aneurysm_any = Code("aneurysm_any", "chance of an aorta of 30 mm or more", "%", low=0, high=100)
aneurysm_large = Code("aneurysm_large", "chance of an aorta of 55 mm or more", "%", low=0, high=100)
chance_alive = Code("chance_alive", "chance of being alive", "%", low=0, high=100)
vasculopathy_severe = Code(
    "vasculopathy_severe", "chance of severe graft vasculopathy", "%", low=0, high=100
)
note = Code("note", "note", "1", kind=Kind.answer)


# Answers to the PHQ-9 and GAD-7, each 0 (not at all) to 3 (nearly every day), over two weeks.
# Both may be used by anybody without asking (Pfizer, phqscreeners). LOINC panels 44249-1, 69737-5.
def _fortnight(id: str, name: str, number: str) -> Code:  # noqa: A002 - the code's own word
    return Code(id, name, "1", low=0, high=3, kind=Kind.answer, codings=loinc(number))


phq9_interest = _fortnight("phq9_interest", "little interest or pleasure", "44250-9")
phq9_mood = _fortnight("phq9_mood", "feeling down or hopeless", "44255-8")
phq9_sleep = _fortnight("phq9_sleep", "trouble with sleep", "44259-0")
phq9_tired = _fortnight("phq9_tired", "tired, little energy", "44254-1")
phq9_appetite = _fortnight("phq9_appetite", "poor appetite or overeating", "44251-7")
phq9_failure = _fortnight("phq9_failure", "feeling bad about oneself", "44258-2")
phq9_focus = _fortnight("phq9_focus", "trouble concentrating", "44252-5")
phq9_pace = _fortnight("phq9_pace", "slow or restless", "44253-3")
phq9_harm = _fortnight("phq9_harm", "thoughts of being better off dead or of self-harm", "44260-8")
gad7_nervous = _fortnight("gad7_nervous", "nervous, anxious or on edge", "69725-0")
gad7_control = _fortnight("gad7_control", "cannot stop worrying", "68509-9")
gad7_worry = _fortnight("gad7_worry", "worrying too much", "69733-4")
gad7_relax = _fortnight("gad7_relax", "trouble relaxing", "69734-2")
gad7_restless = _fortnight("gad7_restless", "too restless to sit still", "69735-9")
gad7_irritable = _fortnight("gad7_irritable", "easily annoyed", "69689-8")
gad7_afraid = _fortnight("gad7_afraid", "afraid that something awful might happen", "69736-7")
phq9_total = Code(
    "phq9_total", "PHQ-9 total", "1", low=0, high=27, kind=Kind.answer, codings=loinc("44261-6")
)
gad7_total = Code(
    "gad7_total", "GAD-7 total", "1", low=0, high=21, kind=Kind.answer, codings=loinc("70274-6")
)
eq_vas = Code("eq_vas", "own health today", "1", low=0, high=100, noise=7, kind=Kind.answer)

# What people wear and what a bedside device shows. `sleep` is a night or a nap as a whole, the
# stages are its parts: never add the two. The same holds for `energy` and its two parts.
resting_heart_rate = Code(
    "resting_heart_rate", "heart rate at rest", "/min", 15, 250, 2, codings=loinc("40443-4")
)
hrv_sdnn = Code(
    "hrv_sdnn", "heart rate variability, SDNN", "ms", 0, 1000, 10, codings=loinc("80404-7")
)
hrv_rmssd = Code("hrv_rmssd", "heart rate variability, RMSSD", "ms", 0, 1000, 10)
rr_interval = Code("rr_interval", "beat to beat interval", "ms", 100, 10000, 5)
vo2_max = Code(
    "vo2_max", "maximal oxygen uptake", "mL/(kg.min)", 3, 110, 4, codings=loinc("94122-9")
)
perfusion_index = Code(
    "perfusion_index", "perfusion index", "%", 0, 100, 0.3, codings=loinc("61006-3")
)
skin_temperature_change = Code(
    "skin_temperature_change", "skin temperature against one's own usual", "K", -15, 15, 0.2
)
body_fat = Code("body_fat", "body fat", "%", 1, 80, 3, codings=loinc("41982-0"))
lean_mass = Code("lean_mass", "lean body mass", "kg", 0.1, 300, 2)
waist = Code("waist", "waist circumference", "cm", 10, 350, 2, codings=loinc("8280-0"))
energy_active = Code("energy_active", "energy spent moving", "kcal", 0, 30000)
energy_resting = Code("energy_resting", "energy spent at rest", "kcal", 0, 15000)
distance = Code("distance", "distance covered on foot", "m", 0, 1e6, codings=loinc("55430-3"))
floors = Code("floors", "floors climbed", "{floors}", 0, 5000)
sleep = Code("sleep", "asleep", "min", 0, 2880, codings=loinc("93832-4"))
sleep_light = Code("sleep_light", "light sleep", "min", 0, 2880, codings=loinc("93830-8"))
sleep_deep = Code("sleep_deep", "deep sleep", "min", 0, 2880, codings=loinc("93831-6"))
sleep_rem = Code("sleep_rem", "REM sleep", "min", 0, 2880, codings=loinc("93829-0"))
sleep_awake = Code("sleep_awake", "awake during the night", "min", 0, 2880)
sleep_in_bed = Code("sleep_in_bed", "in bed", "min", 0, 2880)
insulin_suspended = Code("insulin_suspended", "insulin pump stopped", "min", 0, 20160)
pr_interval = Code("pr_interval", "PR interval", "ms", 30, 800, 8, codings=loinc("8625-6"))
qrs_duration = Code("qrs_duration", "QRS duration", "ms", 30, 400, 6, codings=loinc("8633-0"))
qt_interval = Code("qt_interval", "QT interval", "ms", 100, 1000, 12, codings=loinc("8634-8"))
qtc_interval = Code("qtc_interval", "QTc interval", "ms", 150, 1000, 15, codings=loinc("8636-3"))
aorta_diameter = Code("aorta_diameter", "diameter of the aorta", "mm", 3, 200, 2)
lesion_diameter = Code("lesion_diameter", "diameter of a lesion", "mm", 0, 500, 1.5)


def known() -> dict[str, Code]:
    """Every code this file names, by its id."""
    return {c.id: c for c in globals().values() if isinstance(c, Code)}


@cache
def meanings() -> dict[str, Code]:
    """Which code each FHIR token (`system|code`) means."""
    return {token: c for c in known().values() for token in c.codings}


# What people enter in a diary, and what the air around them is: means of a day at a place, as
# air-quality and weather services tabulate them. Bounds hold the worst days on record.
alcohol = Code("alcohol", "alcohol drunk", "g", low=0, high=1000, noise=0)
cigarettes = Code("cigarettes", "cigarettes smoked", "{cigarettes}", low=0, high=200, noise=0)
pm25 = Code("pm25", "fine dust in the air (PM2.5)", "ug/m3", low=0, high=5000, noise=0)
ozone = Code("ozone", "ozone in the air", "ug/m3", low=0, high=2000, noise=0)
heat_index = Code("heat_index", "heat index outdoors", "Cel", low=-60, high=90, noise=0)
pollen = Code("pollen", "pollen in the air", "{grains}/m3", low=0, high=100000, noise=0)


def opened(token: str, name: str, unit: str, kind: Kind = Kind.measurement) -> Code:
    """A code for what the vocabulary has no line for: its own words, its own unit, no bounds."""
    return Code(token, name or token, unit, kind=kind)
