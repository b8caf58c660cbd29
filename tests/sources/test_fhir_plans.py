"""Claims about FHIR's papers and plans, and about what is said not to be so."""

import pytest
from letters import ada, bundle, heard, reading

from medtwin.record import codes
from medtwin.record.codes import Kind
from medtwin.record.record import Record

subject = {"subject": {"reference": "Patient/ada"}}


def one(kind, **said):
    return heard(bundle(ada, {"resourceType": kind, "id": "x"} | said))[-1]


def test_a_document_is_on_the_timeline_by_its_type():
    said = {"type": {"text": "Discharge summary"}, "date": "2024-05-01", "docStatus": "preliminary"}
    (fact,) = one("DocumentReference", **subject, **said).facts
    assert (fact.code.kind, fact.says) == (Kind.report, "Discharge summary, preliminary")


def test_an_order_is_what_was_asked_for_not_what_was_done():
    said = {"code": {"text": "Chest X-ray"}, "authoredOn": "2024-05-01", "status": "revoked"}
    (fact,) = one("ServiceRequest", **subject, **said).facts
    assert (fact.code.kind, fact.says) == (Kind.care_plan, "ordered: Chest X-ray, revoked")


@pytest.mark.parametrize(("status", "value"), [("booked", 1), ("cancelled", 0)])
def test_an_appointment_belongs_to_the_patient_who_comes(status, value):
    comes = [{"actor": {"reference": "Practitioner/1"}}, {"actor": {"reference": "Patient/ada"}}]
    said = {"status": status, "created": "2024-05-01", "start": "2024-07-01T09:00:00Z"}
    arrived = one("Appointment", participant=comes, **said)
    assert arrived.about == "fhir|ada"
    assert [f.value for f in arrived.facts] == [value]
    assert "appointment at 2024-07-01T09:00:00Z" in arrived.facts[0].says


@pytest.mark.parametrize("kind", ["DocumentReference", "ServiceRequest", "Appointment"])
def test_papers_about_nobody_are_kept(kind):
    assert one(kind).kept == kind


@pytest.mark.parametrize("kind", ["Condition", "AllergyIntolerance"])
def test_what_is_refuted_is_not_so(kind):
    said = {"code": {"text": "Asthma"}, "verificationStatus": {"coding": [{"code": "refuted"}]}}
    (fact,) = one(kind, patient=subject["subject"], **subject, **said).facts
    assert (fact.value, "refuted" in fact.says) == (0, True)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_reading_taken_back_needs_no_value(status):
    gone = reading(1, status=status)
    del gone["valueQuantity"]
    facts = [f for a in heard(bundle(ada, reading(1), gone)) for f in a.facts]
    assert len(Record("ada").add(facts)[codes.glucose].current) == 0


def test_each_component_says_where_it_stands():
    part = {"code": reading(1)["code"], "valueQuantity": {"value": 100, "unit": "mg/dL"}}
    arrived = heard(bundle(ada, reading(1, component=[part, {"code": {"text": "x"}}, part])))[-1]
    places = ("Observation", "Observation.component[0]", "Observation.component[2]")
    assert arrived.places == places
