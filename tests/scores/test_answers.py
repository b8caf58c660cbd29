"""PHQ-9 (phq9) and GAD-7 (gad7) against independently recomputed answers."""

import csv
from datetime import UTC, datetime, timedelta

import pytest

from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.scores import gad7, phq9
from medtwin.scores.score import Points, Unknown, apply

now = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("form", [phq9, gad7], ids=["phq9", "gad7"])
def test_every_reference_form_has_the_published_points(vectors, form):
    name = form.__name__.rpartition(".")[2]
    with (vectors / "risk" / f"{name}.csv").open() as rows:
        forms = list(csv.DictReader(rows))
    assert len(forms) == 20
    for told in forms:
        answers = [float(a) for a in told["responses"].split("|")]
        assert form.score.compute(*answers).total == int(told["expected"]), told


@pytest.mark.parametrize(
    ("total", "word"),
    [(0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately severe"), (20, "severe")],
)
def test_kroenkes_words_for_the_points(total, word):
    assert phq9.severity(total) == word


def test_spitzers_words_for_the_points():
    assert [gad7.severity(n) for n in (4, 5, 10, 15)] == ["minimal", "mild", "moderate", "severe"]


def test_answers_older_than_two_weeks_do_not_count():
    said = [Observation(now, c, 1, "form", known=now) for c in phq9.ASKED]
    record = Record("somebody").add(said)
    fresh = apply(phq9.score, record, now + timedelta(days=14))
    assert isinstance(fresh, Points)
    assert fresh.total == 9
    stale = apply(phq9.score, record, now + timedelta(days=15))
    assert isinstance(stale, Unknown)
    assert stale.stale == phq9.ASKED


def test_a_form_with_a_question_left_out_has_no_score():
    said = [Observation(now, c, 1, "form", known=now) for c in phq9.ASKED[:-1]]
    answer = apply(phq9.score, Record("somebody").add(said), now)
    assert str(answer).startswith("needs thoughts of being better off dead")
