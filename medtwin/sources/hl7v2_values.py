"""OBX, the observation segment: its many kinds of value, as FHIR says them."""

import binascii
from collections.abc import Callable
from itertools import takewhile

from medtwin.sources.fhir_words import Resource
from medtwin.sources.hl7_times import moment
from medtwin.sources.hl7v2_parser import Segment, Value
from medtwin.sources.hl7v2_segments import Context, dated
from medtwin.sources.hl7v2_tables import OBSERVED
from medtwin.sources.hl7v2_types import concept, number, quantity, structured, unit

WORDS = {"", "ST", "TX", "FT"}
CODED = {"CE", "CWE", "CNE", "CF", "IS", "ID"}
PAPER = {"ED", "RP"}
MEDIA_TYPES = {"PDF": "application/pdf", "JPEG": "image/jpeg", "RTF": "application/rtf"}
MEDIA_TYPES |= {"PNG": "image/png", "HTML": "text/html", "XML": "text/xml", "TIFF": "image/tiff"}


def observation(obx: Segment, at: Context) -> Resource:
    """One OBX. Several values of it are components; several lines of text are one text."""
    found = at.about(
        "Observation",
        status=OBSERVED.get(obx.text(11), "unknown"),
        code=concept(obx[3], at.by),
        effectiveDateTime=_when(obx, at),
        interpretation=[concept(v, at.by, "HL70078") for v in obx.every(8)],
        method=concept(obx[17], at.by),
        bodySite=concept(obx[20], at.by),
        referenceRange=[{"text": obx.whole(7)}] if obx.whole(7) else [],
    )
    values = _values(obx, at)
    if len(values) > 1:
        return found | {"component": [{"code": found.get("code"), **v} for v in values]}
    return found | (values[0] if values else _unit_alone(obx))


def _when(obx: Segment, at: Context) -> str:
    """OBX-14; else when the sample was taken (OBR-7), reported (OBR-22), or the message sent."""
    if own := dated(obx, 14):
        return own
    request = at.request
    return (dated(request, 7) or dated(request, 22) if request else "") or at.sent


def _values(obx: Segment, at: Context) -> list[Resource]:
    sort, every = obx.text(2), obx.every(5)
    if sort in WORDS and not (len(every) == 1 and _measured(every[0], obx)):
        said = "\n".join(v.text for v in every)
        return [{"valueString": said}] if said else []
    return [_value(sort, v, obx, at) for v in every]


def _value(sort: str, value: Value, obx: Segment, at: Context) -> Resource:
    if sort == "NM" or _measured(value, obx):
        return {"valueQuantity": quantity(value[1], unit(obx[6]))}
    if sort == "SN":
        return structured(value, unit(obx[6]))
    if sort in CODED:
        return {"valueCodeableConcept": concept(value, at.by) or {"text": value[1]}}
    return READERS.get(sort, _as_words)(value)


def _measured(value: Value, obx: Segment) -> bool:
    """A number with a unit is a measurement, whatever type the sender gave it."""
    return bool(obx[6]) and number(value[1]) is not None and not value[3]


def _unit_alone(obx: Segment) -> Resource:
    """A result that was taken back names its unit still: that is how its column is found."""
    measured_in = unit(obx[6])
    taken_back = obx.text(11) in ("D", "W", "X")
    return {"valueQuantity": measured_in} if measured_in and taken_back else {}


def _period(value: Value) -> Resource:
    ends = (("start", moment(value[1])), ("end", moment(value[2])))
    return {"valuePeriod": {k: v for k, v in ends if v}}


def _range(value: Value) -> Resource:
    return {"valueRange": {"low": {"value": value[1]}, "high": {"value": value[2]}}}


def _as_words(value: Value) -> Resource:
    return {"valueString": value.text}


def _moment(value: Value) -> Resource:
    return {"valueDateTime": moment(value[1])}


READERS: dict[str, Callable[[Value], Resource]] = {
    "DT": _moment,
    "TS": _moment,
    "DTM": _moment,
    "TM": lambda v: {"valueTime": v[1]},
    "DR": _period,
    "NR": _range,
    "VR": lambda v: {"valueString": f"{v[1]}-{v[2]}"},
}


def attachment(obx: Segment) -> Resource:
    """ED, RP or text of an OBX as an attachment. Raises `ValueError` if its data are cut."""
    sort, value = obx.text(2), obx[5]
    if sort == "RP":
        return {"url": value[1]}
    if sort != "ED":
        return {"contentType": "text/plain", "data": text(obx)}
    subtype = value[3].upper()
    kind = MEDIA_TYPES.get(subtype, "application/octet-stream")
    if value[4].lower() == "base64":
        checked(value[5])
    return {"contentType": kind, "title": obx[3][2], "data": value[5]}


def checked(data: str) -> None:
    """Raise `ValueError` if this is not whole base64."""
    try:
        binascii.a2b_base64("".join(data.split()), strict_mode=True)
    except binascii.Error as why:
        raise ValueError(f"its base64 is broken or cut short ({why})") from None


def text(obx: Segment) -> str:
    """The words of an OBX, repetition by repetition."""
    return "\n".join(v.text for v in obx.every(5))


def texts(segments: list[Segment]) -> list[str]:
    """The text of a document, which stands in OBX after OBX."""
    told = takewhile(lambda s: s.name in ("OBX", "NTE", "PRT"), segments)
    return [text(s) for s in told if s.name == "OBX" and s.text(2) in WORDS]
