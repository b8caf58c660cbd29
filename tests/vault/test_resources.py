"""FHIR resources in the vault: consent in every query, nothing readable, ended with the person."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import func, select

from medtwin.sources.door import received
from medtwin.sources.source import Options
from medtwin.vault.access import Principal, Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.receiving import Ground
from medtwin.vault.resource_asking import Asked, Search
from medtwin.vault.resource_door import Absent
from medtwin.vault.resource_include import Include
from medtwin.vault.resource_whose import CannotKeep, Sent
from medtwin.vault.tables import of_resources
from medtwin.vault.tokens import Bearer
from medtwin.vault.vault import Vault

OPERATOR = Principal("op", Role.operator)
CLINICIAN = Principal("dr.lee", Role.clinician)
RESEARCHER = Principal("rhea", Role.researcher)
SERVICE = Principal("ehr", Role.system)
CARE = (Purpose.care,)


@pytest.fixture
def vault(tmp_path, database):
    with Vault.open(tmp_path / "home", database=database) as opened:
        yield opened


def bundle(id_, family):
    """A person and a reading, as a hospital's bundle refers to them."""
    person = {
        "resourceType": "Patient", "id": id_, "name": [{"family": family}],
        "birthDate": "1970-04-05", "identifier": [{"system": "urn:mrn", "value": f"mrn-{family}"}],
    }  # fmt: skip
    reading = {
        "resourceType": "Observation", "id": f"{id_}-reading", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]},
        "subject": {"reference": f"urn:uuid:{id_}"}, "effectiveDateTime": "2024-01-02",
        "valueQuantity": {"value": 123.25, "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }  # fmt: skip
    entry = [{"fullUrl": f"urn:uuid:{id_}", "resource": person}, {"resource": reading}]
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entry})


def arrives(vault, id_, family, grants=CARE):
    options = Options(received=vault._store.clock())
    sent = received(f"{id_}.json", bundle(id_, family), options)
    vault.receive(OPERATOR, sent, "they agreed in writing", grants)


def ids(vault, principal, kind, *asked, includes=()):
    found = vault.resources.find(principal, Search(kind, asked), includes)
    return [v.id for v in (*found.page.versions, *found.included)]


def writing(vault, principal=SERVICE, grants=CARE):
    return vault.resources.writing(Ground(principal, "treatment contract", grants))


def patient(id_, **more):
    resource = {"resourceType": "Patient", "id": id_, **more}
    return Sent("Patient", id_, orjson.dumps(resource), resource, {})


def test_what_is_imported_is_served_with_its_references_meant(vault):
    arrives(vault, "a", "Ash")
    version = vault.resources.read(CLINICIAN, "Observation", "a-reading")
    assert version.refers == {"urn:uuid:a": "Patient/a"}
    assert b'"value":123.25' in version.raw
    assert ids(vault, CLINICIAN, "Observation", Asked("patient", "", ("a",))) == ["a-reading"]


def test_the_same_import_again_makes_no_new_version_and_another_content_does(vault):
    arrives(vault, "a", "Ash")
    arrives(vault, "a", "Ash")
    assert vault.resources.read(CLINICIAN, "Patient", "a").version == 1
    arrives(vault, "a", "Oak")
    assert vault.resources.read(CLINICIAN, "Patient", "a").version == 2
    assert ids(vault, CLINICIAN, "Patient", Asked("family", "", ("ash",))) == []
    assert ids(vault, CLINICIAN, "Patient", Asked("family", "", ("oak",))) == ["a"]


def test_a_search_a_count_and_an_include_never_show_who_did_not_agree(vault):
    arrives(vault, "yes", "Same")
    arrives(vault, "silent", "Same", ())
    arrives(vault, "no", "Same")
    pseudonym = vault.resources.read(CLINICIAN, "Patient", "no").patient
    vault.choose(OPERATOR, pseudonym, Purpose.care, yes=False)
    same = Asked("family", "", ("same",))
    assert ids(vault, CLINICIAN, "Patient", same) == ["yes"]
    assert vault.resources.count(CLINICIAN, Search("Patient", (same,))) == 1
    assert vault.resources.count(CLINICIAN, Search("Observation")) == 1
    back = Include("Observation", "patient", back=True)
    assert ids(vault, CLINICIAN, "Patient", includes=[back]) == ["yes", "yes-reading"]
    has = Asked("patient", has="Observation", chain=Asked("code", "", ("2339-0",)))
    assert ids(vault, CLINICIAN, "Patient", has) == ["yes"]
    for hidden in ("silent", "no"):
        with pytest.raises(Absent):
            vault.resources.read(CLINICIAN, "Patient", hidden)
        assert ids(vault, CLINICIAN, "Observation", Asked("patient", "", (hidden,))) == []
        assert vault.resources.history(CLINICIAN).total == 2


def test_a_patient_sees_only_themself_and_a_researcher_and_an_operator_nobody(vault):
    arrives(vault, "a", "Ash")
    arrives(vault, "b", "Beech")
    pseudonym = vault.resources.read(CLINICIAN, "Patient", "a").patient
    herself = Principal("ash", Role.patient, pseudonym)
    assert ids(vault, herself, "Patient") == ["a"]
    assert ids(vault, herself, "Observation") == ["a-reading"]
    with pytest.raises(Absent):
        vault.resources.read(herself, "Patient", "b")
    assert vault.resources.everything(herself, pseudonym).total == 2
    for nobody in (RESEARCHER, OPERATOR):
        assert ids(vault, nobody, "Patient") == []


