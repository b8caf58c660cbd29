"""Signals in a table: a column of seconds from the start, and a column for each channel.

So PhysioNet writes its records for people who want no WFDB, and so many monitors export.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float

from medtwin.record.observation import Implausible
from medtwin.record.waveform import Waveform
from medtwin.sources.leads import signal_code, unlike
from medtwin.sources.readings import Block, whose
from medtwin.sources.source import SMALL, Arrived, Options, Sent, Source, unread

TIME = re.compile(r"(?:elapsed )?time ?[\[(](s|sec|seconds|ms)[\])]", re.IGNORECASE)
RATE = re.compile(r"sampling ?(?:freq|rate).*", re.IGNORECASE)
UNIT = re.compile(r"(.*\S)\s*[\[(]([^\])]*)[\])]")
LONGEST = 256 << 20
UNEVEN = 0.75  # of a step: a sample left out moves all that follow by a whole one
UNDATED = "signal table, date not told: stands when it was received"


class BadSignals(ValueError):
    """The table is not one of signals."""


def recognises(path: Path, head: bytes) -> bool:
    """A line of names with seconds from the start, and a channel people know by its name."""
    if path.suffix.lower() != ".csv" or b"\0" in head[:1024]:
        return False
    columns = names(head.split(b"\n", 1)[0])
    timed = any(TIME.fullmatch(n) for n in columns)
    return timed and any(not signal_code(_apart(n)[0]).startswith("signal") for n in columns)


def names(line: bytes) -> list[str]:
    """The columns' names."""
    text = line.decode("utf-8", "replace").removeprefix("\ufeff")
    return [n.strip().strip("'\"").strip() for n in text.split(",")]


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """The whole table as waveforms, channels of one kind together."""
    with what.open() as file:
        raw = file.read(LONGEST + 1)
    block = Block(whose("signals", what, options), options.received)
    try:
        if len(raw) > LONGEST:
            raise BadSignals(f"it is longer than {LONGEST} bytes; send it as EDF or WFDB")
        seconds, channels = columns_of(raw)
        rate = evenly(seconds)
        block.waveforms += waveforms(block, channels, rate, len(seconds))
    except (BadSignals, Implausible) as why:
        then = "send an even table of numbers, or EDF or WFDB"
        yield unread(what, f"it is no table of signals we can read ({why})", then, raw[:SMALL])
        return
    yield from block.arrived(raw, "text/csv", what.name, "signal table")


Column = Float[np.ndarray, " sample"]


def columns_of(raw: bytes) -> tuple[Column, dict[str, Column]]:
    """Seconds, and each channel; an empty cell is NaN. Raises `BadSignals`."""
    from pyarrow import ArrowInvalid, csv

    found = names(raw.split(b"\n", 1)[0])
    try:
        reading = csv.ReadOptions(column_names=[str(i) for i in range(len(found))], skip_rows=1)
        table = csv.read_csv(BytesIO(raw), read_options=reading)
        numbers = [
            np.asarray(c.combine_chunks().to_numpy(zero_copy_only=False), dtype=float)
            for c in table.columns
        ]
    except (ArrowInvalid, ValueError, TypeError) as why:
        raise BadSignals(str(why)) from why
    time = next(i for i, n in enumerate(found) if TIME.fullmatch(n))
    told = TIME.fullmatch(found[time])
    by = 0.001 if told and told.group(1).lower() == "ms" else 1.0
    kept = [i for i, n in enumerate(found) if i != time and not RATE.fullmatch(n) and n]
    parted = unlike([found[i] for i in kept])
    return numbers[time] * by, {n: numbers[i] for n, i in zip(parted, kept, strict=True)}


def evenly(seconds: Column) -> float:
    """Samples a second. Raises `BadSignals` where the steps differ."""
    if len(seconds) < 2 or not np.all(np.isfinite(seconds)):
        raise BadSignals("it has fewer than two times, or times that are no numbers")
    step = (seconds[-1] - seconds[0]) / (len(seconds) - 1)
    # times are written with few digits, so that neighbours may even seem to be one
    meant = seconds[0] + step * np.arange(len(seconds))
    if step <= 0 or np.max(np.abs(seconds - meant)) > UNEVEN * step:
        raise BadSignals("its times are not evenly apart")
    rate = 1 / step
    return float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate else float(rate)


def waveforms(
    block: Block, channels: dict[str, Column], rate: float, count: int
) -> Iterator[Waveform]:
    """Channels of one kind together."""
    at = block.received - timedelta(seconds=count / rate)
    kinds = {name: signal_code(_apart(name)[0]) for name in channels}
    for kind in dict.fromkeys(kinds.values()):
        mine = [n for n in channels if kinds[n] == kind]
        samples = np.stack([channels[n] for n in mine]).astype(np.float32)
        labels, units = unlike([_apart(n)[0] for n in mine]), tuple(_apart(n)[1] for n in mine)
        yield Waveform(at, kind, rate, labels, units, samples, UNDATED, block.received)


def _apart(name: str) -> tuple[str, str]:
    """`ABP (mmHg)` is ABP in mmHg; a name without a unit has none."""
    found = UNIT.fullmatch(name)
    return (found.group(1), found.group(2)) if found else (name, "")


source = Source(
    "table of signals",
    "PhysioNet's CSV of waveforms (BIDMC and others)",
    (".csv",),
    recognises,
    read,
)
