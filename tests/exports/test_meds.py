"""Facts as the Medical Event Data Standard."""

import json
from datetime import UTC, datetime

import pyarrow.parquet as pq

from medtwin.exports.meds import DATA, called, events
from medtwin.record import codes
from medtwin.record.codes import Kind, opened
from medtwin.record.observation import WITHDRAWN, Observation
from medtwin.record.record import Record

now = datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_codes_are_called_by_their_system():
    assert called(codes.glucose) == "LOINC//2339-0"
    assert called(opened("http://snomed.info/sct|38341003", "x", "1")) == "SNOMED//38341003"
    assert called(opened("text|cough", "cough", "1", Kind.condition)) == "MEDTWIN//text|cough"


def test_rows_stand_in_the_order_of_time_and_what_was_taken_back_is_left_out():
    later, first = now.replace(hour=12), now.replace(hour=8)
    said = [
        Observation(later, codes.glucose, 120, "meter", known=now),
        Observation(first, codes.heart_rate, 60, "watch", known=now),
        Observation(now, codes.glucose, 90, "meter", known=now),
        Observation(now, codes.glucose, 90, "meter", known=later, says=WITHDRAWN),
    ]
    rows = list(events(Record("anna").add(said), subject=3))
    assert [(r["time"].hour, r["code"], r["numeric_value"]) for r in rows] == [
        (8, "LOINC//8867-4", 60.0),
        (12, "LOINC//2339-0", 120.0),
    ]
    assert {r["subject_id"] for r in rows} == {3}


def test_a_data_set_holds_only_who_agreed_and_describes_itself(house, tmp_path):
    told = house("export", "meds", "--to", tmp_path / "set", "--json")
    assert told["people"] == 1
    (file,) = (tmp_path / "set" / "data").rglob("*.parquet")
    table = pq.read_table(file)
    assert table.schema.equals(DATA)
    assert told["events"] == table.num_rows > 0
    assert house.anna not in file.read_bytes().decode("latin-1")
    said = json.loads((tmp_path / "set" / "metadata" / "dataset.json").read_text())
    assert said["meds_version"] == "0.4.0"
    words = pq.read_table(tmp_path / "set" / "metadata" / "codes.parquet").to_pylist()
    assert set(table["code"].to_pylist()) == {w["code"] for w in words}
    splits = pq.read_table(tmp_path / "set" / "metadata" / "subject_splits.parquet").to_pylist()
    assert [s["subject_id"] for s in splits] == [1]
