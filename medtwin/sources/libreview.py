"""LibreView: the CSV of a FreeStyle Libre's glucose history."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.person import Person
from medtwin.sources.diary import Entry, arrived, column, facts, line_numbers, placed, unit_of
from medtwin.sources.source import Arrived, Options, Refusal, Sent, Source, unread
from medtwin.sources.table_file import BadTable, decoded, delimited
from medtwin.sources.zones import zone_or_none

# Range of Libre 2 and 3 with phone or reader, mg/dL (Abbott user manuals).
REACH = (40.0, 500.0)
TIME = ("device timestamp", "gerätezeitstempel", "meter timestamp", "time")
TYPE = ("record type", "aufzeichnungstyp")
DEVICE = ("device", "gerät", "meter")


@dataclass(frozen=True)
class Cell:
    """What a column holds: how its name begins, the code, the unit, and whose word it is."""

    begins: tuple[str, ...]
    code: Code
    unit: str
    source: str
    says: str = ""


CELLS = (
    Cell(("historic glucose", "glukosewert-verlauf"), codes.glucose, "", "sensor"),
    Cell(("scan glucose", "glukose-scan"), codes.glucose, "", "scan"),
    Cell(("strip glucose", "glukose-teststreifen"), codes.glucose, "", "test strip"),
    Cell(("ketone", "keton"), codes.ketone, "mmol/L", "test strip"),
    Cell(
        ("rapid-acting insulin", "schnellwirkendes insulin"),
        codes.insulin_bolus,
        "U",
        "diary, rapid-acting",
    ),
    Cell(("long-acting insulin", "depotinsulin"), codes.insulin_long, "U", "diary, long-acting"),
    Cell(("meal insulin", "mahlzeit"), codes.insulin_bolus, "U", "diary, meal insulin", "meal"),
    Cell(
        ("correction insulin", "korrektur"),
        codes.insulin_bolus,
        "U",
        "diary, correction insulin",
        "correction",
    ),
    Cell(("carbohydrates (grams)", "kohlenhydrate (gramm)"), codes.carbohydrate, "g", "diary"),
)
# Cells that hold words, or a tick without an amount.
WORDS = {
    ("notes", "notizen"): "",
    ("non-numeric food", "nicht numerische nahrung"): "ate, amount not told",
    ("non-numeric rapid", "nicht numerisches schnell"): "rapid-acting insulin, amount not told",
    ("non-numeric long", "nicht numerisches depot"): "long-acting insulin, amount not told",
}
SERVINGS = ("carbohydrates (servings)", "kohlenhydrate (portionen)")


def recognises(path: Path, head: bytes) -> bool:
    """A text with LibreView's time and record type columns in one of its first lines."""
    return b"\0" not in head[:64] and header_line(head) is not None


def header_line(head: bytes) -> int | None:
    """Which of the first lines names the columns."""
    for number, line in enumerate(decoded(head.rpartition(b"\n")[0] or head).splitlines()[:5]):
        low = line.lower()
        if any(t in low for t in TIME) and any(t in low for t in TYPE):
            return number
    return None


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """The whole export, which is one person's."""
    with what.open() as file:
        raw = file.read()
    begins = header_line(what.head) or 0
    try:
        table = delimited(raw, begins)
        names = list(table.columns)
        rows = [dict(zip(names, r, strict=True)) for r in zip(*table.columns.values(), strict=True)]
        about, person = whose(decoded(raw).splitlines()[:begins], what)
        when = column(names, *TIME)
        if when is None:
            raise BadTable(f"the time column is missing; there are {names}")
        day_first = day_comes_first([r[when] for r in rows])
    except BadTable as why:
        yield unread(what, str(why), "export it again, or import as a table with a format", raw)
        return
    numbered = list(zip(line_numbers(raw, begins, len(rows)), rows, strict=True))
    read_rows = entries(numbered, names, when, day_first, zone_or_none(options.zone), about)
    yield arrived(
        what,
        raw,
        about,
        person,
        facts(read_rows, options.received, REACH, about),
        "LibreView export",
    )


def whose(above: Sequence[str], what: Sent) -> tuple[str, Person | None]:
    """Who is named above the header, or in the old reader's first line; else the file's name."""
    words = [
        w.strip().strip('"') for w in (above[0] if above else "").replace("\t", ",").split(",")
    ]
    name = words[4] if len(words) > 4 else (words[0] if len(words) == 1 else "")
    if not name:
        return f"libreview|{what.stem}", None
    about = f"libreview|{name}"
    return about, Person((about,), name)


