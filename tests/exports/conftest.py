"""A house with two people, Anna who agreed to research and Ben who did not, and a command line."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from medtwin.cli import main


def person(number, family, born):
    return {
        "resourceType": "Patient",
        "id": number,
        "identifier": [{"system": "urn:house", "value": f"N{number}"}],
        "name": [{"family": family}],
        "gender": "female",
        "birthDate": born,
    }


def weight(number, whose, kilograms, at="2026-03-01T10:00:00Z"):
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{whose}"},
        "encounter": {"reference": f"Encounter/e{whose}"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": kilograms, "unit": "kg", "code": "kg",
                          "system": "http://unitsofmeasure.org"},
    }  # fmt: skip


def visit(whose):
    return {
        "resourceType": "Encounter",
        "id": f"e{whose}",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{whose}"},
        "period": {"start": "2026-03-01T09:00:00Z", "end": "2026-03-01T11:00:00Z"},
    }


def condition(whose):
    return {
        "resourceType": "Condition",
        "id": f"c{whose}",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44054006",
                             "display": "Diabetes type 2"}]},
        "subject": {"reference": f"Patient/{whose}"},
        "onsetDateTime": "2020-05-01",
    }  # fmt: skip


ANNA = [
    person("1", "Anders", "1961-04-02"),
    visit("1"),
    weight("w1", "1", 72.5),
    weight("w3", "1", 71, "2026-03-08T10:00:00Z"),
    condition("1"),
]
BEN = [person("2", "Berger", "1970-01-01"), weight("w2", "2", 90), condition("2")]


@dataclass(frozen=True)
class House:
    """Its home, its two people, and what can be typed."""

    home: Path
    anna: str = ""
    ben: str = ""

    def __call__(self, *words):
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
            patch.setenv("MEDTWIN_HOME", str(self.home))
            patch.setenv("COLUMNS", "200")
            code = left(words)
        assert not code, out.getvalue()
        return json.loads(out.getvalue())


def left(words):
    """The exit code."""
    try:
        main([str(word) for word in words])
    except SystemExit as gone:
        return gone.code or 0
    return 0


def bundle(path, resources):
    entries = [{"resource": r} for r in resources]
    told = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    path.write_text(json.dumps(told))
    return path


def opened(home, files):
    """A house with what these files say, the first of them granted research."""
    house = House(home)
    first, second = bundle(files / "a.json", ANNA), bundle(files / "b.json", BEN)
    house("import", first, "--basis", "agreed", "--grant", "care,twin,research", "--json")
    house("import", second, "--basis", "agreed", "--grant", "care,twin", "--json")
    listed = house("patients", "--json")
    agreed = {"research" in p["granted"]: p["patient"] for p in listed}
    return House(home, agreed[True], agreed[False])


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """The house; tests read from it and change nothing."""
    return opened(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("sent"))
