"""Laws of the record: what was known when, corrections, order."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.record import codes
from medtwin.record.observation import WITHDRAWN, Observation
from medtwin.record.record import Record, Series, facts

start = datetime(2024, 3, 1, tzinfo=UTC)


def seen(minute: int, value: float, known: int, source: str = "meter", says: str = ""):
    at = start + timedelta(minutes=minute)
    learned = start + timedelta(minutes=known)
    return Observation(at, codes.glucose, value, source, learned, says=says)


observations = st.lists(
    st.builds(
        seen,
        minute=st.integers(0, 50),
        value=st.integers(40, 400).map(float),
        known=st.integers(0, 100),
        source=st.sampled_from(["meter", "sensor"]),
    ),
    min_size=1,
    max_size=30,
)


@given(observations, st.integers(0, 100))
def test_known_by_is_exactly_the_facts_learned_by_then(new, minute):
    by = start + timedelta(minutes=minute)
    told = Record("p").add(new).known(by)
    assert len(told) == sum(o.known <= by for o in new)
    assert np.all(told[codes.glucose].known <= by.timestamp())


@given(observations, st.integers(0, 30))
def test_facts_in_two_deliveries_are_the_same_record_as_in_one(new, cut):
    together = Record("p").add(new)[codes.glucose]
    apart = Record("p").add(new[:cut]).add(new[cut:])[codes.glucose]
    rows = [sorted(map(str, facts(codes.glucose, s))) for s in (together, apart)]
    assert rows[0] == rows[1]


@given(observations)
def test_columns_stand_in_the_order_they_were_learned(new):
    assert np.all(np.diff(Record("p").add(new)[codes.glucose].known) >= 0)


@given(observations)
def test_current_has_one_row_for_each_time_and_source_the_last_we_were_told(new):
    now = Record("p").add(new)[codes.glucose].current
    assert np.all(np.diff(now.at) >= 0)
    for i in range(len(now)):
        at, source = now.at[i], now.sources[now.source[i]]
        same = [o for o in new if o.at.timestamp() == at and o.source == source]
        latest = max(o.known for o in same)
        assert now.value[i] in {o.value for o in same if o.known == latest}


def test_a_corrected_value_replaces_the_old_one_from_the_day_we_learned_it():
    record = Record("p").add([seen(0, 120, 1), seen(0, 210, 60)])
    before = record.known(start + timedelta(minutes=30))[codes.glucose].current
    assert (list(before.value), list(record[codes.glucose].current.value)) == ([120], [210])


def test_what_the_source_took_back_is_gone_but_was_known():
    record = Record("p").add([seen(0, 120, 1), seen(0, 120, 60, says=WITHDRAWN)])
    assert len(record[codes.glucose].current) == 0
    assert len(record.known(start + timedelta(minutes=30))[codes.glucose].current) == 1


def test_a_code_nobody_measured_is_an_empty_column():
    assert len(Record("p")[codes.heart_rate].current) == 0


def test_adding_leaves_the_old_record_as_it_was():
    before = Record("p").add([seen(0, 120, 0)])
    before.add([seen(1, 130, 1)])
    assert len(before) == 1


def test_facts_come_back_as_they_went_in():
    new = seen(3, 123.5, 9, "sensor", "after lunch")
    record = Record("p").add([new])
    assert list(facts(codes.glucose, record[codes.glucose])) == [new]


def test_a_million_rows_take_less_than_thirty_megabytes():
    n = 1_000_000
    at = np.arange(n, dtype=float)
    series = Series(at, at, at, np.zeros(n, dtype=np.uint16), ("sensor",))
    columns = (series.at, series.known, series.value, series.source)
    assert sum(c.nbytes for c in columns) < 30e6


def test_looking_back_shares_the_columns_memory():
    n = 1000
    at = np.arange(n, dtype=float)
    series = Series(at, at, at, np.zeros(n, dtype=np.uint16), ("sensor",))
    assert np.shares_memory(series.by(500.0).value, series.value)
    assert len(series.by(500.0)) == 501


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_the_order_of_arrival_does_not_change_what_was_true(order):
    new = [seen(5, 100, 5), seen(10, 110, 10), seen(15, 120, 15)]
    record = Record("p").add(new[i] for i in order)
    assert list(record[codes.glucose].current.value) == [100, 110, 120]
