"""In and out without loss: JSON, structs, XML."""

import gzip
from decimal import Decimal

import pytest

from medtwin.fhir import parsing, xml_format
from medtwin.fhir.parsing import Unreadable
from medtwin.fhir.validation import validated

OBSERVATION = (
    b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"weight"},'
    b'"valueQuantity":{"value":72.50,"unit":"kg"}}'
)
NAMES = (
    b'{"resourceType":"Patient","name":[{"given":[null,"B"],'
    b'"_given":[{"extension":[{"url":"http://x","valueCode":"masked"}]},null]}]}'
)


def test_seventy_two_point_five_zero_stays_so():
    struct = parsing.parsed(OBSERVATION)
    assert str(struct.valueQuantity.value) == "72.50"
    assert b"72.50" in parsing.written(struct)
    assert parsing.read(OBSERVATION)["valueQuantity"]["value"] == Decimal("72.50")
    assert b"72.50" in parsing.dumped(parsing.read(OBSERVATION))


def test_a_struct_keeps_extensions_of_primitives():
    assert parsing.read(parsing.written(parsing.parsed(NAMES))) == parsing.read(NAMES)


def test_a_struct_that_cannot_be_says_where():
    with pytest.raises(Unreadable, match="valueQuantitty") as told:
        parsing.parsed(b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":'
                       b'{"resourceType":"Observation","status":"final","code":{},'
                       b'"valueQuantitty":1}}]}')  # fmt: skip
    assert told.value.path == "entry[0].resource"


def test_through_xml_and_back_nothing_is_lost():
    for raw in (OBSERVATION, NAMES):
        resource = parsing.read(raw)
        again, wrong = xml_format.read(xml_format.written(resource))
        assert (again, wrong) == (resource, [])


def test_xml_says_what_json_cannot():
    late = b"""<Patient xmlns="http://hl7.org/fhir"><gender value="male"/>
        <active value="true"/></Patient>"""
    assert "too late" in validated(late)[0].said
    stray = b'<Patient xmlns="http://hl7.org/fhir">text<active value="true"/></Patient>'
    assert "has no place" in validated(stray)[0].said


@pytest.mark.parametrize(
    "bad",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><Patient xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><Patient>&b;</Patient>',
        b"<Patient/>",
        b'<Dog xmlns="http://hl7.org/fhir"/>',
        b"<Patient",
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<contact>" * 300 + b"</contact>" * 300
        + b"</Patient>",
    ],
)  # fmt: skip
def test_bad_xml_is_refused_with_a_reason(bad):
    assert [i.severity for i in validated(bad)][:1] in (["fatal"], ["error"])


def test_a_resource_over_the_limit_is_refused_unread(monkeypatch):
    monkeypatch.setattr(parsing, "LARGEST", 10)
    with pytest.raises(Unreadable, match="allowed are 10"):
        parsing.parsed(OBSERVATION)


def test_a_name_twice_is_refused():
    with pytest.raises(Unreadable, match="'id' comes twice"):
        parsing.read(b'{"resourceType":"Basic","id":"1","id":"2"}')


def test_every_example_of_the_specification_comes_back_as_it_was(shared):
    from evidence.conformance.fhir_r4_spec_examples import exactly, plainly

    path = shared / "conformance/fhir-r4-spec-examples/r4_examples_clinical.ndjson.gz"
    with gzip.open(path) as lines:
        raws = list(lines)
    assert len(raws) == 696
    for i, raw in enumerate(raws):
        assert exactly(parsing.written(parsing.parsed(raw))) == exactly(raw)
        if i % 8 == 0:
            given = parsing.read(raw)
            again, wrong = xml_format.read(xml_format.written(given))
            assert wrong == []
            assert plainly(exactly(parsing.dumped(again))) == plainly(exactly(raw))
