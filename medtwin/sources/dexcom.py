"""Dexcom Clarity: the CSV a person or clinic exports from clarity.dexcom.com."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

from medtwin.record import codes
from medtwin.record.person import Person
from medtwin.sources.diary import Entry, arrived, column, facts, line_numbers, placed, unit_of
from medtwin.sources.source import Arrived, Options, Refusal, Sent, Source, unread
from medtwin.sources.table_file import BadTable, Table, decoded, delimited
from medtwin.sources.zones import zone_or_none

# Sensor range of G4 to G7, mg/dL (Dexcom user guides).
REACH = (40.0, 400.0)
# Words of the header in English and German exports. The layout is the same 14 columns.
TIME = ("timestamp", "zeitstempel")
EVENT = ("event type", "ereignisart", "ereignistyp")
SUBTYPE = ("event subtype", "ereignis-subtyp", "ereignissubtyp", "ereignisunterart")
PATIENT = ("patient info", "patienteninfo", "patienten-info")
DEVICE = ("source device id", "quellgerät", "id des quellgeräts")
GLUCOSE = ("glucose value", "glukosewert")
INSULIN = ("insulin value", "insulinwert")
CARBS = ("carb value", "kohlenhydrat")
DURATION = ("duration", "dauer")
ABOUT_ROWS = {"firstname": "first", "lastname": "last", "dateofbirth": "born"}
ABOUT_ROWS |= {"vorname": "first", "nachname": "last", "geburtsdatum": "born"}
SETTINGS = {"device", "alert", "gerät", "warnung", "alarm", "patientidentifier"}


@dataclass(frozen=True)
class Layout:
    """Which column of this export is which."""

    time: str
    event: str
    subtype: str | None
    patient: str | None
    device: str | None
    glucose: str
    insulin: str | None
    carbs: str | None
    duration: str | None


def recognises(path: Path, head: bytes) -> bool:
    """A text whose first line has Clarity's time, event and glucose columns."""
    if b"\0" in head[:64] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    line = decoded(head.split(b"\n", 1)[0]).lower()
    return all(any(w in line for w in words) for words in (TIME, EVENT, GLUCOSE))


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """The whole export, which is one person's."""
    with what.open() as file:
        raw = file.read()
    try:
        table = delimited(raw)
        layout = laid_out(list(table.columns))
    except BadTable as why:
        yield unread(what, str(why), "export it from Clarity again", raw)
        return
    rows = [dict(zip(table.columns, r, strict=True)) for r in _rows(table)]
    person, about = whose(rows, layout, what)
    numbered = zip(line_numbers(raw, 0, len(rows)), rows, strict=True)
    read_rows = entries(numbered, layout, zone_or_none(options.zone), about)
    found = facts(read_rows, options.received, REACH, about)
    yield arrived(what, raw, about, person, found, "Clarity export")


def laid_out(names: list[str]) -> Layout:
    """Which column is which. Raises `BadTable` naming the one that is missing."""
    time, event, glucose = (column(names, *w) for w in (TIME, EVENT, GLUCOSE))
    if time is None or event is None or glucose is None:
        raise BadTable(f"a Clarity column (time, event, glucose) is missing; there are {names}")
    rest = [column(names, *w) for w in (SUBTYPE, PATIENT, DEVICE, INSULIN, CARBS, DURATION)]
    subtype, patient, device, insulin, carbs, duration = rest
    return Layout(time, event, subtype, patient, device, glucose, insulin, carbs, duration)


def whose(rows: list[dict[str, str]], layout: Layout, what: Sent) -> tuple[Person | None, str]:
    """The person in the export's first rows; an anonymous one is named by the file."""
    told = {}
    for row in rows[:30]:
        name = ABOUT_ROWS.get(row[layout.event].lower())
        if name and layout.patient:
            told[name] = row[layout.patient]
    name = f"{told.get('first', '')} {told.get('last', '')}".strip()
    if not name:
        return None, f"dexcom|{what.stem}"
    born = _date(told.get("born", ""))
    about = f"dexcom|{name}" + (f" {born}" if born else "")
    return Person((about,), name, born), about


def entries(
    rows: Iterable[tuple[int, dict[str, str]]], layout: Layout, zone: tzinfo | None, about: str
) -> Iterator[Entry | Refusal]:
    """Every event of the diary; each row comes with the line it stands in."""
    for number, row in rows:
        event = row[layout.event].strip()
        if event.lower() in SETTINGS or event.lower() in ABOUT_ROWS:
            continue
        try:
            at = placed(datetime.fromisoformat(row[layout.time].strip()), zone)
            yield _entry(number, row, event, at, layout)
        except (ValueError, KeyError) as why:
            what = f"line {number}, event {event!r}"
            because = f"it is not understood ({why})"
            yield Refusal(what, about, because, "it is kept in the original; tell us about it")


def _entry(number: int, row: Mapping[str, str], event: str, at: datetime, layout: Layout) -> Entry:
    device = (row[layout.device] if layout.device else "") or "sensor"
    source, subtype = f"Dexcom, {device}", row[layout.subtype] if layout.subtype else ""
    kind = EVENTS[event.lower()]
    if kind in ("egv", "calibration"):
        by = source if kind == "egv" else "Dexcom, calibration"
        return Entry(
            number, at, codes.glucose, row[layout.glucose].strip(), unit_of(layout.glucose), by
        )
    if kind == "insulin" and layout.insulin:
        code = codes.insulin_long if _long(subtype) else codes.insulin_bolus
        return Entry(number, at, code, row[layout.insulin].strip(), "U", "Dexcom, diary")
    if kind == "carbs" and layout.carbs:
        return Entry(
            number, at, codes.carbohydrate, row[layout.carbs].strip(), "g", "Dexcom, diary"
        )
    if kind == "exercise" and layout.duration:
        minutes = _minutes(row[layout.duration])
        until = at + timedelta(minutes=minutes)
        return Entry(
            number, at, codes.exercise, f"{minutes:g}", "min", "Dexcom, diary", subtype, until
        )
    return Entry(number, at, codes.note, "1", "1", "Dexcom, diary", f"{event} {subtype}".strip())


EVENTS = {
    "egv": "egv",
    "calibration": "calibration",
    "kalibrierung": "calibration",
    "insulin": "insulin",
    "carbs": "carbs",
    "kohlenhydrate": "carbs",
    "exercise": "exercise",
    "health": "note",
    "notes": "note",
    "note": "note",
    "other": "note",
    "activity": "note",
}


def _long(subtype: str) -> bool:
    return subtype.lower().startswith(("long", "langwirk", "verzöger", "basal"))


def _minutes(text: str) -> float:
    hours, minutes, seconds = (float(p) for p in text.strip().split(":"))
    return 60 * hours + minutes + seconds / 60


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _rows(table: Table) -> Iterator[tuple[str, ...]]:
    return zip(*table.columns.values(), strict=True)


source = Source(
    "Dexcom Clarity export",
    "Clarity CSV: 14 columns, English and German headers; Dexcom Clarity user guide",
    (".csv",),
    recognises,
    read,
)
