"""The FHIR server, asked over HTTP as the R4 specification (4.0.1, http.html) says."""

import httpx
import pytest

from medtwin.record import codes
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from tests.web import fhir_house as fh

BAD_JSON = (
    b"{" * 4000,
    b"[1]",
    b"",
    b'{"resourceType":"\xff"}',
    b'{"a":' * 900 + b"1" + b"}" * 900,
)


@pytest.fixture(scope="module")
def fhir(tmp_path_factory, serve):
    house, server = fh.opened(tmp_path_factory.mktemp("fhir") / "home", serve)
    yield house
    server.close()
    house.vault.close()


@pytest.fixture(scope="module")
def ehr(fhir):
    with fhir.client() as client:
        yield client


@pytest.fixture(scope="module")
def ada(ehr):
    return fh.made(ehr, fh.patient(identifier=[{"system": "urn:mrn", "value": "77"}]))


def issue(reply):
    said = reply.json()
    assert said["resourceType"] == "OperationOutcome"
    return said["issue"][0]


def test_a_decimal_comes_back_with_the_digits_it_was_sent_with(ehr, ada):
    body = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":'
    body += b'{"value":72.50},"subject":{"reference":"Patient/%s"}}' % ada["id"].encode()
    reply = ehr.post("Observation", content=body)
    assert b'"value":72.50}' in reply.content
    assert b'"value":72.50}' in ehr.get(f"Observation/{reply.json()['id']}").content


def test_create_says_where_it_is_and_which_version(ehr):
    reply = ehr.post("Patient", json=fh.patient("Created"))
    id_ = reply.json()["id"]
    assert reply.status_code == 201
    assert reply.headers["location"].endswith(f"/fhir/Patient/{id_}/_history/1")
    assert reply.headers["etag"] == 'W/"1"'
    assert "last-modified" in reply.headers


def test_an_update_is_made_on_the_version_that_was_read_and_on_no_other(ehr, ada):
    first = fh.made(ehr, fh.glucose(f"Patient/{ada['id']}"))
    address = f"Observation/{first['id']}"
    ok = ehr.put(address, json={**first, "status": "amended"}, headers={"if-match": 'W/"1"'})
    assert (ok.status_code, ok.headers["etag"]) == (200, 'W/"2"')
    late = ehr.put(address, json={**first, "status": "final"}, headers={"if-match": 'W/"1"'})
    assert (late.status_code, issue(late)["code"]) == (412, "conflict")
    assert ehr.get(f"{address}/_history/1").json()["status"] == "final"
    assert ehr.get(address).json()["status"] == "amended"


def test_an_unknown_id_is_made_by_an_update_and_an_id_that_is_none_is_refused(ehr):
    assert (
        ehr.put("Patient/made-by-put", json={**fh.patient(), "id": "made-by-put"}).status_code
        == 201
    )
    assert ehr.put("Patient/other", json={**fh.patient(), "id": "one"}).status_code == 400
    assert ehr.put("Patient/no_id", json={**fh.patient(), "id": "no_id"}).status_code == 400


def test_what_was_deleted_is_gone_but_its_history_is_not(ehr, ada):
    one = fh.made(ehr, fh.glucose(f"Patient/{ada['id']}", "2019-01-01"))
    address = f"Observation/{one['id']}"
    assert ehr.delete(address).status_code == 204
    assert (ehr.get(address).status_code, issue(ehr.get(address))["code"]) == (410, "deleted")
    assert ehr.get(f"{address}/_history/1").status_code == 200
    methods = [e["request"]["method"] for e in ehr.get(f"{address}/_history").json()["entry"]]
    assert methods == ["DELETE", "POST"]
    assert ehr.delete(address).status_code == 204
    assert ehr.put(address, json=one).status_code == 201


def test_json_patch_changes_a_part_or_nothing(ehr, ada):
    one = fh.made(ehr, fh.glucose(f"Patient/{ada['id']}", "2018-01-01"))
    sort = {"content-type": "application/json-patch+json"}
    steps = [{"op": "test", "path": "/status", "value": "final"},
             {"op": "replace", "path": "/status", "value": "corrected"}]  # fmt: skip
    reply = ehr.patch(f"Observation/{one['id']}", json=steps, headers=sort)
    assert (reply.status_code, reply.json()["status"]) == (200, "corrected")
    again = ehr.patch(f"Observation/{one['id']}", json=steps, headers=sort)
    assert (again.status_code, issue(again)["code"]) == (422, "processing")


