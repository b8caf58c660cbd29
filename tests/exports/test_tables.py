"""Tables that others read: the same rows whatever the file, typed as the view says."""

import sqlite3

import duckdb
import pyarrow.parquet as pq
import pytest

from medtwin.exports import tables
from medtwin.exports.views import rows, view

VIEW = view(
    {
        "name": "weights",
        "resource": "Observation",
        "select": [
            {
                "column": [
                    {"name": "id", "path": "id", "type": "id"},
                    {"name": "kg", "path": "value.ofType(Quantity).value", "type": "decimal"},
                    {"name": "done", "path": "status = 'final'", "type": "boolean"},
                    {"name": "codes", "path": "code.coding.code", "collection": True},
                    {"name": "day", "path": "effective.ofType(dateTime)",
                     "tag": [{"name": "ansi/type", "value": "DATE"}]},
                ]
            }
        ],
    }
)  # fmt: skip
WEIGHT = {
    "resourceType": "Observation",
    "id": "w",
    "status": "final",
    "code": {"coding": [{"code": "29463-7"}, {"code": "3141-9"}]},
    "effectiveDateTime": "2026-03-01",
    "valueQuantity": {"value": 72.5},
}
NONE = {"resourceType": "Observation", "id": "n", "status": "unknown"}


def write(path):
    return tables.kept(path, VIEW.name, tables.schema(VIEW), rows(VIEW, [WEIGHT, NONE]))


def test_duckdb_has_types_and_lists(tmp_path):
    assert write(tmp_path / "x.duckdb") == 2
    with duckdb.connect(str(tmp_path / "x.duckdb")) as c:
        told = c.execute("select id, kg, done, codes, day::varchar from weights").fetchall()
    assert told == [("w", 72.5, True, ["29463-7", "3141-9"], "2026-03-01"),
                    ("n", None, False, [], None)]  # fmt: skip


def test_sqlite_has_lists_as_json(tmp_path):
    write(tmp_path / "x.sqlite")
    write(tmp_path / "x.sqlite")  # again: it replaces
    c = sqlite3.connect(tmp_path / "x.sqlite")
    told = c.execute("select id, kg, done, codes, day from weights").fetchall()
    c.close()
    assert told == [("w", 72.5, 1, '["29463-7", "3141-9"]', "2026-03-01"),
                    ("n", None, 0, "[]", None)]  # fmt: skip


def test_parquet_is_whole_and_typed(tmp_path):
    write(tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.column("kg").to_pylist() == [72.5, None]
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]


def test_csv_has_a_head(tmp_path):
    write(tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text().splitlines()[:2] == [
        "id,kg,done,codes,day", 'w,72.5,True,"[""29463-7"", ""3141-9""]",2026-03-01']  # fmt: skip


def test_a_file_of_another_sort_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match="ends in none of"):
        write(tmp_path / "x.xlsx")
