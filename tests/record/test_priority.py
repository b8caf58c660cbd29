"""Claims about two devices that measured the same thing."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.priority import preferred
from medtwin.record.record import Record

start = datetime(2024, 3, 1, tzinfo=UTC)


def column(code, *rows):
    new = [
        Observation(start + timedelta(minutes=m), code, v, s, start + timedelta(minutes=m))
        for m, v, s in rows
    ]
    return Record("p").add(new)[code]


def test_the_trusted_sensor_wins_inside_the_window_and_the_other_fills_the_gap():
    glucose = column(
        codes.glucose, (0, 100, "old"), (2, 110, "new"), (60, 120, "old"), (90, 130, "new")
    )
    kept = preferred(glucose, ["new", "old"], within=300)
    assert list(kept.value) == [110, 120, 130]


def test_a_dose_told_by_pump_and_diary_is_one_dose():
    boluses = column(codes.insulin_bolus, (0, 4.0, "pump"), (1, 4.0, "diary"), (200, 2.0, "diary"))
    assert preferred(boluses, ["pump", "diary"], within=600).value.sum() == 6.0


def test_two_doses_of_one_device_are_two_doses():
    boluses = column(codes.insulin_bolus, (0, 4.0, "pump"), (1, 2.0, "pump"))
    assert preferred(boluses, ["pump", "diary"], within=600).value.sum() == 6.0


def test_steps_of_watch_and_phone_are_not_added_up():
    steps = column(codes.steps, (0, 500, "phone"), (0, 520, "watch"), (15, 90, "phone"))
    assert preferred(steps, ["watch", "phone"], within=60).value.sum() == 610


def test_a_source_the_order_does_not_name_is_never_dropped():
    glucose = column(codes.glucose, (0, 100, "new"), (0, 105, "lab"))
    assert len(preferred(glucose, ["new", "old"], within=300)) == 2


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(50, 300), st.sampled_from("abc")), min_size=1)
)
def test_the_first_source_loses_nothing_and_nothing_is_invented(rows):
    glucose = column(codes.glucose, *rows)
    kept = preferred(glucose, ["a", "b", "c"], within=120)
    now = glucose.current
    of_first = [v for v, s in zip(now.value, now.source, strict=True) if now.sources[s] == "a"]
    kept_first = [v for v, s in zip(kept.value, kept.source, strict=True) if kept.sources[s] == "a"]
    assert kept_first == of_first
    assert len(kept) <= len(now)