def entries(
    rows: Sequence[tuple[int, Mapping[str, str]]],
    names: Sequence[str],
    when: str,
    day_first: bool,
    zone: tzinfo | None,
    about: str,
) -> Iterator[Entry | Refusal]:
    """Every filled cell of the diary; each row comes with the line it stands in."""
    device = column([n for n in names if n != when], *DEVICE)
    cells = [(n, c) for c in CELLS if (n := column(names, *c.begins))]
    words = [(n, w) for starts, w in WORDS.items() if (n := column(names, *starts))]
    servings = column(names, *SERVINGS)
    for number, row in rows:
        try:
            at = placed(moment(row[when], day_first), zone)
        except ValueError as why:
            yield Refusal(f"line {number}", about, str(why), "correct the time and import again")
            continue
        by = (row[device] if device else "") or "FreeStyle Libre"
        try:
            found = list(_filled(number, row, at, by, cells, words))
        except ValueError as why:
            yield Refusal(f"line {number}", about, str(why), "correct the dose and import again")
            continue
        yield from found
        if not found:
            yield _nothing(number, row, servings, about)


def _filled(
    number: int,
    row: Mapping[str, str],
    at: datetime,
    by: str,
    cells: Sequence[tuple[str, Cell]],
    words: Sequence[tuple[str, str]],
) -> Iterator[Entry]:
    for name, cell in cells:
        if text := _unsplit(row, name, cell, cells):
            unit = cell.unit or unit_of(name)
            yield Entry(number, at, cell.code, text, unit, f"{by}, {cell.source}", cell.says)
    for name, meaning in words:
        if text := row[name].strip():
            yield Entry(number, at, codes.note, "1", "1", f"{by}, diary", meaning or text)


def _unsplit(
    row: Mapping[str, str], name: str, cell: Cell, cells: Sequence[tuple[str, Cell]]
) -> str:
    """A cell's text; of a rapid-acting dose also told in parts, what the parts leave over."""
    text = row[name].strip()
    if cell.source != "diary, rapid-acting" or not text:
        return text
    parts = [row[n].strip() for n, c in cells if c.code == cell.code and c.says]
    if not any(parts):
        return text
    rest = _number(text) - sum(_number(p) for p in parts if p)
    return f"{rest:.6g}" if rest > 0.005 else ""


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _nothing(number: int, row: Mapping[str, str], servings: str | None, about: str) -> Refusal:
    if servings and row[servings].strip():
        because = "carbohydrate in servings; nobody told how many grams one is"
        return Refusal(f"line {number}", about, because, "enter grams, or convert with a mapping")
    because = "it holds nothing we read (a change of the clock, or a kind we do not know)"
    return Refusal(f"line {number}", about, because, "it is kept in the original")


def moment(text: str, day_first: bool) -> datetime:
    """A time of the export, naive. Raises `ValueError` saying what is allowed."""
    parts = [int(p) for p in re.findall(r"\d+", text)]
    if len(parts) < 5:
        raise ValueError(f"{text!r} is no time; allowed are day-month-year or ISO, and hour:minute")
    if parts[0] > 31:
        year, month, day = parts[:3]
    else:
        first, second, year = parts[:3]
        day, month = (first, second) if day_first else (second, first)
    hour = parts[3] % 12 if re.search(r"[AP]M", text, re.IGNORECASE) else parts[3]
    hour += 12 if re.search(r"PM", text, re.IGNORECASE) else 0
    minute, second = (*parts[4:6], 0)[:2]
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  naive until placed


def day_comes_first(times: Sequence[str]) -> bool:
    """Whether 03-04 is the third of April. A clock with AM and PM is American.

    Raises `BadTable` where no row of the file can tell.
    """
    parts = [[int(p) for p in re.findall(r"\d+", t)[:2]] for t in times]
    parts = [p for p in parts if len(p) == 2]
    if any(a > 31 for a, _ in parts) or any(12 < a <= 31 for a, _ in parts):
        return True
    if any(b > 12 for _, b in parts) or any(re.search("[AP]M", t, re.IGNORECASE) for t in times):
        return False
    if not parts:
        return True
    raise BadTable("day and month cannot be told apart; no day of the file is after the 12th")


source = Source(
    "LibreView export",
    "LibreView glucose data CSV, record types 0 to 6; English and German headers",
    (".csv", ".txt"),
    recognises,
    read,
)
