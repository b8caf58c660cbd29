"""Which part of a note is which: by its headers, or by its words where there are none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from medtwin.notes.folding import words

HEADERS = {
    "complaint": "chief complaint|cc|reason for visit|reason for consultation|presenting complaint|"
    "reason for admission|reason for referral|complaint",
    "present": "history of present illness|hpi|present illness|history of the present illness|"
    "genhx|subjective|interval history|history|clinical history|brief history|hospital course|"
    "interim history|current history|indication|clinical indication|hospital course",
    "past": "past medical history|pmh|pmhx|past history|medical history|pastmedicalhx|"
    "previous medical history|past medical hx|past psychiatric history|problem list|"
    "birth history|other history|gynhx|gynecologic history|ob history|obstetric history|"
    "past psychological history|significant past medical history",
    "surgical": "past surgical history|psh|surgical history|pastsurgical|past surgical hx|"
    "previous surgeries|operations|past surgeries|surgeries",
    "family": "family history|fh|fhx|famhx|family medical history|family hx|family",
    "social": "social history|sh|shx|socialhx|social hx|habits|personal history|fam sochx|"
    "psychosocial history|lifestyle",
    "medications": "medications|meds|current medications|home medications|medicines|"
    "discharge medications|medications on admission|medication list|present medications|"
    "current meds|outpatient medications|medication|admission medications",
    "allergies": "allergies|allergy|drug allergies|medication allergies|allergies to medications|"
    "adverse reactions",
    "immunisations": "immunizations|immunisations|vaccinations|immunization history|immunization",
    "review": "review of systems|ros|systems review|system review|review of symptoms",
    "vitals": "vital signs|vitals|vs|vital signs on admission",
    "examination": "physical examination|physical exam|exam|examination|pe|objective|"
    "on examination|general examination|mental status examination|mental status exam",
    "laboratory": "laboratory|labs|laboratory data|lab results|laboratory results|lab data|"
    "laboratory studies|results|laboratory findings|laboratory values|data|diagnostic data",
    "imaging": "imaging|radiology|x rays|x ray|ct|mri|ultrasound|imaging studies|"
    "diagnostic studies|radiographic studies|chest x ray|echocardiogram|ekg|ecg|"
    "findings|technique|comparison|radiology studies",
    "procedures": "procedures|procedure|operation|procedure performed|procedures performed",
    "course": "emergency department course|ed course|edcourse|er course|hospital course",
    "assessment": "assessment|impression|assessment and plan|a p|diagnosis|diagnoses|"
    "final diagnosis|discharge diagnosis|discharge diagnoses|admitting diagnosis|conclusion|"
    "preoperative diagnosis|postoperative diagnosis|admission diagnosis|impression and plan",
    "plan": "plan|recommendations|recommendation|treatment plan|plans|follow up|diet|"
    "discharge instructions|instructions|activity|followup",
    "disposition": "disposition|condition|discharge condition|condition on discharge|prognosis",
}
KIND = {words(header): kind for kind, said in HEADERS.items() for header in said.split("|")}
HEADER = re.compile(
    r"(?:^|(?<=[.;!?])[ \t]+|(?<=\n))[ \t]*(?:\d+[.)]\s+)?([A-Za-z][A-Za-z &/'-]{1,48}?)[ \t]*:"
    r"|^[ \t]*([A-Z][A-Z &/'-]{2,40})[ \t]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a note from `start` to `end`, its header left out; `kind` is empty before any."""

    kind: str
    start: int
    end: int


def sections(text: str, header: str = "") -> list[Section]:
    """The parts of a note, in order; `header` is that of the first, where it does not say so."""
    found, kind, begin = [], KIND.get(words(header), ""), 0
    for match in HEADER.finditer(text):
        named = KIND.get(words(match[1] or match[2]))
        if named is None:
            continue
        if match.start() > begin:
            found.append(Section(kind, begin, match.start()))
        kind, begin = named, match.end()
    found.append(Section(kind, begin, len(text)))
    return found


STOP = re.compile(r"[.!?]+[\"')\]]*(?=\s|$)\s*|;\s*|\n\s*")
TITLES = {"dr", "mr", "mrs", "ms", "st", "vs", "no", "e.g", "i.e", "approx", "prof", "jr", "pt"}
WORD = re.compile(r"[\w.]+$")


def sentences(text: str, parts: Sequence[Section]) -> list[tuple[int, int, str]]:
    """Start, end and kind of section of each sentence."""
    found = []
    for part in parts:
        begin = part.start
        for stop in STOP.finditer(text, part.start, part.end):
            if not _ends(text, stop, part.end):
                continue
            if stop.start() > begin:
                found.append((begin, stop.start(), part.kind))
            begin = stop.end()
        if part.end > begin:
            found.append((begin, part.end, part.kind))
    return found


def _ends(text: str, stop: re.Match[str], end: int) -> bool:
    mark = stop[0][0]
    if mark == ".":
        word = WORD.search(text, max(0, stop.start() - 12), stop.start())
        if word and word[0].lower() in TITLES:
            return False
        after = text[stop.end() : stop.end() + 1]
        return not after.islower() or "\n" in stop[0]
    if mark == "\n" and stop.end() < end:
        # A line that goes on in small letters is the same sentence, wrapped.
        return stop[0].count("\n") > 1 or not text[stop.end()].islower()
    return True
