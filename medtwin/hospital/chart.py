"""A resident's medical record as FHIR R4: what a hospital would send, for somebody invented.

Every resource is marked as test data (`HTEST`), and every name says "(synthetic)".
"""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import orjson

from medtwin.hospital.resident import Resident
from medtwin.record import codes
from medtwin.record.observation import Observation

Resource = dict[str, Any]

marked = {
    "tag": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
            "code": "HTEST",
            "display": "test health data",
        }
    ]
}
identifiers = "urn:medtwin:synthetic"
snomed, loinc = "http://snomed.info/sct", "http://loinc.org"
rxnorm, cvx = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://hl7.org/fhir/sid/cvx"
ucum = "http://unitsofmeasure.org"
by_patient = ("AllergyIntolerance", "Immunization")

# SNOMED CT code, words, years since it began, RxNorm ingredient, medicine and dose.
diseases = {
    "hypertension": ("38341003", "Hypertensive disorder", 6, "29046", "lisinopril 10 mg daily"),
    "hypothyroidism": ("40930008", "Hypothyroidism", 9, "10582", "levothyroxine 75 ug daily"),
    "kidney disease": ("433144002", "Chronic kidney disease stage 3", 3, "", ""),
    "atrial fibrillation": ("49436004", "Atrial fibrillation", 2, "11289", "warfarin by INR"),
    "retinopathy": ("4855003", "Retinopathy due to diabetes mellitus", 4, "", ""),
}


@dataclass(frozen=True)
class Visit:
    """A day at the clinic, and the HbA1c found there (%)."""

    day: date
    hba1c: float


def identity(resident: Resident) -> str:
    """The resource id of their Patient."""
    return f"synthetic-{resident.number:02d}"


def chart(
    resident: Resident,
    visits: tuple[Visit, ...],
    seed: int,
    lived: tuple[Observation, ...] = (),
) -> bytes:
    """One person's bundle; `lived` are tablets and INRs from before their devices tell."""
    rng = np.random.default_rng([seed, resident.number, 3])
    parts = [_patient(resident), *_problems(resident, visits[0].day), *_medicines(resident, visits)]
    for n, visit in enumerate(visits):
        parts += _seen(resident, visit, n, rng)
    parts += [_note(resident, visits[-1]), _plan(visits[-1])]
    parts += [*_vaccines(visits), _allergy(visits[0].day)]
    parts += [_tablet(fact) if fact.code == codes.warfarin else _inr(fact) for fact in lived]
    entries = [{"resource": _named(p, resident, n)} for n, p in enumerate(parts)]
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _named(part: Resource, resident: Resident, n: int) -> Resource:
    """With an id, the mark, and whose it is."""
    if part["resourceType"] == "Patient":
        return part
    element = "patient" if part["resourceType"] in by_patient else "subject"
    whose = {"reference": f"Patient/{identity(resident)}"}
    return {**part, "id": f"{identity(resident)}-{n}", "meta": marked, element: whose}


def _patient(resident: Resident) -> Resource:
    given, family = resident.name.split(" ", 1)
    return {
        "resourceType": "Patient",
        "id": identity(resident),
        "meta": marked,
        "identifier": [{"system": identifiers, "value": identity(resident)}],
        "name": [{"use": "official", "text": resident.name, "given": [given], "family": family}],
        "gender": resident.sex,
        "birthDate": resident.born.isoformat(),
        "address": [{"text": "nowhere; this person is generated"}],
    }


def _problems(resident: Resident, first: date) -> list[Resource]:
    onset = resident.born + min(0.4 * (first - resident.born), timedelta(days=10000))
    found = [_condition("46635009", "Type 1 diabetes mellitus", onset)]
    for name in resident.conditions:
        code, words, years, _, _ = diseases[name]
        found.append(_condition(code, words, first - timedelta(days=365 * years)))
    return found


def _condition(code: str, words: str, since: date) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": system, "code": "active"}]},
        "code": _coded(snomed, code, words),
        "onsetDateTime": since.isoformat(),
    }


def _medicines(resident: Resident, visits: tuple[Visit, ...]) -> list[Resource]:
    lists = [("86009", "insulin lispro by pump")]
    lists += [(d[3], d[4]) for d in (diseases[c] for c in resident.conditions) if d[3]]
    return [
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": _coded(rxnorm, code, words),
            "authoredOn": _noon(visits[0].day),
        }
        for code, words in lists
    ]


def _seen(resident: Resident, visit: Visit, n: int, rng: np.random.Generator) -> list[Resource]:
    at = _noon(visit.day)
    found = [_encounter(visit.day), *_vitals(resident, at, rng)]
    found += [_lab(at, *lab) for lab in _labs(resident, visit, n, rng)]
    return [*found, _report(visit, at)]


