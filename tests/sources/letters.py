"""Small FHIR letters for the tests: a patient, observations, bundles."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from medtwin.sources.door import read, received
from medtwin.sources.source import Arrived, Options

now = datetime(2024, 6, 1, 12, tzinfo=UTC)
options = Options(received=now)
ada = {
    "resourceType": "Patient",
    "id": "ada",
    "identifier": [{"system": "urn:mrn", "value": "17"}],
    "name": [{"use": "official", "given": ["Ada"], "family": "Example"}],
    "gender": "female",
    "birthDate": "1980-02-03",
}


def reading(number: int, value: Any = 120, unit: str = "mg/dL", **other: Any) -> dict[str, Any]:
    said = {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]},
        "subject": {"reference": "Patient/ada"},
        "effectiveDateTime": f"2024-05-{number:02d}T10:00:00Z",
        "valueQuantity": {"value": value, "unit": unit},
    }
    return said | other


def bundle(*resources: dict[str, Any], kind: str = "collection") -> bytes:
    entries = [{"resource": r} for r in resources]
    return orjson.dumps(
        {"resourceType": "Bundle", "type": kind, "entry": entries}, option=orjson.OPT_INDENT_2
    )


def heard(content: bytes, name: str = "letter.json", **changed: Any) -> list[Arrived]:
    return list(received(name, content, Options(**{"received": now} | changed)))


def walked(*paths: Path, **changed: Any) -> list[Arrived]:
    return list(read(paths, Options(**{"received": now} | changed)))


def facts(arrived: list[Arrived]) -> list[tuple[str | None, str, float]]:
    return [(a.about, f.code.id, f.value) for a in arrived for f in a.facts]


def refused(arrived: list[Arrived]) -> list[str]:
    return [f"{r.what}: {r.because}" for a in arrived for r in a.refused]
