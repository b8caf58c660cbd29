"""Waveforms in sealed pieces of ten seconds, compressed without loss.

Samples that came from a converter lie on a grid; they are kept as 16-bit steps on it, differences
only. What lies on none is kept as the 32-bit numbers themselves, byte by byte in order of weight.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import orjson
from sqlalchemy import Connection, func, select

from medtwin.record.waveform import Waveform
from medtwin.vault.dialect import Found, Row
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import waveforms
from medtwin.vault.times import micros, moment

seconds = 10.0
quick = 1  # zlib level
off = -32_768  # a lead that was off, on the grid
head = struct.Struct("<I")


@dataclass(frozen=True)
class Signal:
    """That there is a waveform, and from when to when."""

    code: str
    first: datetime
    last: datetime
    pieces: int


def pieces(w: Waveform) -> Iterator[Waveform]:
    """The waveform in stretches of ten seconds; shorter where one piece would be long already."""
    size = max(1, min(round(seconds * w.rate), 1_000_000))
    for first in range(0, len(w), size):
        at = moment(micros(w.at) + round(1e6 * first / w.rate))
        yield replace(w, at=at, samples=w.samples[:, first : first + size])


def rows(seal: Seal, w: Waveform, origin: bytes | None) -> list[Row]:
    """The pieces as the store keeps them."""
    return [_row(seal, piece, origin) for piece in pieces(w)]


def _row(seal: Seal, w: Waveform, origin: bytes | None) -> Row:
    blocks = [packed(channel) for channel in w.samples]
    said = orjson.dumps([w.rate, w.channels, w.units, w.source, len(w), [len(b) for b in blocks]])
    plain = b"".join([head.pack(len(said)), said, *blocks])
    at, known = micros(w.at), micros(w.known)
    digest = seal.digest(f"waveform|{w.code}|{at}|".encode() + plain)
    bound = _bound(seal.owner, w.code, at, known, digest)
    return {
        "patient": seal.owner,
        "code": w.code,
        "at": at,
        "until": at + round(1e6 * len(w) / w.rate),
        "known": known,
        "digest": digest,
        "sealed": seal.close(bound, plain),
        "origin": origin,
    }


def _bound(patient: str, code: str, at: int, known: int, digest: bytes) -> bytes:
    return place(patient, "waveforms", code, at, known, digest.hex())


# One channel


def packed(samples: np.ndarray) -> bytes:
    """One channel of 32-bit numbers, compressed; the same come back (of -0 and 0, 0)."""
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    grid = _grid(samples)
    if grid is None:
        planes = samples.view(np.uint8).reshape(-1, 4).T
        return b"f" + zlib.compress(planes.tobytes(), quick)
    steps, per_unit = grid
    differences = np.diff(steps, prepend=steps[:1] * 0).astype(np.int16)
    planes = differences.view(np.uint8).reshape(-1, 2).T
    return b"s" + struct.pack("<d", per_unit) + zlib.compress(planes.tobytes(), quick)


def unpacked(block: bytes, size: int) -> np.ndarray:
    """The channel's samples."""
    if block[:1] == b"f":
        planes = np.frombuffer(zlib.decompress(block[1:]), np.uint8).reshape(4, size)
        return np.ascontiguousarray(planes.T).view(np.float32).reshape(size)
    (per_unit,) = struct.unpack_from("<d", block, 1)
    planes = np.frombuffer(zlib.decompress(block[9:]), np.uint8).reshape(2, size)
    differences = np.ascontiguousarray(planes.T).view(np.int16).reshape(size)
    return _off_grid(np.cumsum(differences, dtype=np.int16), per_unit)


def _grid(samples: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The samples as whole steps, and how many make one unit; None where they lie on no grid."""
    there = samples[np.isfinite(samples)]
    if not len(there):
        return None
    levels = np.unique(there[:2000].astype(float))
    gaps = np.diff(levels)
    step = float(gaps.min()) if len(gaps) else float(abs(levels[0]) or 1.0)
    for per_unit in (float(round(1 / step)) if step < 1 else 0.0, 1.0, 1 / step):
        if per_unit <= 0:
            continue
        steps = np.rint(np.nan_to_num(samples.astype(float), nan=0.0) * per_unit)
        if np.abs(steps).max() > 32_000:
            continue
        steps = np.where(np.isnan(samples), off, steps).astype(np.int16)
        if np.array_equal(_off_grid(steps, per_unit), samples, equal_nan=True):
            return steps, per_unit
    return None


def _off_grid(steps: np.ndarray, per_unit: float) -> np.ndarray:
    values = (steps / per_unit).astype(np.float32)
    values[steps == off] = np.nan
    return values


# Back again


def read(
    c: Connection,
    seal: Seal,
    code: str,
    begin: datetime,
    end: datetime,
    channels: Sequence[str] | None = None,
) -> tuple[Waveform, ...]:
    """What was drawn from `begin` up to `end`; pieces that touch come as one."""
    w = waveforms.c
    query = select(w.at, w.known, w.digest, w.sealed)
    query = query.where(w.patient == seal.owner, w.code == code)
    query = query.where(w.at < micros(end), w.until > micros(begin)).order_by(w.at, w.number)
    found = [_opened(seal, code, r, channels) for r in c.execute(query)]
    cut = [one.between(begin, end) for one in found if one.channels]
    return tuple(_joined([one for one in cut if len(one)]))


def _opened(seal: Seal, code: str, r: Found, only: Sequence[str] | None) -> Waveform:
    bound = _bound(seal.owner, code, r.at, r.known, r.digest)
    plain = seal.open(bound, r.sealed)
    (size,) = head.unpack_from(plain)
    begins = head.size + size
    rate, names, units, source, samples, lengths = orjson.loads(plain[head.size : begins])
    ends = np.cumsum([begins, *lengths])
    wanted = [i for i, name in enumerate(names) if only is None or name in only]
    taken = [unpacked(plain[ends[i] : ends[i + 1]], samples) for i in wanted]
    return Waveform(
        moment(r.at),
        code,
        rate,
        tuple(names[i] for i in wanted),
        tuple(units[i] for i in wanted),
        np.array(taken, dtype=np.float32).reshape(len(wanted), samples),
        source,
        moment(r.known),
    )


def _joined(found: Sequence[Waveform]) -> Iterator[Waveform]:
    held: list[Waveform] = []
    for one in found:
        if held and not _goes_on(held[-1], one):
            yield _whole(held)
            held = []
        held.append(one)
    if held:
        yield _whole(held)


def _goes_on(a: Waveform, b: Waveform) -> bool:
    same = (a.rate, a.channels, a.units, a.source) == (b.rate, b.channels, b.units, b.source)
    return same and abs((b.at - a.until).total_seconds()) * a.rate < 0.5


def _whole(held: Sequence[Waveform]) -> Waveform:
    return replace(held[0], samples=np.concatenate([w.samples for w in held], axis=1))


def known(c: Connection, patient: str) -> tuple[Signal, ...]:
    """Which waveforms there are of this person."""
    w = waveforms.c
    query = select(w.code, func.min(w.at), func.max(w.until), func.count())
    rows = c.execute(query.where(w.patient == patient).group_by(w.code).order_by(w.code))
    return tuple(Signal(code, moment(a), moment(b), n) for code, a, b, n in rows)
