"""Rows into tables that others read: Parquet, DuckDB, SQLite, CSV; block by block, or not at all.

A file is written beside its place and put there when it is whole.
"""

import csv
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medtwin.exports.views import Column, Row, View

BLOCK = 20_000
SORTS: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "positiveInt": pa.int64(),
    "unsignedInt": pa.int64(),
    "integer64": pa.int64(),
    "decimal": pa.float64(),
}
ANSI: Mapping[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "BIGINT": pa.int64(),
    "DOUBLE PRECISION": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}


class MissingExtra(ImportError):
    """A library that this needs is an extra of medtwin, and is not installed."""


def schema(view: View) -> pa.Schema:
    """The types that a view's columns say (FHIR's, or SQL's by the tag `ansi/type`); else text."""
    return pa.schema([(c.name, _sort(c)) for c in view.columns])


def _sort(column: Column) -> pa.DataType:
    said = column.tags.get("ansi/type", "").upper()
    sort = ANSI.get(said) or SORTS.get(column.type.rpartition("/")[2], pa.string())
    return pa.list_(sort) if column.collection else sort


def blocks(columns: pa.Schema, rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    """The rows in blocks, their values as the columns want them."""
    cast = [_cast(f.type) for f in columns]
    waiting = iter(rows)
    while some := list(islice(waiting, BLOCK)):
        across = zip(cast, zip(*some, strict=True), columns, strict=True)
        arrays = [pa.array([one(v) for v in values], f.type) for one, values, f in across]
        yield pa.RecordBatch.from_arrays(arrays, schema=columns)


def _cast(sort: pa.DataType) -> Callable[[Any], Any]:
    if pa.types.is_list(sort):
        inner = _cast(sort.value_type)
        return lambda v: None if v is None else [inner(one) for one in v]
    read: Callable[[Any], Any] = as_text
    if pa.types.is_floating(sort):
        read = float
    elif pa.types.is_date(sort):
        read = _day
    elif pa.types.is_timestamp(sort):
        read = _time
    elif pa.types.is_integer(sort) or pa.types.is_boolean(sort):
        return lambda v: v
    return lambda v: None if v is None else read(v)


def as_text(value: Any) -> str:
    """A value in words: numbers as they were written, parts of resources as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, default=_number, ensure_ascii=False)
    return str(value)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def parquet(path: Path, columns: pa.Schema, rows: Iterable[Row]) -> int:
    """One Parquet file (zstd); how many rows."""
    beside = _beside(path)
    some = 0
    with pq.ParquetWriter(beside, columns, compression="zstd") as file:
        for block in blocks(columns, rows):
            file.write_batch(block)
            some += block.num_rows
    beside.replace(path)
    return some


def duckdb(path: Path, name: str, columns: pa.Schema, rows: Iterable[Row]) -> int:
    """A table of a DuckDB file, which may hold others; it replaces one of this name."""
    with connected(path) as c:
        c.execute("begin")
        empty = columns.empty_table()
        c.register("block", empty)
        c.execute(f'create or replace table "{name}" as select * from block')  # noqa: S608
        some = 0
        for block in blocks(columns, rows):
            c.register("block", pa.Table.from_batches([block]))
            c.execute(f'insert into "{name}" select * from block')  # noqa: S608 - names are checked
            some += block.num_rows
        c.execute("commit")
    return some


def connected(path: Path | str) -> Any:
    """A DuckDB file (or ":memory:"), opened; `MissingExtra` where the library is not there."""
    try:
        import duckdb as library
    except ImportError as why:
        raise MissingExtra("DuckDB is an extra: install medtwin[analytics]") from why
    return library.connect(str(path))


def sqlite(path: Path, name: str, columns: pa.Schema, rows: Iterable[Row]) -> int:
    """A table of an SQLite file, which may hold others; it replaces one of this name."""
    c = sqlite3.connect(path)
    try:
        with c:
            c.execute(f'drop table if exists "{name}"')
            told = ", ".join(f'"{f.name}" {_affinity(f.type)}' for f in columns)
            c.execute(f'create table "{name}" ({told})')
            marks = ", ".join("?" * len(columns))
            some = 0
            for block in blocks(columns, rows):
                across = zip(*(_plain(a) for a in block.columns), strict=True)
                c.executemany(f'insert into "{name}" values ({marks})', across)  # noqa: S608
                some += block.num_rows
        return some
    finally:
        c.close()


def _affinity(sort: pa.DataType) -> str:
    if pa.types.is_integer(sort) or pa.types.is_boolean(sort):
        return "integer"
    return "real" if pa.types.is_floating(sort) else "text"


def _plain(values: pa.Array) -> list[Any]:
    """What SQLite and CSV can hold: lists as JSON, times in words."""
    told = values.to_pylist()
    if pa.types.is_list(values.type):
        return [None if v is None else json.dumps(v) for v in told]
    if pa.types.is_temporal(values.type):
        return [None if v is None else v.isoformat() for v in told]
    return told


def comma(path: Path, columns: pa.Schema, rows: Iterable[Row]) -> int:
    """One CSV file with a head."""
    beside, some = _beside(path), 0
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns.names)
        for block in blocks(columns, rows):
            writer.writerows(zip(*(_plain(a) for a in block.columns), strict=True))
            some += block.num_rows
    beside.replace(path)
    return some


def kept(path: Path, name: str, columns: pa.Schema, rows: Iterable[Row]) -> int:
    """Into the file of this name, of the sort its ending says; how many rows."""
    writers = {
        ".duckdb": lambda: duckdb(path, name, columns, rows),
        ".sqlite": lambda: sqlite(path, name, columns, rows),
        ".parquet": lambda: parquet(path, columns, rows),
        ".csv": lambda: comma(path, columns, rows),
    }
    if path.suffix not in writers:
        raise ValueError(f"{path.name} ends in none of {', '.join(writers)}; choose one of them")
    return writers[path.suffix]()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".part")
