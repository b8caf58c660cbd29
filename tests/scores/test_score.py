"""A score is worked out from what was known, or says what it needs."""

from datetime import UTC, date, datetime, timedelta

import pytest

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.person import Person
from medtwin.record.record import Record
from medtwin.scores import questions
from medtwin.scores.ckd_epi import score
from medtwin.scores.score import Estimate, Unknown, apply

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
born_1976 = Person(born=date(1976, 3, 1), sex="female")


def creatinine(value, at, known=None):
    return Observation(at, codes.creatinine, value, "laboratory", known=known or at)


def record(*facts):
    return Record("somebody").add([*questions.told_by(born_1976, noon), *facts])


def test_a_missing_input_is_named_and_never_made_up():
    answer = apply(score, Record("somebody"), noon)
    assert answer == Unknown(missing=(codes.creatinine, codes.age, questions.female))
    assert str(answer) == "needs creatinine, age, female sex"


def test_the_latest_value_counts():
    told = record(creatinine(2.0, noon - timedelta(days=9)), creatinine(1.0, noon))
    answer = apply(score, told, noon)
    assert isinstance(answer, Estimate)
    assert answer.value == pytest.approx(69, abs=0.5)  # kidney.org calculator: 69


def test_a_result_that_was_not_back_yet_does_not_count():
    told = record(creatinine(1.0, noon, known=noon + timedelta(hours=3)))
    assert apply(score, told, noon) == Unknown(missing=(codes.creatinine,))


def test_a_value_planned_for_tomorrow_does_not_count():
    told = record(creatinine(1.0, noon + timedelta(days=1), known=noon))
    assert apply(score, told, noon) == Unknown(missing=(codes.creatinine,))


def test_a_creatinine_of_two_years_ago_is_too_old_and_it_says_so():
    told = record(creatinine(1.0, noon - timedelta(days=730)))
    assert str(apply(score, told, noon)) == "needs a newer creatinine"


def test_papers_without_a_sex_leave_the_question_open():
    told = Record("somebody").add(questions.told_by(Person(sex="unknown"), noon))
    assert apply(score, told, noon) == Unknown((codes.creatinine, codes.age, questions.female))