def test_fhirpath_patch_adds_inserts_replaces_moves_and_deletes(ehr):
    one = fh.made(ehr, fh.patient("Patched", contact=[{"name": {"family": "C"}}]))

    def operation(**parts):
        sorts = {"value": "valueString", "index": "valueInteger"}
        sorts |= {"source": "valueInteger", "destination": "valueInteger"}
        told = [{"name": k, sorts.get(k, "valueCode"): v} for k, v in parts.items()]
        return {"name": "operation", "part": told}

    steps = [
        operation(type="replace", path="Patient.birthDate", value="1999-09-09"),
        operation(type="add", path="Patient.name[0]", name="given", value="Zed"),
        operation(type="insert", path="Patient.name[0].given", index=0, value="First"),
        operation(type="move", path="Patient.name[0].given", source=2, destination=0),
        operation(type="delete", path="Patient.contact"),
    ]
    sent = {"resourceType": "Parameters", "parameter": steps}
    changed = ehr.patch(f"Patient/{one['id']}", json=sent).json()
    assert changed["birthDate"] == "1999-09-09"
    assert changed["name"][0]["given"] == ["Zed", "First", "Ada"]
    assert "contact" not in changed
    bad = {**sent, "parameter": [operation(type="delete", path="Patient.name.where(true)")]}
    assert ehr.patch(f"Patient/{one['id']}", json=bad).status_code == 400


def test_a_condition_creates_once_and_several_matches_are_refused(ehr):
    body = fh.patient("Once", identifier=[{"system": "urn:mrn", "value": "once"}])
    if_none = {"if-none-exist": "identifier=urn:mrn|once"}
    first = ehr.post("Patient", json=body, headers=if_none)
    second = ehr.post("Patient", json=body, headers=if_none)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    put = ehr.put("Patient?identifier=urn:mrn|once", json={**body, "active": True})
    assert (put.status_code, put.json()["active"]) == (200, True)
    fh.made(ehr, fh.patient("Twins", "2000-01-01"))
    fh.made(ehr, fh.patient("Twins", "2000-01-02"))
    many = ehr.delete("Patient?family=Twins")
    assert (many.status_code, issue(many)["code"]) == (412, "multiple-matches")


def test_a_transaction_is_kept_wholly_with_its_references_or_not_at_all(ehr):
    entry = [
        {"fullUrl": "urn:uuid:o", "resource": fh.glucose("urn:uuid:p", "2017-05-05"),
         "request": {"method": "POST", "url": "Observation"}},
        {"fullUrl": "urn:uuid:p", "resource": fh.patient("Transacted"),
         "request": {"method": "POST", "url": "Patient"}},
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    first, second = ehr.post("", json=bundle).json()["entry"]
    assert first["resource"]["subject"]["reference"] == f"Patient/{second['resource']['id']}"
    before = ehr.get("Patient?_summary=count").json()["total"]
    broken = {
        "resource": fh.glucose("Patient/nobody"),
        "request": {"method": "POST", "url": "Observation"},
    }
    failed = ehr.post("", json={**bundle, "entry": [*entry, broken]})
    assert failed.status_code == 422
    assert issue(failed)["expression"] == ["Bundle.entry[2]: Observation.subject.reference"]
    assert ehr.get("Patient?_summary=count").json()["total"] == before


def test_a_batch_does_each_entry_on_its_own(ehr, ada):
    entry = [{"request": {"method": "GET", "url": f"Patient/{ada['id']}"}},
             {"request": {"method": "GET", "url": "Patient/nobody-of-that-name"}}]  # fmt: skip
    answer = ehr.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entry}).json()
    assert [e["response"]["status"] for e in answer["entry"]] == ["200 OK", "404 Not Found"]


@pytest.mark.parametrize("body", BAD_JSON)
def test_bytes_that_are_no_resource_are_refused_and_the_server_lives(ehr, body):
    reply = ehr.post("Patient", content=body)
    assert (reply.status_code, issue(reply)["severity"]) == (400, "error")
    assert ehr.get("metadata").status_code == 200


def test_a_resource_too_large_is_refused_with_the_limit(ehr):
    long = fh.patient(text={"status": "generated", "div": "x" * (6 << 20)})
    assert ehr.post("Patient", json=long).status_code in (413, 422)


