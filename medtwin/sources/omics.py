"""A panel of proteins, metabolites or transcripts: one line each, with the range of the healthy.

Columns: `analyte`, `value`, `unit`; if told `low` and `high` (the reference range), `time`,
`person`, and `mean` and `sd` (what is believed of this analyte before it is measured). How far
a value lies from its range or prior is told beside it, in standard deviations.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from math import isfinite
from pathlib import Path

from medtwin.record import codes
from medtwin.record.observation import Implausible, Observation
from medtwin.sources.source import SMALL, Arrived, Options, Refusal, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

NEEDED = ("analyte", "value", "unit")
SYSTEM = "omics"
HEALTHY = 3.92  # standard deviations between the limits of a range that holds 95 of 100
LONGEST = 256 << 20


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of an analyte before it is measured, and where from."""

    mean: float
    sd: float
    told: str

    def deviation(self, value: float) -> float:
        """How many standard deviations a value lies from what was believed."""
        return (value - self.mean) / self.sd


@dataclass(frozen=True, slots=True)
class Line:
    """One analyte of one person."""

    number: int
    person: str
    at: datetime
    analyte: str
    value: float
    unit: str
    prior: Prior | None


class BadLine(ValueError):
    """A line that cannot be used."""


def recognises(path: Path, head: bytes) -> bool:
    """A table whose first line has an analyte, its value and its unit."""
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return False
    columns = _columns(head.split(b"\n", 1)[0].decode("utf-8", "replace"))
    return all(n in columns for n in NEEDED)


def _columns(line: str) -> list[str]:
    told = line.removeprefix("\ufeff").strip().lower()
    return [c.strip().strip('"') for c in told.split("\t" if "\t" in told else ",")]


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """The panel, person by person."""
    with what.open() as file:
        raw = file.read(LONGEST + 1)
    if len(raw) > LONGEST:
        yield unread(what, f"it is longer than {LONGEST} bytes", "send it in parts", raw[:SMALL])
        return
    text = raw.decode("utf-8-sig", "replace")
    first = text.partition("\n")[0]
    rows = csv.reader(StringIO(text), delimiter="\t" if "\t" in first else ",")
    next(rows, None)
    people: dict[str, list[Line]] = {}
    refused: dict[str, list[Refusal]] = {}
    whole = options.about or f"{SYSTEM}|{what.stem}"
    for number, row in enumerate(rows, 2):
        told = dict(zip(_columns(first), (c.strip() for c in row), strict=False))
        person = told.get("person") or whole
        try:
            if any(told.values()):
                people.setdefault(person, []).append(_line(number, person, told, options))
        except BadLine as why:
            wrong = f"line {number}, {told.get('analyte') or 'no analyte'}"
            refusal = Refusal(wrong, person, str(why), "correct the line and send it again")
            refused.setdefault(person, []).append(refusal)
    if not people and not refused:
        yield unread(what, "it has no lines", "send the panel with its values", raw[:SMALL])
    several = len({*people, *refused}) > 1
    for person in dict.fromkeys([*people, *refused]):
        mine = people.get(person, [])
        original = _own(first, text, mine) if several else raw
        yield _arrived(what, person, mine, refused.get(person, []), original, options)


def _own(first: str, text: str, mine: list[Line]) -> bytes:
    every = text.splitlines()
    kept = [every[line.number - 1] for line in mine if line.number <= len(every)]
    return "\n".join([first.rstrip("\r"), *kept]).encode()


def _line(number: int, person: str, told: dict[str, str], options: Options) -> Line:
    analyte = told.get("analyte", "")
    if not analyte:
        raise BadLine("it names no analyte")
    value = _number(told, "value")
    if value is None:
        raise BadLine("its value is empty; an analyte under the limit of detection has none here")
    at = _when(told.get("time", ""), options)
    return Line(number, person, at, analyte, value, told.get("unit") or "1", prior(told))


def prior(told: dict[str, str]) -> Prior | None:
    """What a line says of its analyte in others: mean and sd, else its reference range.

    Raises `BadLine` where the spread is not positive.
    """
    mean, sd = _number(told, "mean"), _number(told, "sd")
    low, high = _number(told, "low"), _number(told, "high")
    if mean is not None and sd is not None:
        found = Prior(mean, sd, f"prior {mean:g} (sd {sd:g})")
    elif low is not None and high is not None:
        found = Prior((low + high) / 2, (high - low) / HEALTHY, f"range {low:g} to {high:g}")
    else:
        return None
    if found.sd <= 0:
        raise BadLine(f"its {found.told} has no spread")
    return found


def _number(told: dict[str, str], name: str) -> float | None:
    text = told.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as why:
        raise BadLine(f"its {name} {text[:30]!r} is no number") from why
    if not isfinite(value):
        raise BadLine(f"its {name} {text} is no finite number")
    return value


def _when(text: str, options: Options) -> datetime:
    if not text:
        return options.received
    try:
        at = datetime.fromisoformat(text)
    except ValueError as why:
        raise BadLine(f"its time {text[:30]!r} is not understood; write 2026-03-01T08:00") from why
    if at.tzinfo is not None:
        return at
    zone = zone_or_none(options.zone)
    if zone is None:
        raise BadLine(f"its time {text} has no zone; say which")
    return at.replace(tzinfo=zone)


def _arrived(
    what: Sent,
    person: str,
    mine: list[Line],
    refused: list[Refusal],
    original: bytes,
    options: Options,
) -> Arrived:
    found: list[Observation] = []
    places: list[str] = []
    for line in mine:
        try:
            new = list(facts(line, options.received))
        except Implausible as why:
            then = "check the unit and the value"
            refused.append(Refusal(f"line {line.number}", person, str(why), then))
            continue
        found += new
        places += [f"line {line.number}"] * len(new)
    name, kind = what.name, "omics panel"
    return Arrived(
        original,
        "text/csv",
        name,
        person,
        None,
        tuple(found),
        tuple(refused),
        kind=kind,
        places=tuple(places),
    )


def facts(line: Line, received: datetime) -> Iterator[Observation]:
    """The value, and how far it lies from what was believed of it."""
    value = codes.opened(f"{SYSTEM}|{line.analyte}", line.analyte, line.unit)
    said = line.prior.told if line.prior else ""
    source = "omics panel"
    yield Observation(line.at, value, line.value, source, received, says=said)
    if line.prior is not None:
        name = f"{line.analyte}, deviation"
        far = codes.opened(f"{SYSTEM}|{line.analyte} deviation", name, "1")
        z = line.prior.deviation(line.value)
        yield Observation(line.at, far, z, source, received, says=said)


source = Source(
    "Omics panel",
    "CSV of analyte, value, unit, reference range or prior; ours, documented in docs/genome.md",
    (".csv", ".tsv"),
    recognises,
    read,
)
