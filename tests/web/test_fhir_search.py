"""FHIR search as R4 (search.html) says, over HTTP; the people and readings are made by hand."""

import pytest

from tests.web import fhir_house as fh

LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def fhir(tmp_path_factory, serve):
    house, server = fh.opened(tmp_path_factory.mktemp("search") / "home", serve)
    yield house
    server.close()
    house.vault.close()


@pytest.fixture(scope="module")
def ehr(fhir):
    with fhir.client() as client:
        yield client


@pytest.fixture(scope="module")
def people(ehr):
    """Two people: Zoë Müller born 1980 with three readings, Bo Ng born 1955 with one visit."""
    clinic = fh.made(ehr, {"resourceType": "Organization", "name": "Clinic North"})
    hers = {"reference": f"Organization/{clinic['id']}"}
    phone = [{"system": "phone", "value": "555-1"}]
    ada = fh.patient("Müller", "1980-02-03", telecom=phone, managingOrganization=hers)
    ada["name"][0]["given"] = ["Zoë"]
    ada = fh.made(ehr, ada)
    bo = fh.made(ehr, fh.patient("Ng", "1955-12-31", gender="male"))
    visit = fh.made(ehr, {
        "resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{bo['id']}"},
        "period": {"start": "2024-03-01T08:00:00Z", "end": "2024-03-01T09:00:00Z"},
    })  # fmt: skip
    who = f"Patient/{ada['id']}"
    times = ("2024-03-01T10:00:00Z", "2024-03-02", "2024-04-01T10:00:00+02:00")
    sent = zip(times, (70.4, 100, 5.4), strict=True)
    readings = [fh.made(ehr, fh.glucose(who, at, value)) for at, value in sent]
    seen = fh.glucose(f"Patient/{bo['id']}", "2024-03-01T08:30:00Z", 99)
    seen["encounter"] = {"reference": f"Encounter/{visit['id']}"}
    seen["valueQuantity"]["unit"] = "mg/dL"
    during = fh.made(ehr, seen)
    return {"ada": ada["id"], "bo": bo["id"], "visit": visit["id"], "clinic": clinic["id"],
            "readings": [r["id"] for r in readings], "during": during["id"]}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ("name=mull", "ada"), ("name=zoe", "ada"), ("family=MÜLLER", "ada"), ("family=uller", ""),
        ("family:contains=uller", "ada"), ("family:exact=Müller", "ada"),
        ("family:exact=müller", ""),
        ("birthdate=1980-02-03", "ada"), ("birthdate=1980", "ada"), ("birthdate=lt1960", "bo"),
        ("birthdate=ge1980-02-03", "ada"), ("gender=male", "bo"), ("gender:not=male", "ada"),
        ("telecom=phone|555-1", "ada"), ("phone=555-1", "ada"), ("telecom:missing=true", "bo"),
        ("organization:missing=false", "ada"), ("organization.name=clinic", "ada"),
        ("_has:Encounter:patient:status=finished", "bo"), ("deceased=false", "ada bo"),
        ("name=ng,mull", "ada bo"), ("name=ng&gender=female", ""), ("address-city=nowhere", ""),
    ],
)  # fmt: skip
def test_people_are_found_by_what_they_are_called_born_and_point_at(ehr, people, asked, who):
    assert fh.there(ehr, f"Patient?{asked}") == [people[name] for name in who.split()]


@pytest.mark.parametrize(
    ("asked", "which"),
    [
        (f"code={LOINC}|2339-0", "012d"), ("code=2339-0", "012d"), ("code=other|2339-0", ""),
        (f"code={LOINC}|", "012d"), ("code=|2339-0", ""), ("code:text=gluc", "012d"),
        ("date=2024-03", "01d"), ("date=2024-03-01", "0d"), ("date=eq2024-04-01", "2"),
        ("date=gt2024-03-01", "12"), ("date=ge2024-03-02", "12"), ("date=lt2024-03-02", "0d"),
        ("date=le2024-03-02", "01d"), ("date=sa2024-03-01", "12"), ("date=eb2024-03-02", "0d"),
        ("date=ne2024-03", "2"), ("date=2024-04-01T08:00:00Z", "2"),
        ("date=ge2024-03-02&date=le2024-03-31", "1"),
        ("value-quantity=gt90", "1d"), ("value-quantity=100", "1"), ("value-quantity=70", "0"),
        ("value-quantity=le70.4||mg/dL", "02"), ("value-quantity=gt1||mmol/L", ""),
        ("value-quantity=ap100", "1d"), ("code-value-quantity=2339-0$gt90", "1d"),
        ("patient.family=ng", "d"), ("subject:Patient.name=zoe", "012"),
        ("encounter.status=finished", "d"), ("encounter.patient.family=ng", "d"),
        ("status=final&value-quantity=lt80&patient.gender=female", "02"),
    ],
)  # fmt: skip
def test_readings_are_found_by_code_time_value_and_whose_they_are(ehr, people, asked, which):
    named = {"0": people["readings"][0], "1": people["readings"][1], "2": people["readings"][2]}
    named["d"] = people["during"]
    assert fh.there(ehr, f"Observation?{asked}") == [named[w] for w in which]


