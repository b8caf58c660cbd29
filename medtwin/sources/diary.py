"""What the exports of glucose sensors share: one person's diary of readings, doses and meals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from medtwin.record.codes import Code
from medtwin.record.observation import Implausible, Observation
from medtwin.record.person import Person
from medtwin.record.units import UnknownUnit, convert
from medtwin.sources.source import Arrived, Refusal, Sent
from medtwin.sources.table_file import decoded

# Words sensors print instead of a number outside their range, in the languages we have seen.
BELOW = {"low", "lo", "niedrig", "bas", "bajo", "basso", "laag", "låg"}
ABOVE = {"high", "hi", "hoch", "haut", "alto", "elevado", "hoog", "hög"}


class Unreadable(ValueError):
    """The value or the time of a row cannot be read."""


@dataclass(frozen=True)
class Entry:
    """One filled cell of a diary, as text, and the line it stands in."""

    row: int
    at: datetime
    code: Code
    text: str
    unit: str
    source: str
    says: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Told:
    """What a diary's entries turned into: facts, the row of each, and what was refused."""

    facts: tuple[Observation, ...]
    rows: tuple[int, ...]
    refused: tuple[Refusal, ...]


def facts(
    entries: Iterator[Entry | Refusal], received: datetime, reach: tuple[float, float], whose: str
) -> Told:
    """What the entries say. `reach` is the sensor's range in the code's own unit."""
    good, rows, bad = [], [], []
    for entry in entries:
        if isinstance(entry, Refusal):
            bad.append(entry)
            continue
        try:
            good.append(_fact(entry, received, reach))
            rows.append(entry.row)
        except (Unreadable, Implausible, UnknownUnit) as why:
            what = f"line {entry.row}, {entry.code.name} {entry.text!r}"
            bad.append(Refusal(what, whose, str(why), "correct the row and import again"))
    return Told(tuple(good), tuple(rows), tuple(bad))


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
    found: Told,
    kind: str,
) -> Arrived:
    """The whole diary as one original of one person; each fact says the line it stands in."""
    places = tuple(f"line {row}" for row in found.rows)
    media = "text/csv"
    return Arrived(
        raw, media, what.name, about, person, found.facts, found.refused, "", kind, places
    )


def line_numbers(raw: bytes, above: int, rows: int) -> list[int]:
    """The line of the file in which each row stands, counted from 1.

    `above` lines stand before the header. A row told over several lines is numbered as if none
    were: the number then says the row under the header.
    """
    lines = decoded(raw).splitlines()[above + 1 :]
    filled = [n for n, line in enumerate(lines, start=above + 2) if line.strip()]
    return filled if len(filled) == rows else list(range(above + 2, above + 2 + rows))


def column(names: Sequence[str], *starts: str) -> str | None:
    """The first column whose name begins with one of these words, in any case."""
    low = tuple(s.lower() for s in starts)
    return next((n for n in names if n.lower().startswith(low)), None)


def unit_of(name: str) -> str:
    """The unit in a column's name: `Glucose Value (mg/dL)` or `Historic Glucose mmol/L`."""
    low = name.lower()
    return "mmol/L" if "mmol" in low else "mg/dL"
