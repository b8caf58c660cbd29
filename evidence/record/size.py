"""A million readings of one person: what they weigh, and how long a look back takes."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from evidence.record.figure import Figure, median_seconds
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record, Series

ROWS = 1_000_000
now = datetime(2026, 1, 1, tzinfo=UTC)


def figures(_: Path) -> Iterator[Figure]:
    """Size beside a list of objects, the look back, and the corrected view."""
    tracemalloc.start()
    record = Record("somebody", {codes.glucose: _column(ROWS)})
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    yield Figure(
        "a million readings",
        megabytes,
        "MB",
        30,
        more_is_better=False,
        peer="as objects",
        peers=_objects(10_000) * ROWS / 10_000 / 1e6,
    )
    yield Figure("a million facts that last", _lasting_bytes() / 1e6, "MB")
    halfway = datetime.fromtimestamp(300.0 * ROWS / 2, UTC)
    look_back = 1e3 * median_seconds(lambda: record.known(halfway), 200)
    yield Figure("what was known by then", look_back, "ms", 2, more_is_better=False)
    column = record[codes.glucose]
    current = 1e3 * median_seconds(lambda: column.keep(slice(None)).current, 3)
    yield Figure("the corrected view of a million", current, "ms")


def _column(rows: int) -> Series:
    at = 300.0 * np.arange(rows)
    value = 120 + 40 * np.sin(at / 14400)
    return Series(at, at + 60, value, np.zeros(rows, dtype=np.uint16), ("sensor",))


def _lasting_bytes() -> int:
    lasting = replace(column := _column(ROWS), until=column.at + 300)
    columns = (lasting.at, lasting.known, lasting.value, lasting.source, lasting.until)
    return sum(c.nbytes for c in columns if c is not None)


def _objects(rows: int) -> int:
    tracemalloc.start()
    kept = tuple(_reading(i) for i in range(rows))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size if kept else 0


def _reading(i: int) -> Observation:
    at = now + timedelta(minutes=5 * i)
    return Observation(at, codes.glucose, 120.5 + i % 40, "sensor", at)
