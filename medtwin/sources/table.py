"""Tables, CSV or Parquet, by a mapping file or by column names that speak for themselves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from medtwin.record.observation import Observation
from medtwin.record.record import Record, Series, joined, moment
from medtwin.sources.source import (
    HEAD,
    SMALL,
    Arrived,
    Options,
    Refusal,
    Sent,
    Source,
    sent,
    unread,
)
from medtwin.sources.table_columns import Facts, Rejected, facts, suspicious
from medtwin.sources.table_file import PARQUET, BadTable, Table, delimited, names, parquet
from medtwin.sources.table_mapping import BadMapping, TableMapping, fitting, loaded, timed
from medtwin.sources.table_times import seconds
from medtwin.sources.zones import UnknownZone, zone

BLOCK = 50_000
GUIDE = "name the columns as docs/sources.md says, or give a mapping file"


def recognises(path: Path, head: bytes) -> bool:
    """Parquet by its first bytes; text by its suffix or by column names that say enough."""
    if head.startswith(PARQUET):
        return True
    if b"\0" in head[:1024]:
        return False
    return path.suffix.lower() in (".csv", ".tsv") or fitting(names(head)) is not None


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Each person's rows, in blocks."""
    try:
        table, mapping = opened(what, options)
    except (BadTable, BadMapping, UnknownZone) as why:
        with what.open() as file:
            original = file.read(SMALL)
        yield unread(what, str(why), GUIDE, original)
        return
    yield from arrived(table, mapping, what, options)


def opened(what: Sent, options: Options) -> tuple[Table, TableMapping]:
    """The table and its mapping. Raises `BadTable`, `BadMapping` or `UnknownZone`."""
    if not what.head.startswith(PARQUET):
        _worth_reading(what, options)
    with what.open() as file:
        raw = file.read()
    table = parquet(raw) if raw.startswith(PARQUET) else delimited(raw)
    mapping = loaded(options.mapping) if options.mapping else _fits(list(table.columns))
    needed = [mapping.time, *([mapping.person] if mapping.person else [])]
    if lacking := [n for n in needed if n not in table.columns]:
        raise BadTable(f"column {lacking} is missing; there are {list(table.columns)}")
    zone(mapping.zone or "UTC")
    return table, replace(mapping, zone=mapping.zone or options.zone)


def _worth_reading(what: Sent, options: Options) -> None:
    """Whether the first rows hold what the columns promise, before the rest is read."""
    mapping = loaded(options.mapping) if options.mapping else _fits(names(what.head))
    if len(what.head) < HEAD:
        return
    sample = delimited(what.head.rpartition(b"\n")[0])
    times = sample.columns.get(mapping.time, np.empty(0, dtype=object))
    at = seconds(times, zone(mapping.zone or options.zone or "UTC"), mapping.format)
    if len(at) and np.all(np.isnan(at)):
        raise BadTable(f"the time of its first {len(at)} rows cannot be read, such as {times[0]!r}")


def _fits(found: list[str]) -> TableMapping:
    mapping = fitting(found)
    if mapping is None:
        lacking = "a column for the time" if not timed(found) else "a column of a code we know"
        raise BadTable(f"{lacking} is missing; there are {found[:20]}"[:500])
    return mapping


def arrived(table: Table, mapping: TableMapping, what: Sent, options: Options) -> Iterator[Arrived]:
    """Each person's rows of an opened table as facts, refusals and originals."""
    received = options.received.timestamp()
    at = seconds(table.columns[mapping.time], zone(mapping.zone or "UTC"), mapping.format)
    missing = unusable(table, mapping)
    whole = [_refusal(r, "everybody in the table") for r in missing]
    usable = _usable(table, mapping)
    for who, rows in people(table, mapping, what):
        for begin in range(0, len(rows), BLOCK):
            block = rows[begin : begin + BLOCK]
            about = f"{mapping.name}|{who}"
            done = [facts(table, block, at[block], who, c, received) for c in usable.columns]
            bad = [_refusal(r, about) for _, refused in done for r in refused]
            bad += _timeless(at[block], mapping, about)
            kept = [found for found, _ in done if found]
            observed = [o for found in kept for o in observations(found, mapping)]
            original, media = table.block(block)
            yield Arrived(
                original,
                media,
                f"{what.name}#{who}",
                about,
                None,
                tuple(observed),
                tuple(whole + bad),
                "",
                "table rows",
                tuple(place for found in kept for place in places(found, block, table)),
            )
            whole = []
    if not table.rows:
        yield unread(what, "it has a header and no rows", "send the rows")


