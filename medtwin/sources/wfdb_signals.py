"""WFDB signal files: how each format packs its samples.

Formats: signal(5) of the WFDB Applications Guide, PhysioNet. Every decoder gives the samples as
they were written, and whether each is there at all.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32, Int, UInt8

from medtwin.sources.wfdb_header import Signal

Samples = Int[np.ndarray, " sample"]
Raw = UInt8[np.ndarray, " byte"]


class BadSignal(ValueError):
    """The signal file is not what its header says."""


def _plain(layout: str) -> Callable[[Raw, int], Samples]:
    def decode(raw: Raw, count: int) -> Samples:
        size = np.dtype(layout).itemsize
        return raw[: count * size].view(layout).astype(np.int64)

    return decode


def _offset(layout: str, zero: int) -> Callable[[Raw, int], Samples]:
    plain = _plain(layout)
    return lambda raw, count: plain(raw, count) - zero


def _signed(values: Samples, bits: int) -> Samples:
    return np.where(values >= 1 << (bits - 1), values - (1 << bits), values)


def _twelve(raw: Raw, count: int) -> Samples:
    """212: two samples of 12 bits in three bytes."""
    padded = np.zeros(3 * (-(-count // 2)), dtype=np.int64)
    padded[: min(len(raw), len(padded))] = raw[: len(padded)]
    a, b, c = padded[0::3], padded[1::3], padded[2::3]
    both = np.stack([a | (b & 0x0F) << 8, c | (b >> 4) << 8], axis=1).ravel()
    return _signed(both[:count], 12)


def _words(raw: Raw, count: int) -> Samples:
    whole = np.zeros(4 * (-(-count // 3)), dtype=np.uint8)
    whole[: min(len(raw), len(whole))] = raw[: len(whole)]
    return whole.view("<u4").astype(np.int64)


def _three_tens(raw: Raw, count: int) -> Samples:
    """310: three samples of 10 bits in two words of 16, the third in their tops' ends."""
    words = _words(raw, count)
    low, high = words & 0xFFFF, words >> 16
    third = (low >> 11 & 0x1F) | (high >> 11 & 0x1F) << 5
    three = np.stack([low >> 1 & 0x3FF, high >> 1 & 0x3FF, third], axis=1).ravel()
    return _signed(three[:count], 10)


def _packed_tens(raw: Raw, count: int) -> Samples:
    """311: three samples of 10 bits one after the other in 32."""
    words = _words(raw, count)
    three = np.stack([words & 0x3FF, words >> 10 & 0x3FF, words >> 20 & 0x3FF], axis=1).ravel()
    return _signed(three[:count], 10)


def _three_bytes(raw: Raw, count: int) -> Samples:
    a, b, c = (raw[i : 3 * count : 3].astype(np.int64) for i in range(3))
    return _signed(a | b << 8 | c << 16, 24)


# Format: decoder, bytes for so many samples, and the number that says "no sample here".
FORMATS: dict[int, tuple[Callable[[Raw, int], Samples], tuple[int, int], int | None]] = {
    8: (_plain("i1"), (1, 1), None),  # the differences; `decoded` adds them up
    16: (_plain("<i2"), (2, 1), -(1 << 15)),
    24: (_three_bytes, (3, 1), -(1 << 23)),
    32: (_plain("<i4"), (4, 1), -(1 << 31)),
    61: (_plain(">i2"), (2, 1), -(1 << 15)),
    80: (_offset("u1", 128), (1, 1), -128),
    160: (_offset("<u2", 1 << 15), (2, 1), -(1 << 15)),
    212: (_twelve, (3, 2), -(1 << 11)),
    310: (_three_tens, (4, 3), -(1 << 9)),
    311: (_packed_tens, (4, 3), -(1 << 9)),
}


def frames_there(size: int, signals: Sequence[Signal]) -> int:
    """How many frames a file of this size holds. Raises `BadSignal` where the format is unknown."""
    if signals[0].format not in FORMATS:
        allowed = ", ".join(map(str, FORMATS))
        raise BadSignal(f"format {signals[0].format} is not known; known are {allowed}")
    _, (bytes_, per), _ = FORMATS[signals[0].format]
    return (size - signals[0].begins) * per // bytes_ // sum(s.per_frame for s in signals)


def span(first: int, count: int, signals: Sequence[Signal]) -> tuple[int, int]:
    """Where in the file so many frames begin, and how many bytes they are.

    `first` is a multiple of 6, so that packed samples begin with a whole group.
    """
    _, (size, per), _ = FORMATS[signals[0].format]
    each = sum(s.per_frame for s in signals)
    return signals[0].begins + first * each * size // per, -(-count * each * size // per)


def decoded(
    raw: bytes, signals: Sequence[Signal], frames: int, last: Sequence[int] = ()
) -> list[Samples]:
    """So many frames of each signal of one file, as written.

    `last` are the samples before these, which a format of differences goes on from. Raises
    `BadSignal` where there are fewer bytes.
    """
    decode, _, _ = FORMATS[signals[0].format]
    each = sum(s.per_frame for s in signals)
    if len(raw) < span(0, frames, signals)[1]:
        raise BadSignal(f"it breaks off: {len(raw)} bytes are not {frames} frames")
    rows = decode(np.frombuffer(raw, dtype=np.uint8), frames * each).reshape(frames, each)
    parts = _parted(rows, signals)
    if signals[0].format == 8:  # each signal's own differences, from its initial value on
        start = last or [s.first for s in signals]
        return [np.cumsum(p) + f for p, f in zip(parts, start, strict=True)]
    return parts


def _parted(rows: Int[np.ndarray, "frame sample"], signals: Sequence[Signal]) -> list[Samples]:
    ends = np.cumsum([s.per_frame for s in signals])[:-1]
    return [part.ravel() for part in np.split(rows, ends, axis=1)]


def wrong_sum(total: int, signal: Signal) -> bool:
    """Whether the header's checksum (16 bits of the sum of all samples) tells of others."""
    return signal.checksum is not None and bool((total - signal.checksum) & 0xFFFF)


def physical(samples: Samples, signal: Signal) -> Float32[np.ndarray, " sample"]:
    """In the signal's unit; NaN where there is none."""
    lost = FORMATS[signal.format][2]
    values = ((samples - signal.baseline) / signal.gain).astype(np.float32)
    if lost is not None:
        values[samples == lost] = np.nan
    return values


def unskewed(
    values: Float32[np.ndarray, " sample"], signal: Signal, frames: int
) -> Float32[np.ndarray, " frame"]:
    """So many frames from the skew on; NaN where the file ends before."""
    begin, wanted = signal.skew * signal.per_frame, frames * signal.per_frame
    found = values[begin : begin + wanted]
    if len(found) == wanted:
        return found
    missing = np.full(wanted - len(found), np.nan, dtype=np.float32)
    return np.concatenate([found, missing])
