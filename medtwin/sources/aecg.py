"""HL7 annotated ECG: the XML that trials and many ECG carts send."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from medtwin.record import codes
from medtwin.record.observation import Implausible
from medtwin.record.person import Person
from medtwin.record.waveform import Waveform
from medtwin.sources.leads import unlike
from medtwin.sources.readings import Block, Reading, number, utc, whose
from medtwin.sources.source import Arrived, Options, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

LONGEST = 256 << 20
N = "{urn:hl7-org:v3}"
LEAD = "MDC_ECG_LEAD_"
INTERVALS = {
    "MDC_ECG_TIME_PD_PR": codes.pr_interval,
    "MDC_ECG_TIME_PD_QRS": codes.qrs_duration,
    "MDC_ECG_TIME_PD_QT": codes.qt_interval,
    "MDC_ECG_TIME_PD_QTc": codes.qtc_interval,
    "MDC_ECG_TIME_PD_RR": codes.rr_interval,
    "MDC_ECG_HEART_RATE": codes.heart_rate,
}
UNITS = {"bpm": "/min"}


def recognises(path: Path, head: bytes) -> bool:
    """XML whose root is an annotated ECG."""
    return b"<AnnotatedECG" in head[:4096] and head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<")


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Every series and derived beat as a waveform, with the intervals measured in them."""
    with what.open() as file:
        raw = file.read(LONGEST)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as why:
        yield unread(what, f"it is not well-formed XML ({why.msg})", "send it again", raw)
        return
    zone = zone_or_none(options.zone)
    person, about = whom(root, what, options)
    block = Block(about, options.received)
    for number_, series in enumerate(root.iter(f"{N}series", f"{N}derivedSeries")):
        _series(block, series, f"series[{number_}]", zone)
    for number_, one in enumerate(root.iter(f"{N}annotation")):
        _interval(block, one, f"annotation[{number_}]", root, zone)
    yield from block.arrived(raw, "application/xml", what.name, "HL7 annotated ECG", person)


def whom(root: Any, what: Sent, options: Options) -> tuple[Person | None, str]:
    """The subject by number; a birth date and a sex where they are told."""
    subject = next(root.iter(f"{N}trialSubject"), None)
    told = subject.find(f"{N}id") if subject is not None else None
    number_ = told.get("extension") or told.get("root") or "" if told is not None else ""
    about = options.about or whose("aecg", what, options, number_)
    if subject is None or not number_:
        return None, about
    name = "".join(subject.findtext(f".//{N}name") or "").strip()
    sex = _value(subject.find(f".//{N}administrativeGenderCode"), "code")
    try:
        born = datetime.strptime(_value(subject.find(f".//{N}birthTime"), "value")[:8], "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        born = None
    sexes = {"M": "male", "F": "female"}
    return Person((about,), name, _date(born), sex=sexes.get(sex, "")), about


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _value(element: Any, name: str) -> str:
    return "" if element is None else str(element.get(name) or "")


def when(text: str, zone: tzinfo | None) -> datetime | None:
    """`20021122091000.270+0100`; without an offset in `zone`, else UTC; None where it is none."""
    for layout in ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S%z", "%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            found = datetime.strptime(text, layout)  # noqa: DTZ007  its zone follows
        except ValueError:
            continue
        return utc(found if found.tzinfo else found.replace(tzinfo=zone or UTC))
    return None


def _series(block: Block, series: Any, place: str, zone: tzinfo | None) -> None:
    begun = when(_value(series.find(f"{N}effectiveTime/{N}low"), "value"), zone)
    code = _value(series.find(f"{N}code"), "code")
    kind = "ecg" if code in ("RHYTHM", "") else f"ecg|{code.lower().replace('_', ' ')}"
    for number_, group in enumerate(series.findall(f"{N}component/{N}sequenceSet")):
        where = f"{place}.sequenceSet[{number_}]"
        try:
            wave = _wave(group, kind, begun, block, zone)
        except (ValueError, Implausible) as why:
            block.refuse(where, f"it is not understood ({why})", "send it again")
        else:
            block.waveforms.append(wave)


def _wave(
    group: Any, kind: str, begun: datetime | None, block: Block, zone: tzinfo | None
) -> Waveform:
    """One set of sequences: the time's steps, and each lead's digits."""
    at, step = begun, 0.0
    leads: list[tuple[str, str, Float32[np.ndarray, " sample"]]] = []
    for sequence in group.findall(f"{N}component/{N}sequence"):
        code, value = _value(sequence.find(f"{N}code"), "code"), sequence.find(f"{N}value")
        if value is None:
            continue
        if code.startswith("TIME_"):
            at = when(_value(value.find(f"{N}head"), "value"), zone) or at
            step = float(_value(value.find(f"{N}increment"), "value") or 0)
            unit = _value(value.find(f"{N}increment"), "unit")
            step = step / 1000 if unit == "ms" else step
        else:
            leads.append(_lead(code, value))
    if at is None or step <= 0 or not leads:
        raise ValueError("it tells no time, no step or no lead")
    names = unlike([name for name, _, _ in leads])
    units, samples = tuple(u for _, u, _ in leads), np.stack([s for _, _, s in leads])
    return Waveform(at, kind, 1 / step, names, units, samples, "HL7 aECG", block.received)


def _lead(code: str, value: Any) -> tuple[str, str, Float32[np.ndarray, " sample"]]:
    scale, origin = value.find(f"{N}scale"), value.find(f"{N}origin")
    digits = np.array((value.findtext(f"{N}digits") or "").split(), dtype=np.float32)
    by, from_ = float(_value(scale, "value") or 1), float(_value(origin, "value") or 0)
    name = code.removeprefix(LEAD)
    name = f"aV{name[2]}" if name in ("AVR", "AVL", "AVF") else name
    return name, _value(scale, "unit") or "uV", (from_ + by * digits).astype(np.float32)


def _interval(block: Block, one: Any, place: str, root: Any, zone: tzinfo | None) -> None:
    code = INTERVALS.get(_value(one.find(f"{N}code"), "code"))
    told = one.find(f"{N}value")
    value = number(_value(told, "value"))
    if code is None or value is None:
        return
    beat = next(one.iterancestors(f"{N}annotation"), None)
    edges = [] if beat is None else [_value(e, "value") for e in beat.iter(f"{N}low")]
    edges.append(_value(root.find(f".//{N}series/{N}effectiveTime/{N}low"), "value"))
    edges.append(_value(root.find(f"{N}effectiveTime/{N}center"), "value"))
    at = next((w for e in edges if e and (w := when(e, zone))), None)
    if at is None:
        block.refuse(place, "it tells no time", "send the ECG with its times")
        return
    unit = _value(told, "unit")
    block.take(Reading(place, at, code, value, UNITS.get(unit, unit), "HL7 aECG"))


source = Source(
    "HL7 annotated ECG",
    "HL7 v3 Annotated ECG (PORT_MT020001), as the FDA asks for it",
    (".xml",),
    recognises,
    read,
)
