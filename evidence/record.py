"""The record's size and look-back, and how fast sources read, on one core; printed as JSON.

    python evidence/record.py [--json OUT] [--shared DIR]

Peers in the same run: `json` of the standard library on the same Synthea bytes (parsing alone,
no facts), and a list of objects for the record's size.
"""

import json
import os
import sys
import tarfile
import tracemalloc
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record, Series
from medtwin.sources.door import read
from medtwin.sources.source import Options
from medtwin.sources.table import records

ROWS = 1_000_000
now = datetime(2026, 1, 1, tzinfo=UTC)


def size_and_look_back() -> dict[str, Any]:
    """A million glucose readings of one person."""
    tracemalloc.start()
    record = Record("somebody", {codes.glucose: _column(ROWS)})
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    halfway = datetime.fromtimestamp(300.0 * ROWS / 2, UTC)
    look_back = median_seconds(lambda: record.known(halfway), 200)
    column = record[codes.glucose]
    current = median_seconds(lambda: column.keep(slice(None)).current, 3)
    return {
        "rows": ROWS,
        "megabytes": round(megabytes, 1),
        "megabytes_where_facts_last": round(_lasting_bytes() / 1e6, 1),
        "megabytes_as_objects": round(_objects(10_000) * ROWS / 10_000 / 1e6),
        "known_by_ms": round(1e3 * look_back, 4),
        "current_ms": round(1e3 * current, 2),
        "target": {"megabytes": 30, "known_by_ms": 2},
    }


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


def median_seconds(act: Callable[[], Any], times: int) -> float:
    """How long one call takes, by the median of several."""
    spent = []
    for _ in range(times):
        begin = perf_counter()
        act()
        spent.append(perf_counter() - begin)
    return float(np.median(spent))


def fhir(archive: Path) -> dict[str, Any]:
    """Synthea bundles from the packed archive to facts; processor time of one core."""
    options = Options(received=datetime.now(UTC))
    begin, resources, facts, people, refused = process_time(), 0, 0, set(), 0
    for arrived in read([archive], options):
        resources += 1
        facts += len(arrived.facts)
        refused += len(arrived.refused)
        people |= {arrived.about} - {None}
    spent = process_time() - begin
    parsing = _parsed_by_json(archive)
    return {
        "resources": resources,
        "facts": facts,
        "refused": refused,
        "people": len(people),
        "resources_per_second": round(resources / spent),
        "standard_json_parsing_alone_per_second": round(resources / parsing),
        "target": {"resources_per_second": 10_000},
    }


def _parsed_by_json(archive: Path) -> float:
    begin = process_time()
    with tarfile.open(archive) as packed:
        for member in packed:
            file = packed.extractfile(member)
            if file is not None:
                json.loads(file.read())
    return process_time() - begin


def tables(folder: Path) -> dict[str, Any]:
    """AZT1D: straight to columns, and fact by fact through the door."""
    options = Options(received=datetime.now(UTC))
    path = folder / "AZT1D.parquet"
    begin = process_time()
    people = records(path, None, options)
    columns = process_time() - begin
    begin = process_time()
    facts = sum(len(a.facts) for a in read([path], options))
    return {
        "people": len(people),
        "facts": facts,
        "to_columns_s": round(columns, 2),
        "through_the_door_s": round(process_time() - begin, 2),
    }


def main() -> None:
    """Print the figures, and write them where asked."""
    asked = ArgumentParser()
    asked.add_argument("--json", type=Path)
    default = os.environ.get("MEDTWIN_SHARED", str(Path(__file__).parents[2] / "shared"))
    asked.add_argument("--shared", type=Path, default=Path(default))
    given = asked.parse_args()
    figures: dict[str, Any] = {
        "command": "python evidence/record.py",
        "record": size_and_look_back(),
    }
    if given.shared.is_dir():
        figures["fhir"] = fhir(given.shared / "data/synthea_r4_dev/synthea_r4_dev.tar.xz")
        figures["tables"] = tables(given.shared / "data/cgm_insulin_carbs")
    print(json.dumps(figures, indent=1))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
