import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.sources.source import Arrived
from medtwin.vault import facts
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.seal import Tampered
from medtwin.vault.times import epoch
from medtwin.vault.vault import Vault

care = Purpose.care
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
minutes = st.integers(-60_000_000, 90_000_000)  # 1911 to 2197
# Plain parts, put together in the test: the shape checker draws at random, a strategy may not.
parts = st.tuples(
    st.booleans(),
    minutes,
    st.floats(0, 500),
    words,
    minutes,
    st.none() | st.integers(0, 5000),
    words,
)


def built(ours, at, value, source, known, lasts, says):
    code = codes.carbohydrate if ours else Code("local:x", "x", "1", kind=Kind.answer)
    at, known = (epoch + timedelta(minutes=m, microseconds=m % 7) for m in (at, known))
    until = None if lasts is None else at + timedelta(minutes=lasts)
    return Observation(at, code, value, source, known, until, says)


@given(parts)
def test_packing_a_fact_loses_nothing(said):
    o = built(*said)
    value, until, source, says = facts.unpacked(facts.packed(o))
    assert (value, source, says) == (o.value, o.source, o.says)
    assert until == (None if o.until is None else facts.micros(o.until))


@settings(max_examples=15, deadline=None)
@given(st.lists(parts, min_size=1, max_size=12, unique_by=lambda said: said[1]))
def test_facts_come_back_as_they_were_kept_once_however_often_they_are_sent(said):
    sent = [built(*one) for one in said]
    operator, system = Principal("o", Role.operator), Principal("s", Role.system)
    arrived = Arrived(b"x", "text/plain", "x", "a|1", None, tuple(sent), ())
    with tempfile.TemporaryDirectory() as folder, Vault.open(Path(folder)) as vault:
        first = vault.receive(operator, [arrived, arrived], "invented", [care])
        again = vault.receive(operator, [arrived], "invented")
        (one,) = vault.patients(operator)
        _, news = vault.news(system, one.patient, care, 0)
        record = vault.record(system, one.patient, care)
    assert (first.facts, again.facts, again.duplicates) == (len(sent), 0, len(sent))
    assert set(news) == set(sent)
    same(record, Record(one.patient).add(sent))


def same(a, b):
    assert a.columns.keys() == b.columns.keys()
    for code, series in a.columns.items():
        other = b[code]
        order, others = np.lexsort((series.at, series.known)), np.lexsort((other.at, other.known))
        for column in ("at", "known", "value"):
            np.testing.assert_array_equal(
                getattr(series, column)[order], getattr(other, column)[others]
            )
        names = [series.sources[i] for i in series.source[order]]
        assert names == [other.sources[i] for i in other.source[others]]
        assert (series.until is None) == (other.until is None)
        assert (series.says is None) == (other.says is None)


def test_the_same_fact_known_later_is_the_same_fact(vault, door, admitted, made):
    patient = admitted(care, facts=0)
    fact = made.reading(0, 120)
    later = made.reading(0, 120, known=fact.known + timedelta(days=1))
    assert vault.add(door.system, patient, [fact], care) == 1
    assert vault.add(door.system, patient, [later, fact], care) == 0


def test_an_amended_value_is_a_new_fact_and_the_record_knows_when(vault, door, admitted, made):
    patient = admitted(care, facts=0)
    fact = made.reading(0, 120)
    amended = made.reading(0, 130, known=fact.known + timedelta(days=1))
    assert vault.add(door.system, patient, [fact, amended], care) == 2
    record = vault.record(door.system, patient, care)
    assert record[codes.glucose].current.value.tolist() == [130]
    then = vault.record(door.system, patient, care, by=fact.known)
    assert then[codes.glucose].value.tolist() == [120]


def test_a_record_may_be_asked_since_a_time_and_for_some_codes(vault, door, admitted, made):
    patient = admitted(care, facts=0)
    meal = made.reading(60, 40, code=codes.carbohydrate)
    vault.add(door.system, patient, [made.reading(0), made.reading(90), meal], care)
    since = vault.record(door.system, patient, care, since=made.at + timedelta(minutes=60))
    assert (len(since), len(since[codes.glucose])) == (2, 1)
    only = vault.record(door.system, patient, care, codes=[codes.carbohydrate])
    assert list(only.columns) == [codes.carbohydrate]


def test_news_are_facts_by_arrival_and_nothing_is_told_twice(vault, door, admitted, made):
    patient = admitted(care, facts=2)
    reached, first = vault.news(door.system, patient, care, 0)
    assert len(first) == 2
    late = made.reading(-60, 99)
    vault.add(door.system, patient, [late], care)
    further, second = vault.news(door.system, patient, care, reached)
    assert second == (late,)
    assert vault.news(door.system, patient, care, further) == (further, ())


def test_a_code_the_house_does_not_name_comes_back_whole(vault, door, admitted, made):
    patient = admitted(care, facts=0)
    code = Code("snomed:44054006", "Diabetes type 2", "1", low=0, high=9, kind=Kind.condition)
    vault.add(door.system, patient, [made.reading(0, 1, code=code)], care)
    (found,) = vault.record(door.system, patient, care).columns
    assert [getattr(found, f) for f in ("id", "name", "unit", "low", "high", "kind")] == [
        *("snomed:44054006", "Diabetes type 2", "1", 0, 9, Kind.condition)
    ]


def test_a_time_to_the_microsecond_is_exact_in_the_record(vault, door, admitted, made):
    patient = admitted(care, facts=0)
    at = datetime(2026, 7, 7, 7, 7, 7, 777777, tzinfo=UTC)
    vault.add(door.system, patient, [made.reading(0, at=at, known=at)], care)
    series = vault.record(door.system, patient, care)[codes.glucose]
    assert series.at[0] == at.timestamp()


def test_the_listing_counts_facts_and_spans_their_times(vault, door, admitted, made):
    admitted(care, facts=4)
    (listed,) = vault.patients(door.operator)
    span = (made.at, made.at + timedelta(minutes=15))
    assert (listed.facts, listed.first, listed.last) == (4, *span)


@pytest.mark.parametrize("column", ["at", "known", "code"])
def test_a_fact_moved_in_time_or_to_another_code_does_not_open(vault, door, admitted, column):
    patient = admitted(care)
    change = "'insulin_bolus'" if column == "code" else f"{column} + 60000000"
    with vault._store.turns.writing() as c:
        c.execute(text(f"update facts set {column} = {change} where arrival = 1"))
    with pytest.raises(Tampered):
        vault.record(door.system, patient, care)
