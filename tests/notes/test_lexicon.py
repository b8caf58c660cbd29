"""The dictionary: what is in it, and how a user adds to it."""

from datetime import UTC, datetime

import pytest

from medtwin.notes.lexicon import BadTerm, english
from medtwin.notes.reading import read
from medtwin.record import codes

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_users_own_terms_are_found_and_win():
    own = english().extended(
        "sort,name,codes,more,words\nfinding,moon face,,,moon facies\ncondition,fever,,lasting,\n"
    )
    moon, fever = read("Moon facies and fever.", AT, own)
    assert moon.code.id == "text|moon face"
    assert (fever.code.id, fever.lasts) == ("text|fever", True)
    assert next(read("Fever.", AT)).code.id == "http://snomed.info/sct|386661006"


def test_a_users_measure_may_be_a_code_of_the_house():
    own = english().extended("measure\tkalium\tpotassium\tmmol/L\tkalium")
    assert next(read("Kalium 4.1", AT, own)).code is codes.potassium


def test_a_line_of_an_unknown_sort_is_refused_with_what_is_allowed():
    with pytest.raises(BadTerm, match="condition, finding, procedure"):
        english().extended("disease,fever,,,")


def test_every_measure_names_a_code_of_the_house_or_a_loinc_number():
    measures = {t.code.id for t in english().terms.values() if t.sort == "measure"}
    known = codes.known()
    assert [m for m in measures if m not in known and not m.startswith("http://loinc.org|")] == []


def test_the_longest_term_counts():
    assert [m.code.name for m in read("type 2 diabetes mellitus", AT)] == ["type 2 diabetes"]
    assert [m.code.name for m in read("nonproductive cough", AT)] == ["cough"]


def test_a_word_within_a_word_is_not_found():
    assert list(read("The painter has rashers and coughdrops.", AT)) == []


def test_a_word_may_say_that_there_is_none():
    found = [(m.code.name, m.value) for m in read("Afebrile. A nonsmoker. Abdomen nontender.", AT)]
    assert found == [("fever", 0), ("tobacco use", 0), ("tenderness", 0)]
