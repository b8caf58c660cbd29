"""WFDB: the records of PhysioNet, a header that says how and signal files that hold the samples."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float32

from medtwin.record.observation import Implausible
from medtwin.record.waveform import Waveform
from medtwin.sources.leads import signal_code, unlike
from medtwin.sources.readings import Block, whose
from medtwin.sources.source import SMALL, Arrived, Options, Sent, Source
from medtwin.sources.wfdb_header import BadHeader, Header, Signal, header
from medtwin.sources.wfdb_signals import (
    BadSignal,
    decoded,
    frames_there,
    physical,
    span,
    unskewed,
    wrong_sum,
)
from medtwin.sources.zones import zone_or_none

MEDIA = "application/x-wfdb"
UNDATED = ", date not told: stands when it was received"


def recognises(path: Path, head: bytes) -> bool:
    """A header, or a file beside a header of its name: signals or annotations."""
    if path.suffix == ".hea":
        return b"\0" not in head[:256]
    if ":" in path.name and path.suffix in PACKED:  # in an archive nobody can look beside it
        return b"\0" in head
    beside = path.suffix != "" and not path.name.startswith(".") and path.suffix.lower() not in TOLD
    return beside and path.with_suffix(".hea").is_file()


STRETCH = 6 << 20  # samples handed over at once
PACKED = {".dat", ".atr", ".xyz", ".qrs"}
TOLD = {
    ".json",
    ".csv",
    ".xml",
    ".edf",
    ".txt",
    ".md",
    ".zip",
    ".fit",
}  # these speak for themselves


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """A header with its signals; a signal or annotation file by itself is kept, byte for byte."""
    if what.path.suffix != ".hea":
        yield from _kept(what, options)
        return
    with what.open() as file:
        raw = file.read(SMALL)
    about, original = whose("wfdb", what, options), raw
    block = Block(about, options.received)
    try:
        record = header(raw, zone_or_none(options.zone))
        for part in _parts(block, record, what, options):
            for stretch in _stretches(block, part):
                yield from stretch.arrived(original, MEDIA, what.name, "WFDB record")
                block, original = Block(about, options.received), b""
    except (BadHeader, OverflowError) as why:
        block.refuse(what.path.name, why, "send the header as WFDB's header(5) says", raw)
    if original or block.refused:
        yield from block.arrived(original, MEDIA, what.name, "WFDB record")


def _kept(what: Sent, options: Options) -> Iterator[Arrived]:
    signals = what.path.suffix in (".dat", ".mat", ".xyz")
    kind = "WFDB signal file (read with its header)" if signals else "WFDB annotations"
    with what.open() as file:
        while part := file.read(SMALL):
            block = Block(whose("wfdb", what, options), options.received)
            block.keep(kind)
            yield from block.arrived(part, MEDIA, what.name, kind)


def _parts(
    block: Block, record: Header, what: Sent, options: Options
) -> Iterator[tuple[Header, Sent, datetime, str]]:
    """The record itself, or each of its segments: header, file, begin, and what to call it."""
    lasts = timedelta(seconds=(record.frames or 0) / record.rate)
    at = record.at or options.received - lasts
    by = f"WFDB {record.name}{UNDATED if record.at is None else ''}"
    if not record.segments:
        yield record, what, at, by
    for name, frames in record.segments:
        part = what.beside(f"{name}.hea") if name != "~" else None
        if part is not None and frames:
            with part.open() as file:
                inner = header(file.read(SMALL), zone_or_none(options.zone))
            if inner.segments:
                raise BadHeader(f"its segment {name} is made of segments itself")
            yield inner, part, at, by
        elif name != "~" and frames:
            block.refuse(f"segment {name}", f"{name}.hea is not beside it", "send both files")
        at += timedelta(seconds=frames / record.rate)


@dataclass
class Tape:
    """One signal file as it runs through: its signals, how far it goes, and the sums so far."""

    file: Sent
    signals: list[Signal]
    frames: int
    last: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)


def tapes(block: Block, record: Header, what: Sent) -> list[Tape]:
    """The signal files that are there and as long as the header says; the others are refused."""
    found = []
    for name, group in groupby(record.signals, key=lambda s: s.file):
        signals = list(group)
        try:
            near = what.beside(name)
            if near is None:
                raise BadSignal(f"{name} is not beside its header")
            there = frames_there(near.size or 0, signals)
            if there < (record.frames or 0):
                raise BadSignal(
                    f"it holds {there} of the {record.frames} frames its header tells of"
                )
            found.append(Tape(near, signals, record.frames or there, [], [0] * len(signals)))
        except BadSignal as why:
            block.refuse(name, why, "send header and signal file together, as they were made")
    return found


def _stretches(block: Block, part: tuple[Header, Sent, datetime, str]) -> Iterator[Block]:
    """The waveforms, so many frames at a time; what is wrong is said in the block of its time."""
    record, what, at, by = part
    running = tapes(block, record, what)
    longest = max((t.frames for t in running), default=0)
    each = sum(s.per_frame for s in record.signals)
    step = max(STRETCH // max(each, 1) // 6, 1) * 6
    with ExitStack() as open_:
        files = [open_.enter_context(t.file.open()) for t in running]
        for first in range(0, longest, step):
            count = min(step, longest - first)
            found = []
            for tape, file in zip(running, files, strict=True):
                found += _samples(block, tape, file, (first, min(count, tape.frames - first)))
            begins = at + timedelta(seconds=first / record.rate)
            block.waveforms += waveforms(found, record.rate, begins, by, block)
            if first + count == longest:
                _summed(block, running)
            yield block
            block = Block(block.whose, block.received)


def _samples(
    block: Block, tape: Tape, file: IO[bytes], frames: tuple[int, int]
) -> Iterator[tuple[Signal, Float32[np.ndarray, " sample"]]]:
    first, count = frames
    more = max(s.skew for s in tape.signals)
    ahead = min(count + more, tape.frames - first)
    begins, size = span(first, ahead, tape.signals)
    file.seek(begins)
    try:
        parts = decoded(file.read(size), tape.signals, ahead, tape.last)
    except BadSignal as why:
        block.refuse(tape.file.path.name, why, "send header and signal file again")
        return
    for place, (signal, samples) in enumerate(zip(tape.signals, parts, strict=True)):
        mine = samples[: count * signal.per_frame]
        tape.sums[place] += int(mine.sum())
        yield signal, unskewed(physical(samples, signal), signal, count)
    tape.last = [int(p[count * s.per_frame - 1]) for p, s in zip(parts, tape.signals, strict=True)]


def _summed(block: Block, running: Sequence[Tape]) -> None:
    for tape in running:
        for signal, total in zip(tape.signals, tape.sums, strict=True):
            if wrong_sum(total, signal):
                because = f"signal {signal.name} has another checksum than its header says"
                then = "some sample may be wrong; send both files again"
                block.refuse(tape.file.path.name, because, then)


def waveforms(
    found: Sequence[tuple[Signal, Float32[np.ndarray, " sample"]]],
    rate: float,
    at: datetime,
    by: str,
    block: Block,
) -> Iterator[Waveform]:
    """Channels of one kind and rate together."""
    kinds = [(signal_code(s.name), s.per_frame) for s, _ in found]
    for kind in dict.fromkeys(kinds):
        mine = [f for f, k in zip(found, kinds, strict=True) if k == kind]
        names = unlike([s.name or f"signal {i}" for i, (s, _) in enumerate(mine)])
        units, samples = tuple(s.unit for s, _ in mine), np.stack([v for _, v in mine])
        try:
            yield Waveform(at, kind[0], rate * kind[1], names, units, samples, by, block.received)
        except Implausible as why:
            block.refuse(f"waveform {kind[0]}", why, "correct the header")


source = Source(
    "WFDB record",
    "PhysioNet WFDB Applications Guide, header(5) and signal(5)",
    (".hea",),
    recognises,
    read,
)
