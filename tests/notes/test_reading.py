"""A note read: what is so, what is not, whose it is and when."""

from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.notes.radiology import lesions
from medtwin.notes.reading import read


def beside(name):
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


labelled, measured = beside("labelled"), beside("measured")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def first(text):
    return next(read(text, AT))


@pytest.mark.parametrize(("notes", "least"), [(labelled.FIRST, 0.97), (labelled.APART, 0.93)])
def test_of_hand_labelled_notes_few_are_read_wrongly(notes, least):
    right, wrong, missed, amiss = measured.compared(notes)
    assert right / (right + wrong) >= least, amiss
    assert right / (right + missed) >= least, amiss


def test_spans_are_exact_where_white_space_is_wild():
    text = "She  denies\n\n  chest\n   pain,   but  has\tfever."
    found = {m.code.name: text[m.start : m.end] for m in read(text, AT)}
    assert found["fever"] == "fever"
    assert found.get("chest pain", "chest\n   pain") == "chest\n   pain"


@given(st.text(alphabet="no fever,;.:\n\tİß chestpain12/BP ", max_size=200))
def test_any_text_is_read_and_every_span_lies_in_it(text):
    ends = [0]
    for m in read(text, AT):
        assert 0 <= m.start < m.end <= len(text)
        assert text[m.start : m.end].strip()
        ends.append(m.start)
    assert ends == sorted(ends)


def test_letters_that_grow_when_small_do_not_move_the_words_after_them():
    text = "İİİ Straße: fever."
    (m,) = read(text, AT)
    assert text[m.start : m.end] == "fever"


def test_a_negation_reaches_through_a_list_and_ends_at_but():
    found = {m.code.name: m.negated for m in read("No fever, cough or rash but nausea.", AT)}
    assert found == {"fever": True, "cough": True, "rash": True, "nausea": False}


def test_a_phrase_that_looks_like_a_negation_is_none():
    assert not first("No change in headache.").negated
    assert not first("Not only fever.").negated


def test_history_of_an_illness_that_lasts_is_a_fact_and_of_one_that_passes_is_none():
    assert first("History of hypertension.").because == ""
    assert first("History of pneumonia.").because == "it is past, and no date is told"
    assert first("History of pneumonia in 2019.").because == ""


def test_a_dated_past_stands_at_its_date():
    m = first("Appendectomy in June 2012.")
    assert (m.at, m.dated, m.historical) == (datetime(2012, 6, 1, tzinfo=UTC), True, True)


def test_what_is_in_the_family_section_is_the_familys():
    assert first("Family history: Stroke.").whose == "family"
    assert first("Her father had a stroke.").whose == "father"
    assert first("The donor had hepatitis C.").whose == "donor"


def test_a_mother_who_tells_of_her_child_is_not_the_ill_one():
    assert first("Mother reports fever.").whose == ""


def test_a_medicine_in_the_allergies_is_an_allergy():
    m = first("ALLERGIES: Penicillin.")
    assert m.code.name == "penicillin allergy"
    assert m.code.kind == "allergy"


def test_abbreviations_count_only_in_capitals():
    assert [m.code.name for m in read("PE was seen. pe was seen.", AT)] == ["pulmonary embolism"]


def test_a_planned_thing_is_no_fact_yet():
    assert first("Scheduled for colonoscopy.").because == "it lies ahead of the note"
    assert first("Colonoscopy on 5/1/2027.").because == "it lies ahead of the note"


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("Rash three days ago.", 3),
        ("Rash since yesterday.", 1),
        ("Rash for the past 2 weeks.", 14),
        ("Rash last week.", 7),
    ],
)
def test_a_relative_date_counts_from_the_note(said, days):
    assert first(said).at == AT - timedelta(days=days)


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("Rash on 3/14/2019.", datetime(2019, 3, 14, tzinfo=UTC)),
        ("Rash on 2019-03-14.", datetime(2019, 3, 14, tzinfo=UTC)),
        ("Rash on March 14, 2019.", datetime(2019, 3, 14, tzinfo=UTC)),
        ("Rash on 14 March 2019.", datetime(2019, 3, 14, tzinfo=UTC)),
        ("Rash in 07/2007.", datetime(2007, 7, 1, tzinfo=UTC)),
        ("Rash on 12/22/98.", datetime(1998, 12, 22, tzinfo=UTC)),
        ("Rash on 13/45/2019.", AT),
    ],
)
def test_an_absolute_date_is_read_as_american_notes_write_it(said, at):
    assert first(said).at == at


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Glucose 5.5 mmol/L", 99.0858),  # 5.5 x 18.0156
        ("temp 101.2 F", 38.4444),
        ("Temp: 98.6", 37.0),  # no body has 98.6 Cel
        ("Hgb of 9.2 g/dL", 9.2),
        ("weight 154 pounds", 69.8532),  # 0.45359237 kg
        ("platelets 226,000", 226.0),
        ("Creatinine rose from 1.1 to 2.3", 2.3),
        ("K 3.4", 3.4),
        ("Ejection fraction 55 to 60 %", 57.5),
        ("EF 55-60%", 57.5),
    ],
)
def test_a_value_is_in_the_unit_of_its_code(said, value):
    assert first(said).value == pytest.approx(value, rel=1e-4)


def test_pressure_is_two_facts():
    assert [(m.code.id, m.value) for m in read("BP was 120/80 mmHg.", AT)] == [
        ("systolic", 120),
        ("diastolic", 80),
    ]


def test_a_tests_name_without_a_number_is_nothing():
    assert list(read("Glucose will be checked. Low sodium diet. Weight 150.", AT)) == []


def test_a_dose_is_no_laboratory_value():
    assert [m.code.name for m in read("Calcium 500 mg daily.", AT) if m.unit != "1"] == []


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("metformin 500 mg p.o. b.i.d.", (500, "mg", "by mouth", "twice a day", None)),
        ("Lasix 40 mg IV q12h", (40, "mg", "intravenous", "every 12 hours", None)),
        ("50 mg of Benadryl intramuscularly", (50, "mg", "intramuscular", "", None)),
        (
            "amoxicillin 500 mg three times a day for 10 days",
            (500, "mg", "", "three times a day", 10),
        ),
        (
            "albuterol 2 puffs every 4 hours as needed",
            (2, "puff", "", "every 4 hours, as needed", None),
        ),
        ("levothyroxine 75 mcg daily", (75, "mcg", "", "once a day", None)),
    ],
)
def test_a_medicine_says_how_it_is_taken(said, how):
    d = first(said).dosing
    assert (d.amount, d.unit, d.route, d.how_often, d.days) == how


def test_a_medicine_that_was_stopped_is_not_taken():
    m = first("Lisinopril was discontinued.")
    assert (m.negated, m.value) == (True, 0)


def test_what_is_only_asked_is_not_so():
    assert first("Do you have a fever?").uncertain
    assert first("?pneumonia").uncertain


@pytest.mark.parametrize(
    "odd",
    [
        "potassium was ",
        " " * 20,
        "fever 2019 ",
        "liver mass 9 mm, ",
        "mother ",
        "1/",
        "A: ",
        "((= ",
    ],
)
def test_a_hundred_thousand_odd_characters_are_read_at_once(odd):
    text = "potassium 1" + odd * (100_000 // len(odd)) + "3"
    began = process_time()
    list(read(text, AT))
    lesions(text, AT)
    assert process_time() - began < 3
