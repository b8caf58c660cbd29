"""The ECG of an Apple Watch: one lead, thirty seconds, as a CSV of microvolts."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from medtwin.record import codes
from medtwin.record.codes import Kind
from medtwin.record.observation import Implausible
from medtwin.record.waveform import Waveform
from medtwin.sources.readings import Block, Reading, moment
from medtwin.sources.source import Arrived, Options, Sent, unread

# Words differ by language, so values are known by their shape.
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}")
RATE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:hertz|hz)\b", re.IGNORECASE)
CLASSIFIED = codes.opened(
    "apple|HKElectrocardiogram", "ECG as the watch reads it", "1", Kind.report
)
SAMPLE = re.compile(r"-?\d+(?:[.,]\d+)?(?:[eE]-?\d+)?")
UNITS = {"µv": "uV", "μv": "uV", "uv": "uV", "mv": "mV"}


def is_ecg(path: Path, head: bytes) -> bool:
    """A text with a recording date and a sampling rate in its first lines, then bare numbers."""
    start = head[:2048].decode("utf-8", "replace")
    if "," not in start or path.suffix.lower() != ".csv":
        return False
    lines = [ln.strip() for ln in start.splitlines() if ln.strip()]
    numbers = [ln for ln in lines if SAMPLE.fullmatch(ln)]
    return bool(DATE.search(start) and RATE.search(start) and len(numbers) > 1)


def read_ecg(what: Sent, options: Options, about: str) -> Iterator[Arrived]:
    """The strip as a waveform, and what the watch made of it as a note."""
    with what.open() as file:
        raw = file.read(options.largest)
    try:
        text = raw.decode("utf-8")
        block = Block(about or owner(text), options.received)
        block.waveforms.append(strip(text, options))
    except (ValueError, Implausible) as why:
        yield unread(what, f"it is no ECG we can read ({why})", "export it again", raw)
        return
    (wave,) = block.waveforms
    if found := classified(text):
        block.take(Reading("line 4", wave.at, CLASSIFIED, 1, "1", wave.source, wave.until, found))
    yield from block.arrived(raw, "text/csv", what.name, "Apple ECG")


def owner(text: str) -> str:
    """Whom the strip names in its first two lines, in any language."""
    rows = list(csv.reader(text.replace("\ufeff", "").splitlines()[:2]))
    told = " ".join(row[1].strip() for row in rows if len(row) > 1)
    return f"apple_health|{told}" if told else ""


def classified(text: str) -> str:
    """What the watch made of the strip: the line after the recording date."""
    lines = [ln for ln in text.splitlines()[:30] if ln.strip()]
    at = next((i for i, ln in enumerate(lines) if DATE.search(ln)), len(lines))
    row = next(csv.reader(lines[at + 1 : at + 2]), [])
    return row[1].strip() if len(row) > 1 else ""


def strip(text: str, options: Options) -> Waveform:
    """The waveform. Raises `ValueError` where date, rate or samples are missing."""
    lines = text.replace("\ufeff", "").splitlines()
    head = [ln for ln in lines[:30] if ln.strip() and not SAMPLE.fullmatch(ln.strip())]
    said = [row for ln in head for row in csv.reader([ln])]
    words = [word.strip() for row in said for word in row[1:]]
    date, rate = DATE.search(text), RATE.search("\n".join(head))
    if date is None or rate is None:
        raise ValueError("it says no recording date or no sampling rate")
    unit = next((UNITS[w.lower()] for w in words if w.lower() in UNITS), "uV")
    device = next((w for w in words if w.startswith("Watch")), "Apple Watch")
    when = date.group()
    return Waveform(
        moment(when[:19] + when[20:]),
        "ecg",
        float(rate.group(1).replace(",", ".")),
        ("I",),
        (unit,),
        samples(lines)[None, :],
        f"Apple Health, {device}",
        options.received,
    )


def samples(lines: list[str]) -> Float32[np.ndarray, " sample"]:
    """The lines that are bare numbers; some languages write a decimal comma."""
    found = [ln.strip().replace(",", ".") for ln in lines if SAMPLE.fullmatch(ln.strip())]
    if not found:
        raise ValueError("it holds no samples")
    return np.array(found, dtype=np.float32)
