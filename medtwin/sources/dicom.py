"""DICOM: ECGs and other waveforms, and the numbers of structured reports; never the pixels."""

import logging
import warnings
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from medtwin.record.observation import Implausible
from medtwin.record.person import Person
from medtwin.record.waveform import Waveform
from medtwin.sources.dicom_reports import measurements
from medtwin.sources.dicom_words import annotation_code, coded
from medtwin.sources.leads import signal_code, unlike
from medtwin.sources.readings import Block, Reading, moment, whose
from medtwin.sources.source import SMALL, Arrived, Options, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

MEDIA = "application/dicom"
DEFLATED = b"1.2.840.10008.1.2.1.99"  # a transfer syntax that unpacks without a bound
LONGEST = 1 << 28  # bytes of a report or a waveform


def recognises(path: Path, head: bytes) -> bool:
    """DICM stands after 128 bytes of preamble."""
    return head[128:132] == b"DICM"


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """A waveform, a report, or an image of which only the kind is kept."""
    if DEFLATED in what.head[:4096]:
        yield unread(what, "it is deflated", "send it in another transfer syntax")
        return
    with what.open() as file:
        raw = file.read(LONGEST)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what we refuse or do not need
        try:
            said, end = opened(raw)
            yield from _told(what, options, said, raw[:end])
        except Exception as why:  # noqa: BLE001  pydicom raises of every kind on bad files
            because = f"it is no DICOM we can read ({type(why).__name__}: {why})"
            yield unread(what, because, "export it again", raw[:SMALL])


def opened(raw: bytes) -> tuple[Any, int]:
    """The data set without its pixels, and where they begin."""
    from pydicom import dcmread

    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # it logs values, names among them
    file = BytesIO(raw)
    said = dcmread(file, stop_before_pixels=True)
    return said, file.tell() if "Rows" in said else len(raw)


def _told(what: Sent, options: Options, said: Any, raw: bytes) -> Iterator[Arrived]:
    person, about = whom(said, what, options)
    block = Block(about, options.received)
    kind = str(getattr(said.get("SOPClassUID"), "name", "") or said.get("Modality") or "object")
    by = " ".join(str(said.get(k) or "") for k in ("Manufacturer", "ManufacturerModelName")).strip()
    at = when(said, options)
    if at is None and ("WaveformSequence" in said or "ContentSequence" in said):
        because = "it tells no date of acquisition, content or study"
        block.refuse(what.path.name, because, "export it with its dates")
    elif at is not None and "WaveformSequence" in said:
        waveforms(block, said, at, by or "DICOM")
        remarks(block, said, at, by or "DICOM")
    elif at is not None and "ContentSequence" in said:
        for reading in measurements(said, at, by or "DICOM", block):
            block.take(reading)
    if not (block.facts or block.waveforms or block.refused or block.kept):
        block.keep(f"DICOM {kind}{', without its pixels' if 'Rows' in said else ''}")
    yield from block.arrived(raw, MEDIA, what.name, f"DICOM {kind}", person)


def whom(said: Any, what: Sent, options: Options) -> tuple[Person | None, str]:
    """The patient by number and who gave it, else by name."""
    number, issuer = (str(said.get(k) or "") for k in ("PatientID", "IssuerOfPatientID"))
    name = str(said.get("PatientName") or "").replace("^", " ").strip()
    known = f"{issuer}|{number}".strip("|") if number else name
    about = options.about or whose("dicom", what, options, known)
    if not known:
        return None, about
    sexes = {"M": "male", "F": "female", "O": "other"}
    sex = sexes.get(str(said.get("PatientSex") or ""), "")
    return Person((about,), name, _born(said), sex=sex), about


