"""FHIRPath; expected answers from the specification's own text (N1) and by hand."""

from decimal import Decimal

import pytest

from medtwin.fhir.paths import BadPath, evaluate, holds

PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "name": [
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
        {"use": "usual", "given": ["Jim"]},
    ],
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "http://x/time", "valueDateTime": "1974-12-25T14:35Z"}]},
    "deceasedBoolean": False,
    "contact": [{"name": {"family": "du Marché"}, "telecom": [{"value": "1"}]}],
}


def test_a_path_collects_over_arrays():
    assert evaluate("Patient.name.given", PATIENT) == ["Peter", "James", "Jim"]


def test_the_name_of_another_type_finds_nothing():
    assert evaluate("Observation.status", PATIENT) == []


def test_a_choice_is_found_by_its_short_name_and_its_type():
    assert evaluate("deceased", PATIENT) == [False]
    assert evaluate("deceased is boolean", PATIENT) == [True]
    assert evaluate("deceased is dateTime", PATIENT) == [False]


def test_a_primitive_has_extensions():
    assert evaluate("birthDate.extension('http://x/time').value", PATIENT) == ["1974-12-25T14:35Z"]


def test_inside_where_a_name_means_that_of_the_item():
    assert evaluate("name.where(use = 'usual').given", PATIENT) == ["Jim"]


def test_and_or_have_three_values():
    assert evaluate("{} and false", {}) == [False]
    assert evaluate("{} and true", {}) == []
    assert evaluate("{} or true", {}) == [True]
    assert evaluate("{} implies true", {}) == [True]


def test_what_was_not_said_of_a_date_cannot_be_compared():
    assert evaluate("@2012 = @2012-01", {}) == []
    assert evaluate("@2012-01 < @2012-02", {}) == [True]
    assert evaluate("@2018-03-01T10:30 > @2018-03-01T10:30:00", {}) == []


def test_a_month_after_the_end_of_january_is_the_end_of_february():
    assert evaluate("@2016-01-31 + 1 month", {}) == ["2016-02-29"]
    assert evaluate("@2015-02-04T14:34:28Z + 24 hours", {}) == ["2015-02-05T14:34:28Z"]


def test_a_partial_date_moves_in_its_own_exactness():
    assert evaluate("@2014 + 24 months", {}) == ["2016"]
    assert evaluate("@2019-03-01 + 24 months", {}) == ["2021-03-01"]


def test_quantities_convert_before_they_compare():
    assert holds("4 'g' = 4000 'mg'", {})
    assert holds("185 '[lb_av]' > 80 'kg'", {})
    assert holds("23 'Cel' > 72 '[degF]'", {})
    assert evaluate("1 'cm' = 1 's'", {}) == []


def test_a_calendar_year_is_no_fixed_number_of_seconds():
    assert evaluate("1 year = 1 'a'", {}) == []
    assert holds("1 year ~ 1 'a'", {})
    assert holds("7 days = 1 week", {})


def test_a_decimal_keeps_its_digits():
    assert evaluate("1.10 + 2.2", {}) == [Decimal("3.30")]
    assert evaluate("(5.5).precision()", {}) == [1]


def test_bounds_of_what_is_not_exact():
    assert evaluate("1.587.lowBoundary(8)", {}) == [Decimal("1.58650000")]
    assert evaluate("1.587.highBoundary(2)", {}) == [Decimal("1.59")]
    assert evaluate("@2014.highBoundary(6)", {}) == ["2014-12"]


def test_division_by_zero_has_no_answer():
    assert evaluate("1 / 0", {}) == []
    assert evaluate("5 div 0", {}) == []


def test_aggregate_carries_a_total():
    assert evaluate("(1|2|3).aggregate($this + $total, 0)", {}) == [6]


def test_a_variable_is_seen_by_what_follows_only():
    assert evaluate("defineVariable('n', name.first()).select(%n.given)", PATIENT) == [
        "Peter",
        "James",
    ]
    with pytest.raises(BadPath, match="%n has no value"):
        evaluate("%n", PATIENT)


def test_keys_join_resources_to_what_names_them():
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "subject": {"reference": "Patient/p/_history/2"},
    }
    key = evaluate("getResourceKey()", PATIENT)
    assert evaluate("subject.getReferenceKey()", observation) == key
    assert evaluate("subject.getReferenceKey(Patient)", observation) == key
    assert evaluate("subject.getReferenceKey(Group)", observation) == []


def test_several_values_where_one_is_needed_are_an_error():
    with pytest.raises(BadPath, match="one value"):
        evaluate("name.given.substring(1)", PATIENT)


@pytest.mark.parametrize("wrong", ["1 +", "name.(", "'open", "a b", "nosuch()", "@2015-13"])
def test_what_is_no_fhirpath_says_where(wrong):
    with pytest.raises(BadPath):
        evaluate(wrong, {})


def test_a_path_nested_without_end_is_refused():
    with pytest.raises(BadPath, match="deeper"):
        evaluate("(" * 5000 + "1" + ")" * 5000, {})


def test_most_cases_of_fhirpath_js_agree(shared):
    from evidence.conformance.fhirpath_js import run

    cases = list(run(shared / "conformance" / "fhirpath.js"))
    assert sum(c.agreed for c in cases) / len(cases) >= 0.95
