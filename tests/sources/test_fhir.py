"""Claims about FHIR: what a letter says becomes facts about the right person."""

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from letters import ada, bundle, facts, heard, now, reading, refused

from medtwin.record import codes
from medtwin.record.codes import Kind
from medtwin.record.record import Record

BUNDLES = ["transaction", "batch", "collection", "searchset", "document", "message", "history"]


def one(resource, **entries):
    return heard(bundle(ada, resource))[-1]


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_bundle_of_every_type_is_read(kind):
    arrived = heard(bundle(ada, reading(1), kind=kind))
    assert facts(arrived) == [("fhir|ada", "glucose", 120)]


def test_a_patient_is_who_they_say_they_are():
    person = heard(orjson.dumps(ada))[0].person
    assert (person.name, person.born, person.sex) == ("Ada Example", date(1980, 2, 3), "female")
    assert person.identifiers == ("urn:mrn|17",)


def test_each_resource_is_kept_byte_for_byte():
    letter = bundle(ada, reading(1), {"resourceType": "Goal", "id": 'g\\"}{'})
    for arrived in heard(letter):
        assert arrived.original in letter
        assert orjson.loads(arrived.original)["resourceType"] == arrived.kind


def test_a_decimal_keeps_its_last_zero():
    letter = bundle(ada, reading(1)).replace(b": 120", b": 120.50")
    assert b"120.50" in heard(letter)[-1].original


def test_lines_of_ndjson_are_documents_and_a_broken_one_costs_only_itself():
    lines = [orjson.dumps(ada), orjson.dumps(reading(1)), b"{broken", orjson.dumps(reading(2))]
    arrived = heard(b"\n".join(lines), "all.ndjson")
    assert [f[2] for f in facts(arrived)] == [120, 120]
    assert len(refused(arrived)) == 1
    assert "line is not JSON" in refused(arrived)[0]


def test_ndjson_under_the_name_of_json_is_read_too():
    assert len(heard(orjson.dumps(ada) + b"\n" + orjson.dumps(reading(1)))) == 2


def test_pressure_comes_as_two_components():
    def part(code, value):
        coding = [{"system": "http://loinc.org", "code": code}]
        quantity = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org"}
        return {"code": {"coding": coding}, "valueQuantity": quantity | {"code": "mm[Hg]"}}

    panel = reading(1, component=[part("8480-6", 131), part("8462-4", 84)])
    del panel["valueQuantity"]
    told = facts([one(panel)])
    assert told == [("fhir|ada", "systolic", 131), ("fhir|ada", "diastolic", 84)]


def test_millimoles_become_milligrams():
    assert facts([one(reading(1, 5.5, "mmol/L"))])[0][2] == pytest.approx(99.09, abs=0.01)


def test_less_than_is_not_forgotten():
    said = reading(1)
    said["valueQuantity"]["comparator"] = "<"
    assert one(said).facts[0].says == "<"


def test_an_answer_in_words_is_a_fact_with_words():
    said = reading(1, code={"coding": [{"system": "http://loinc.org", "code": "72166-2"}]})
    del said["valueQuantity"]
    fact = one(said | {"valueCodeableConcept": {"text": "Never smoker"}}).facts[0]
    assert (fact.code.id, fact.says, fact.value) == ("http://loinc.org|72166-2", "Never smoker", 1)
    assert fact.code.kind == Kind.answer


def test_what_the_vocabulary_lacks_keeps_its_own_words_and_unit():
    code = {"coding": [{"system": "http://loinc.org", "code": "6206-7", "display": "Peanut IgE"}]}
    fact = one(reading(1, 7.5, "kU/L", code=code)).facts[0]
    assert (fact.code.id, fact.code.name, fact.code.unit, fact.value) == (
        "http://loinc.org|6206-7|kU/L",
        "Peanut IgE",
        "kU/L",
        7.5,
    )


def test_an_unknown_test_in_two_units_is_two_columns():
    code = {"coding": [{"system": "http://loinc.org", "code": "6206-7"}]}
    arrived = heard(bundle(ada, reading(1, 7, "kU/L", code=code), reading(2, 7, "U/L", code=code)))
    assert len({f.code for a in arrived for f in a.facts}) == 2