def records(path: Path, mapping: TableMapping | None, options: Options) -> dict[str, Record]:
    """Each person's record straight from a table, column by column, for work on whole sets.

    Raises `BadTable` or `BadMapping`. What the door would refuse is left out.
    """
    what = sent(path)
    table, found = opened(what, options)
    mapping = _usable(table, mapping or found)
    at = seconds(table.columns[mapping.time], zone(mapping.zone or "UTC"), mapping.format)
    received = options.received.timestamp()
    return {
        who: _record(who, table, rows, at[rows], mapping, received)
        for who, rows in people(table, mapping, what)
    }


def _record(
    who: str,
    table: Table,
    rows: Int[np.ndarray, " row"],
    at: Float[np.ndarray, " row"],
    mapping: TableMapping,
    received: float,
) -> Record:
    columns: dict = {}
    for column in mapping.columns:
        found, _ = facts(table, rows, at, who, column, received)
        if found and len(found.at):
            code = column.code
            new = series(found, mapping)
            columns[code] = (
                joined(columns[code], new) if code in columns else joined(new, new.keep(slice(0)))
            )
    return Record(who, columns)


def people(
    table: Table, mapping: TableMapping, what: Sent
) -> Iterator[tuple[str, Int[np.ndarray, " row"]]]:
    """Each person in the table with their rows; a table of one person is named by its file."""
    if mapping.person is None:
        yield what.stem, np.arange(table.rows)
        return
    column = np.array([str(v) for v in table.columns[mapping.person]], dtype=object)
    found, place = np.unique(column.astype(str), return_inverse=True)
    order = np.argsort(place, kind="stable")
    edges = np.searchsorted(place[order], np.arange(len(found) + 1))
    for i, who in enumerate(found):
        yield str(who), order[edges[i] : edges[i + 1]]


def observations(found: Facts, mapping: TableMapping) -> Iterator[Observation]:
    """The facts one by one."""
    column, source = found.column, source_name(found, mapping)
    until = [None] * len(found.at) if found.until is None else [moment(u) for u in found.until]
    for at, known, value, end in zip(found.at, found.known, found.value, until, strict=True):
        yield Observation(
            moment(at), column.code, float(value), source, moment(known), end, column.says
        )


def places(found: Facts, block: Int[np.ndarray, " row"], table: Table) -> list[str]:
    """Where in the block's own bytes each fact stands: its line, or its row where it has none."""
    word, first = ("row", 1) if table.lines is None else ("line", 2 + table.header.count(b"\n"))
    return [f"{word} {i + first}" for i in np.searchsorted(block, found.row)]


def series(found: Facts, mapping: TableMapping) -> Series:
    """The facts as one column."""
    n, says = len(found.at), found.column.says
    words = np.full(n, says, dtype=object) if says else None
    here = np.zeros(n, dtype=np.uint16)
    return Series(
        found.at, found.known, found.value, here, (source_name(found, mapping),), found.until, words
    )


def source_name(found: Facts, mapping: TableMapping) -> str:
    """Who measured it: the set, and the device or column in it."""
    return f"{mapping.name}, {found.column.source or found.column.columns[0]}"


def unusable(table: Table, mapping: TableMapping) -> list[Rejected]:
    """Columns the mapping names and the table lacks, or that cannot be read as told."""
    bad = []
    for column in mapping.columns:
        absent = [n for n in (*column.columns, *column.less) if n not in table.columns]
        if set(column.columns) <= set(absent) or set(column.less) & set(absent):
            there = f"it is missing; there are {list(table.columns)}"
            bad.append(Rejected(f"column {absent}", there, "send it, or change the mapping"))
        else:
            bad += suspicious(table, column)
    return bad


def _usable(table: Table, mapping: TableMapping) -> TableMapping:
    able = tuple(c for c in mapping.columns if not unusable(table, replace(mapping, columns=(c,))))
    return replace(mapping, columns=able)


def _timeless(at: Float[np.ndarray, " row"], mapping: TableMapping, who: str) -> list[Refusal]:
    n = int(np.isnan(at).sum())
    if not n:
        return []
    because = "their time cannot be read; allowed is ISO 8601 or the mapping's format"
    return [
        Refusal(f"{n} rows, column {mapping.time}", who, because, "give time.format in a mapping")
    ]


def _refusal(bad: Rejected, whose: str) -> Refusal:
    return Refusal(bad.what, whose, bad.because, bad.next)


source = Source(
    "table (CSV, Parquet)",
    "RFC 4180; Apache Parquet; columns by mapping, docs/sources.md",
    (".csv", ".tsv", ".parquet"),
    recognises,
    read,
)
