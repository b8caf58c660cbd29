"""What the exports of glucose sensors share: one person's diary of readings, doses and meals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from medtwin.record.codes import Code
from medtwin.record.observation import Implausible, Observation
from medtwin.record.person import Person
from medtwin.record.units import UnknownUnit, convert
from medtwin.sources.source import Arrived, Refusal, Sent

# Words sensors print instead of a number outside their range, in the languages we have seen.
BELOW = {"low", "lo", "niedrig", "bas", "bajo", "basso", "laag", "låg"}
ABOVE = {"high", "hi", "hoch", "haut", "alto", "elevado", "hoog", "hög"}


class Unreadable(ValueError):
    """The value or the time of a row cannot be read."""


@dataclass(frozen=True)
class Entry:
    """One filled cell of a diary, as text."""

    row: int
    at: datetime
    code: Code
    text: str
    unit: str
    source: str
    says: str = ""
    until: datetime | None = None


def facts(
    entries: Iterator[Entry | Refusal], received: datetime, reach: tuple[float, float], whose: str
) -> tuple[tuple[Observation, ...], tuple[Refusal, ...]]:
    """What the entries say. `reach` is the sensor's range in the code's own unit."""
    good, bad = [], []
    for entry in entries:
        if isinstance(entry, Refusal):
            bad.append(entry)
            continue
        try:
            good.append(_fact(entry, received, reach))
        except (Unreadable, Implausible, UnknownUnit) as why:
            what = f"row {entry.row}, {entry.code.name} {entry.text!r}"
            bad.append(Refusal(what, whose, str(why), "correct the row and import again"))
    return tuple(good), tuple(bad)


def _fact(entry: Entry, received: datetime, reach: tuple[float, float]) -> Observation:
    value, beyond = amount(entry, reach)
    words = beyond or entry.says
    return Observation(entry.at, entry.code, value, entry.source, received, entry.until, words)


def amount(entry: Entry, reach: tuple[float, float]) -> tuple[float, str]:
    """The number in the code's unit; beyond the sensor's range its limit, and which way."""
    word = entry.text.lower()
    if word in BELOW:
        return reach[0], "<"
    if word in ABOVE:
        return reach[1], ">"
    try:
        number = float(entry.text.replace(",", "."))
    except ValueError:
        raise Unreadable("it is no number; allowed are numbers, Low and High") from None
    return convert(number, entry.unit, entry.code), ""


def placed(moment: datetime, zone: tzinfo | None) -> datetime:
    """A wall-clock time of the diary in its zone, or UTC where none was told."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)).astimezone(UTC)


def arrived(
    what: Sent,
    raw: bytes,
    about: str,
    person: Person | None,
    found: tuple[tuple[Observation, ...], tuple[Refusal, ...]],
    kind: str,
) -> Arrived:
    """The whole diary as one original of one person."""
    return Arrived(raw, "text/csv", what.name, about, person, *found, "", kind)


def column(names: Sequence[str], *starts: str) -> str | None:
    """The first column whose name begins with one of these words, in any case."""
    low = tuple(s.lower() for s in starts)
    return next((n for n in names if n.lower().startswith(low)), None)


def unit_of(name: str) -> str:
    """The unit in a column's name: `Glucose Value (mg/dL)` or `Historic Glucose mmol/L`."""
    low = name.lower()
    return "mmol/L" if "mmol" in low else "mg/dL"
