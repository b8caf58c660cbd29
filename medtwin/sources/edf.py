"""EDF and BDF: sleep laboratories' and EEG recordings, with EDF+ annotations.

pyedflib reads them. It wants a file on disk whose header is flawless, so it is given a copy:
without the letters EDF does not allow, and with as many records as have really arrived.
"""

import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
from jaxtyping import Float32

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Implausible
from medtwin.record.person import Person
from medtwin.record.waveform import Waveform
from medtwin.sources.leads import signal_code, unlike
from medtwin.sources.readings import Block, Reading, own, utc, whose
from medtwin.sources.source import HEAD, Arrived, Options, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

EDF, BDF = b"0       ", b"\xffBIOSEMI"
FIXED = 256  # bytes of the header before the signals', and of each signal's part
LONGEST = 64 << 20  # bytes of one record; EDF itself asks for 61,440 and fewer
STRETCH = 4 << 20  # samples handed over at once, all channels together
NOTE = own("edf", "annotation", "", Kind.answer)
# AASM and Rechtschaffen and Kales names, as EDF+ suggests them (edfplus.info, standard texts).
STAGES: dict[str, Code] = {
    "sleep stage w": codes.sleep_awake,
    "sleep stage n1": codes.sleep_light,
    "sleep stage n2": codes.sleep_light,
    "sleep stage n3": codes.sleep_deep,
    "sleep stage 1": codes.sleep_light,
    "sleep stage 2": codes.sleep_light,
    "sleep stage 3": codes.sleep_deep,
    "sleep stage 4": codes.sleep_deep,
    "sleep stage r": codes.sleep_rem,
}
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class BadEdf(ValueError):
    """It is not laid out as EDF."""


@dataclass(frozen=True)
class Layout:
    """How the file is laid out: header, bytes a record, records told of and there, and units."""

    header: bytes
    record: int
    told: int
    there: int
    units: tuple[str, ...]


def recognises(path: Path, head: bytes) -> bool:
    """EDF begins with a nought in eight places, BDF with its name."""
    return head[:8] in (EDF, BDF) and head[168:176].count(b".") == 2


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """The recording in stretches, each with its part of the file as original."""
    try:
        with what.open() as file, TemporaryDirectory() as folder:
            copy = Path(folder) / ("r.bdf" if what.head.startswith(BDF) else "r.edf")
            layout = copied(file, copy)
            yield from _recording(what, copy, layout, options)
    except (BadEdf, OSError, ValueError, IndexError) as why:
        with what.open() as file:
            original = file.read(HEAD)
        yield unread(what, f"it is no EDF we can read ({why})", "export it again", original)


def copied(file: IO[bytes], copy: Path) -> Layout:
    """A copy that pyedflib reads. Raises `BadEdf`."""
    start = file.read(FIXED)
    try:
        signals, told = int(start[252:256]), int(start[236:244])
    except ValueError as why:
        raise BadEdf(f"its header tells no numbers of signals and records ({why})") from why
    if not 0 < signals <= 4096:
        raise BadEdf(f"it tells of {signals} signals; allowed are 1 to 4096")
    header = start + file.read(FIXED * signals)
    if len(header) < FIXED * (signals + 1):
        raise BadEdf("it breaks off in its header")
    if header[192:197] in (b"EDF+D", b"BDF+D"):
        raise BadEdf("its records do not follow one another (EDF+D); export it as EDF+C")
    per = [int(header[a : a + 8]) for a in _fields(signals, 216, 8)]
    labels = [header[a : a + 16] for a in _fields(signals, 0, 16)]
    units = [header[a : a + 8].decode("latin-1").strip() for a in _fields(signals, 96, 8)]
    units = [u for u, name in zip(units, labels, strict=True) if b"F Annotations" not in name]
    size = sum(per) * (3 if start.startswith(BDF) else 2)
    if min(per) < 1 or size > LONGEST:
        raise BadEdf(f"a record of it is {size} bytes; allowed are 1 sample a signal to {LONGEST}")
    with copy.open("wb") as out:
        out.write(header)
        there = 0
        while len(record := file.read(size)) == size and size:
            out.write(record)
            there += 1
        if not there:
            raise BadEdf("it holds no whole record")
        clean = bytes(b if 32 <= b < 127 else 0x3F for b in header[8:])
        clean = header[:8] + clean[:228] + f"{there:<8}".encode() + clean[236:]
        out.seek(0)
        out.write(clean)
    return Layout(header, size, told, there, tuple(units))


def _fields(signals: int, before: int, width: int) -> range:
    """Where in the header a field stands for each signal; `before` is bytes a signal before it."""
    begin = FIXED + before * signals
    return range(begin, begin + width * signals, width)


