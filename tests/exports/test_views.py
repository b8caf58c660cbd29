"""Views of FHIR resources: the rows that SQL on FHIR v2 says."""

from decimal import Decimal
from pathlib import Path

import pytest

from medtwin.exports.views import BadView, rows, view

PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "name": [{"family": "A", "given": ["x", "y"]}, {"family": "B"}],
}
ANSWERS = {
    "resourceType": "QuestionnaireResponse",
    "id": "q",
    "item": [
        {"linkId": "1", "item": [{"linkId": "1.1", "answer": [{"item": [{"linkId": "1.1.1"}]}]}]},
        {"linkId": "2"},
    ],
}


def column(path, name="v", **more):
    return {"name": name, "path": path, **more}


def of(resource, *select, **more):
    made = view({"resource": resource["resourceType"], "select": list(select), **more})
    return list(rows(made, [resource]))


def test_every_case_of_the_standards_own_suite_is_as_it_says(shared: Path):
    from evidence.conformance.sql_on_fhir import run

    cases = list(run(shared / "conformance" / "sql-on-fhir-v2"))
    assert len(cases) >= 87
    assert [c.name for c in cases if not c.agreed] == []


def test_for_each_gives_a_row_for_each_and_its_siblings_repeat():
    assert of(PATIENT, {"column": [column("id", "id")]}, {"forEach": "name", "column": [
        column("family")]}) == [("p", "A"), ("p", "B")]  # fmt: skip


def test_for_each_or_null_keeps_who_has_none():
    inner = {"forEachOrNull": "given", "column": [column("$this", "g")]}
    told = of(PATIENT, {"forEach": "name", "column": [column("family")], "select": [inner]})
    assert told == [("A", "x"), ("A", "y"), ("B", None)]
    assert of({"resourceType": "Patient"}, inner | {"forEachOrNull": "name.given"}) == [(None,)]


def test_repeat_goes_to_any_depth_parents_first_and_counts():
    told = of(ANSWERS, {"repeat": ["item", "answer.item"], "column": [
        column("linkId"), column("%rowIndex", "i")]})  # fmt: skip
    assert told == [("1", 0), ("1.1", 1), ("1.1.1", 2), ("2", 3)]


def test_the_number_of_an_item_is_its_own_at_each_depth_and_0_where_there_is_none():
    number = column("%rowIndex", "outer")
    inner = {"forEach": "given", "column": [column("%rowIndex", "inner")]}
    told = of(PATIENT, {"forEach": "name", "column": [number], "select": [inner]})
    assert told == [(0, 0), (0, 1)]
    assert of({"resourceType": "Patient"}, {"forEachOrNull": "name", "column": [number]}) == [(0,)]


def test_union_puts_rows_after_one_another():
    families = {"forEach": "name", "column": [column("family")]}
    told = of(PATIENT, {"unionAll": [families, {"column": [column("id")]}]})
    assert told == [("A",), ("B",), ("p",)]


@pytest.mark.parametrize(
    ("value", "path", "low", "high"),
    [  # FHIRPath, "Utility functions"; a date without a zone may be anywhere on earth
        ({"valueQuantity": {"value": Decimal("1.0")}}, "value.ofType(Quantity).value",
         Decimal("0.95"), Decimal("1.05")),
        ({"valueDateTime": "2010-10-10"}, "value.ofType(dateTime)",
         "2010-10-10T00:00:00.000+14:00", "2010-10-10T23:59:59.999-12:00"),
        ({"valueTime": "12:34"}, "value.ofType(time)", "12:34:00.000", "12:34:59.999"),
        ({"valuePeriod": {"start": "2010-10-10", "end": "2010-10-11"}}, "value.ofType(Period)",
         "2010-10-10T00:00:00.000+14:00", "2010-10-11T23:59:59.999-12:00"),
    ],
)  # fmt: skip
def test_boundaries_are_the_least_and_most_that_was_meant(value, path, low, high):
    told = {"resourceType": "Observation", **value}
    asked = [column(f"{path}.lowBoundary()", "low"), column(f"{path}.highBoundary()", "high")]
    assert of(told, {"column": asked}) == [(low, high)]


def test_keys_of_resources_and_of_references_to_them_are_equal():
    seen = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"}}
    asked = [
        column("subject.getReferenceKey(Patient)"),
        column("subject.getReferenceKey(Group)", "g"),
    ]
    assert of(seen, {"column": asked}) == [(*of(PATIENT, {"column": [
        column("getResourceKey()")]})[0], None)]  # fmt: skip


def test_one_value_where_several_are_found_is_refused_by_name():
    with pytest.raises(BadView, match="column v finds 2 values"):
        of(PATIENT, {"column": [column("name.family")]})
    assert of(PATIENT, {"column": [column("name.family", collection=True)]}) == [(["A", "B"],)]


@pytest.mark.parametrize(
    ("definition", "because"),
    [
        ({}, "one kind of resource"),
        ({"resource": ["Patient"]}, "one kind of resource"),
        ({"resource": "Patient"}, "selects something"),
        ({"resource": "Patient", "select": [{"column": [column("id"), column("id")]}]}, "twice"),
        ({"resource": "Patient", "select": [{"column": [column("id", "a b")]}]}, "letters"),
        ({"resource": "Patient", "select": [{"column": [column("name.where(")]}]}, "column v"),
        ({"resource": "Patient", "select": [{"column": [column("%who")]}]}, "no constant"),
        ({"resource": "Patient", "select": [{"forEach": "name", "repeat": ["name"],
                                             "column": [column("id")]}]}, "are two"),
        ({"resource": "Patient", "select": [{"unionAll": [{"column": [column("id")]},
                                            {"column": [column("id", "w")]}]}]}, "same columns"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_right_is_refused_before_any_resource(definition, because):
    with pytest.raises(BadView, match=because):
        view(definition)


def test_selects_that_would_multiply_beyond_reason_are_refused():
    many = {"resourceType": "Patient", "name": [{"given": ["a"] * 1000}]}
    selects = [{"forEach": "name.given", "column": [column("$this", n)]} for n in "ab"]
    with pytest.raises(BadView, match="1,000,000 rows"):
        of(many, *selects)
