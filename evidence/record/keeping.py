"""How fast records are kept for good, read back as charts, and copied: SQLite, and PostgreSQL.

Synthea's bundles as `medtwin import` takes them (parsed, sealed, found by FHIR search, on disk);
beside it a plain SQLite table that takes the same originals unsealed, in the same batches.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from evidence.record.figure import Figure, median_seconds
from evidence.record.server import NoServer, database, postgresql
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.waveform import Waveform
from medtwin.sources.door import read
from medtwin.sources.source import Arrived, Options
from medtwin.vault import signals
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.receiving import batch_originals
from medtwin.vault.vault import Vault

resources = 25_000
operator, service = Principal("evidence", Role.operator), Principal("evidence", Role.system)
start = datetime(2020, 1, 1, tzinfo=UTC)


def figures(shared: Path) -> Iterator[Figure]:
    """Imports, charts and copies on both stores; waveforms apart."""
    archive = shared / "data/synthea_r4_dev/synthea_r4_dev.tar.xz"
    if not archive.exists():
        raise FileNotFoundError(archive)
    with tempfile.TemporaryDirectory() as folder:
        plain = _plainly(archive, Path(folder) / "plain.db")
        yield from _kept(archive, Path(folder) / "home", None, 5000, plain)
        try:
            with postgresql() as server:
                yield from _kept(archive, Path(folder) / "other", database(server), 3000, plain)
        except NoServer as why:
            print(why)
    yield from _waveforms()


def _bundles(archive: Path) -> Iterator[Arrived]:
    return islice(read([archive], Options(received=datetime.now(UTC))), resources)


def _plainly(archive: Path, path: Path) -> float:
    began, arriving = perf_counter(), _bundles(archive)
    store = sqlite3.connect(path)
    store.execute("pragma journal_mode=wal")
    store.execute("pragma synchronous=full")
    store.execute("create table originals (number integer primary key, plain blob)")
    while batch := [(a.original,) for a in islice(arriving, batch_originals)]:
        store.executemany("insert into originals (plain) values (?)", batch)
        store.commit()
    store.close()
    return resources / (perf_counter() - began)


def _kept(
    archive: Path, home: Path, url: str | None, target: float, plain: float
) -> Iterator[Figure]:
    name = "SQLite" if url is None else "PostgreSQL"
    with Vault.open(home, database=url) as vault:
        began = perf_counter()
        vault.receive(operator, _bundles(archive), "Synthea, synthetic", [Purpose.care])
        speed = resources / (perf_counter() - began)
        beside = "the same into a plain SQLite table, unsealed"
        yield Figure(
            f"durable import, {name}", speed, "resources/s", target, peer=beside, peers=plain
        )
        yield from _charts(vault, name)
        yield from _copies(vault, home, name)


def _charts(vault: Vault, name: str, days: int = 365) -> Iterator[Figure]:
    n = 288 * days
    times = [start + timedelta(minutes=5 * i) for i in range(n)]
    facts = tuple(Observation(t, codes.glucose, 100 + t.minute, "invented", t) for t in times)
    one = Arrived(b"invented", "text/plain", "invented", "invented|1", None, facts, ())
    before = {p.patient for p in vault.patients(operator)}
    began = perf_counter()
    vault.receive(operator, [one], "invented", [Purpose.care])
    yield Figure(f"a sensor's year, {name}", n / (perf_counter() - began), "facts/s")
    (patient,) = {p.patient for p in vault.patients(operator)} - before
    end = start + timedelta(days=days)

    def year() -> int:
        return len(vault.chart(service, patient, "glucose", start, end, Purpose.care))

    chart = 1e3 * median_seconds(year, 9)
    whole = 1e3 * median_seconds(lambda: vault.record(service, patient, Purpose.care), 1)
    yield Figure(
        f"a year of a sensor as a chart, {name}",
        chart,
        "ms",
        peer="opening all its facts",
        peers=whole,
        note=f"{year()} points of {n} facts",
    )


def _copies(vault: Vault, home: Path, name: str) -> Iterator[Figure]:
    folder = home.with_name(home.name + ".copy")
    began = perf_counter()
    copied = vault.back_up(operator, folder, home.with_name(home.name + ".keys"))
    spent = perf_counter() - began
    note = f"{copied.rows} rows, {copied.bytes / 1e6:.0f} MB"
    yield Figure(f"backup, {name}", copied.bytes / 1e6 / spent, "MB/s", note=note)


def _waveforms() -> Iterator[Figure]:
    """Twelve leads at 500 a second with a converter's steps; noise as a real strip has."""
    rng = np.random.default_rng(1)
    t = np.arange(500 * 600) / 500
    beats = np.exp(-(((t % 0.8) - 0.3) ** 2) / 2e-4) + 0.2 * np.sin(2 * np.pi * t / 5)
    leads = np.stack([beats * k / 12 + rng.normal(0, 0.01, len(t)) for k in range(1, 13)])
    samples = (np.rint(leads * 200) / 200).astype(np.float32)
    names = tuple(f"lead {k}" for k in range(12))
    strip = Waveform(start, "ecg", 500.0, names, ("mV",) * 12, samples, "invented", start)
    with tempfile.TemporaryDirectory() as folder, Vault.open(Path(folder)) as vault:
        one = Arrived(b"strip", "x/y", "strip", "a|1", None, (), (), waveforms=(strip,))
        began = perf_counter()
        vault.receive(operator, [one], "invented", [Purpose.care])
        kept = samples.size / (perf_counter() - began)
        (patient,) = [p.patient for p in vault.patients(operator)]
        end = start + timedelta(hours=1)
        began = perf_counter()
        vault.waveforms(service, patient, "ecg", start, end, Purpose.care)
        back = samples.size / (perf_counter() - began)
    size = sum(len(signals.packed(c)) for p in signals.pieces(strip) for c in p.samples)
    note = "12 leads, 500 a second, 10 minutes, synthetic"
    yield Figure("waveform kept", kept / 1e6, "M samples/s", note=note)
    yield Figure("waveform read", back / 1e6, "M samples/s", note=note)
    yield Figure("waveform, bytes before by after", samples.nbytes / size, "", note=note)