def _born(said: Any) -> date | None:
    try:
        return datetime.strptime(str(said.get("PatientBirthDate")), "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None


DATED = (("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime"))
DATED += (("SeriesDate", "SeriesTime"), ("StudyDate", "StudyTime"))


def when(said: Any, options: Options) -> datetime | None:
    """When it was taken: by acquisition, observation, content, series or study, in its zone."""
    whole = [str(said.get(k) or "") for k in ("AcquisitionDateTime", "ObservationDateTime")]
    parts = [f"{said.get(d) or ''}{said.get(t) or ''}" for d, t in DATED if said.get(d)]
    offset = str(said.get("TimezoneOffsetFromUTC") or "")
    for text in (*whole, *parts):
        if found := instant(text, offset, options):
            return found
    return None


def instant(text: str, offset: str, options: Options) -> datetime | None:
    """`20240501103000.5+0200`; without an offset in the file's, or the options' zone."""
    digits, sign, own = text, "", ""
    for mark in "+-":
        if mark in text:
            digits, sign, own = text.partition(mark)
    zone = f"{sign}{own}" if own else offset
    day, clock = digits[:8], digits[8:].partition(".")[0].ljust(6, "0")
    fraction = digits.partition(".")[2]
    if len(day) != 8 or not day.isdigit() or not clock.isdigit():
        return None
    iso = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}"
    iso += f".{fraction:0<6.6}" if fraction else ""
    try:
        return moment(iso + zone, zone_or_none(options.zone))
    except ValueError:
        return None


def waveforms(block: Block, said: Any, at: datetime, by: str) -> None:
    """Each multiplex group: channels sampled together, in their unit."""
    for number, group in enumerate(said.WaveformSequence):
        label = str(group.get("MultiplexGroupLabel") or "")
        begins = at + timedelta(milliseconds=float(group.get("MultiplexGroupTimeOffset") or 0))
        channels = list(group.ChannelDefinitionSequence)
        names = unlike([channel_name(c) or f"channel {i}" for i, c in enumerate(channels)])
        units = tuple(coded(c.get("ChannelSensitivityUnitsSequence"))[0] for c in channels)
        kinds = {signal_code(n) for n in names}
        kind = kinds.pop() if len(kinds) == 1 else f"dicom|{label or 'waveform'}"
        if label and label.upper() not in ("RHYTHM", "ECG"):
            kind = f"{kind}|{label.lower()}"
        try:
            samples = physical(said, number)
            rate = float(group.SamplingFrequency)
            block.waveforms.append(
                Waveform(begins, kind, rate, names, units, samples, by, block.received)
            )
        except (Implausible, ValueError, AttributeError, NotImplementedError) as why:
            what = f"WaveformSequence[{number}] {label}"
            block.refuse(what, f"it is not understood ({why})", "export it again")


def physical(said: Any, number: int) -> Float32[np.ndarray, "channel sample"]:
    """The samples in the channels' own units: counts times sensitivity, plus baseline."""
    return np.ascontiguousarray(said.waveform_array(number).T.astype(np.float32))


def channel_name(channel: Any) -> str:
    """`Lead I (Einthoven)` is I; a label that the machine gives goes first."""
    label = str(channel.get("ChannelLabel") or "").strip()
    meaning = label or coded(channel.get("ChannelSourceSequence"))[2]
    plain = meaning.partition("(")[0].strip()
    return plain.removeprefix("Lead ").removeprefix("lead ") or meaning


def remarks(block: Block, said: Any, at: datetime, by: str) -> None:
    """What the machine measured and wrote beside the waveform."""
    annotations = said.get("WaveformAnnotationSequence") or ()
    written = [str(one.get("UnformattedTextValue") or "") for one in annotations]
    if words := "; ".join(filter(None, written)):
        place = "WaveformAnnotationSequence"
        block.take(Reading(place, at, annotation_code(("", "", ""), ""), 1, "1", by, None, words))
    for number, one in enumerate(annotations):
        place = f"WaveformAnnotationSequence[{number}]"
        value = one.get("NumericValue")
        concept = coded(one.get("ConceptNameCodeSequence"))
        unit = coded(one.get("MeasurementUnitsCodeSequence"))[0]
        if value not in (None, "") and float(value) and concept[2]:
            code = annotation_code(concept, unit)
            block.take(Reading(place, at, code, float(value), unit or "1", by))
        elif not written[number]:
            block.keep(f"DICOM annotation {concept[2] or 'without a value'}")


source = Source(
    "DICOM waveform or structured report",
    "DICOM PS3.3 (waveforms, SR), PS3.16 (templates), through pydicom",
    (".dcm",),
    recognises,
    read,
)
