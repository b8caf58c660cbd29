"""Heads: they learn only from the past they are given, and keep what they learned."""

import numpy as np
import pytest

import medtwin.learning
from medtwin.catalogue import everything
from medtwin.learning import lightgbm_pooled, persistence, ridge_glucose
from medtwin.learning.head import Head, fit, predict
from medtwin.learning.inputs import Inputs
from medtwin.learning.kept import Unreadable, dumped, loaded
from medtwin.learning.lessons import before, exam_begins, lesson, quarter_hours, reading_at, since
from medtwin.learning.line import ridge
from medtwin.record import codes
from medtwin.record.record import Record
from tests.learning.people import day, minute, series, start, synthetic_person

horizons = (30, 60)
heads = everything(medtwin.learning, Head)


def lessons(days: int = 4, people: int = 2):
    records = [synthetic_person(seed, days) for seed in range(people)]
    return [lesson(r, quarter_hours(r), horizons) for r in records]


def test_every_head_says_where_it_is_from():
    assert {"persistence", "ridge_glucose", "lightgbm_person", "lightgbm_pooled"} <= set(heads)
    assert all(head.reference for head in heads.values())


@pytest.mark.parametrize("name", sorted(heads))
def test_every_head_learns_and_answers_the_same_after_being_kept(name: str):
    taught = lessons()
    learned, rehearsed = fit(heads[name], taught, horizons)
    ahead = predict(learned, taught[0])
    again = predict(loaded(dumped(learned)), taught[0])
    assert ahead.mean.shape == (len(taught[0]), 2)
    assert (ahead.spread > 0).all()
    assert np.array_equal(ahead.mean, again.mean, equal_nan=True)
    assert np.array_equal(ahead.spread, again.spread)
    assert len(rehearsed) == 2


def test_the_same_lessons_teach_the_same_thing_twice():
    taught = lessons()
    first, second = (fit(lightgbm_pooled.head, taught, (30,))[0] for _ in range(2))
    assert dumped(first) == dumped(second)


def test_persistence_says_that_glucose_stays():
    taught = lessons()
    learned, _ = fit(persistence.head, taught, horizons)
    ahead = predict(learned, taught[0])
    assert np.array_equal(ahead.mean[:, 1], taught[0].inputs["glucose"])


def test_a_line_finds_the_line():
    x = np.random.default_rng(0).normal(size=(500, 2))
    line = ridge(Inputs(("a", "b"), x), 3 * x[:, 0] - 2 * x[:, 1] + 7, restraint=1e-9)
    assert line(np.array([[1.0, 1.0], [0.0, 0.0]])) == pytest.approx([8.0, 7.0], abs=1e-3)


def test_an_unknown_input_counts_as_the_usual_one():
    x = np.array([[1.0], [3.0], [2.0], [2.0]])
    line = ridge(Inputs(("a",), x), 10 * x[:, 0], restraint=1e-9)
    assert line(np.array([[np.nan]])) == pytest.approx([20.0], abs=1e-3)


def test_what_is_measured_after_the_end_of_a_lesson_is_not_looked_at():
    record = synthetic_person(5)
    end = exam_begins(record)
    taught = before(lesson(record, quarter_hours(record), horizons), end)
    late = taught.moments + 60 * minute >= end
    assert late.any()
    assert np.isnan(taught.measured[60][late]).all()


def test_the_last_thirty_percent_of_ten_days_are_the_last_three():
    record = synthetic_person(6, days=10)
    assert exam_begins(record) == start + 7 * day
    kept = since(lesson(record, quarter_hours(record), (30,)), exam_begins(record))
    assert kept.moments.min() == start + 7 * day


def test_a_point_counts_when_a_reading_lies_within_two_and_a_half_minutes():
    readings = series(start + minute * np.array([0.0, 5.0, 20.0]), np.array([100.0, 110.0, 120.0]))
    times = start + minute * np.array([2.0, 3.0, 7.5, 8.0, 40.0])
    assert reading_at(readings, times) == pytest.approx(
        [100, 110, 110, np.nan, np.nan], nan_ok=True
    )


def test_nothing_after_the_training_days_changes_what_is_learned():
    record = synthetic_person(7, days=6)
    end = exam_begins(record)
    glucose = record[codes.glucose]
    other = glucose.value.copy()
    other[glucose.at >= end] = 333.0
    spoilt = Record(record.patient, {**record.columns, codes.glucose: series(glucose.at, other)})
    kept = [
        dumped(fit(ridge_glucose.head, [before(lesson(r, quarter_hours(r), (60,)), end)], (60,))[0])
        for r in (record, spoilt)
    ]
    assert kept[0] == kept[1]


def test_bytes_that_are_no_head_are_refused_with_a_reason():
    with pytest.raises(Unreadable, match="not a learned head"):
        loaded(b"{}")
