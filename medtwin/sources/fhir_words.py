"""The small words of FHIR: when, which concept, whose; read once for all kinds of resource."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from medtwin.record.codes import Code, Kind, meanings, opened

Resource = dict[str, Any]


class NotUnderstood(ValueError):
    """The resource does not say what it would have to, or not as FHIR R4 says it."""


class NoFact(ValueError):
    """A good resource that no fact can be made of: undated, or without a value."""


@dataclass(frozen=True)
class Told:
    """How one delivery is read: when it came, its zone for naive times, who and what is in it."""

    received: datetime
    zone: tzinfo | None = None
    entries: dict[str, Resource] = field(default_factory=dict)

    def found(self, reference: Resource | None, within: Resource) -> Resource:
        """What a reference points at, in the same resource or bundle; empty if elsewhere."""
        target = (reference or {}).get("reference", "")
        if target.startswith("#"):
            inside = (c for c in within.get("contained", ()) if c.get("id") == target[1:])
            return next(inside, {})
        return self.entries.get(target, {})


def when(text: str, told: Told) -> datetime:
    """A FHIR date, dateTime or instant. A partial date is its first moment."""
    if len(text) <= 10:
        return _day(text, told)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NotUnderstood(f"{text!r} is not a FHIR date and time") from None
    if moment.tzinfo is None:
        if told.zone is None:
            raise NotUnderstood(f"{text} has no time zone; say which with the option zone")
        moment = moment.replace(tzinfo=told.zone)
    return moment.astimezone(UTC)


def _day(text: str, told: Told) -> datetime:
    parts = text.split("-")
    try:
        year, month, day = (*map(int, parts), 1, 1)[:3]
        begins = datetime(year, month, day, tzinfo=told.zone or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotUnderstood(f"{text!r} is not a FHIR date") from None
    today = timedelta() < begins - told.received < timedelta(hours=14)
    return told.received if today else begins


def period(span: Resource | None, told: Told) -> tuple[datetime | None, datetime | None]:
    """Start and end, each if it is given."""
    span = span or {}
    start, end = span.get("start"), span.get("end")
    return (when(start, told) if start else None, when(end, told) if end else None)


def spoken(concept: Resource | None) -> str:
    """A concept in words."""
    if not concept:
        return ""
    if text := concept.get("text"):
        return str(text)
    codings = concept.get("coding") or ()
    return next((c.get("display") or c.get("code") or "" for c in codings), "")


def tokens(concept: Resource) -> list[str]:
    """The codings of a concept as `system|code`."""
    codings = concept.get("coding") or ()
    return [f"{c.get('system', '')}|{c['code']}" for c in codings if c.get("code")]


# LOINC's answer list of PHQ and GAD: not at all, several days, more than half the days, nearly
# every day; and of yes and no.
ANSWERS = {"LA6568-5": 0.0, "LA6569-3": 1.0, "LA6570-1": 2.0, "LA6571-9": 3.0}
ANSWERS |= {"LA32-8": 0.0, "LA33-6": 1.0}
WORTH = {f"http://loinc.org|{code}": points for code, points in ANSWERS.items()}

OBSERVED = (Kind.measurement, Kind.answer)


def meant(concept: Resource | None, kind: Kind, unit: str = "1") -> Code:
    """The code a concept means: one of ours of this kind if any coding is, else an open one.

    A report named after a measurement is about it, and is not a value of it.
    """
    if not concept:
        raise NotUnderstood("it has no code; the sender must say what it is about")
    ours, said, words = meanings(), tokens(concept), spoken(concept)
    for token in said:
        if token in ours and (kind in OBSERVED or ours[token].kind is kind):
            return ours[token]
    if not said and not words:
        raise NotUnderstood("its code is empty; the sender must say what it is about")
    token = said[0] if said else f"text|{words}"
    token = f"{token}|{kind}" if token in ours else token
    # One column, one unit: the same test sent in two units is two open codes, not one muddle.
    return opened(token if unit == "1" else f"{token}|{unit}", words, unit, kind)


def joined(*words: str | None) -> str:
    """These words, those that are there."""
    return ", ".join(str(w) for w in words if w)
