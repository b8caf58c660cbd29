"""Claims about steps that a watch and a phone both counted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.priority import uncovered
from medtwin.record.record import Record, Series

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ORDER = ["watch", "phone"]


def walked(source, begin, end, steps):
    at, until = (NOON + timedelta(minutes=m) for m in (begin, end))
    return Observation(at, codes.steps, steps, source, NOON + timedelta(days=1), until)


def counted(*facts) -> Series:
    return uncovered(Record("ada").add(facts)[codes.steps], ORDER)


def told(series):
    return [
        (series.sources[s], round(v, 6)) for s, v in zip(series.source, series.value, strict=True)
    ]


def test_a_phones_steps_count_as_far_as_the_watch_did_not_count_them():
    # the watch has ten of the phone's thirty minutes: a third of 300 steps are told twice
    found = counted(walked("watch", 0, 10, 120), walked("phone", 0, 30, 300))
    assert sorted(told(found)) == [("phone", 200), ("watch", 120)]


def test_what_the_watch_covers_wholly_is_gone():
    found = counted(walked("watch", 0, 60, 900), walked("phone", 10, 20, 100))
    assert told(found) == [("watch", 900)]


def test_stretches_of_the_watch_that_overlap_cover_once():
    watch = [walked("watch", 0, 10, 1), walked("watch", 5, 20, 1), walked("watch", 30, 40, 1)]
    found = counted(*watch, walked("phone", 0, 40, 400))
    assert ("phone", 100) in told(found)


def test_a_source_nobody_ranked_is_left_as_it_is():
    found = counted(walked("watch", 0, 60, 900), walked("pedometer", 0, 60, 850))
    assert sorted(told(found)) == [("pedometer", 850), ("watch", 900)]


def test_steps_at_a_moment_have_no_stretch_to_share():
    one = Observation(NOON, codes.steps, 5, "phone", NOON)
    assert told(uncovered(Record("ada").add([one])[codes.steps], ORDER)) == [("phone", 5)]


stretch = st.tuples(st.integers(0, 500), st.integers(1, 60))


@given(st.lists(stretch, max_size=8), st.lists(stretch, min_size=1, max_size=8))
def test_no_minute_is_counted_twice(watch, phone):
    """At one step a minute everywhere, the phone adds exactly the minutes the watch leaves free."""
    free = 0
    facts = [walked("watch", a, a + n, n) for a, n in dict(watch).items()]
    minutes = {m for a, n in dict(watch).items() for m in range(a, a + n)}
    for a, n in dict(phone).items():
        facts.append(walked("phone", a, a + n, n))
        free += len(set(range(a, a + n)) - minutes)
    found = told(counted(*facts))
    assert sum(v for s, v in found if s == "phone") == pytest.approx(free, abs=1e-4)