@pytest.mark.parametrize("missing", ["effectiveDateTime", "valueQuantity"])
def test_without_date_or_value_there_is_no_fact_but_the_resource_is_kept_and_counted(missing):
    said = reading(1)
    del said[missing]
    arrived = one(said)
    assert arrived.facts == arrived.refused == ()
    assert arrived.kept.startswith("Observation without a")
    assert arrived.original


def test_an_absent_value_with_its_reason_is_kept():
    said = reading(1, dataAbsentReason={"text": "not performed"})
    del said["valueQuantity"]
    assert one(said).kept == "Observation without a value"


def test_anything_else_is_kept_and_counted_by_its_kind():
    arrived = one({"resourceType": "Claim", "id": "c", "patient": {"reference": "Patient/ada"}})
    assert (arrived.kept, arrived.about, arrived.refused) == ("Claim", "fhir|ada", ())


MEDICINE = {"medicationCodeableConcept": {"text": "Metformin 500 mg"}}
EVENTS = [
    ("Condition", {"code": {"text": "Asthma"}, "onsetDateTime": "2001-05-02"}, Kind.condition),
    ("Procedure", {"code": {"text": "ECG"}, "performedDateTime": "2001-05-02"}, Kind.procedure),
    (
        "Encounter",
        {"type": [{"text": "Check-up"}], "period": {"start": "2001-05-02"}},
        Kind.encounter,
    ),
    ("AllergyIntolerance", {"code": {"text": "Nuts"}, "onsetDateTime": "2001-05-02"}, Kind.allergy),
    (
        "Immunization",
        {"vaccineCode": {"text": "Flu"}, "occurrenceDateTime": "2001-05-02"},
        Kind.immunisation,
    ),
    ("DiagnosticReport", {"code": {"text": "CBC"}, "effectiveDateTime": "2001-05-02"}, Kind.report),
    ("CarePlan", {"title": "Diabetes", "period": {"start": "2001-05-02"}}, Kind.care_plan),
    ("MedicationRequest", MEDICINE | {"authoredOn": "2001-05-02"}, Kind.medication),
    ("MedicationStatement", MEDICINE | {"effectiveDateTime": "2001-05-02"}, Kind.medication),
    ("MedicationDispense", MEDICINE | {"whenHandedOver": "2001-05-02"}, Kind.medication),
    ("MedicationAdministration", MEDICINE | {"effectiveDateTime": "2001-05-02"}, Kind.dose),
]


@pytest.mark.parametrize(("kind", "said", "lane"), EVENTS, ids=[e[0] for e in EVENTS])
def test_each_event_of_care_becomes_a_fact_in_its_lane(kind, said, lane):
    who = {"subject": {"reference": "Patient/ada"}, "patient": {"reference": "Patient/ada"}}
    fact = one({"resourceType": kind, "id": "e"} | who | said).facts[0]
    assert (fact.code.kind, fact.at) == (lane, datetime(2001, 5, 2, tzinfo=UTC))
    assert fact.says


def test_a_report_named_after_a_measurement_is_no_value_of_it():
    coding = [{"system": "http://loinc.org", "code": "2085-9", "display": "HDL"}]
    said = {"resourceType": "DiagnosticReport", "code": {"coding": coding}}
    said |= {"effectiveDateTime": "2001-05-02", "subject": {"reference": "Patient/ada"}}
    fact = one(said | {"conclusion": "within range"}).facts[0]
    assert fact.code.kind == Kind.report
    assert fact.code != codes.hdl
    assert "within range" in fact.says


def test_an_administered_dose_has_its_amount_and_unit():
    said = MEDICINE | {"effectiveDateTime": "2024-05-01T08:00:00Z"}
    said |= {"dosage": {"dose": {"value": 500, "unit": "mg"}}}
    said |= {"resourceType": "MedicationAdministration", "subject": {"reference": "Patient/ada"}}
    fact = one(said).facts[0]
    assert (fact.value, fact.code.unit) == (500, "mg")


