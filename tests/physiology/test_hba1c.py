"""HbA1c from glucose: the worked examples of Nathan 2008, and the weight of recent weeks."""

import numpy as np
import pytest

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology.hba1c import Parameters, average_glucose, hba1c, hba1c_of_history, model
from medtwin.record import codes

day = 86400.0


@pytest.mark.parametrize(
    ("a1c", "eag"),
    [(5, 97), (6, 126), (7, 154), (8, 183), (9, 212), (10, 240), (11, 269), (12, 298)],
)
def test_estimated_average_glucose_is_the_papers_table_2(a1c, eag):
    assert average_glucose(a1c) == pytest.approx(eag, abs=0.51)


def test_an_average_of_154_is_seven_percent():
    assert hba1c(154.2) == pytest.approx(7.0)


def test_steady_glucose_gives_its_own_hba1c():
    at = np.arange(0.0, 120 * day, 3600.0)
    assert hba1c_of_history(at, np.full(len(at), 154.2), 120 * day) == pytest.approx(7.0)


def test_the_last_month_counts_half():
    # 200 mg/dL for the last 30 days, 100 before: 0.5 * 200 + 0.5 * 100 = 150
    at = np.arange(0.0, 120 * day, 3600.0)
    glucose = np.where(at > 90 * day, 200.0, 100.0)
    assert hba1c_of_history(at, glucose, 120 * day) == pytest.approx((150 + 46.7) / 28.7, abs=1e-3)


def test_no_reading_in_four_months_is_unknown():
    assert hba1c_of_history(np.array([0.0]), np.array([100.0]), 200 * day) is None


def test_a_short_history_speaks_for_the_rest():
    at = np.arange(110 * day, 120 * day, 3600.0)
    assert hba1c_of_history(at, np.full(len(at), 154.2), 120 * day) == pytest.approx(7.0)


def glucose_of(*runs):
    """Glucose levels one after the other: (days, mg/dL)."""
    at, given = 0.0, []
    for days, level in runs:
        given.append(Given(at, codes.glucose, level, days))
        at += days
    return given


def course(runs, times, p=None):
    return simulate(model, p or Parameters(), None, glucose_of(*runs), times).of(codes.hba1c)[:, 0]


@pytest.mark.parametrize(
    ("a1c", "eag"), [(5, 97), (6, 126), (7, 154), (8, 183), (9, 212), (10, 240)]
)
def test_the_mechanism_ends_on_the_published_line(a1c, eag):
    # nothing was fitted to it: k, cell age and the line are of three papers
    p = Parameters(usual_glucose=float(eag))
    assert simulate(model, p, None, [], [0.0]).of(codes.hba1c)[0, 0] == pytest.approx(a1c, abs=0.3)


def test_a_usual_glucose_that_goes_on_changes_nothing():
    p = Parameters(usual_glucose=180.0)
    first, last = course([(400.0, 180.0)], [0.0, 400.0], p)
    assert last == pytest.approx(first, rel=1e-9)


def test_half_of_a_change_shows_within_about_a_month():
    # Beltran del Rio 2016: 50 % in about 30 days; Tahara 1993: half of HbA1c is the last month
    p = Parameters(usual_glucose=200.0)
    before, month, ever = course([(1000.0, 130.0)], [0.0, 33.0, 1000.0], p)
    assert (before - month) / (before - ever) == pytest.approx(0.5, abs=0.06)


def test_cells_that_live_longer_show_more_for_the_same_glucose():
    short, long = (
        simulate(model, Parameters(mean_age=a), None, [], [0.0]).of(codes.hba1c)[0, 0]
        for a in (50.0, 67.0)
    )
    assert 0.8 < long - short < 1.6


def test_without_glucose_only_what_cells_are_born_with_is_left():
    assert course([(2000.0, 0.0)], [0.0, 2000.0])[1] == pytest.approx(1.63, rel=1e-6)


def test_three_thousand_people_stay_between_nothing_and_all():
    p = sample(Parameters, 3000, np.random.default_rng(0))
    swings = glucose_of((30.0, 60.0), (60.0, 400.0), (60.0, 100.0))
    shown = simulate(model, p, None, swings, np.arange(0.0, 151.0, 15.0)).shown
    assert np.all((shown > 1) & (shown < 35))