def _recording(what: Sent, copy: Path, layout: Layout, options: Options) -> Iterator[Arrived]:
    from pyedflib import EdfReader

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = EdfReader(str(copy))
    with closing(reader):
        person, about = whom(layout.header[8:88].decode("latin-1"), what, options)
        zone = zone_or_none(options.zone)
        start = reader.getStartdatetime()
        at = utc(start.replace(tzinfo=zone or UTC))
        by = f"EDF, {layout.header[88:168].decode('latin-1').strip() or what.stem}"[:120]
        block = Block(about, options.received)
        if layout.told >= 0 and layout.there < layout.told:
            because = f"{layout.there} of {layout.told} records are there; what is whole is kept"
            block.refuse(what.path.name, because, "send the whole file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyedflib warns of letters it guesses
            annotations(block, reader, at, by)
        yield from stretches(block, reader, layout, what, (at, by, person))


def stretches(
    block: Block, reader: Any, layout: Layout, what: Sent, told: tuple[datetime, str, Person | None]
) -> Iterator[Arrived]:
    """The waveforms, so many records at a time, with the bytes they stand in."""
    at, by, person = told
    per_record = max(layout.record // 2, 1)
    step, lasts = max(STRETCH // per_record, 1), reader.datarecord_duration
    with what.open() as file:
        for first in range(0, layout.there, step):
            records = min(step, layout.there - first)
            last = first + records == layout.there
            raw = file.read(len(layout.header)) if first == 0 else b""
            raw += file.read() if last else file.read(records * layout.record)
            begins = at + timedelta(seconds=first * lasts)
            block.waveforms += waveforms(block, reader, layout, (first, records), (begins, by))
            origin = f"{what.name}, records {first} to {first + records}"
            yield from block.arrived(raw, "application/edf", origin, "EDF recording", person)
            block, person = Block(block.whose, block.received), None


def waveforms(
    block: Block,
    reader: Any,
    layout: Layout,
    records: tuple[int, int],
    told: tuple[datetime, str],
) -> Iterator[Waveform]:
    """Channels of one kind and rate together."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = reader.getSignalLabels()
    said = (*layout.units, *[""] * len(labels))  # a label that is spoilt may hide a channel
    rates = [reader.getSampleFrequency(i) for i in range(len(labels))]
    kinds = [(signal_code(name), rate) for name, rate in zip(labels, rates, strict=True)]
    for kind in dict.fromkeys(kinds):
        mine = [i for i, k in enumerate(kinds) if k == kind]
        samples = np.stack([_samples(reader, i, records) for i in mine])
        names = unlike([labels[i].strip() for i in mine])
        units = tuple(said[i] for i in mine)
        try:
            yield Waveform(
                told[0], kind[0], kind[1], names, units, samples, told[1], block.received
            )
        except Implausible as why:
            block.refuse(f"channels {', '.join(names)}", why, "correct the header")


def _samples(reader: Any, signal: int, records: tuple[int, int]) -> Float32[np.ndarray, " sample"]:
    per = reader.samples_in_datarecord(signal)
    first, count = records
    return reader.readSignal(signal, first * per, count * per).astype(np.float32)


def annotations(block: Block, reader: Any, at: datetime, by: str) -> None:
    """What EDF+ says beside the signals: stages of sleep, and words."""
    for number, (onset, lasts, text) in enumerate(zip(*reader.readAnnotations(), strict=True)):
        words = str(text).strip()
        try:
            begins = at + timedelta(seconds=float(onset))
            length = max(float(lasts or 0), 0.0)
            until = begins + timedelta(seconds=length) if length else None
        except (ValueError, OverflowError) as why:
            block.refuse(f"annotation {number}", why, "correct it and export it again")
            continue
        stage, place = STAGES.get(words.lower()), f"annotation {number}"
        if stage is not None and until is not None:
            block.take(Reading(place, begins, stage, length / 60, "min", by, until))
        elif words:
            block.take(Reading(place, begins, NOTE, 1, "1", by, until, words))


def whom(local: str, what: Sent, options: Options) -> tuple[Person | None, str]:
    """EDF+ writes code, sex, birth date and name of the patient, and X where it does not know."""
    words = [w.replace("_", " ") for w in local.split()]
    code, sex, born, name = (*words, "X", "X", "X", "X")[:4]
    if sex not in ("M", "F", "X"):  # plain EDF: any words
        return None, whose("edf", what, options)
    known = code if code != "X" else ("" if name == "X" else f"{name} {born}".removesuffix(" X"))
    about = options.about or whose("edf", what, options, known)
    if not known and born == "X":
        return None, about
    sexes = {"M": "male", "F": "female"}
    person = Person((about,), "" if name == "X" else name, _born(born), sex=sexes.get(sex, ""))
    return person, about


def _born(text: str) -> date | None:
    try:
        day, month, year = text.upper().split("-")
        return date(int(year), MONTHS.index(month) + 1, int(day))
    except ValueError:
        return None


source = Source(
    "EDF or BDF recording",
    "Kemp et al. 1992 and 2003 (EDF, EDF+), BioSemi (BDF), through pyedflib",
    (".edf", ".bdf", ".rec"),
    recognises,
    read,
    streams=True,
)