def test_insulin_given_is_a_dose_in_units_and_insulin_ordered_is_none():
    coding = [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "86009"}]
    what = {"medicationCodeableConcept": {"coding": coding, "text": "Insulin lispro"}}
    what |= {"subject": {"reference": "Patient/ada"}}
    dose = {"dosage": {"dose": {"value": 6, "unit": "units"}}}
    given = {"resourceType": "MedicationAdministration", "effectiveDateTime": "2024-05-01"}
    ordered = {"resourceType": "MedicationRequest", "authoredOn": "2024-05-01"}
    fact = one(given | what | dose).facts[0]
    assert (fact.code, fact.value) == (codes.insulin_bolus, 6)
    assert one(ordered | what).facts[0].code.kind == Kind.medication


def test_a_medicine_by_reference_is_looked_up_in_the_resource_itself():
    inside = [{"resourceType": "Medication", "id": "m", "code": {"text": "Insulin glargine"}}]
    said = {
        "resourceType": "MedicationRequest",
        "contained": inside,
        "medicationReference": {"reference": "#m"},
        "subject": {"reference": "Patient/ada"},
        "authoredOn": "2024-05-01",
    }
    assert one(said).facts[0].says == "Insulin glargine"


def test_a_vaccine_not_given_is_not_a_vaccine_given():
    said = {
        "resourceType": "Immunization",
        "status": "not-done",
        "vaccineCode": {"text": "Flu"},
        "patient": {"reference": "Patient/ada"},
        "occurrenceDateTime": "2024-05-01",
    }
    fact = one(said).facts[0]
    assert (fact.value, fact.says) == (0, "Flu, not-done")


def test_an_allergy_without_a_date_is_true_as_of_its_arrival_and_says_so():
    said = {
        "resourceType": "AllergyIntolerance",
        "code": {"text": "Penicillin"},
        "patient": {"reference": "Patient/ada"},
    }
    fact = one(said).facts[0]
    assert (fact.at, fact.says) == (now, "Penicillin, date not told")


def test_a_condition_lasts_until_it_abates():
    said = {
        "resourceType": "Condition",
        "code": {"text": "Flu"},
        "subject": {"reference": "Patient/ada"},
        "onsetDateTime": "2024-01-01",
        "abatementDateTime": "2024-01-09",
    }
    fact = one(said).facts[0]
    assert fact.until - fact.at == timedelta(days=8)


def test_a_corrected_value_is_the_current_one_and_an_error_is_none():
    letters = bundle(
        ada,
        reading(1, 100),
        reading(1, 150, status="corrected"),
        reading(2, 90),
        reading(2, 90, status="entered-in-error"),
    )
    record = Record("ada").add(f for a in heard(letters) for f in a.facts)
    assert list(record[codes.glucose].current.value) == [150]
    assert len(record[codes.glucose]) == 4


def test_a_history_is_learned_oldest_first():
    newest_first = bundle(ada, reading(1, 150, status="amended"), reading(1, 100), kind="history")
    record = Record("ada").add(f for a in heard(newest_first) for f in a.facts)
    assert list(record[codes.glucose].current.value) == [150]


def test_two_patients_of_one_bundle_keep_apart():
    bob = ada | {"id": "bob", "name": [{"text": "Bob"}]}
    letter = bundle(reading(1), ada, reading(2, 90, subject={"reference": "Patient/bob"}), bob)
    assert facts(heard(letter)) == [("fhir|ada", "glucose", 120), ("fhir|bob", "glucose", 90)]


def entry(url, resource):
    return {"fullUrl": url, "resource": resource}


def test_references_by_uuid_find_the_person():
    uuid = "urn:uuid:3819264d-f39e-44cf-9e89-63078b714a0f"
    said = [entry(uuid, ada), entry("urn:uuid:2", reading(1, subject={"reference": uuid}))]
    letter = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": said})
    assert facts(heard(letter)) == [("fhir|ada", "glucose", 120)]


def test_the_same_id_from_two_hospitals_is_two_people():
    def letter(server):
        said = [
            entry(f"{server}/Patient/ada", ada),
            entry(f"{server}/Observation/o1", reading(1)),
        ]
        return orjson.dumps({"resourceType": "Bundle", "type": "searchset", "entry": said})

    first, second = (
        {a.about for a in heard(letter(s))} for s in ("https://a.example/r4", "https://b.example")
    )
    assert first == {"fhir|https://a.example/r4/Patient/ada"}
    assert not first & second


