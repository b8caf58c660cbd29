"""What was generated from HL7's definitions is what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from medtwin.fhir import codes, quantities
from medtwin.fhir.rules import quick, rules
from medtwin.fhir.types import RESOURCE_KINDS, elements, fields, is_a

root = Path(__file__).parents[2]


def test_r4_has_its_146_concrete_resources():
    assert len(RESOURCE_KINDS) == 146  # hl7.org/fhir/R4/resourcelist.html


def test_an_element_has_its_bounds_kinds_and_targets():
    value = elements("Observation")["value"]
    assert (value.least, value.most, value.choice) == (0, 1, True)
    assert len(value.kinds) == 11
    assert elements("Observation")["encounter"].targets == {"Reference": ("Encounter",)}
    assert fields("Observation")["valueQuantity"].kind == "Quantity"


def test_a_backbone_is_an_element():
    assert is_a("Patient.contact", "BackboneElement")
    assert is_a("Age", "Quantity")
    assert not is_a("Patient", "Observation")


def test_a_required_value_set_has_its_codes():
    assert codes.plain("administrative-gender") == {"male", "female", "other", "unknown"}
    assert ("http://terminology.hl7.org/CodeSystem/condition-clinical", "active") in codes.allowed(
        "condition-clinical"
    )


def test_rules_bind_their_types():
    assert {"obs-6", "obs-7"} <= {r.key for r in rules("Observation")}
    assert {"dom-6"} == {r.key for r in rules("Patient", "warning")}


def test_a_rule_as_python_says_no_where_the_rule_is_broken():
    (held,) = quick("Patient.contact")
    assert held({"name": {"family": "A"}})
    assert not held({"gender": "male"})


def test_a_unit_with_words_in_braces_is_the_unit():
    assert quantities.canonical("{beats}/min") == quantities.canonical("/min")
    assert quantities.canonical("10+3/ul") is None


@pytest.mark.slow
def test_the_generated_files_are_those_of_the_definitions(shared, tmp_path, monkeypatch):
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'tools');"
        "import fhir_definitions as f; rows = list(f.definitions(Path(sys.argv[1])));"
        "print([n for n, t in f.written(rows).items() if (f.room / n).read_text() != t])"
    )
    folder = str(shared / "conformance" / "fhir-r4-definitions")
    told = subprocess.run(
        [sys.executable, "-c", code, folder], cwd=root, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
