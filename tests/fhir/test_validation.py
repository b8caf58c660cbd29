"""What makes a resource invalid; each claim is a sentence of the R4 specification."""

import gzip
from copy import deepcopy
from random import Random

import orjson
import pytest

from medtwin.fhir import quick
from medtwin.fhir.issue import Issue
from medtwin.fhir.outcome import outcome
from medtwin.fhir.searching import values
from medtwin.fhir.validation import advice, looked_at, validated

CODE = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}


def observation(**more):
    return {"resourceType": "Observation", "status": "final", "code": CODE, **more}


def patient(**more):
    return {"resourceType": "Patient", "active": True, **more}


def paths(resource):
    return [issue.path for issue in validated(resource)]


def said(resource):
    return " / ".join(issue.said for issue in validated(resource))


def test_a_plain_observation_is_valid():
    assert validated(observation(valueQuantity={"value": 72, "unit": "/min"})) == []


def test_an_element_nobody_knows_is_named_with_the_nearest():
    assert "did you mean gender" in said(patient(gendre="female"))


def test_what_is_required_must_be_there():
    assert "needs code" in said({"resourceType": "Observation", "status": "final"})


def test_one_choice_only():
    assert "only one of" in said(observation(valueString="a", valueInteger=1))


def test_an_array_is_an_array_and_one_value_is_not():
    assert paths(patient(name={"family": "A"})) == ["Patient.name"]
    assert paths(patient(gender=["female"])) == ["Patient.gender"]


def test_empty_arrays_and_objects_have_no_place():
    assert "empty array" in said(patient(name=[]))
    assert "says nothing" in said(patient(name=[{}]))


def test_a_code_must_be_among_those_required():
    assert "none of female, male, other, unknown" in said(patient(gender="woman"))
    status = {"coding": [{"system": "http://x", "code": "active"}]}
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    assert "is required" in said({**condition, "clinicalStatus": status})


@pytest.mark.parametrize(
    ("given", "right"),
    [("2015", True), ("2015-02", True), ("2015-02-29", False), ("2015-2-1", False), ("", False)],
)
def test_a_date_is_one_of_the_calendar(given, right):
    assert (validated(patient(birthDate=given)) == []) is right


def test_a_reference_names_what_it_may():
    assert validated(observation(subject={"reference": "Patient/1"})) == []
    assert "not Claim" in said(observation(subject={"reference": "Claim/1"}))


def test_what_is_contained_is_named_and_what_is_named_is_contained():
    inside = {"resourceType": "Patient", "id": "p", "active": True}
    named = observation(contained=[inside], subject={"reference": "#p"})
    assert validated(named) == []
    assert "never named" in said(observation(contained=[inside]))
    assert "not contained here" in said(observation(subject={"reference": "#p"}))


def test_the_standards_own_rules_hold():
    component = {"code": CODE, "valueInteger": 1}
    assert "obs-7" in said(observation(valueInteger=1, component=[component]))
    period = {"start": "2020-02-02", "end": "2020-02-01"}
    assert "per-1" in said(observation(effectivePeriod=period))
    assert "ext-1" in said(patient(extension=[{"url": "http://x"}]))


def test_start_and_end_in_two_zones_are_compared_in_time():
    period = {"start": "2020-02-01T23:00:00+05:00", "end": "2020-02-01T20:00:00Z"}
    assert validated(observation(effectivePeriod=period)) == []


def test_a_published_extension_stands_where_it_may_and_holds_what_it_may():
    url = "http://hl7.org/fhir/StructureDefinition/humanname-mothers-family"
    extension = [{"url": url, "valueString": "A"}]
    assert validated(patient(name=[{"family": "B", "_family": {"extension": extension}}])) == []
    assert "HumanName.family" in said(patient(name=[{"family": "B", "extension": extension}]))
    wrong = [{"url": url, "valueInteger": 1}]
    family = {"family": "B", "_family": {"extension": wrong}}
    assert "holds valueString" in said(patient(name=[family]))


