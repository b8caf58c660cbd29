"""Nothing that several devices tell counts twice; a person's own order stands before the usual."""

from datetime import UTC, datetime, timedelta

import pytest

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.priority import counted, order_of, preferring, told_once
from medtwin.record.record import Record

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


def dose(source, minutes, units):
    at = noon + timedelta(minutes=minutes)
    return Observation(at, codes.insulin_bolus, units, source, at)


def walked(source, begin, minutes, steps):
    at = noon + timedelta(minutes=begin)
    return Observation(at, codes.steps, steps, source, at, at + timedelta(minutes=minutes))


def test_the_same_dose_in_pump_and_diary_is_one_and_another_amount_is_another_dose():
    facts = [dose("pump", 0, 4), dose("my diary", 3, 4), dose("my diary", 5, 2)]
    record = Record("ada").add(facts)
    assert counted(record, codes.insulin_bolus).value.tolist() == [4, 2]


def test_two_doses_of_a_pump_stay_two_and_match_two_entries():
    facts = [dose("pump", 0, 4), dose("pump", 2, 4), dose("diary", 1, 4), dose("diary", 4, 4)]
    record = Record("ada").add(facts)
    assert counted(record, codes.insulin_bolus).value.sum() == 8


def test_a_source_that_tells_three_where_the_other_tells_two_adds_one():
    facts = [dose("pump", 0, 4), dose("diary", 1, 4), dose("diary", 90, 4)]
    assert (
        told_once(Record("a").add(facts)[codes.insulin_bolus], ["pump", "diary"]).value.sum() == 8
    )


def test_the_watch_counts_before_the_phone_and_the_phone_where_the_watch_was_off():
    record = Record("ada").add([walked("iPhone", 0, 30, 300), walked("Apple Watch", 0, 10, 120)])
    assert order_of(record, codes.steps) == ("Apple Watch", "iPhone")
    assert counted(record, codes.steps).value.sum() == pytest.approx(120 + 200)


def test_a_persons_own_order_stands_before_the_usual_one():
    record = Record("ada").add([walked("iPhone", 0, 30, 300), walked("Apple Watch", 0, 10, 120)])
    record = record.add([preferring(codes.steps, ["iPhone", "Apple Watch"], noon, "dr.lee")])
    assert order_of(record, codes.steps) == ("iPhone", "Apple Watch")
    assert counted(record, codes.steps).value.sum() == pytest.approx(300)


def test_readings_are_never_dropped_for_having_two_sources():
    at = noon
    facts = [Observation(at, codes.glucose, v, s, at) for v, s in ((110, "one"), (120, "two"))]
    assert len(counted(Record("ada").add(facts), codes.glucose)) == 2
