"""WFDB: the records of PhysioNet, a header that says how and signal files that hold the samples."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from medtwin.record.observation import Implausible
from medtwin.record.waveform import Waveform
from medtwin.sources.leads import signal_code, unlike
from medtwin.sources.readings import Block, whose
from medtwin.sources.source import SMALL, Arrived, Options, Sent, Source
from medtwin.sources.wfdb_header import BadHeader, Header, Signal, header
from medtwin.sources.wfdb_signals import BadSignal, Samples, decoded, physical, wrong_sum
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
    block = Block(whose("wfdb", what, options), options.received)
    try:
        record = header(raw, zone_or_none(options.zone))
        _record(block, record, what, options)
    except BadHeader as why:
        block.refuse(what.path.name, why, "send the header as WFDB's header(5) says", raw)
    yield from block.arrived(raw, MEDIA, what.name, "WFDB record")


def _kept(what: Sent, options: Options) -> Iterator[Arrived]:
    signals = what.path.suffix in (".dat", ".mat", ".xyz")
    kind = "WFDB signal file (read with its header)" if signals else "WFDB annotations"
    with what.open() as file:
        while part := file.read(SMALL):
            block = Block(whose("wfdb", what, options), options.received)
            block.keep(kind)
            yield from block.arrived(part, MEDIA, what.name, kind)


def _record(block: Block, record: Header, what: Sent, options: Options) -> None:
    lasts = timedelta(seconds=(record.frames or 0) / record.rate)
    at = record.at or options.received - lasts
    if not record.segments:
        _signals(block, record, what, at, record.at is None)
        return
    for name, frames in record.segments:
        part = what.beside(f"{name}.hea") if name != "~" else None
        if part is not None and frames:
            with part.open() as file:
                inner = header(file.read(SMALL), zone_or_none(options.zone))
            if inner.segments:
                raise BadHeader(f"its segment {name} is made of segments itself")
            _signals(block, inner, part, at, record.at is None)
        elif name != "~" and frames:
            block.refuse(f"segment {name}", f"{name}.hea is not beside it", "send both files")
        at += timedelta(seconds=frames / record.rate)


def _signals(block: Block, record: Header, what: Sent, at: datetime, undated: bool) -> None:
    by = f"WFDB {record.name}{UNDATED if undated else ''}"
    found: list[tuple[Signal, Float32[np.ndarray, " sample"]]] = []
    for file, group in groupby(record.signals, key=lambda s: s.file):
        signals = list(group)
        try:
            for signal, samples in zip(signals, _samples(file, signals, record, what), strict=True):
                if wrong_sum(samples, signal):
                    because = f"signal {signal.name} has another checksum than its header says"
                    block.refuse(file, because, "some sample may be wrong; send both files again")
                found.append((signal, physical(samples, signal)))
        except BadSignal as why:
            block.refuse(file, why, "send header and signal file together, as they were made")
    block.waveforms += waveforms(found, record.rate, at, by, block)


def _samples(file: str, signals: Sequence[Signal], record: Header, what: Sent) -> list[Samples]:
    near = what.beside(file)
    if near is None:
        raise BadSignal(f"{file} is not beside its header")
    with near.open() as content:
        return decoded(content.read(), signals, record.frames)


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
