"""How fast records come in for good: FHIR resources a second, parsed, sealed and on disk.

    python evidence/import_speed.py --json

Imports Synthea's bundles (`MEDTWIN_SHARED`, data/synthea_r4_dev) into a new store, as
`medtwin import` does, and beside it, in the same run: parsing alone, the same import again
(nothing new), a plain SQLite table that takes the same originals in the same batches,
unsealed and as they are, and opening a patient of 10,000 invented readings. The target is
2,000 resources a second, and a patient of 10,000 events opened in under 1 s.
"""

import argparse
import json
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.sources.door import read
from medtwin.sources.source import Arrived, Options
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.receiving import batch_originals
from medtwin.vault.vault import Vault

operator = Principal("evidence", Role.operator)
service = Principal("evidence", Role.system)
target = 2000


def bundles(most: int) -> Iterator[Arrived]:
    """What the archive holds, resource by resource."""
    shared = Path(os.environ.get("MEDTWIN_SHARED") or Path(__file__).parents[2] / "shared")
    folder = shared / "data" / "synthea_r4_dev"
    archives = sorted(folder.glob("*.tar.xz"))
    if not archives:
        sys.exit(f"no archive in {folder}; set MEDTWIN_SHARED to the folder that holds data/")
    return islice(read(archives, Options(received=datetime.now(UTC))), most)


def parsing(most: int) -> float:
    """Resources a second, read and thrown away."""
    began = perf_counter()
    count = sum(1 for _ in bundles(most))
    return count / (perf_counter() - began)


def importing(vault: Vault, most: int) -> dict[str, float]:
    """The import as it is done, and what it kept."""
    began, cpu = perf_counter(), process_time()
    receipt = vault.receive(operator, bundles(most), "Synthea, synthetic", [Purpose.care])
    seconds, cpu = perf_counter() - began, process_time() - cpu
    counted = sum(receipt.understood.values()) + sum(receipt.kept.values())
    return {
        "resources_per_second": round(counted / seconds),
        "resources_per_cpu_second": round(counted / cpu),
        "seconds": round(seconds, 1),
        "resources": counted,
        "people": receipt.people,
        "facts": receipt.facts,
        "originals": receipt.originals,
        "refused": len(receipt.refused),
    }


def plainly(path: Path, most: int) -> float:
    """The same originals into one plain table, committed in the same batches."""
    began, count = perf_counter(), 0
    arriving = bundles(most)
    with sqlite3.connect(path) as store:
        store.execute("pragma journal_mode=wal")
        store.execute("pragma synchronous=full")
        store.execute("create table originals (number integer primary key, plain blob)")
        while batch := [(a.original,) for a in islice(arriving, batch_originals)]:
            store.executemany("insert into originals (plain) values (?)", batch)
            store.commit()
            count += len(batch)
    store.close()
    return count / (perf_counter() - began)


def opening(vault: Vault, events: int = 10_000) -> float:
    """Seconds to open a patient with so many invented readings; the middle of seven."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=5 * i) for i in range(events)]
    facts = tuple(Observation(t, codes.glucose, 100 + t.minute, "invented", t) for t in times)
    one = Arrived(b"invented", "text/plain", "invented", "invented|1", None, facts, ())
    before = {p.patient for p in vault.patients(operator)}
    vault.receive(operator, [one], "invented", [Purpose.care])
    (patient,) = {p.patient for p in vault.patients(operator)} - before
    seconds = []
    for _ in range(7):
        began = perf_counter()
        vault.record(service, patient, Purpose.care)
        seconds.append(perf_counter() - began)
    return sorted(seconds)[3]


def measured(most: int) -> dict[str, object]:
    """All figures of one run."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with Vault.open(home) as vault:
            first = importing(vault, most)
            again = importing(vault, most)
            opened = opening(vault)
        size = sum(file.stat().st_size for file in home.iterdir())
        plain = plainly(Path(folder) / "plain.db", most)
    speed = first["resources_per_second"]
    return {
        "command": "python evidence/import_speed.py --json",
        "others_on_this_machine": {"load": os.getloadavg()[1], "cpus": os.cpu_count()},
        "import": first,
        "again": again,
        "parsing_alone_per_second": round(parsing(most)),
        "plain_table_per_second": round(plain),
        "import_by_plain_table": round(speed / plain, 2),
        "target_per_second": target,
        "import_by_target": round(speed / target, 2),
        "open_10000_events_seconds": round(opened, 3),
        "store_megabytes": round(size / 1e6),
    }


def _line(figure: tuple[str, object]) -> str:
    name, value = figure
    return f"{name.replace('_', ' ')}: {value}"


def main() -> None:
    """Measure and tell."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--most", type=int, default=1_000_000, help="stop after so many resources")
    said = asked.parse_args()
    found = measured(said.most)
    print(json.dumps(found, indent=1) if said.json else "\n".join(map(_line, found.items())))


if __name__ == "__main__":
    main()
