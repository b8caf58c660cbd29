"""Where in the body: organ, side and part, as radiologists write them."""

import re
from dataclasses import dataclass

ORGANS = {
    "lung": "lungs?|pulmonary|(?:upper|middle|lower) lobes?|lingula|apex of the lung|hemithorax",
    "liver": "liver|hepatic|hepatis|segment (?:[1-8]|i{1,3}v?|iv[ab]?|vi{0,3})",
    "kidney": "kidneys?|renal",
    "adrenal": "adrenals?|adrenal glands?",
    "spleen": "spleen|splenic",
    "pancreas": "pancreas|pancreatic",
    "brain": "brain|cerebral|cerebell\\w+|(?:frontal|parietal|temporal|occipital) lobes?",
    "bone": "bones?|osseous|skeletal|vertebra\\w*|ribs?|femur|femoral head|sacrum|iliac bone|"
    "sternum|skull|[ct][1-9]|t1[0-2]|l[1-5]",
    "breast": "breasts?",
    "thyroid": "thyroid",
    "prostate": "prostate|prostatic",
    "bladder": "bladder",
    "uterus": "uterus|uterine",
    "ovary": "ovar(?:y|ies|ian)|adnexal?",
    "colon": "colon|colonic|sigmoid|cecum|rectum|rectal",
    "stomach": "stomach|gastric",
    "oesophagus": "esophag\\w+|oesophag\\w+",
    "pleura": "pleural?",
    "peritoneum": "peritone\\w+|omental|omentum",
    "mediastinal nodes": "mediastin\\w+|subcarinal|paratracheal|precarinal",
    "hilar nodes": "hilar|hilum",
    "axillary nodes": "axilla\\w*",
    "cervical nodes": "cervical",
    "supraclavicular nodes": "supraclavicular",
    "retroperitoneal nodes": "retroperitone\\w+|para-?aortic",
    "inguinal nodes": "inguinal",
    "aorta": "aorta|aortic",
}
ORGAN = {name: re.compile(rf"\b(?:{said})\b", re.IGNORECASE) for name, said in ORGANS.items()}
SIDE = re.compile(r"\b(right|left|bilateral|both)\b", re.IGNORECASE)
PART = re.compile(
    r"\b((?:upper|middle|lower) lobe|upper pole|lower pole|lingula|(?:frontal|parietal|temporal|"
    r"occipital) lobe|(?:head|body|tail)(?= of the pancreas)|segment (?:[1-8]|[ivab]+)|"
    r"infrarenal|suprarenal|ascending|descending|abdominal|thoracic|[tl]\d{1,2})\b",
    re.IGNORECASE,
)
AROUND = 40  # characters on either side of the organ's name where its side and part stand
SIDED = {"lung", "kidney", "adrenal", "brain", "breast", "ovary", "pleura", "bone", "thyroid"}
SIDED |= {"hilar nodes", "axillary nodes", "cervical nodes", "supraclavicular nodes"}
SIDED |= {"inguinal nodes"}
ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8"}


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the body; `side` and `part` are empty where they are not told."""

    organ: str
    side: str = ""
    part: str = ""

    @property
    def said(self) -> str:
        """The same in words."""
        return ", ".join(w for w in (f"{self.side} {self.organ}".strip(), self.part) if w)


def nearest(words: str, start: int, end: int) -> Site | None:
    """The site that stands nearest to a lesion's words in its sentence."""
    found = [
        (_apart(m, start, end), name, m)
        for name, said in ORGAN.items()
        for m in said.finditer(words)
    ]
    if not found:
        return None
    _, organ, match = min(found, key=lambda one: one[0])
    about = words[max(0, match.start() - AROUND) : match.end() + AROUND]
    part = PART.search(about) if organ != "aorta" else PART.search(words)
    return Site(organ, _side(words, match, organ), _part(part[0]) if part else "")


def _apart(match: re.Match[str], start: int, end: int) -> int:
    return max(match.start() - end, start - match.end(), 0)


def _side(words: str, match: re.Match[str], organ: str) -> str:
    if organ not in SIDED:
        return ""
    near = [
        (abs(m.start() - match.start()), m[1].lower())
        for m in SIDE.finditer(words)
        if abs(m.start() - match.start()) < AROUND
    ]
    side = min(near)[1] if near else ""
    return {"bilateral": "both", "both": "both"}.get(side, side)


def _part(said: str) -> str:
    low = said.lower()
    if low.startswith("segment "):
        number = low.removeprefix("segment ")
        return f"segment {ROMAN.get(number, number)}"
    return low.upper() if re.fullmatch(r"[tl]\d+", low) else low
