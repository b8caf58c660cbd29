"""Predicted low, predicted high and the floor: chances counted by hand over a few members."""

import pytest

from medtwin.care.ahead import predicted_high, predicted_low, severe_low
from medtwin.care.alert import Urgency
from medtwin.record.record import Record
from tests.care.people import ahead, minutes, noon, read, trace

nobody = Record("p1")
high_road = [120.0] * 8
dips_late = [100, 90, 80, 75, 72, 68, 66, 65]
dips_deep = [80, 66, 53, 50, 55, 60, 65, 70]


@pytest.mark.parametrize(
    ("dipping", "urgency"), [(2, None), (4, Urgency.note), (5, Urgency.soon), (10, Urgency.soon)]
)
def test_a_low_of_so_many_members_in_ten_is_as_urgent_as_that(dipping, urgency):
    forecast = ahead(*[dips_late] * dipping, *[high_road] * (10 - dipping))
    alert = predicted_low(nobody, forecast, noon)
    assert (alert.urgency if alert else None) == urgency


def test_a_severe_low_within_the_hour_with_a_chance_of_four_in_ten_is_urgent_now():
    alert = predicted_low(nobody, ahead(*[dips_deep] * 4, *[high_road] * 6), noon)
    assert alert is not None
    assert alert.urgency is Urgency.now


def test_the_reason_gives_chance_limit_time_zone_and_interval():
    alert = predicted_low(nobody, ahead(*[dips_late] * 6, *[high_road] * 4), noon)
    assert alert is not None
    assert alert.because.startswith("60 % chance below 70 mg/dL by 14:00 UTC")
    assert "most likely at 13:30 UTC: 68 to 120 mg/dL in 8 of 10 cases" in alert.because


def test_a_low_that_comes_after_two_hours_is_not_yet_worth_an_interruption():
    forecast = ahead(*[[100.0] * 8 + [50.0]] * 10)
    assert predicted_low(nobody, forecast, noon) is None


def test_a_forecast_that_lies_in_the_past_says_nothing_about_now():
    forecast = ahead(*[dips_deep] * 10)
    assert predicted_low(nobody, forecast, minutes(-300)) is None


def test_a_high_in_half_of_the_members_is_a_note():
    climbs = [200.0, 240.0, 260.0, 280.0]
    alert = predicted_high(nobody, ahead(*[climbs] * 5, *[[150.0] * 4] * 5), noon)
    assert alert is not None
    assert alert.urgency is Urgency.note
    assert alert.because.startswith("50 % chance above 250 mg/dL by 13:00 UTC")


def test_a_high_that_stands_and_stays_is_soon():
    alert = predicted_high(trace([260, 270, 280]), ahead(*[[290.0] * 4] * 10), noon)
    assert alert is not None
    assert alert.urgency is Urgency.soon


def test_no_forecast_raises_no_forecast_alert_but_the_floor_still_holds():
    record = trace([60, 56, 52])
    assert predicted_low(record, None, noon) is None
    alert = severe_low(record, None, noon)
    assert alert is not None
    assert alert.urgency is Urgency.now
    assert "sensor read 52 mg/dL at 12:00 UTC" in alert.because


def test_of_two_devices_the_one_that_sees_a_severe_low_is_believed():
    record = trace([110, 110, 110]).add([read(-2, 50, "meter")])
    assert severe_low(record, None, noon) is not None


def test_a_severe_low_is_over_when_the_same_device_reads_higher_or_twenty_minutes_have_passed():
    assert severe_low(trace([50, 58]), None, noon) is None
    assert severe_low(trace([50]), None, minutes(21)) is None


def test_a_reading_of_which_nobody_knew_yet_raises_nothing():
    record = trace([100]).add([read(5, 40)])
    assert severe_low(record, None, noon) is None
