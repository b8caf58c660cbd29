"""Which part of a note a text without a header most likely is: by the words such parts use.

The words and what each weighs were written by hand; a long narrative speaks for the present
illness, a few words for a complaint.
"""

import re
from functools import cache

from medtwin.notes.folding import folded
from medtwin.notes.lexicon import Term, english

STRONG, PLAIN, WEAK = 3.0, 1.5, 0.7
WORDS: dict[str, tuple[tuple[float, str], ...]] = {
    "social": (
        (4.0, "smok(?:e[sd]?|er|ing)|tobacco|cigarettes?|alcohol|drinks?|drug use|illicit|etoh"),
        (
            4.0,
            "married|divorced|widow(?:ed|er)?|noncontributory|single|retired|lives|lived|resides|occupation",
        ),
        (PLAIN, "works?|worked|working|child(?:ren)?|school|job|caffeine|coffee|home|wife|husband"),
        (4.0, "mother|father|siblings?|family|brothers?|sisters?|died|parents|deceased|hereditary"),
        (WEAK, "packs?|beers?|wine|exercises?|denies|grade|college|alive|healthy"),
    ),
    "allergies": ((6.0, "allerg(?:y|ies|ic)|nkda|nka"), (WEAK, "reactions?|hives|known|drug")),
    "medications": (
        (
            STRONG,
            "medications?|mg|mcg|daily|b\\.?i\\.?d|t\\.?i\\.?d|prn|vitamins?|tablets?|insulin",
        ),
        (PLAIN, "taking|takes|dose|prescri(?:bed|ption)|supplements?|pills?|drops|at bedtime"),
    ),
    "surgical": (
        (
            STRONG,
            "\\w+ectomy|surger(?:y|ies)|repair|replacement|c-?section|cesarean|bypass|\\w+plasty",
        ),
        (PLAIN, "stent|graft|biops(?:y|ies)|fusion|removed|ligation|implants?|operations?|tubes"),
        (WEAK, "surgical|laparoscop\\w+|arthroscop\\w+|cataracts?|right|left|bilateral"),
    ),
    "review": (
        (STRONG, "review of systems|negative|denies|\\w+-system|heent|genitourinary"),
        (
            PLAIN,
            "cardiovascular|gastrointestinal|respiratory|musculoskeletal|neurologic(?:al)?|skin",
        ),
        (WEAK, "no|chills|nausea|vomiting|dysuria|fevers?|bleeding|weight loss|cough|positive"),
    ),
    "past": (
        (
            STRONG,
            "medical history|history of|hypertension|diabetes|asthma|gerd|illness(?:es)?",
        ),
        (
            PLAIN,
            "significant for|hypercholesterolemia|arthritis|depression|hypothyroidism|copd|cad",
        ),
        (WEAK, "hospitalizations?|disease|past|chronic|includes?|diagnosed|disorder|unremarkable"),
    ),
    "present": (
        (STRONG, "year-old|y/?o|presents?|presented|complain(?:s|ing)|chief complaint|onset"),
        (PLAIN, "states|today|yesterday|ago|began|started|noticed|symptoms|since|seen|felt|last"),
        (WEAK, "he|she|was|has been|reports|week|days?|months?|pain|had|patient|then|which"),
    ),
    "complaint": ((PLAIN, "pain|followup|follow-up|evaluation|check|complaint|problems?"),),
    "examination": (
        (STRONG, "tenderness|nontender|auscultation|bilaterally|pupils|distress|palpa(?:tion|ble)"),
        (PLAIN, "alert|oriented|soft|inspection|masses|range of motion|extremities|clear|edema"),
    ),
    "assessment": (
        (
            STRONG,
            "secondary to|resolved|resolving|status post|probable|likely|exacerbation|exposure",
        ),
        (
            PLAIN,
            "[1-9]\\.|acute|chronic|possible|improv(?:ed|ing)|stable|syndrome|controlled|uncertain",
        ),
    ),
    "plan": (
        (STRONG, "diet|as tolerated|follow up|recommend(?:ed)?|will|regular|continue|return|weeks"),
        (WEAK, "plan|low|sodium|activity|schedule|discuss(?:ed)?|call"),
    ),
    "disposition": (
        (
            STRONG,
            "discharged?|stable|disposition|condition|admitted|transfer(?:red)?|home with|expired",
        ),
        (WEAK, "follow|office|good|family"),
    ),
    "immunisations": (
        (7.0, "immuni[sz]ations?|vaccin(?:e|es|ation|ations|ated)|up-? ?to-? ?date|shots"),
    ),
    "imaging": ((STRONG, "x-?rays?|mri|ct|ultrasound|ekg|ecg|radiolog\\w+|scan|echocardiogram"),),
    "laboratory": (
        (STRONG, "cbc|hemoglobin|white count|urinalysis|cultures?|labs?|glucose|creatinine"),
    ),
    "course": (
        (STRONG, "emergency (?:department|room)|er|ed|was given|received|was treated|iv|observed"),
        (WEAK, "patient|then|treated|taken"),
    ),
    "procedures": ((STRONG, "procedures?|catheterization|anesthesia|colonoscopy|endoscopy"),),
}
OFTEN = 4  # a word that stands more often than this says no more
TERMS = {"medication": ("medications", 2.5), "procedure": ("surgical", 1.5)}
TERMS |= {"condition": ("past", 0.8), "finding": ("complaint", 0.5)}
BRIEF, LONG = 6, 60  # words of a complaint, and of a narrative


@cache
def _patterns() -> list[tuple[str, float, re.Pattern[str]]]:
    return [
        (kind, weight, re.compile(rf"(?<!\w)(?:{said})(?!\w)", re.IGNORECASE))
        for kind, groups in WORDS.items()
        for weight, said in groups
    ]


def guessed(text: str) -> str:
    """The kind of section this text most likely is, "" where nothing speaks for any."""
    length = len(text.split())
    scores = dict.fromkeys(WORDS, 0.0)
    for kind, weight, pattern in _patterns():
        scores[kind] += weight * min(len(pattern.findall(text)), OFTEN)
    for hit in english().hits(text, folded(text)):
        if isinstance(hit.what, Term) and hit.what.sort in TERMS:
            kind, weight = TERMS[hit.what.sort]
            scores[kind] += weight
    scores = {kind: score / (length + 8) for kind, score in scores.items()}
    scores["present"] += min(length, LONG) / LONG * 0.08
    scores["complaint"] += 0.03 if length <= BRIEF else -0.1
    best = max(scores, key=lambda kind: scores[kind])
    return best if scores[best] > 0 else ""
