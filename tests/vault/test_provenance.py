"""Every number says which original it came from, and where in it."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from medtwin.record import codes
from medtwin.record.record import facts as rows_of
from medtwin.sources.door import received
from medtwin.sources.source import Options
from medtwin.vault import tables
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.seal import Tampered

care = Purpose.care
pressure = {
    "resourceType": "Observation",
    "id": "bp",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": {"reference": "Patient/ada"},
    "effectiveDateTime": "2026-02-01T08:00:00Z",
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mm[Hg]"},
        }
        for code, value in (("8480-6", 121), ("8462-4", 79))
    ],
}


@pytest.fixture
def ada(vault, door, made):
    """Somebody whose blood pressure came as FHIR; her pseudonym."""
    sent = json.dumps(pressure).encode()
    arrived = received("bp.json", sent, Options(received=made.at))
    vault.receive(door.operator, arrived, "invented", [care])
    (one,) = vault.patients(door.operator)
    return one.patient


def test_a_number_of_the_record_leads_to_its_original_and_the_place_in_it(vault, door, ada, made):
    record = vault.record(door.clinician, ada, care)
    (fact,) = rows_of(codes.diastolic, record[codes.diastolic])
    found = vault.origin(door.clinician, ada, fact, care)
    assert json.loads(found.original) == pressure
    assert (found.place, found.media) == ("Observation.component[1]", "application/fhir+json")
    assert found.name == "bp.json#Observation/bp"
    assert found.received == made.at
    assert json.loads(found.excerpt) == pressure["component"][1]


def test_looking_up_an_origin_leaves_a_line_in_the_audit(vault, door, ada):
    record = vault.record(door.clinician, ada, care)
    (fact,) = rows_of(codes.systolic, record[codes.systolic])
    vault.origin(door.clinician, ada, fact, care)
    line = vault.audit(door.operator, ada)[0]
    assert (line.who, line.action, line.detail) == ("Dr Carla Clinic", "read", '{"origins":1}')


def test_an_origin_is_shown_only_to_whom_the_fact_may_be_shown(vault, door, ada, made):
    with pytest.raises(Refused):
        vault.origin(door.researcher, ada, made.reading(0), Purpose.research)
    with pytest.raises(Refused):
        vault.origins(door.operator, ada, "systolic", made.at, care)


def test_a_fact_that_comes_again_keeps_its_first_origin(vault, door, made):
    fact = made.reading(0)
    first = made.arrived(fact, original=b"line one\nline two", media="text/plain")
    again = made.arrived(fact, original=b"another letter", media="text/plain")
    for arrived, place in ((first, "line 2"), (again, "line 1")):
        from dataclasses import replace

        vault.receive(door.operator, [replace(arrived, places=(place,))], "invented", [care])
    (one,) = vault.patients(door.operator)
    found = vault.origin(door.clinician, one.patient, fact, care)
    assert (found.original, found.excerpt) == (b"line one\nline two", "line two")


def test_what_was_entered_here_says_its_source_and_has_no_original(vault, door, admitted, made):
    patient = admitted(care, facts=0)
    fact = made.reading(0)
    vault.add(door.clinician, patient, [fact], care)
    found = vault.origin(door.clinician, patient, fact, care)
    assert (found.name, found.original, found.place) == ("sensor", b"", "")


def test_both_words_of_an_amended_result_are_found_in_the_order_we_learned_them(
    vault, door, admitted, made
):
    patient = admitted(care, facts=0)
    said = [made.reading(0, v, known=made.at + timedelta(days=v)) for v in (100, 101)]
    vault.add(door.clinician, patient, said, care)
    found = vault.origins(door.clinician, patient, "glucose", made.at, care)
    assert [o.fact for o in found] == said


def test_a_fact_that_is_not_kept_is_answered_with_what_to_do(vault, door, admitted, made):
    patient = admitted(care, facts=0)
    with pytest.raises(LookupError, match="take the fact from their record"):
        vault.origin(door.clinician, patient, made.reading(0), care)


def test_a_fact_moved_to_another_original_does_not_open(vault, door, ada, made):
    with vault._store.turns.writing() as c:
        c.execute(update(tables.facts).values(origin=b"another original"))
    with pytest.raises(Tampered):
        vault.record(door.clinician, ada, care)


def test_an_amended_fhir_result_replaces_nothing_and_both_are_known_with_their_dates(
    vault, door, made
):
    def sent(value, status, days):
        said = {k: v for k, v in pressure.items() if k != "component"}
        said |= {"status": status, "valueQuantity": {"value": value, "unit": "mg/dL"}}
        said["code"] = {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]}
        when = Options(received=made.at + timedelta(days=days))
        vault.receive(
            door.operator, received("g.json", json.dumps(said).encode(), when), "invented", [care]
        )

    sent(100, "final", 0)
    sent(110, "amended", 2)
    (one,) = vault.patients(door.operator)
    record = vault.record(door.clinician, one.patient, care)
    assert record[codes.glucose].value.tolist() == [100, 110]
    assert record[codes.glucose].current.value.tolist() == [110]
    before = record.known(by=made.at + timedelta(days=1))
    assert before[codes.glucose].current.value.tolist() == [100]
    (fact,) = rows_of(codes.glucose, before[codes.glucose])
    assert (
        json.loads(vault.origin(door.clinician, one.patient, fact, care).original)["status"]
        == "final"
    )