NOBODY = [
    ({"reference": "Group/9"}, "its subject is Group/9; allowed is a Patient"),
    ({"reference": "#gone"}, "its subject #gone is not in it"),
    ({}, "it names no patient"),
]


@pytest.mark.parametrize(("subject", "because"), NOBODY)
def test_a_subject_that_is_no_patient_is_refused_apart_and_the_rest_goes_on(subject, because):
    arrived = heard(bundle(ada, reading(1, subject=subject), reading(2)))
    assert len(facts(arrived)) == 1
    assert because in refused(arrived)[0]
    assert arrived[1].refused[0].original


def test_a_person_named_only_by_reference_is_a_person():
    assert facts(heard(orjson.dumps(reading(1)))) == [("fhir|ada", "glucose", 120)]


def inside(patient):
    return reading(1, subject={"reference": "#p"}, contained=[patient | {"id": "p"}])


def test_a_contained_patient_is_named_by_an_identifier_never_by_its_local_id():
    nameless = {k: v for k, v in ada.items() if k != "identifier"}
    arrived = heard(bundle(inside(ada), inside(nameless)))
    assert facts(arrived) == [("urn:mrn|17", "glucose", 120)]
    assert "has no identifier" in refused(arrived)[0]


def test_a_reference_by_identifier_finds_the_patient_of_the_bundle():
    who = {"reference": "Patient?identifier=urn:mrn|17"}
    assert facts(heard(bundle(ada, reading(1, subject=who)))) == [("fhir|ada", "glucose", 120)]


def test_a_bundle_inside_a_bundle_is_opened():
    inner = orjson.loads(bundle(ada, reading(1)))
    assert facts(heard(bundle(inner))) == [("fhir|ada", "glucose", 120)]


def test_every_spec_example_is_understood_kept_or_refused_with_a_reason(shared):
    import gzip

    path = shared / "conformance/fhir-r4-spec-examples/r4_examples_clinical.ndjson.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines()
    arrived = heard(b"\n".join(lines), "spec.ndjson")
    whole = {ln.strip() for ln in lines}
    single = [a for a in arrived if a.original in whole]
    bundles = sum(orjson.loads(ln)["resourceType"] == "Bundle" for ln in lines)
    assert len({a.original for a in single}) + bundles == len(whole)
    assert all(a.kind for a in single)
    assert all(a.facts or a.kept or a.person or a.refused for a in arrived)
    # Some name no patient, a herd, a patient of no name, or nothing that was done.
    refused = [r.because for a in arrived for r in a.refused]
    # Two forms came without their questionnaire and without the words of their questions.
    unasked = [b for b in refused if b.startswith("question ") and "is not here to say" in b]
    assert {b.split(";")[0] for b in refused if b not in unasked} == {
        "it names no patient",
        "its subject is Group/herd1",
        "it has no code",
        "its contained patient has no identifier",
    }


def test_every_us_core_example_is_understood_or_kept(shared):
    from letters import walked

    arrived = walked(shared / "conformance/us-core-examples/input", received=datetime.now(UTC))
    assert all(a.facts or a.kept or a.person or a.refused for a in arrived)
    reasons = {r.because.split(" on ")[0] for a in arrived for r in a.refused}
    # The examples share one baby between Apgar scores of 2016 and a birth in 2020.
    assert reasons <= {"it lies before the person's birth"}


def test_a_medicine_handed_out_lasts_as_long_as_its_supply():
    handed = {
        "resourceType": "MedicationDispense",
        "id": "d",
        "status": "completed",
        "medicationCodeableConcept": {"text": "metformin 500 mg"},
        "subject": {"reference": "Patient/ada"},
        "whenHandedOver": "2024-01-05T10:00:00Z",
        "daysSupply": {"value": 30, "unit": "days"},
    }
    (fact,) = [f for a in heard(bundle(ada, handed)) for f in a.facts]
    assert (fact.until - fact.at).days == 30
