"""The dates a note tells: written out, or counted from the day it was written."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MONTH = (
    r"(?P<{}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
COUNTS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight"]
COUNTS += ["nine", "ten", "eleven", "twelve"]
COUNT = r"(?P<{}>\d{{1,3}}|an?|" + "|".join(COUNTS[1:]) + r"|couple of|few)"
SPAN = r"(?P<{}>hour|day|week|month|year)s?"
PATTERN = re.compile(
    r"(?P<lead>\b(?:since|until|from)\s+(?:the\s+)?)?(?:"
    r"\b(?P<iso>(?:19|20)\d\d-\d\d?-\d\d?)\b"
    r"|(?<![\d/.-])(?P<num>\d\d?[/-]\d\d?[/-](?:(?:19|20)\d\d|\d\d))(?![\d/])"
    r"|(?<![\d/.-])(?P<short>(?:0?[1-9]|1[0-2])/(?:19|20)\d\d)(?![\d/])"
    r"|\b" + MONTH.format("mon") + r"\s+(?:(?P<day>[0-3]?\d)(?:st|nd|rd|th)?,?\s+)?"
    r"(?:of\s+)?(?P<year>(?:19|20)\d\d)\b"
    r"|\b(?P<day2>[0-3]?\d)\s+" + MONTH.format("mon2") + r"\s+(?P<year2>(?:19|20)\d\d)\b"
    r"|\b" + COUNT.format("n") + r"\s+" + SPAN.format("span") + r"\s+(?:ago|earlier|back)\b"
    r"|\b(?P<lasting>for|over|x|times|during|in)\s+(?:about\s+|approximately\s+|around\s+)?"
    r"(?:the\s+)?(?:past\s+|last\s+)?" + COUNT.format("m") + r"\s+" + SPAN.format("over") + r"\b"
    r"|\b(?P<word>yesterday|last\s+(?:night|week|month|year))\b"
    r"|\b(?P<only>(?:19|20)\d\d)\b(?!\s*(?:mg|ml|units?|calorie|/|%|steps))"
    r")",
    re.IGNORECASE,
)
WORDS = {"yesterday": 1, "night": 1, "week": 7, "month": 30, "year": 365}
SPANS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}


@dataclass(frozen=True, slots=True)
class Told:
    """A date and where it stands. `onset` if what it dates goes on since then."""

    start: int
    end: int
    at: datetime
    onset: bool


def dates(text: str, at: datetime) -> list[Told]:
    """Every date of a text that was written at `at`; month before day in 3/1/2019."""
    found = []
    for match in PATTERN.finditer(text):
        try:
            when = _when(match, at)
        except (ValueError, OverflowError):
            continue
        if when is not None:
            since = (match["lead"] or "").lower().startswith("since")
            found.append(Told(match.start(), match.end(), when, since or bool(match["lasting"])))
    return found


def _when(match: re.Match[str], at: datetime) -> datetime | None:
    if match["iso"]:
        return _day(at, *map(int, match["iso"].split("-")))
    if match["num"]:
        month, day, year = map(int, re.split("[/-]", match["num"]))
        return _day(at, year if year > 99 else _century(year, at), month, day)
    if match["short"]:
        month, year = map(int, match["short"].split("/"))
        return _day(at, year, month, 1)
    if match["mon"]:
        return _day(at, int(match["year"]), _month(match["mon"]), int(match["day"] or 1))
    if match["mon2"]:
        return _day(at, int(match["year2"]), _month(match["mon2"]), int(match["day2"]))
    if match["only"]:
        return _day(at, int(match["only"]), 1, 1)
    return _relative(match, at)


def _relative(match: re.Match[str], at: datetime) -> datetime | None:
    if match["word"]:
        return at - timedelta(days=WORDS[match["word"].lower().split()[-1]])
    if match["lasting"] and match["lasting"].lower() == "in" and "past" not in match[0].lower():
        return None  # "in two weeks" lies ahead
    count, span = (match["n"], match["span"]) if match["n"] else (match["m"], match["over"])
    return at - timedelta(days=_count(count) * SPANS[span.lower()])


def _count(said: str) -> int:
    low = said.lower()
    if low.isdigit():
        return int(low)
    return {"a": 1, "an": 1, "couple of": 2, "few": 3}.get(low) or COUNTS.index(low)


def _century(year: int, at: datetime) -> int:
    return 2000 + year if 2000 + year <= at.year else 1900 + year


def _month(name: str) -> int:
    return MONTHS.index(name[:3].lower()) + 1


def _day(at: datetime, year: int, month: int, day: int) -> datetime:
    days = monthrange(year, month)[1]
    if day > days:
        raise ValueError(f"month {month} has {days} days")
    return datetime(year, month, day, tzinfo=at.tzinfo)
