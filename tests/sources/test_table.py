"""Claims about tables: what columns mean, when each value was known, what is refused."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from letters import facts, heard, now, options, refused, walked

from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.sources.source import Options
from medtwin.sources.table import records
from medtwin.sources.table_mapping import BadMapping, mapping, shipped

PLAIN = b"""person,time,glucose,carbs,bolus
ada,2024-05-01T08:00:00Z,120,,
ada,2024-05-01T08:05:00Z,124,45,4.5
bob,2024-05-01T08:00:00Z,90,,
"""


def told(arrived):
    return [(f.at.isoformat()[11:16], f.code.id, f.value) for a in arrived for f in a.facts]


def test_names_that_speak_for_themselves_need_no_mapping():
    assert facts(heard(PLAIN, "diary.csv")) == [
        ("table|ada", "glucose", 120),
        ("table|ada", "glucose", 124),
        ("table|ada", "carbohydrate", 45),
        ("table|ada", "insulin_bolus", 4.5),
        ("table|bob", "glucose", 90),
    ]


def test_each_person_gets_their_own_lines_as_they_were_sent():
    arrived = heard(PLAIN, "diary.csv")
    assert arrived[1].original == (
        b"person,time,glucose,carbs,bolus\nbob,2024-05-01T08:00:00Z,90,,\n"
    )


def test_a_table_of_one_person_is_named_by_its_file():
    assert heard(b"time,glucose\n2024-05-01T08:00Z,120\n", "carla.csv")[0].about == "table|carla"


@pytest.mark.parametrize(
    "name", ["glucose (mmol/L)", "Glucose [mmol/L]", "glucose_mmol_l", "cgm (mmol/L)"]
)
def test_a_unit_in_the_columns_name_is_honoured(name):
    (fact,) = heard(f"time,{name}\n2024-05-01T08:00Z,5.5\n".encode(), "x.csv")[0].facts
    assert fact.value == pytest.approx(99.09, abs=0.01)


def test_glucose_that_can_only_be_millimoles_is_refused_and_not_guessed():
    arrived = heard(b"time,glucose\n2024-05-01T08:00Z,5.5\n2024-05-01T09:00Z,12.5\n", "x.csv")
    assert not facts(arrived)
    assert "looks like mmol/L" in refused(arrived)[0]


def test_semicolons_decimal_commas_and_a_mark_at_the_start_are_read():
    raw = "\ufeffZeit;time;glucose;bolus\nx;2024-05-01 08:00;105,5;2,5\n".encode()
    assert told(heard(raw, "x.csv")) == [
        ("08:00", "glucose", 105.5),
        ("08:00", "insulin_bolus", 2.5),
    ]


def test_offsets_and_zones_side_by_side():
    raw = b"time,glucose\n2024-05-01T10:00+02:00,100\n2024-05-01T03:05-05:00,101\n"
    raw += b"2024-05-01T10:10,102\n"
    arrived = heard(raw, "x.csv", zone="Europe/Berlin")
    assert [t[0] for t in told(arrived)] == ["08:00", "08:05", "08:10"]


def test_bad_cells_are_counted_with_their_reason_and_good_ones_kept():
    raw = b"time,glucose\n2024-05-01T08:00Z,120\njunk,121\n2024-05-01T09:00Z,high?\n"
    raw += b"2024-05-01T10:00Z,9000\n2024-05-01T11:00Z,NaN\n2999-05-01T11:00Z,120\n"
    arrived = heard(raw, "x.csv")
    assert told(arrived) == [("08:00", "glucose", 120)]
    reasons = " / ".join(refused(arrived))
    for because in ("no numbers", "outside 10 to 1500", "time cannot be read", "in the future"):
        assert because in reasons
    assert len(refused(arrived)) == 4


def test_a_missing_time_column_is_named_with_those_that_are_there():
    because = refused(heard(b"person,glucose\nada,120\n", "x.csv"))[0]
    assert "a column for the time is missing; there are ['person', 'glucose']" in because


def test_a_header_without_rows_is_said_to_be_one():
    assert "header and no rows" in refused(heard(b"time,glucose\n", "x.csv"))[0]


def test_parquet_and_csv_say_the_same(tmp_path):
    at = [datetime(2024, 5, 1, 8, m, tzinfo=UTC).replace(tzinfo=None) for m in (0, 5)]
    table = pa.table({"person": ["ada"] * 2, "time": at, "glucose": [120.0, 124.0]})
    pq.write_table(table, tmp_path / "x.parquet")
    assert told(walked(tmp_path)) == [("08:00", "glucose", 120), ("08:05", "glucose", 124)]


def test_a_block_of_parquet_kept_for_a_person_holds_that_person_alone(tmp_path):
    at = [datetime(2024, 5, 1, 8, m, tzinfo=UTC).replace(tzinfo=None) for m in (0, 5)]
    table = pa.table({"person": ["ada", "bob"], "time": at, "glucose": [120.0, 124.0]})
    pq.write_table(table, tmp_path / "x.parquet")
    kept = pq.read_table(pa.BufferReader(walked(tmp_path)[1].original))
    assert kept.to_pylist() == [{"person": "bob", "time": at[1], "glucose": 124.0}]


def test_broken_parquet_is_refused():
    assert "begins like Parquet" in refused(heard(b"PAR1" + bytes(200), "x.parquet"))[0]


def mapped(tmp_path, fact, rows, **time):
    said = {"name": "ward", "time": {"column": "when"} | time, "facts": [fact]}
    (tmp_path / "m.json").write_text(json.dumps(said))
    header = b"when," + ",".join(fact["columns"]).encode() + b"\n"
    return heard(header + rows, "x.csv", mapping=tmp_path / "m.json")


PUMP = {"columns": ["rate"], "code": "insulin_basal", "unit": "U/h"}


def test_an_hourly_rate_is_known_only_when_its_hour_closes(tmp_path):
    rows = b"".join(b"2024-05-01T%02d:%02dZ,1.5\n" % divmod(m, 60) for m in range(475, 595, 5))
    arrived = mapped(tmp_path, PUMP | {"window": 60, "early": 300, "known": "closed"}, rows)
    first, second = arrived[0].facts
    assert (first.at.hour, first.until.hour, first.known.hour) == (8, 9, 9)
    record = Record("p").add(arrived[0].facts)
    at_half_past = record.known(first.at + timedelta(minutes=90))
    assert len(at_half_past[codes.insulin_basal]) == 1
    assert second.at.hour == 9


def test_thousandths_hidden_among_units_are_brought_back(tmp_path):
    rows = b"2024-05-01T08:00Z,1.5\n2024-05-01T09:00Z,700\n"
    arrived = mapped(tmp_path, PUMP | {"rescale": [{"above": 20, "by": 0.001}]}, rows)
    assert [f.value for f in arrived[0].facts] == pytest.approx([1.5, 0.7])


def test_amounts_of_one_minute_add_up_and_a_row_sent_twice_counts_once(tmp_path):
    fact = {"columns": ["dose"], "code": "insulin_bolus", "unit": "U", "above": 0}
    rows = b"2024-05-01T08:00Z,2\n2024-05-01T08:00Z,2\n2024-05-01T08:00Z,3\n2024-05-01T09:00Z,0\n"
    assert [f.value for f in mapped(tmp_path, fact, rows)[0].facts] == [5]


def test_a_sensor_with_two_values_for_one_moment_is_believed_for_the_last():
    raw = b"time,glucose\n2024-05-01T08:00Z,100\n2024-05-01T08:00Z,140\n2024-05-01T08:05Z,120\n"
    arrived = heard(raw, "x.csv")
    assert [f.value for f in arrived[0].facts] == [140, 120]
    assert "another value for the same moment" in refused(arrived)[0]


def test_a_file_of_one_person_of_a_known_set_is_named_by_its_file():
    raw = b"EventDateTime,CGM,TotalBolusInsulinDelivered,FoodDelivered,CorrectionDelivered,CarbSize"
    raw += b"\n2024-05-01 08:00:00,120,3,2,1,20\n"
    arrived = heard(raw, "Subject 7.csv")
    assert arrived[0].about == "AZT1D|Subject 7"
    boluses = {f.says: f.value for f in arrived[0].facts if f.code == codes.insulin_bolus}
    assert boluses == {"meal": 2, "correction": 1}
    assert "column ['Basal']: it is missing" in refused(arrived)[0]


def test_a_rate_lasts_until_the_next_one():
    raw = b"time,basal\n2024-05-01T08:00Z,1\n2024-05-01T09:30Z,2\n2024-05-01T10:00Z,1\n"
    rates = heard(raw, "x.csv")[0].facts
    assert [(f.until - f.at).seconds // 60 for f in rates] == [90, 30, 60]


def test_a_format_of_its_own_is_read(tmp_path):
    arrived = mapped(tmp_path, PUMP, b"03/04/2024 08:00,1\n", format="%d/%m/%Y %H:%M")
    assert arrived[0].facts[0].at == datetime(2024, 4, 3, 8, tzinfo=UTC)


def test_a_column_the_mapping_names_and_the_table_lacks_costs_only_itself(tmp_path):
    said = {
        "name": "ward",
        "time": {"column": "when"},
        "facts": [PUMP, {"columns": ["sugar"], "code": "glucose", "unit": "mg/dL"}],
    }
    (tmp_path / "m.json").write_text(json.dumps(said))
    arrived = heard(b"when,rate\n2024-05-01T08:00Z,1\n", "x.csv", mapping=tmp_path / "m.json")
    assert told(arrived) == [("08:00", "insulin_basal", 1)]
    assert "column ['sugar']: it is missing; there are ['when', 'rate']" in refused(arrived)[0]


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({}, "lacks or misplaces 'time'"),
        ({"name": "x", "time": {"column": "t"}, "facts": [{"code": "sugar"}]}, "not in record"),
        (
            {"name": "x", "time": {"column": "t"}, "facts": [{"code": "glucose", "unti": 1}]},
            "no words of a mapping",
        ),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(said, because):
    with pytest.raises(BadMapping, match=because):
        mapping(said)


def test_a_mapping_that_cannot_be_read_refuses_the_file(tmp_path):
    (tmp_path / "m.json").write_text("{")
    arrived = heard(PLAIN, "x.csv", mapping=tmp_path / "m.json")
    assert "mapping m.json cannot be read" in refused(arrived)[0]


def test_straight_to_columns_is_the_same_as_fact_by_fact(tmp_path):
    (tmp_path / "x.csv").write_bytes(PLAIN)
    columns = records(tmp_path / "x.csv", None, options)["ada"]
    one_by_one = Record("ada").add(walked(tmp_path)[0].facts)
    assert set(columns.columns) == set(one_by_one.columns)
    for code in columns.columns:
        assert np.array_equal(columns[code].value, one_by_one[code].value)
        assert np.array_equal(columns[code].known, one_by_one[code].known)


@pytest.fixture(scope="module")
def azt1d(shared):
    path = shared / "data/cgm_insulin_carbs/AZT1D.parquet"
    return path, records(path, None, Options(now))


def test_azt1d_boluses_in_their_parts_sum_to_what_was_delivered(azt1d):
    path, people = azt1d
    table = pq.read_table(
        path, columns=["person_id", "EventDateTime", "TotalBolusInsulinDelivered"]
    )
    rows = {tuple(r.values()) for r in table.to_pylist() if r["TotalBolusInsulinDelivered"]}
    delivered = sum(total for _, _, total in rows)
    ours = sum(r[codes.insulin_bolus].value.sum() for r in people.values())
    assert ours == pytest.approx(delivered, rel=1e-3)


def test_azt1d_meal_boluses_are_told_from_corrections(azt1d):
    boluses = azt1d[1]["Subject 1"][codes.insulin_bolus]
    assert set(boluses.says) == {"meal", "correction", "unsplit"}


def test_azt1d_basal_is_in_units_per_hour_and_known_late(azt1d):
    for record in azt1d[1].values():
        basal = record[codes.insulin_basal]
        assert basal.value.max() <= 20
        assert np.all(basal.known == basal.at + 3600)


def test_azt1d_subject_14_has_glucose_though_in_another_column(azt1d):
    assert len(azt1d[1]["Subject 14"][codes.glucose]) > 12_000


def test_hupa_carbohydrate_is_in_grams_for_everybody(shared):
    people = records(shared / "data/cgm_insulin_carbs/HUPA-UCM.parquet", None, Options(now))
    medians = [
        np.median(r[codes.carbohydrate].value)
        for r in people.values()
        if len(r[codes.carbohydrate]) > 5
    ]
    assert min(medians) >= 10
    assert max(medians) <= 110


def test_hupa_people_who_inject_have_no_basal_rate_rather_than_zero(shared):
    people = records(shared / "data/cgm_insulin_carbs/HUPA-UCM.parquet", None, Options(now))
    injecting = {w for w, r in people.items() if codes.insulin_basal not in r.columns}
    assert injecting == {"HUPA0011P", "HUPA0014P", "HUPA0015P", "HUPA0018P"}
    rates = people["HUPA0001P"][codes.insulin_basal]
    assert 0 < np.median(rates.value) < 3


@pytest.mark.parametrize("name", ["azt1d", "hupa"])
def test_a_shipped_mapping_names_its_paper(name):
    assert "doi:" in shipped()[name].reference
