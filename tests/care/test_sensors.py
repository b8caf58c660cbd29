"""No data, stuck, disagreeing: what a device does is judged by what it usually does."""

from pathlib import Path

import numpy as np

from medtwin.care.alert import Urgency
from medtwin.care.disagree import paired, sources_disagree, together
from medtwin.care.silence import no_data
from medtwin.care.stuck import repeated, repeats_needed, sensor_stuck
from medtwin.record import codes
from medtwin.record.record import Record
from tests.care.people import minutes, noon, read, trace, wander


def test_a_five_minute_sensor_is_missed_after_twenty_minutes():
    record = trace(wander(50))
    assert no_data(record, None, minutes(20)) is None
    alert = no_data(record, None, minutes(21))
    assert alert is not None
    assert alert.urgency is Urgency.note
    assert alert.because.startswith("nothing from sensor for 21 min; it usually reads every 5 min")


def test_a_meter_used_four_times_a_day_is_missed_after_a_day():
    record = trace([120, 140, 110, 160, 130, 150], every=360)
    assert no_data(record, None, minutes(23 * 60)) is None
    assert no_data(record, None, minutes(25 * 60)) is not None


def test_silence_becomes_soon_after_an_hour_more_and_now_if_the_last_was_low():
    late = no_data(trace(wander(50)), None, minutes(85))
    assert late is not None
    assert late.urgency is Urgency.soon
    low = no_data(trace([*wander(50), 66]), None, minutes(25))
    assert low is not None
    assert low.urgency is Urgency.now


def test_a_meter_reading_does_not_hide_that_the_sensor_is_silent():
    record = trace(wander(50)).add([read(60, 120, "meter")])
    assert no_data(record, None, minutes(61)) is not None


def test_nothing_is_missed_of_a_device_whose_habit_is_unknown():
    assert no_data(Record("p1"), None, noon) is None
    assert no_data(trace([120, 130]), None, minutes(600)) is None


def test_readings_that_come_late_end_the_silence():
    record = trace(wander(50)).add(read(5 * k, 130) for k in range(1, 12))
    assert no_data(record, None, minutes(60)) is None


def test_repeats_asked_for_are_the_run_that_luck_allows_once_in_ten_years():
    # 105,192 five-minute readings a year: 105192 * 0.4**15 = 0.113, 105192 * 0.4**16 = 0.045
    assert repeats_needed(0.4, 300) == 16
    assert repeats_needed(0.1, 300) == 12


def test_an_hour_of_one_number_is_a_stuck_sensor():
    values = wander(300)
    assert sensor_stuck(trace([*values, *[140.5] * 12]), None, noon) is None
    alert = sensor_stuck(trace([*values, *[140.5] * 13]), None, noon)
    assert alert is not None
    assert "has shown 140 mg/dL 13 times in a row since 11:00 UTC (60 min)" in alert.because


def test_a_sensor_at_the_end_of_its_scale_is_not_stuck():
    assert sensor_stuck(trace([*wander(300), *[400.0] * 30]), None, noon) is None
    assert sensor_stuck(trace([*wander(300), *[40.0] * 30]), None, noon) is None


def test_a_sensor_that_moves_again_is_not_stuck():
    assert sensor_stuck(trace([*wander(300), *[140.5] * 30, 143.0]), None, noon) is None


def test_repeated_counts_the_equal_neighbours_at_the_end():
    assert repeated(np.array([5.0])) == 0
    assert repeated(np.array([5.0, 5.0, 7.0, 7.0, 7.0])) == 2


def test_real_sensors_seldom_look_stuck(shared):
    alarms, days = stuck_runs(shared / "data" / "cgm_insulin_carbs" / "AZT1D.parquet")
    assert days > 900
    assert alarms <= days / 365


def stuck_runs(table: Path) -> tuple[int, float]:
    """Runs of 12 repeats or more inside the scale, and the days looked at."""
    from pyarrow import parquet

    columns = parquet.read_table(table, columns=["person_id", "EventDateTime", "CGM"])
    people = np.array(columns["person_id"].to_pylist())
    at = columns["EventDateTime"].to_numpy().astype("datetime64[s]").astype(float)
    value = columns["CGM"].to_numpy().astype(float)
    alarms, days = 0, 0.0
    for person in np.unique(people):
        mine = (people == person) & np.isfinite(value)
        order = np.argsort(at[mine], kind="stable")
        t, v = at[mine][order], value[mine][order]
        if len(t) < 2:
            continue
        equal = (np.diff(v) == 0) & (np.diff(t) > 0) & (np.diff(t) < 600)
        equal &= (v[1:] > 40) & (v[1:] < 400)
        ends = np.flatnonzero(np.diff(np.concatenate([[0], equal.astype(int), [0]])))
        alarms += int(np.sum(ends[1::2] - ends[::2] >= 12))
        days += float(t[-1] - t[0]) / 86400
    return alarms, days


def test_two_devices_twenty_apart_at_120_agree_within_their_noise():
    record = trace([120.0] * 60).add([read(-130, 140, "meter"), read(-10, 140, "meter")])
    assert sources_disagree(record, None, noon) is None


def test_two_pairs_fifty_apart_are_a_disagreement():
    # each pair: 50 / hypot(12, 17) = 2.40 standard errors; two together 2.40 * sqrt(2) = 3.40;
    # three together 4.16, over the 3.5 allowed
    two = [read(-130, 170, "meter"), read(-10, 170, "meter")]
    assert sources_disagree(trace([120.0] * 60), None, noon) is None
    assert sources_disagree(trace([120.0] * 60).add(two), None, noon) is None
    alert = sources_disagree(trace([120.0] * 60).add([*two, read(-240, 170, "meter")]), None, noon)
    assert alert is not None
    assert alert.urgency is Urgency.note
    assert "meter read 170 mg/dL and sensor 120 mg/dL at 11:50 UTC (10 min ago)" in alert.because
    assert "over 3 pairs they differ by 4.2 standard errors" in alert.because


def test_a_meter_that_sees_a_low_the_sensor_hides_is_soon():
    seen = [read(m, 62, "meter") for m in (-200, -130, -10)]
    alert = sources_disagree(trace([150.0] * 60).add(seen), None, noon)
    assert alert is not None
    assert alert.urgency is Urgency.soon


def test_a_sensor_on_the_move_is_allowed_its_lag():
    # 3 mg/dL/min: ten minutes behind blood is 30 mg/dL, no fault of either
    rising = trace([float(v) for v in range(60, 60 + 15 * 12, 15)])
    series = rising.add([read(-10, 225 - 30 + 35, "meter")])[codes.glucose].current
    few = series.keep(np.flatnonzero(series.source == 1))
    many = series.keep(np.flatnonzero(series.source == 0))
    pairs = paired(codes.glucose, few, many)
    assert len(pairs) == 1
    assert abs(together(pairs)) < 1


def test_pairs_within_an_hour_count_once():
    seen = [read(m, 180, "meter") for m in (-30, -20, -10)]
    assert sources_disagree(trace([120.0] * 60).add(seen), None, noon) is None
