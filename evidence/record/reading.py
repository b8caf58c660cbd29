"""How fast sources read, on one core: Synthea's bundles, and AZT1D's table.

Beside it in the same run: `json` of the standard library on the same bytes (parsing alone, no
facts).
"""

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

from evidence.record.figure import Figure
from medtwin.sources.door import read
from medtwin.sources.source import Options
from medtwin.sources.table import records


def figures(shared: Path) -> Iterator[Figure]:
    """Resources a second to facts; a table to columns and through the door."""
    yield fhir(shared / "data/synthea_r4_dev/synthea_r4_dev.tar.xz")
    yield from tables(shared / "data/cgm_insulin_carbs/AZT1D.parquet")


def fhir(archive: Path) -> Figure:
    """Synthea bundles from the packed archive to facts; processor time of one core."""
    if not archive.exists():
        raise FileNotFoundError(archive)
    options = Options(received=datetime.now(UTC))
    begin, resources, facts = process_time(), 0, 0
    for arrived in read([archive], options):
        resources += 1
        facts += len(arrived.facts)
    spent = process_time() - begin
    return Figure(
        "FHIR to facts",
        resources / spent,
        "resources/s",
        10_000,
        peer="json of the standard library, parsing alone",
        peers=resources / _parsed_by_json(archive),
        note=f"{resources} resources, {facts} facts, of Synthea (synthetic)",
    )


def _parsed_by_json(archive: Path) -> float:
    begin = process_time()
    with tarfile.open(archive) as packed:
        for member in packed:
            file = packed.extractfile(member)
            if file is not None:
                json.loads(file.read())
    return process_time() - begin


def tables(path: Path) -> Iterator[Figure]:
    """AZT1D: straight to columns, and fact by fact through the door."""
    options = Options(received=datetime.now(UTC))
    begin = process_time()
    people = records(path, None, options)
    columns = process_time() - begin
    begin = process_time()
    facts = sum(len(a.facts) for a in read([path], options))
    spent = process_time() - begin
    note = f"AZT1D: {len(people)} people, {facts} facts"
    yield Figure("a table to columns", facts / columns, "facts/s", note=note)
    yield Figure("a table through the door", facts / spent, "facts/s", note=note)
