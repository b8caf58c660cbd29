"""Air and heat by place and day, from a table; whoever lives at a place breathes its air.

Columns: `place` (a postcode, or the words an address holds), `day` (ISO date), and any of pm25 and
ozone (ug/m3), heat_index (Cel), pollen (grains/m3). A row holds from midnight to midnight, UTC.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

from medtwin.record import codes
from medtwin.record.dwelling import dwelling, folded
from medtwin.record.observation import Implausible, Observation
from medtwin.record.person import Person
from medtwin.sources.source import Arrived, Refusal
from medtwin.sources.table_file import EMPTY, BadTable, decoded

TOLD = (codes.pm25, codes.ozone, codes.heat_index, codes.pollen)
LARGEST = 64 << 20


@dataclass(frozen=True)
class Row:
    """What one line says of a place on a day: the facts, and the line as it was sent."""

    number: int
    line: str
    facts: tuple[Observation, ...]


@dataclass(frozen=True)
class Surroundings:
    """The table by place (folded), with what could not be read."""

    name: str
    header: str
    places: Mapping[str, Sequence[Row]]
    refused: tuple[Refusal, ...]


def surroundings(name: str, raw: bytes, received: datetime) -> Surroundings:
    """The table. Raises BadTable where a column is missing or it is too large."""
    if len(raw) > LARGEST:
        raise BadTable(f"{name} has {len(raw):,} bytes; at most {LARGEST:,}: send it in parts")
    header, *lines = decoded(raw).splitlines() or [""]
    names = [n.strip().casefold() for n in next(csv.reader([header]), [])]
    if not {"place", "day"} <= set(names) or not {c.id for c in TOLD} & set(names):
        known = ", ".join(c.id for c in TOLD)
        raise BadTable(f"{name} has the columns {names}; place, day and one of {known} are needed")
    places: dict[str, list[Row]] = {}
    refused: list[Refusal] = []
    for number, line in enumerate(lines, 2):
        cells = dict(zip(names, next(csv.reader(StringIO(line)), []), strict=False))
        if not any(cells.values()):
            continue
        try:
            facts = tuple(_facts(cells, name, received))
        except (ValueError, Implausible) as why:
            again = "correct the line and send it again"
            refused.append(Refusal(f"line {number} of {name}", "a place", str(why), again))
            continue
        places.setdefault(key(cells["place"]), []).append(Row(number, line, facts))
    return Surroundings(name, header, places, tuple(refused))


def _facts(cells: Mapping[str, str], name: str, received: datetime) -> Iterator[Observation]:
    if not key(cells["place"]):
        raise ValueError("no place is named")
    at = datetime.combine(date.fromisoformat(cells["day"].strip()), time(), UTC)
    source = f"{name}, {cells['place'].strip()}"
    for code in TOLD:
        text = cells.get(code.id, "").strip()
        if text.casefold() not in EMPTY:
            until = at + timedelta(days=1)
            yield Observation(at, code, float(text), source, max(received, until), until)


def key(place: str) -> str:
    """A place as it is compared: a postcode without its spaces, other words folded."""
    code = dwelling((place.upper(),))[1]
    return code or folded(place)


def around(who: Person, table: Surroundings) -> Arrived | None:
    """What the table says of where this person lives; None if it does not know the place."""
    rows = next((table.places[k] for k in _homes(who) if k in table.places), None)
    if rows is None:
        return None
    sent = "\n".join([table.header, *(r.line for r in rows)]).encode()
    placed = [(f, f"line {n}") for n, r in enumerate(rows, 2) for f in r.facts]
    facts, places = tuple(f for f, _ in placed), tuple(p for _, p in placed)
    kind = "air and heat"
    return Arrived(sent, "text/csv", table.name, None, None, facts, (), "", kind, places)


def _homes(who: Person) -> Iterator[str]:
    """The postcode of the first address, then each of its parts."""
    if who.address:
        code = dwelling((who.address[0].upper(),))[1]
        yield from [code] if code else []
        yield from (folded(part) for part in who.address[0].split(","))
