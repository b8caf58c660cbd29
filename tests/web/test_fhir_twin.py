"""The twin, the audit and the origin of each version, as FHIR resources."""

import pytest

from medtwin.fhir.validation import validated
from tests.web import fhir_house as fh

FORECAST = "https://medtwin.org/fhir/kind|forecast"


@pytest.fixture
def clinician(visitor):
    return visitor("dr.lee")


def entries(reply):
    assert reply.status_code == 200, reply.text
    return [e["resource"] for e in reply.json().get("entry", ())]


def test_a_risk_rests_on_forecasts_with_intervals_a_twin_and_a_model(clinician, house):
    ada = house.people["ada"]
    risks = entries(clinician.get(f"/fhir/RiskAssessment?patient={ada}"))
    glucose = next(r for r in risks if "glucose" in r["id"])
    low, high = glucose["prediction"]
    assert low["outcome"]["text"] == "glucose below 70 mg/dL"
    assert 0 <= low["probabilityDecimal"] <= 1
    assert 0 <= high["probabilityDecimal"] <= 1
    seen = entries(clinician.get(f"/fhir/Observation?patient={ada}&_tag={FORECAST}"))
    foretold = {f"Observation/{o['id']}": o for o in seen}
    basis = [b["reference"] for b in glucose["basis"]]
    assert set(basis[1:]) <= set(foretold)
    one = foretold[basis[1]]
    span = one["component"][0]["valueRange"]
    assert span["low"]["value"] <= one["valueQuantity"]["value"] <= span["high"]["value"]
    twin = clinician.get(f"/fhir/{basis[0]}").json()
    assert twin["code"]["coding"][0]["code"] == "twin"
    model = clinician.get(f"/fhir/{glucose['performer']['reference']}").json()
    assert (model["resourceType"], bool(model["note"][0]["text"])) == ("Device", True)
    for resource in (glucose, one, twin, model):
        assert validated(resource) == []


def test_a_forecast_does_not_stand_among_measurements(clinician, house):
    seen = entries(clinician.get(f"/fhir/Observation?patient={house.people['ada']}"))
    assert not [o for o in seen if o["status"] == "preliminary"]


def test_nothing_is_foretold_of_who_agreed_to_care_only(clinician, house):
    cleo = house.people["cleo"]
    assert clinician.get(f"/fhir/Patient/{cleo}").json()["name"][0]["text"] == "Cleo Example"
    assert entries(clinician.get(f"/fhir/RiskAssessment?patient={cleo}")) == []
    assert entries(clinician.get(f"/fhir/Basic?patient={cleo}")) == []


def test_nobody_is_shown_who_agreed_to_nothing(clinician, house):
    ben = house.people["ben"]
    assert clinician.get(f"/fhir/Patient/{ben}").status_code == 404
    assert clinician.get(f"/fhir/RiskAssessment?patient={ben}").json()["total"] == 0
    assert clinician.get(f"/fhir/AuditEvent?patient={ben}").json()["total"] == 0


def test_who_looked_at_a_person_is_told_as_audit_events(clinician, house):
    ada = house.people["ada"]
    clinician.get(f"/fhir/Patient/{ada}")
    events = entries(clinician.get(f"/fhir/AuditEvent?patient={ada}&action=R"))
    assert events
    assert {e["action"] for e in events} == {"R"}
    assert "dr.lee" in {e["agent"][0]["name"] for e in events}
    assert validated(events[0]) == []


def test_each_version_says_who_brought_it_and_when(tmp_path, serve):
    house, server = fh.opened(tmp_path / "home", serve)
    with house.client() as ehr:
        who = fh.made(ehr, fh.patient())
        one = fh.made(ehr, fh.glucose(f"Patient/{who['id']}"))
        ehr.put(f"Observation/{one['id']}", json={**one, "status": "amended"})
        with house.client(fh.CLINICIAN, ("user/*.rs",)) as clinician:
            found = entries(clinician.get(f"Provenance?target=Observation/{one['id']}"))
    assert [p["activity"]["coding"][0]["code"] for p in found] == ["UPDATE", "CREATE"]
    assert {p["agent"][0]["who"]["display"] for p in found} == {"ehr"}
    assert validated(found[0]) == []
    server.close()
    house.vault.close()