def test_a_fact_about_nobody_kept_is_refused_with_its_place(ehr):
    reply = ehr.post("Observation", json=fh.glucose("Patient/nobody"))
    assert reply.status_code == 422
    assert issue(reply)["expression"] == ["Observation.subject.reference"]
    assert "create the Patient first" in issue(reply)["diagnostics"]


def test_an_unknown_parameter_is_refused_unless_the_asker_is_lenient(ehr):
    strict = ehr.get("Patient?nonsense=1")
    assert (strict.status_code, issue(strict)["expression"]) == (400, ["nonsense"])
    lenient = ehr.get("Patient?nonsense=1", headers={"prefer": "handling=lenient"}).json()
    outcomes = [e for e in lenient["entry"] if e["search"]["mode"] == "outcome"]
    assert "nonsense" in str(outcomes)
    assert "nonsense" not in lenient["link"][0]["url"]


def test_what_the_client_prefers_comes_back(ehr):
    none = ehr.post("Patient", json=fh.patient(), headers={"prefer": "return=minimal"})
    assert (none.status_code, none.content) == (201, b"")
    told = ehr.post("Patient", json=fh.patient(), headers={"prefer": "return=OperationOutcome"})
    assert told.json()["resourceType"] == "OperationOutcome"


def test_a_read_of_what_has_not_changed_sends_nothing(ehr, ada):
    address = f"Patient/{ada['id']}"
    assert ehr.get(address, headers={"if-none-match": 'W/"1"'}).status_code == 304
    assert ehr.get(address, headers={"if-none-match": 'W/"9"'}).status_code == 200


def test_other_languages_than_json_are_declined(ehr):
    assert ehr.get("Patient?_format=turtle").status_code == 406
    assert ehr.get("Patient?_format=json").status_code == 200


def test_the_capability_statement_is_for_anybody_and_lists_what_is_searched_by(fhir):
    said = httpx.get(f"{fhir.address}/metadata").json()
    kinds = {r["type"]: r for r in said["rest"][0]["resource"]}
    assert said["fhirVersion"] == "4.0.1"
    assert {"name": "birthdate", "type": "date"} in kinds["Patient"]["searchParam"]
    assert {"code": "patch"} in kinds["Observation"]["interaction"]
    assert httpx.get(f"{fhir.address}/Patient").status_code == 401


def test_everything_of_a_person_is_theirs_and_what_of_the_house_they_point_at(ehr):
    someone = fh.made(ehr, fh.patient("Whole"))
    doctor = fh.made(ehr, {"resourceType": "Practitioner", "name": [{"family": "Lee"}]})
    other = fh.made(ehr, fh.patient("Other"))
    by = [{"reference": f"Practitioner/{doctor['id']}"}]
    mine = fh.made(ehr, fh.glucose(f"Patient/{someone['id']}", performer=by))
    fh.made(ehr, fh.glucose(f"Patient/{other['id']}"))
    found = ehr.get(f"Patient/{someone['id']}/$everything").json()
    assert {e["resource"]["id"] for e in found["entry"]} == {
        someone["id"],
        mine["id"],
        doctor["id"],
    }


def test_match_finds_the_person_despite_a_slip_and_says_why_and_how_surely(ehr):
    right = fh.made(ehr, fh.patient("Matchmaker", "1971-07-01"))
    fh.made(ehr, fh.patient("Matchmaker", "1999-09-09"))

    def matched(family, *only):
        asked = {"resource": fh.patient(family, "1971-07-01"), "name": "resource"}
        sent = {"resourceType": "Parameters", "parameter": [asked, *only]}
        return ehr.post("Patient/$match", json=sent).json().get("entry", [])

    for family in ("Matchmaker", "Matchmacker"):
        first, *others = matched(family)
        assert first["resource"]["id"] == right["id"]
        assert all(first["search"]["score"] > o["search"]["score"] for o in others)
        grade, reason = first["search"]["extension"]
        assert grade["valueCode"] in ("certain", "probable", "possible")
        assert "born on the same day" in reason["valueString"]
    certain = {"name": "onlyCertainMatches", "valueBoolean": True}
    assert matched("Somebodyelse", certain) == []


def test_what_is_written_here_is_also_a_fact_of_the_record_and_is_withdrawn_with_it(fhir, ehr):
    someone = fh.made(ehr, fh.patient("Factual"))
    one = fh.made(ehr, fh.glucose(f"Patient/{someone['id']}", "2024-02-02T08:00:00Z", 101))
    version = fhir.vault.resources.read(fh.EHR, "Patient", someone["id"])
    record = fhir.vault.record(fh.EHR, version.patient, Purpose.care)
    assert record[codes.glucose].current.value.tolist() == [101]
    ehr.delete(f"Observation/{one['id']}")
    record = fhir.vault.record(fh.EHR, version.patient, Purpose.care)
    assert record[codes.glucose].current.value.tolist() == []