def test_a_reference_may_be_an_id_a_kind_with_id_an_address_or_the_pseudonym(fhir, ehr, people):
    pseudonym = fhir.vault.resources.read(fh.EHR, "Patient", people["bo"]).patient
    for who in (
        people["bo"],
        f"Patient/{people['bo']}",
        f"{fhir.address}/Patient/{people['bo']}",
        pseudonym,
    ):
        assert fh.there(ehr, f"Observation?patient={who}") == [people["during"]]
        assert fh.there(ehr, f"Observation?subject={who}") == [people["during"]]
    assert fh.there(ehr, f"Patient/{people['bo']}/Observation?code=2339-0") == [people["during"]]
    assert ehr.get(f"Patient/{pseudonym}").json()["id"] == people["bo"]


def test_sorted_by_date_both_ways_and_by_value(ehr, people):
    first, second, third = people["readings"]
    mine = f"Observation?patient={people['ada']}"
    assert fh.there(ehr, f"{mine}&_sort=date") == [first, second, third]
    assert fh.there(ehr, f"{mine}&_sort=-date") == [third, second, first]
    assert fh.there(ehr, f"{mine}&_sort=value-quantity") == [third, first, second]
    assert fh.there(ehr, f"{mine}&_sort=-_lastUpdated") == [third, second, first]


@pytest.mark.parametrize("sort", ["", "&_sort=-date", "&_sort=value-quantity"])
def test_pages_hold_everything_once_though_something_is_written_between_them(ehr, people, sort):
    who = fh.made(ehr, fh.patient(f"Paged{sort[7:]}"))["id"]
    for day in range(1, 8):
        fh.made(ehr, fh.glucose(f"Patient/{who}", f"2023-01-0{day}", 50 + day))
    page = ehr.get(f"Observation?patient={who}&_count=3{sort}").json()
    assert page["total"] == 7
    seen = []
    while True:
        seen += [e["resource"]["id"] for e in page.get("entry", ())]
        after = [x["url"] for x in page["link"] if x["relation"] == "next"]
        if not after:
            break
        fh.made(ehr, fh.glucose(f"Patient/{people['bo']}", "2023-06-01"))
        page = ehr.get(after[0]).json()
    assert len(seen) == len(set(seen)) == 7


def test_includes_come_with_what_is_found_and_nothing_twice(ehr, people):
    found = ehr.get(f"Observation?_id={people['during']}&_include=Observation:patient"
                    "&_include=Observation:encounter").json()  # fmt: skip
    modes = {e["resource"]["id"]: e["search"]["mode"] for e in found["entry"]}
    assert modes == {people["during"]: "match", people["bo"]: "include", people["visit"]: "include"}
    assert found["total"] == 1
    back = ehr.get(
        f"Patient?_id={people['ada']}&_revinclude=Observation:patient&_include=Patient:*"
    ).json()
    assert len(back["entry"]) == 1 + 3 + 1
    chain = ehr.get(f"Observation?_id={people['readings'][0]}&_include=Observation:patient"
                    "&_include:iterate=Patient:organization").json()  # fmt: skip
    assert [e["resource"]["resourceType"] for e in chain["entry"]] == [
        "Observation",
        "Patient",
        "Organization",
    ]


def test_a_summary_is_a_part_and_says_so(ehr, people):
    address = f"Observation?_id={people['during']}"
    some = ehr.get(f"{address}&_elements=status").json()["entry"][0]["resource"]
    assert set(some) == {"resourceType", "id", "meta", "status", "code"}
    assert some["meta"]["tag"][0]["code"] == "SUBSETTED"
    count = ehr.get("Observation?_summary=count").json()
    assert "entry" not in count
    assert count["total"] >= 4
    assert "total" not in ehr.get("Observation?_total=none").json()
    assert "entry" not in ehr.get("Observation?_count=0").json()


def test_posting_a_search_keeps_names_out_of_addresses(ehr, people):
    form = {"content-type": "application/x-www-form-urlencoded"}
    found = ehr.post("Patient/_search", content="family=ng", headers=form).json()
    assert [e["resource"]["id"] for e in found["entry"]] == [people["bo"]]


@pytest.mark.parametrize("asked", ["Observation?date=yesterday", "Observation?_count=many",
    "Observation?_include=Observation:nothing", "Observation?_sort=nothing", "Patient?name:odd=x",
    "Observation?value-quantity=much", "Observation?_after=x", "Observation?patient.nothing=1",
    "Observation?_summary=short", "Patient?_has:Observation=1",
    "Patient?telecom:missing=perhaps"])  # fmt: skip
def test_a_question_that_cannot_be_meant_is_refused_with_what_may_be(ehr, people, asked):
    reply = ehr.get(asked)
    assert reply.status_code == 400, reply.text
    assert "allowed" in reply.json()["issue"][0]["diagnostics"]


def test_updates_are_found_by_what_they_say_now(ehr):
    who = fh.made(ehr, fh.patient("Before"))
    changed = {**who, "name": [{"family": "After"}]}
    ehr.put(f"Patient/{who['id']}", json=changed)
    assert fh.there(ehr, "Patient?family=before") == []
    assert fh.there(ehr, "Patient?family=after") == [who["id"]]
    assert fh.there(ehr, "Patient?family=after&_lastUpdated=gt2100") == []
