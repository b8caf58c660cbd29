"""What of a resource can be searched for; expected values by hand from the R4 search page."""

from datetime import UTC, datetime
from decimal import Decimal

from medtwin.fhir.searching import Amount, Span, Target, Token, parameters, values


def found(resource, name):
    return [f.value for f in values(resource) if f.parameter == name]


def observation(**more):
    code = {"coding": [{"system": "http://loinc.org", "code": "8480-6"}], "text": "systolic"}
    return {"resourceType": "Observation", "id": "a", "status": "final", "code": code, **more}


def test_a_shared_parameter_keeps_only_the_branch_of_its_kind():
    assert parameters("Observation")["code"].expression == "Observation.code"
    assert parameters("Condition")["code"].expression == "Condition.code"


def test_a_reference_parameter_says_whom_it_may_name():
    assert "Patient" in parameters("Encounter")["subject"].targets


def test_what_is_no_kind_of_resource_has_no_parameters():
    assert not parameters("HumanName")
    assert list(values({"resourceType": "Nonsense", "id": "1"})) == []


def test_a_concept_is_found_by_each_code_and_by_its_words():
    assert found(observation(), "code") == [
        Token("http://loinc.org", "8480-6"),
        Token(None, None, "systolic"),
    ]


def test_a_month_is_a_span_of_that_month():
    span = Span(datetime(2015, 2, 1, tzinfo=UTC), datetime(2015, 3, 1, tzinfo=UTC))
    assert found(observation(effectiveDateTime="2015-02"), "date") == [span]


def test_a_period_without_end_is_open():
    period = {"effectivePeriod": {"start": "2015-02-07"}}
    span = Span(datetime(2015, 2, 7, tzinfo=UTC), None)
    assert found(observation(**period), "date") == [span]


def test_an_amount_means_what_its_digits_say():
    value = {"value": 72.5, "system": "http://unitsofmeasure.org", "code": "kg", "unit": "kg"}
    (amount,) = found(observation(valueQuantity=value), "value-quantity")
    assert amount == Amount(
        Decimal("72.5"),
        Decimal("72.45"),
        Decimal("72.55"),
        "http://unitsofmeasure.org",
        "kg",
        "kg",
    )


def test_a_reference_names_kind_and_id_whatever_version_it_points_at():
    (target,) = found(observation(subject={"reference": "Patient/7/_history/2"}), "patient")
    assert (target.kind, target.id) == ("Patient", "7")


def test_patient_finds_only_patients():
    group = {"subject": {"reference": "Group/7"}}
    assert found(observation(**group), "patient") == []
    assert found(observation(**group), "subject") == [Target("Group", "7", "Group/7", None)]


def test_a_name_is_found_by_each_of_its_parts():
    patient = {"resourceType": "Patient", "name": [{"family": "Levin", "given": ["Henry", "J"]}]}
    assert found(patient, "name") == ["Levin", "Henry", "J"]
    assert found(patient, "given") == ["Henry", "J"]


def test_deceased_is_yes_where_a_date_of_death_stands():
    patient = {"resourceType": "Patient", "deceasedDateTime": "2015-02-14"}
    assert found(patient, "deceased") == [Token(None, "true")]


def test_code_and_value_are_found_side_by_side():
    value = {"value": 107, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    ((code, amount), (words, _)) = found(observation(valueQuantity=value), "code-value-quantity")
    assert (code.value.code, amount.value.code) == ("8480-6", "mm[Hg]")
    assert words.value.text == "systolic"


def test_every_parameter_of_every_kind_can_be_asked(shared):
    import gzip

    import orjson

    path = shared / "conformance/fhir-r4-spec-examples/r4_examples_clinical.ndjson.gz"
    with gzip.open(path) as lines:
        kinds = {r["resourceType"] for r in map(orjson.loads, lines) if list(values(r))}
    assert len(kinds) > 100
