"""The source `note`: clinical text in, facts out, each at its very words."""

import base64
from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from medtwin.sources.door import received
from medtwin.sources.source import Options

OPTIONS = Options(received=datetime(2026, 3, 2, tzinfo=UTC))
LETTER = b"""Patient: ada
Date: 2026-03-01T12:00Z
Kind: progress note

History of present illness: Cough for three days, no fever.
Family history: Her mother had breast cancer.
Medications: metformin 500 mg by mouth twice daily.
Laboratory: potassium 3.4 mEq/L. BP 150/90.
Impression: possible pneumonia.
"""


def read(name, content):
    (arrived,) = received(name, content, OPTIONS)
    return arrived


def by_name(arrived):
    return {f.code.name: (f, p) for f, p in zip(arrived.facts, arrived.places, strict=True)}


def test_each_fact_points_at_its_words():
    arrived = read("visit.txt", LETTER)
    assert arrived.about == "note|ada"
    assert arrived.kind == "clinical note"
    text = LETTER.decode()
    words = {}
    for name, (_, place) in by_name(arrived).items():
        start, end = map(int, place.removeprefix("chars ").split("-"))
        words[name] = text[start:end]
    assert words["cough"] == "Cough"
    assert words["potassium"] == "potassium 3.4 mEq/L"
    assert words["systolic pressure"] == "BP 150/90"
    assert words["metformin"] == "metformin"


def test_what_is_denied_is_an_answer_of_no():
    fever, _ = by_name(read("visit.txt", LETTER))["fever"]
    assert fever.value == 0
    assert fever.code.id == "http://snomed.info/sct|386661006"


def test_a_cough_for_three_days_began_three_days_ago():
    cough, _ = by_name(read("visit.txt", LETTER))["cough"]
    assert cough.at == datetime(2026, 2, 26, 12, tzinfo=UTC)


def test_what_is_possible_or_a_relatives_is_told_apart_and_is_no_fact():
    found = by_name(read("visit.txt", LETTER))
    assert "pneumonia" not in found
    assert "breast cancer" not in found
    said = found["note"][0].says
    assert "pneumonia (it is only possible)" in said
    assert "breast cancer (it is the mother's, not the patient's)" in said


def test_a_medicine_keeps_how_it_is_taken():
    metformin, _ = by_name(read("visit.txt", LETTER))["metformin"]
    assert metformin.says == "metformin, 500 mg, by mouth, twice a day"


def test_lines_of_json_are_notes_of_their_own():
    line = {"patient": "ada", "at": "2026-03-01", "kind": "letter", "text": "Asthma."}
    other = {**line, "patient": "bob", "text": "No rash."}
    raw = orjson.dumps(line) + b"\n" + orjson.dumps(other) + b"\n"
    one, two = received("notes.jsonl", raw, OPTIONS)
    assert (one.about, two.about) == ("note|ada", "note|bob")
    assert [f.code.name for f in one.facts] == ["letter", "asthma"]
    assert one.original == orjson.dumps(line) + b"\n"


def test_a_note_without_a_good_date_is_refused_with_what_to_do():
    (arrived,) = received("x.txt", b"Patient: ada\nDate: soon\n\nAsthma.\n", OPTIONS)
    assert not arrived.facts
    assert "'soon'" in arrived.refused[0].because
    assert "Date: (2026-03-01)" in arrived.refused[0].next


def test_a_broken_line_of_json_costs_only_itself():
    good = orjson.dumps({"patient": "a", "at": "2026-03-01", "text": "Asthma."})
    one, two, three = received("n.jsonl", good + b'\n{"patient": 3\n' + good, OPTIONS)
    assert one.facts
    assert two.refused
    assert three.facts


def test_an_impossible_value_is_refused_and_the_rest_is_kept():
    arrived = read("x.txt", b"Patient: a\nDate: 2026-03-01\n\nPotassium 95 mmol/L, sodium 140.\n")
    assert "sodium" in by_name(arrived)
    assert "outside 0.8 to 15" in arrived.refused[0].because


def test_the_text_in_a_fhir_document_is_read_with_its_place():
    text = "Assessment: Asthma. No fever."
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "type": {"text": "letter"},
        "subject": {"reference": "Patient/ada"},
        "date": "2026-02-01T08:00:00Z",
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "data": base64.b64encode(text.encode()).decode(),
                }
            }
        ],
    }
    ada = {"resourceType": "Patient", "id": "ada"}
    entries = [{"resource": r} for r in (ada, document)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    _, arrived = received("b.json", orjson.dumps(bundle), OPTIONS)
    assert [(f.code.name, f.value) for f in arrived.facts] == [
        ("letter", 1),
        ("asthma", 1),
        ("fever", 0),
    ]
    start = text.index("Asthma")
    place = f"DocumentReference.content[0].attachment, chars {start}-{start + 6}"
    assert arrived.places[1] == place


def test_each_lesion_of_a_report_is_a_measurement_of_its_own():
    text = b"Patient: a\nDate: 2026-03-01\nKind: CT\n\nFindings: A 12 mm nodule in the left lung.\n"
    text += b"Abdominal aortic aneurysm of 4.8 cm. Liver metastasis, 2 cm. Possible 9 mm renal mass"
    found = [f for f in read("ct.txt", text).facts if f.code.unit == "mm"]
    assert {(f.code.id, f.value, f.source) for f in found} == {
        ("lesion_diameter", 12, "CT, read, nodule, left lung"),
        ("aorta_diameter", 48, "CT, read, aneurysm, aorta, abdominal"),
        ("lesion_diameter", 20, "CT, read, metastasis, liver"),
    }


def test_a_users_own_dictionary_comes_with_the_options(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("sort,name,codes,more,words\nfinding,moon face,,,moon facies\n")
    options = Options(received=OPTIONS.received, mapping=own)
    (arrived,) = received("n.txt", b"Patient: a\nDate: 2026-03-01\n\nMoon facies.\n", options)
    assert by_name(arrived)["moon face"][1] == "chars 29-40"  # 11 + 17 + 1 before it


@given(st.binary(max_size=300))
def test_no_bytes_under_a_header_make_it_trip(rest):
    for arrived in received("n.txt", b"Patient: a\nDate: 2026-03-01\n\n" + rest, OPTIONS):
        assert not any("tripped" in r.because for r in arrived.refused)
        assert len(arrived.facts) == len(arrived.places)


def test_the_form_of_a_fhir_report_is_read():
    data = base64.b64encode(b"Findings: A 12 mm nodule in the left lung.").decode()
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "CT"},
        "subject": {"reference": "Patient/ada"},
        "effectiveDateTime": "2026-02-01T08:00:00Z",
        "presentedForm": [{"contentType": "text/plain", "data": data}],
    }
    entries = [{"resource": r} for r in ({"resourceType": "Patient", "id": "ada"}, report)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    _, arrived = received("b.json", orjson.dumps(bundle), OPTIONS)
    found = [
        (f, p) for f, p in zip(arrived.facts, arrived.places, strict=True) if f.code.unit == "mm"
    ]
    ((nodule, place),) = found
    assert (nodule.code.id, nodule.value) == ("lesion_diameter", 12)
    assert place == "DiagnosticReport.presentedForm[0], chars 18-24"