def _encounter(day: date) -> Resource:
    start = datetime.combine(day, time(9), UTC)
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": act, "code": "AMB"},
        "type": [_coded(snomed, "185349003", "Encounter for check up")],
        "period": {
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=40)).isoformat(),
        },
        "reasonCode": [{"text": "diabetes review"}],
    }


def _vitals(resident: Resident, at: str, rng: np.random.Generator) -> list[Resource]:
    stiff = 12 if "hypertension" in resident.conditions else 0
    years = int(at[:4]) - resident.born.year
    systolic = round(108 + 0.35 * years + stiff + rng.normal(0, 6))
    diastolic = round(68 + 0.1 * years + 0.5 * stiff + rng.normal(0, 4))
    weight = float(np.asarray(resident.body.parameters.weight).item()) + rng.normal(0, 0.8)
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "code": _coded(loinc, "85354-9", "Blood pressure panel"),
        "effectiveDateTime": at,
        "component": [
            _part("8480-6", "Systolic blood pressure", systolic, "mm[Hg]"),
            _part("8462-4", "Diastolic blood pressure", diastolic, "mm[Hg]"),
        ],
    }
    return [
        pressure,
        _lab(at, "8867-4", "Heart rate", round(72 + rng.normal(0, 7)), "/min"),
        _lab(at, "29463-7", "Body weight", round(weight, 1), "kg"),
    ]


def _labs(
    resident: Resident, visit: Visit, n: int, rng: np.random.Generator
) -> list[tuple[str, str, float, str]]:
    years = (visit.day - resident.born).days / 365.25
    ill = "kidney disease" in resident.conditions
    creatinine = (0.95 if resident.sex == "male" else 0.75) + (0.45 if ill else 0.0)
    found = [
        ("4548-4", "Hemoglobin A1c", visit.hba1c, "%"),
        ("2160-0", "Creatinine", round(creatinine * np.exp(rng.normal(0, 0.05)), 2), "mg/dL"),
        ("14959-1", "Albumin/creatinine", round((90 if ill else 9) * rng.gamma(4, 0.25)), "mg/g"),
        ("2823-3", "Potassium", round(4.3 + rng.normal(0, 0.25), 1), "mmol/L"),
    ]
    if n % 2 == 1:
        found += [
            ("2093-3", "Cholesterol", round(165 + 0.4 * years + rng.normal(0, 18)), "mg/dL"),
            ("2085-9", "HDL cholesterol", round(54 + rng.normal(0, 8)), "mg/dL"),
            ("13457-7", "LDL cholesterol", round(92 + rng.normal(0, 14)), "mg/dL"),
        ]
    return found


def _lab(at: str, code: str, words: str, value: float, unit: str) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "effectiveDateTime": at,
        **_part(code, words, value, unit),
    }


def _part(code: str, words: str, value: float, unit: str) -> Resource:
    quantity = {"value": float(value), "unit": unit, "system": ucum, "code": unit}
    return {"code": _coded(loinc, code, words), "valueQuantity": quantity}


def _tablet(fact: Observation) -> Resource:
    dose = {"value": fact.value, "unit": "mg", "system": ucum, "code": "mg"}
    return {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": _coded(rxnorm, "11289", "warfarin"),
        "effectiveDateTime": fact.at.isoformat(),
        "dosage": {"dose": dose},
    }


def _inr(fact: Observation) -> Resource:
    return _lab(fact.at.isoformat(), "6301-6", "INR", fact.value, "1")


def _report(visit: Visit, at: str) -> Resource:
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": _coded(loinc, "11502-2", "Laboratory report"),
        "effectiveDateTime": at,
        "conclusion": f"HbA1c {visit.hba1c:.1f} %",
    }


def _note(resident: Resident, visit: Visit) -> Resource:
    text = f"Generated note. {resident.name}: {resident.story}. HbA1c {visit.hba1c:.1f} %."
    data = b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": _coded(loinc, "11506-3", "Progress note"),
        "date": _noon(visit.day),
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def _plan(visit: Visit) -> Resource:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "title": "Glucose between 70 and 180 mg/dL for 70 % of the time; review in 3 months",
        "period": {"start": visit.day.isoformat()},
    }


def _vaccines(visits: tuple[Visit, ...]) -> list[Resource]:
    given = (("140", "Influenza, seasonal", visits[0]), ("33", "Pneumococcal", visits[1]))
    return [
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": _coded(cvx, code, words),
            "occurrenceDateTime": _noon(visit.day),
        }
        for code, words, visit in given
    ]


def _allergy(since: date) -> Resource:
    return {
        "resourceType": "AllergyIntolerance",
        "criticality": "low",
        "code": _coded(snomed, "91936005", "Allergy to penicillin"),
        "recordedDate": since.isoformat(),
    }


def _coded(system: str, code: str, words: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": words}], "text": words}


def _noon(day: date) -> str:
    return datetime.combine(day, time(9, 20), UTC).isoformat()
