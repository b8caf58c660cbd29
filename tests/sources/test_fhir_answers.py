"""What a person answered, question by question."""

from datetime import UTC, datetime

import orjson
import pytest

from medtwin.record import codes
from medtwin.scores import phq9
from medtwin.sources.door import received
from medtwin.sources.source import Options

now = datetime(2026, 3, 2, tzinfo=UTC)
ada = {"resourceType": "Patient", "id": "ada", "identifier": [{"system": "urn:mrn", "value": "1"}]}


def response(*items, **more):
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "r",
        "status": "completed",
        "subject": {"reference": "Patient/ada"},
        "authored": "2026-03-01T08:00:00Z",
        "item": list(items),
    } | more


def heard(*resources):
    entries = [{"fullUrl": f"urn:x:{i}", "resource": r} for i, r in enumerate(resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return list(received("form.json", orjson.dumps(bundle), Options(now)))


def facts(arrived):
    return [(f.code.id, f.value, f.says) for a in arrived for f in a.facts]


def reasons(arrived):
    return [r.because for a in arrived for r in a.refused]


def test_a_phq9_by_loinc_becomes_nine_answers_and_its_score():
    numbers = [c.codings[0].rpartition("|")[2] for c in phq9.ASKED]
    worth = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"] * 3
    items = [
        {"linkId": f"/{n}", "answer": [{"valueCoding": {"system": "http://loinc.org", "code": w}}]}
        for n, w in zip(numbers, worth, strict=False)
    ]
    arrived = heard(ada, response({"linkId": "group", "item": items}))
    found = [f for a in arrived for f in a.facts]
    assert [f.code for f in found] == list(phq9.ASKED)
    assert phq9.phq9(*(f.value for f in found)).total == 0 + 1 + 2 + 3 + 0 + 1 + 2 + 3 + 0
    places = [p for a in arrived for p in a.places if a.facts]
    assert places[1] == "item[0].item[1].answer[0]"


def test_the_questionnaire_in_the_bundle_says_what_was_asked():
    form = {
        "resourceType": "Questionnaire",
        "url": "urn:form:sleep",
        "status": "active",
        "item": [
            {"linkId": "1", "text": "How long did you sleep?", "type": "quantity"},
            {
                "linkId": "2",
                "text": "How well?",
                "type": "choice",
                "answerOption": [
                    {
                        "valueCoding": {
                            "code": "well",
                            "extension": [
                                {
                                    "url": "http://hl7.org/fhir/StructureDefinition/ordinalValue",
                                    "valueDecimal": 4,
                                }
                            ],
                        }
                    }
                ],
            },
        ],
    }
    said = response(
        {"linkId": "1", "answer": [{"valueQuantity": {"value": 7, "unit": "h", "code": "h"}}]},
        {"linkId": "2", "answer": [{"valueCoding": {"code": "well", "display": "Well"}}]},
        questionnaire="urn:form:sleep|1.0",
    )
    assert facts(heard(ada, form, said)) == [
        ("urn:form:sleep|1|h", 7.0, ""),
        ("urn:form:sleep|2", 4.0, "Well"),
    ]


def test_a_questionnaire_that_does_not_exist_is_named():
    said = response({"linkId": "7", "answer": [{"valueInteger": 3}]}, questionnaire="urn:form:gone")
    (because,) = reasons(heard(ada, said))
    assert "question '7' has no words" in because
    assert "urn:form:gone" in because


def test_one_bad_answer_does_not_cost_the_good_ones():
    said = response(
        {"linkId": "/44250-9", "answer": [{"valueInteger": 9}]},
        {"linkId": "/44255-8", "answer": [{"valueInteger": 2}]},
    )
    arrived = heard(ada, said)
    assert facts(arrived) == [("phq9_mood", 2.0, "")]
    (because,) = reasons(arrived)
    assert "outside 0 to 3" in because


@pytest.mark.parametrize(("status", "kept"), [("in-progress", True), ("completed", False)])
def test_a_draft_is_kept_and_is_no_fact(status, kept):
    said = response({"linkId": "/44250-9", "answer": [{"valueInteger": 2}]}, status=status)
    arrived = heard(ada, said)
    assert bool(facts(arrived)) is not kept
    assert any(a.kept for a in arrived) is kept


def test_answers_taken_back_are_withdrawn():
    said = response(
        {"linkId": "/44250-9", "answer": [{"valueInteger": 2}]}, status="entered-in-error"
    )
    (fact,) = [f for a in heard(ada, said) for f in a.facts]
    assert fact.withdrawn


def test_a_form_nested_without_end_is_refused():
    item = {"linkId": "x", "answer": [{"valueInteger": 1}]}
    for _ in range(40):
        item = {"linkId": "x", "item": [item]}
    assert "nested deeper" in reasons(heard(ada, response(item)))[0]


def test_own_health_is_a_number_from_0_to_100():
    assert (codes.eq_vas.low, codes.eq_vas.high) == (0, 100)
