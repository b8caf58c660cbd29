"""Whether somebody had, and took, the medicine they were given."""

from datetime import UTC, datetime, timedelta

import pytest

from medtwin.record.adherence import DAY, NothingSupplied, days_covered, doses_taken
from medtwin.record.codes import Kind, opened
from medtwin.record.observation import Observation
from medtwin.record.record import Record

tablets = opened("tablets", "tablets", "1", Kind.medication)
start = datetime(2026, 1, 1, tzinfo=UTC)
begin = start.timestamp()


def supplied(*handed: tuple[float, float]):
    """A supply of so many days on each of these days."""
    facts = [
        Observation(
            at=start + timedelta(days=day),
            code=tablets,
            value=1,
            source="pharmacy",
            known=start + timedelta(days=day),
            until=start + timedelta(days=day + lasting),
        )
        for day, lasting in handed
    ]
    return Record("somebody").add(facts)[tablets]


def test_a_supply_that_came_early_is_used_after_the_one_before_it():
    # 0-30, 25-55 shifted to 30-60, nothing from 60 to 70, 70-100: 90 of 100 days
    found = days_covered(supplied((0, 30), (25, 30), (70, 30)), begin, begin + 100 * DAY)
    assert found.pdc == pytest.approx(0.9)
    assert found.mpr == pytest.approx(0.9)
    assert [g.days for g in found.gaps] == [10]
    assert found.said.startswith("covered on 90% of 100 days; one gap of 10 days from")


def test_stockpiling_raises_possession_and_not_days_covered():
    found = days_covered(supplied((0, 90), (10, 90)), begin, begin + 90 * DAY)
    assert found.pdc == 1
    assert found.mpr == 2
    assert found.gaps == ()


def test_the_count_begins_with_the_first_supply():
    found = days_covered(supplied((40, 30)), begin, begin + 100 * DAY)
    assert found.days == pytest.approx(60)
    assert found.pdc == pytest.approx(0.5)


def test_nothing_is_said_where_no_supply_has_a_length():
    with pytest.raises(NothingSupplied):
        days_covered(supplied((0, 0)), begin, begin + 10 * DAY)
    with pytest.raises(NothingSupplied):
        days_covered(supplied((200, 30)), begin, begin + 10 * DAY)


def test_a_window_of_no_length_is_refused():
    with pytest.raises(ValueError, match="no length"):
        days_covered(supplied((0, 30)), begin, begin)


def test_two_tablets_on_one_day_do_not_make_up_for_a_day_without():
    days = [0, 0.5, 1, 1.1, 1.2, 3]
    facts = [
        Observation(start + timedelta(days=d), tablets, 1, "dispenser", known=start) for d in days
    ]
    opened_ = Record("somebody").add(facts)[tablets]
    # planned 2 a day over 4 days: 2 + 2 (of 3) + 0 + 1 of 8
    assert doses_taken(opened_, 2, begin, begin + 4 * DAY) == pytest.approx(5 / 8)


def test_a_plan_of_no_dose_is_refused():
    with pytest.raises(ValueError, match="no plan"):
        doses_taken(supplied((0, 1)), 0, begin, begin + DAY)
