"""A synthetic resident on warfarin: the tablets, the INR they make, and the clinic's rule."""

from datetime import UTC, date, datetime, timedelta
from statistics import median

from medtwin.hospital.anticoagulation import course, facts_of, next_dose, takes_warfarin
from medtwin.hospital.generated import charts, founded
from medtwin.hospital.resident import residents
from medtwin.record import codes
from medtwin.sources.fhir import source
from medtwin.sources.source import Options, given

opened = datetime(2031, 5, 4, 9, tzinfo=UTC)


def greta():
    return next(r for r in residents(10, 1, opened) if takes_warfarin(r))


def test_one_of_the_ten_takes_warfarin():
    assert [takes_warfarin(r) for r in residents(10, 1, opened)].count(True) == 1


def test_the_clinic_changes_a_tenth_outside_two_to_three_and_a_fifth_far_outside():
    assert next_dose(5.0, 2.5) == 5.0
    assert next_dose(5.0, 1.8) == 5.5
    assert next_dose(5.0, 1.2) == 6.0
    assert next_dose(5.0, 3.5) == 4.5
    assert next_dose(5.0, 5.0) == 4.0


def test_the_inr_comes_to_lie_between_two_and_three():
    theirs = course(6, 66.0, date(2031, 5, 4), 1)
    assert 1.9 <= median(theirs.inr[8:]) <= 3.0
    assert len(theirs.doses) == 7 * len(theirs.inr)


def test_a_day_brings_a_tablet_and_each_week_an_inr():
    week = [facts_of(greta(), opened.date() - timedelta(days=d), opened, 1) for d in range(14)]
    assert all(day[-1].code == codes.warfarin for day in week)
    assert sum(f.code == codes.inr for day in week for f in day) == 2


def test_who_does_not_take_it_has_none():
    other = next(r for r in residents(10, 1, opened) if not takes_warfarin(r))
    assert facts_of(other, opened.date(), opened, 1) == ()


def test_the_chart_holds_the_tablets_from_before_the_devices_tell():
    bundle = charts(founded(7, 1, opened))[6]
    told = Options(received=opened)
    found = [f for a in source.read(given("chart.json", bundle), told) for f in a.facts]
    tablets = [f for f in found if f.code == codes.warfarin]
    assert len(tablets) == 70 - 14
    assert {f.value for f in tablets} <= {d / 2 for d in range(1, 30)}
    assert sum(f.code == codes.inr for f in found) >= 7
