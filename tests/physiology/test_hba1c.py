"""HbA1c from glucose: the worked examples of Nathan 2008, and the weight of recent weeks."""

import numpy as np
import pytest

from medtwin.physiology.hba1c import average_glucose, hba1c, hba1c_of_history

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