def test_xml_is_understood_and_spoken_and_its_bombs_are_not(ehr):
    sent = (b'<Patient xmlns="http://hl7.org/fhir"><name><family value="Xml"/></name>'
            b'<birthDate value="1990-05-05"/></Patient>')  # fmt: skip
    sort = {"content-type": "application/fhir+xml", "accept": "application/fhir+xml"}
    reply = ehr.post("Patient", content=sent, headers=sort)
    assert reply.status_code == 201
    assert b'<family value="Xml"' in reply.content
    assert fh.there(ehr, "Patient?family=Xml") == [reply.headers["location"].split("/")[-3]]
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"/>'
    assert ehr.post("Patient", content=bomb, headers=sort).status_code == 400


def test_a_resource_that_breaks_the_standard_is_refused_with_every_place(ehr, ada):
    wrong = fh.glucose(f"Patient/{ada['id']}", status="perhaps")
    del wrong["code"]
    reply = ehr.post("Observation", json=wrong)
    assert reply.status_code == 422
    places = {i["expression"][0] for i in reply.json()["issue"]}
    assert {"Observation.status", "Observation.code"} <= places or "Observation" in places
    told = ehr.post("Observation/$validate", json=wrong).json()
    assert {i["severity"] for i in told["issue"]} & {"error", "fatal"}
    good = ehr.post("Observation/$validate", json=fh.glucose(f"Patient/{ada['id']}")).json()
    assert not {i["severity"] for i in good["issue"]} & {"error", "fatal"}


def test_what_may_not_be_done_fails_in_its_place_of_a_batch_and_nowhere_else(fhir):
    entry = [{"request": {"method": "POST", "url": "Patient"}, "resource": fh.patient()},
             {"request": {"method": "GET", "url": "Patient?nonsense=1"}},
             {"request": {"method": "GET", "url": "Patient?_count=1"}}]  # fmt: skip
    with fhir.client(fh.CLINICIAN, ("user/*.cruds",)) as clinician:
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entry}
        answer = clinician.post("", json=bundle).json()
    assert [e["response"]["status"][:3] for e in answer["entry"]] == ["403", "400", "200"]


@pytest.mark.parametrize("address", ["Patient/_history?_count=x", "_history?_after=x",
    "Patient?_lastUpdated=soon", "_history?_since=soon", "Patient?_count=-1",
    "Patient?_after=9999999999999999999.1"])  # fmt: skip
def test_a_page_that_is_none_is_a_question_gone_wrong_not_a_failure(ehr, address):
    assert ehr.get(address).status_code == 400


def test_the_scopes_of_a_token_bound_what_it_does(fhir, ada):
    with fhir.client(fh.EHR, ("system/Patient.rs",)) as narrow:
        assert narrow.get(f"Patient/{ada['id']}").status_code == 200
        assert narrow.get("Observation").status_code == 403
        refused = narrow.post("Patient", json=fh.patient())
        assert (refused.status_code, issue(refused)["code"]) == (403, "forbidden")


def test_a_patient_writes_and_sees_their_own_and_nobody_elses(fhir, ehr, ada):
    pseudonym = fhir.vault.resources.read(fh.EHR, "Patient", ada["id"]).patient
    other = fh.made(ehr, fh.patient("Other"))
    with fhir.client(Principal("ada", Role.patient, pseudonym), ("patient/*.cruds",)) as herself:
        assert (
            herself.post("Observation", json=fh.glucose(f"Patient/{ada['id']}")).status_code == 201
        )
        assert (
            herself.post("Observation", json=fh.glucose(f"Patient/{other['id']}")).status_code
            == 422
        )
        assert fh.there(herself, "Patient") == [ada["id"]]
        assert herself.get(f"Patient/{other['id']}").status_code == 404


def test_an_end_in_the_year_9999_is_no_end(ehr, ada):
    stay = {"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
            "subject": {"reference": f"Patient/{ada['id']}"},
            "period": {"start": "2031-01-01", "end": "9999-12-31"}}  # fmt: skip
    made = fh.made(ehr, stay)
    assert fh.there(ehr, "Encounter?date=ge2050") == [made["id"]]