def test_a_narrative_may_not_act():
    text = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
    good = {"status": "generated", "div": text.format("<p>well</p>")}
    bad = {"status": "generated", "div": text.format("<script>x()</script>")}
    assert validated(patient(text=good)) == []
    assert "may not hold <script>" in said(patient(text=bad))


def test_null_stands_beside_an_extension_only():
    extension = {"extension": [{"url": "http://x", "valueString": "y"}]}
    assert validated(patient(name=[{"given": [None], "_given": [extension]}])) == []
    assert "null is no value" in said(patient(name=[{"given": [None]}]))


def test_a_full_url_is_that_of_its_resource():
    entry = {"fullUrl": "http://x/Patient/2", "resource": patient(id="1")}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    assert "must end with Patient/1" in said(bundle)


def test_a_finding_inside_a_bundle_says_where():
    entry = {"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}
    entry["resource"] = patient(gender="x")
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    assert paths(bundle) == ["Bundle.entry[0].resource.gender"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{", b"\xff\xfe", b'{"a": 1}', b"[" * 100_000, b'{"resourceType": "Dog"}'],
)
def test_what_is_no_resource_is_one_finding(raw):
    (issue,) = validated(raw)
    assert issue.severity in {"fatal", "error"}


def test_deep_json_is_refused():
    deep = b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 500 + b"[]" + b"}]" * 500
    (issue,) = validated(deep + b"}")
    assert "deeper" in issue.said


@pytest.mark.parametrize(
    "raw",
    [
        b'{"resourceType":"Patient","gender":"female","gender":"male"}',
        b'{"resourceType":"Patient","gender" :"female","gender":"male"}',
        b'{"resourceType":"Patient","id":"a","id":"b","name":[{"text":"a\\u003ab"}]}',
    ],
)
def test_a_name_twice_in_one_object_is_found_however_it_is_written(raw):
    assert "comes twice" in validated(raw)[0].said


def test_colons_inside_texts_are_no_names():
    raw = b'{ "resourceType" : "Patient", "name" : [ { "text" : "a: \\"b\\": c" } ] }'
    assert validated(raw) == []


def test_findings_become_an_operation_outcome_that_is_valid_itself():
    told = outcome(validated(patient(gender="x", birthDate="y")))
    assert len(told["issue"]) == 2
    assert validated(told) == []
    assert validated(outcome([])) == []


def test_advice_leaves_a_resource_valid():
    assert any("dom-6" in issue.said for issue in advice(patient()))


def test_what_is_quickly_found_valid_is_valid_when_looked_at_closely(shared):
    path = shared / "conformance/fhir-r4-spec-examples/r4_examples_clinical.ndjson.gz"
    with gzip.open(path) as lines:
        sure = [r for r in map(orjson.loads, lines) if quick.certainly_valid(r)]
    assert len(sure) > 400
    assert [i for r in sure for i in looked_at(r) if i.severity == "error"] == []


def test_more_than_fifty_official_invalid_cases_are_found_and_every_valid_one_accepted(shared):
    from evidence.conformance.fhir_test_cases import run

    cases = list(run(shared / "conformance" / "fhir-test-cases"))
    found, valid, _ = cases[-1].said.split(", ")
    assert int(found.split()[0]) > 50
    assert valid.split()[0] == valid.split()[2]


STRANGE = [None, True, -1, 1.5, "", "#", [], {}, [None], [[]], {"x": 1}, ["x"], {"resourceType": 7}]


def places(value):
    """Every place of a resource where something could stand instead."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(steps):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def test_whatever_stands_wherever_is_answered_and_never_breaks():
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'}
    inside = {"resourceType": "Patient", "id": "p", "active": True, "text": text}
    whole = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": observation(contained=[inside], subject={"reference": "#p"})}],
    }
    dice = Random(3)
    for _ in range(800):
        changed = deepcopy(whole)
        held, key = dice.choice(list(places(changed)))
        held[key] = deepcopy(dice.choice(STRANGE))
        assert all(isinstance(issue, Issue) for issue in validated(changed))
        assert all(isinstance(issue, Issue) for issue in advice(changed))
        list(values(changed))