def test_every_look_leaves_a_line_with_the_person_whose_data_left(vault):
    arrives(vault, "a", "Ash")
    ids(vault, CLINICIAN, "Observation")
    pseudonym = vault.resources.read(CLINICIAN, "Patient", "a").patient
    lines = [x for x in vault.audit(OPERATOR, pseudonym) if x.who == "dr.lee"]
    assert len(lines) == 2
    assert {x.action for x in lines} == {"read"}
    assert vault.verify().ok


def test_nothing_of_a_resource_can_be_read_in_the_files(tmp_path):
    with Vault.open(tmp_path / "home") as vault:
        arrives(vault, "hedwig-holunder", "Holunder")
    files = b"".join(f.read_bytes() for f in (tmp_path / "home").iterdir() if f.is_file())
    for said in (b"Holunder", b"holunder", b"hedwig", b"1970-04-05", b"123.25", b"2339-0"):
        assert said not in files


def test_when_a_person_ends_their_resources_and_what_found_them_are_gone(vault):
    arrives(vault, "a", "Ash")
    arrives(vault, "b", "Beech")
    pseudonym = vault.resources.read(CLINICIAN, "Patient", "a").patient
    vault.retire(OPERATOR, pseudonym, "she asked for it")
    assert ids(vault, CLINICIAN, "Patient") == ["b"]
    with vault._store.turns.reading() as c:
        for table in of_resources:
            query = select(func.count()).select_from(table).where(table.c.patient == pseudonym)
            assert c.execute(query).scalar() == 0, table.name


def test_writing_needs_the_persons_yes_or_the_right_to_take_records_in(vault):
    arrives(vault, "silent", "Elm", ())
    body = orjson.loads(bundle("silent", "Elm"))["entry"][1]["resource"]
    body["subject"]["reference"] = "Patient/silent"
    sent = Sent("Observation", "new", orjson.dumps(body), body, {})
    with pytest.raises(CannotKeep), writing(vault, CLINICIAN) as w:
        w.keep(sent)
    with pytest.raises(Refused), writing(vault, CLINICIAN) as w:
        w.keep(patient("somebody"))
    with writing(vault, SERVICE) as w:
        assert w.keep(sent).created
    with pytest.raises(Absent):
        vault.resources.read(SERVICE, "Observation", "new")


def test_a_transaction_that_fails_leaves_nothing_behind(vault):
    body = {"resourceType": "Basic", "code": {}, "subject": {"reference": "Patient/nobody"}}
    second = Sent("Basic", "x", orjson.dumps(body), body, {})
    with pytest.raises(CannotKeep), writing(vault) as w:
        _ = w.keep(patient("first")), w.keep(second)
    with pytest.raises(Absent):
        vault.resources.read(SERVICE, "Patient", "first")


def test_a_writer_is_not_told_of_people_who_are_not_theirs_to_see(vault):
    arrives(vault, "silent", "Elm", ())
    told = set()
    for who in ("silent", "nobody"):
        body = {"resourceType": "Basic", "code": {}, "subject": {"reference": f"Patient/{who}"}}
        sent = Sent("Basic", "x", orjson.dumps(body), body, {})
        with pytest.raises(CannotKeep) as refused, writing(vault, CLINICIAN) as w:
            w.keep(sent)
        told.add(str(refused.value).replace(f"Patient/{who}", "?"))
    assert len(told) == 1


def test_two_people_with_one_identifier_are_a_conflict_with_its_place(vault):
    arrives(vault, "a", "Ash")
    mrn = [{"system": "urn:mrn", "value": "other"}, {"system": "urn:mrn", "value": "mrn-Ash"}]
    with pytest.raises(CannotKeep) as refused, writing(vault) as w:
        w.keep(patient("twin", identifier=mrn))
    assert (refused.value.path, refused.value.code) == ("Patient.identifier[1]", "duplicate")
    with writing(vault) as w:
        assert not w.keep(patient("a", identifier=mrn)).created


def test_two_servers_may_both_have_an_observation_1(vault):
    arrives(vault, "a", "Ash")
    entry = orjson.loads(bundle("b", "Beech"))
    entry["entry"][1]["resource"]["id"] = "a-reading"
    sent = received("b.json", orjson.dumps(entry), Options(received=vault._store.clock()))
    vault.receive(OPERATOR, sent, "they agreed", CARE)
    (other,) = ids(vault, CLINICIAN, "Observation", Asked("patient", "", ("b",)))
    assert other.startswith("a-reading-")
    assert vault.resources.read(CLINICIAN, "Observation", "a-reading").version == 1


def test_a_token_says_who_and_ends(vault):
    bearer = Bearer(SERVICE, ("system/*.rs",), "contract", CARE)
    token = vault.tokens.issue(bearer, timedelta(hours=1))
    assert vault.tokens.bearer(token) == bearer
    assert vault.tokens.bearer("another") is None
    vault.tokens.end(token)
    assert vault.tokens.bearer(token) is None
    assert vault.tokens.bearer(vault.tokens.issue(bearer, timedelta(hours=-1))) is None
