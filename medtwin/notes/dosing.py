"""How a medicine is taken, from the words around its name."""

import re

from medtwin.notes.mention import Dosing

AMOUNT = r"(\d[\d,]*(?:\.\d+)?)(?:\s*(?:-|to)\s*\d[\d,]*(?:\.\d+)?)?"
UNIT = (
    r"(mg/kg|mcg/kg|mg|milligrams?|mcg|micrograms?|ug|grams?|g|units?|iu|meq|ml|cc|puffs?|"
    r"tablets?|tabs?|capsules?|caps?|drops?|sprays?|patch(?:es)?|%)"
)
DOSE = re.compile(rf"\b{AMOUNT}\s*-?\s*{UNIT}(?![a-z])", re.IGNORECASE)
BEFORE = re.compile(rf"{AMOUNT}\s*{UNIT}\s+of\s+(?:\w+\s)?$", re.IGNORECASE)
ROUTES = {
    "by mouth": ("p.o.", "po", "by mouth", "orally", "oral"),
    "intravenous": ("i.v.", "iv", "intravenously", "intravenous"),
    "intramuscular": ("i.m.", "im", "intramuscularly", "intramuscular"),
    "subcutaneous": ("subcutaneously", "subcutaneous", "subq", "sub q", "s.c.", "sc", "sq"),
    "inhaled": ("inhaled", "inhaler", "nebulizer", "nebulized", "nebulised", "inhalation"),
    "rectal": ("rectally", "per rectum", "p.r."),
    "sublingual": ("sublingually", "sublingual", "sl"),
    "on the skin": ("topically", "topical", "transdermal"),
    "nasal": ("intranasally", "nasal", "nasally"),
}
OFTEN = {
    "as needed": ("p.r.n.", "prn", "as needed"),
    "once a day": (
        "once daily",
        "once a day",
        "daily",
        "q.d.",
        "qd",
        "every day",
        "each day",
        "a day",
    ),
    "twice a day": ("twice daily", "twice a day", "b.i.d.", "bid", "two times a day"),
    "three times a day": ("three times a day", "three times daily", "t.i.d.", "tid"),
    "four times a day": ("four times a day", "four times daily", "q.i.d.", "qid"),
    "at bedtime": ("at bedtime", "q.h.s.", "qhs", "nightly", "at night", "every night"),
    "every other day": ("every other day", "qod"),
    "in the morning": ("every morning", "in the morning", "qam"),
    "once a week": ("once a week", "weekly", "every week"),
    "once a month": ("monthly", "once a month"),
}
HOURS = re.compile(
    r"\b(?:q\.?|every)\s*(\d+)(?:\s*-\s*\d+)?\s*(?:h\b|hours?\b|hrs?\b|h\.)", re.IGNORECASE
)
LASTS = re.compile(
    r"\b(?:for|x)\s+(?:a total of\s+)?(\d+|one|two|three|four|five|six|seven|ten|fourteen)"
    r"[\s-]+(?:more\s+)?(day|week|month)s?\b",
    re.IGNORECASE,
)
COUNTED = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
COUNTED |= {"ten": 10, "fourteen": 14}
DAYS = {"day": 1, "week": 7, "month": 30}
UNITS = {"milligram": "mg", "microgram": "mcg", "ug": "mcg", "gram": "g", "unit": "U", "iu": "U"}
UNITS |= {"tab": "tablet", "cap": "capsule", "cc": "mL", "ml": "mL", "patche": "patch"}
UNITS |= {"meq": "meq"}


def _spoken(said: dict[str, tuple[str, ...]]) -> tuple[re.Pattern[str], dict[str, str]]:
    means = {w: name for name, words in said.items() for w in words}
    means |= {w[:-1]: name for w, name in means.items() if w.endswith(".")}  # a sentence's last
    every = "|".join(re.escape(w) for w in sorted(means, key=len, reverse=True))
    return re.compile(rf"(?<![\w.])(?:{every})(?![\w])", re.IGNORECASE), means


ROUTE, ROUTE_OF = _spoken(ROUTES)
HOW_OFTEN, OFTEN_OF = _spoken(OFTEN)


def dosing(before: str, after: str) -> Dosing | None:
    """What the words before and after a medicine's name say of how it is taken."""
    dose = DOSE.search(after) or BEFORE.search(before)
    amount = float(dose[1].replace(",", "")) if dose else None
    route, often = ROUTE.search(after), _how_often(after)
    lasts = LASTS.search(after)
    if not (dose or route or often or lasts):
        return None
    by = ROUTE_OF[route[0].lower()] if route else ""
    return Dosing(amount, _unit(dose[2]) if dose else "", by, often, _days(lasts))


def _how_often(after: str) -> str:
    hours = HOURS.search(after)
    named = dict.fromkeys(OFTEN_OF[m[0].lower()] for m in HOW_OFTEN.finditer(after))
    if hours:
        named = {f"every {hours[1]} hours": None, **named}
    return ", ".join(sorted(named, key=lambda w: w == "as needed"))


def _days(lasts: re.Match[str] | None) -> float | None:
    if lasts is None:
        return None
    count = COUNTED.get(lasts[1].lower()) or int(lasts[1])
    return float(count * DAYS[lasts[2].lower()])


def _unit(said: str) -> str:
    plain = said.lower()
    plain = plain[:-1] if plain.endswith("s") and len(plain) > 2 else plain
    return UNITS.get(plain, plain)
