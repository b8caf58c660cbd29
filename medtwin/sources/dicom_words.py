"""DICOM's coded concepts, and our codes: by coding where we are sure, else by the coded words."""

import re
from typing import Any

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.sources.readings import own

SCHEMES = {"LN": "http://loinc.org", "SCT": "http://snomed.info/sct", "UCUM": "ucum"}
ECG_WORDS = {
    "pr interval": codes.pr_interval,
    "qrs duration": codes.qrs_duration,
    "qt interval": codes.qt_interval,
    "qtc interval": codes.qtc_interval,
    "rr interval": codes.rr_interval,
    "heart rate": codes.heart_rate,
    "ventricular heart rate": codes.heart_rate,
    "ventricular rate": codes.heart_rate,
}
SAYS = own("dicom", "ECG as the machine reads it", "", Kind.report)
# LOINC 18043-0, left ventricular ejection fraction by ultrasound: TID 5200 names it.
EJECTION = {"18043-0", "8806-2", "8808-8", "10230-1"}
ACROSS = re.compile(r"\b(diameter|long axis|length|short axis|maximum 2d|major axis)\b")
LESION = re.compile(r"\b(lesion|nodule|mass|neoplasm|tumou?r|metasta|target)")
AORTA = re.compile(r"\baort")


def coded(sequence: Any) -> tuple[str, str, str]:
    """Code value, scheme and meaning of a code sequence; empty where there is none."""
    if not sequence:
        return "", "", ""
    one = sequence[0]
    value = next(
        (one.get(k) for k in ("CodeValue", "LongCodeValue", "URNCodeValue") if one.get(k)), ""
    )
    return (
        str(value or ""),
        str(one.get("CodingSchemeDesignator") or ""),
        str(one.get("CodeMeaning") or ""),
    )


def annotation_code(concept: tuple[str, str, str], unit: str) -> Code:
    """The code of an ECG machine's measurement; without a concept, of its words."""
    value, scheme, meaning = concept
    if not meaning:
        return SAYS
    known = ECG_WORDS.get(" ".join(meaning.lower().split()))
    return known or _theirs(value, scheme, meaning, unit)


def measured(concept: tuple[str, str, str], unit: str, about: str) -> Code:
    """The code of a report's number; `about` is all that stands above it, in words."""
    value, scheme, meaning = concept
    if scheme == "LN" and value in EJECTION:
        return codes.ejection_fraction
    token = f"{SCHEMES.get(scheme, scheme)}|{value}"
    if token in codes.meanings():
        return codes.meanings()[token]
    words, around = meaning.lower(), about.lower()
    left = "left" in words or "lv" in words.split() or "left ventric" in around
    if "ejection fraction" in words and left and "right" not in words:
        return codes.ejection_fraction
    if ACROSS.search(words) and unit in ("mm", "cm", "m", "um"):
        if AORTA.search(words) or AORTA.search(around):
            return codes.aorta_diameter
        if LESION.search(words) or LESION.search(around):
            if "short axis" not in words:
                return codes.lesion_diameter
            return own("dicom", "diameter of a lesion across, short axis", "mm")
    return _theirs(value, scheme, meaning, unit)


def _theirs(value: str, scheme: str, meaning: str, unit: str) -> Code:
    made = own(SCHEMES.get(scheme, scheme or "dicom"), value or meaning, unit)
    return Code(made.id, meaning or value, made.unit)
