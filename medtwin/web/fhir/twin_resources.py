"""The twin as resources: `Basic` for itself, `Device` for its model, forecasts with intervals.

A forecast is no measurement: its Observations are preliminary, tagged, and found only by who
asks for the tag; its RiskAssessment says how likely what matters is.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from medtwin.engine.model import Model
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.web.fhir.foretold import Foretold
from medtwin.web.fhir.wire import Resource, instant

HERE = "https://medtwin.org/fhir"
TAG = {"system": f"{HERE}/kind", "code": "forecast", "display": "foretold, not measured"}
UCUM = "http://unitsofmeasure.org"
STEP = timedelta(minutes=30)
LOW, HIGH = 70.0, 180.0  # mg/dL: time in range, international consensus (Battelino 2019)


def slug(words: str) -> str:
    """Words as they may stand in an id."""
    return re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-").lower()


def device(model: Model[Any]) -> Resource:
    """The model as the device that foretells."""
    name = slug(model.name)
    return {
        "resourceType": "Device",
        "id": f"model.{name}"[:64],
        "meta": {"tag": [TAG]},
        "deviceName": [{"name": f"medtwin: {model.name}", "type": "model-name"}],
        "type": {"text": "model of physiology"},
        "note": [{"text": model.reference}],
    }


def basic(one: Foretold, who: str, patient: str) -> Resource:
    """The twin itself: whose it is, and up to when it has lived."""
    return {
        "resourceType": "Basic",
        "id": twin_id(one, patient),
        "meta": {"tag": [TAG], "lastUpdated": instant(one.forecast.made)},
        "code": {"coding": [{"system": f"{HERE}/kind", "code": "twin"}], "text": "digital twin"},
        "subject": {"reference": who},
        "created": one.forecast.made.date().isoformat(),
        "extension": [
            {
                "url": f"{HERE}/twin-model",
                "valueReference": {"reference": f"Device/{device(one.model)['id']}"},
            },
            {"url": f"{HERE}/twin-made", "valueDateTime": instant(one.forecast.made)},
        ],
    }


def twin_id(one: Foretold, patient: str) -> str:
    """The id of a twin."""
    return f"twin.{patient}.{slug(one.model.name)}"[:64]


def observations(one: Foretold, who: str, patient: str) -> Iterator[Resource]:
    """What is expected to be read, at half hours or at the model's own horizons."""
    band = one.forecast.band(0.9).T
    last: datetime | None = None
    for at, (low, middle, high) in zip(one.forecast.times, band, strict=True):
        if last is None or at - last >= STEP:
            last = at
            yield _observation(one, who, patient, at, (float(low), float(middle), float(high)))


def _observation(
    one: Foretold, who: str, patient: str, at: datetime, band: tuple[float, float, float]
) -> Resource:
    code, (low, middle, high) = one.forecast.code, band
    return {
        "resourceType": "Observation",
        "id": f"forecast.{patient}.{slug(code.id)[:24]}.{int(at.timestamp()) // 60}"[:64],
        "meta": {"tag": [TAG], "lastUpdated": instant(one.forecast.made)},
        "status": "preliminary",
        "category": [{"coding": [{"system": f"{HERE}/kind", "code": "forecast"}]}],
        "code": concept(code),
        "subject": {"reference": who},
        "focus": [{"reference": f"Basic/{twin_id(one, patient)}"}],
        "effectiveDateTime": instant(at),
        "issued": instant(one.forecast.made),
        "valueQuantity": quantity(middle, code),
        "device": {"reference": f"Device/{device(one.model)['id']}"},
        "component": [
            {
                "code": {"text": "expected in nine of ten"},
                "valueRange": {"low": quantity(low, code), "high": quantity(high, code)},
            }
        ],
    }


def concept(code: Code) -> Resource:
    """A code as a CodeableConcept."""
    pairs = (c.rpartition("|") for c in code.codings)
    coding = [{"system": system, "code": value} for system, _, value in pairs]
    return {"text": code.name} | ({"coding": coding} if coding else {})


def quantity(value: float, code: Code) -> Resource:
    """A value in the code's own unit, with as many digits as are meant."""
    said = float(f"{value:.4g}")
    return {"value": said, "unit": code.unit, "system": UCUM, "code": code.unit}


def risk(one: Foretold, who: str, patient: str) -> Resource:
    """How likely what matters is, within the forecast's reach."""
    ahead, basis = one.forecast, observations(one, who, patient)
    until = ahead.times[-1]
    made: dict[str, Any] = {
        "resourceType": "RiskAssessment",
        "id": f"risk.{patient}.{slug(ahead.code.id)[:30]}"[:64],
        "meta": {"tag": [TAG], "lastUpdated": instant(ahead.made)},
        "status": "preliminary",
        "code": concept(ahead.code),
        "method": {"text": f"{one.model.name}; {one.model.reference}"},
        "subject": {"reference": who},
        "occurrenceDateTime": instant(ahead.made),
        "performer": {"reference": f"Device/{device(one.model)['id']}"},
        "basis": [
            {"reference": f"Basic/{twin_id(one, patient)}"},
            *({"reference": f"Observation/{o['id']}"} for o in basis),
        ],
    }
    when = {"start": instant(ahead.made), "end": instant(until)}
    return made | {"prediction": list(_predictions(one, when))}


def _predictions(one: Foretold, when: Resource) -> Iterator[Resource]:
    ahead = one.forecast
    if ahead.code == codes.glucose:
        for words, happens in (
            (f"glucose below {LOW:.0f} mg/dL", ahead.paths < LOW),
            (f"glucose above {HIGH:.0f} mg/dL", ahead.paths > HIGH),
        ):
            chance = float(np.round(ahead.chance(happens), 3))
            yield {"outcome": {"text": words}, "probabilityDecimal": chance, "whenPeriod": when}
        return
    low, middle, high = (float(v) for v in ahead.band(0.9)[:, -1])
    said = f"{ahead.code.name} of {middle:.4g} ({low:.4g} to {high:.4g}) {ahead.code.unit}"
    yield {"outcome": {"text": said}, "probabilityDecimal": 0.9, "whenPeriod": when}
