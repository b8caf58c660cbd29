"""One chronological journey: a lane for each kind of fact, the same time axis for all."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isnan, log1p

import numpy as np

from medtwin.record.codes import Code, Kind
from medtwin.record.record import Record, Series
from medtwin.web import region as reader
from medtwin.web.region import Region

WIDE, LEFT, LANE, TOP = 1000.0, 150.0, 30.0, 24.0
BINS = 170
DOTS = 160
ROWS, ROW = 6, 21.0
LANES: tuple[tuple[str, str], ...] = (
    ("encounter", "Visits and stays"),
    ("condition", "Conditions"),
    ("allergy", "Allergies"),
    ("medication", "Medicines"),
    ("procedure", "Procedures"),
    ("immunisation", "Immunisations"),
    ("measurement", "Measurements"),
    ("signal", "Signals"),
    ("meal", "Meals"),
    ("dose", "Doses"),
    ("report", "Reports"),
    ("note", "From notes"),
    ("genome", "Genome"),
    ("care plan", "Care plans"),
    ("answer", "Answers"),
)
STAYS = (Kind.condition, Kind.medication, Kind.allergy)  # until somebody says that it ended
LOOK = {"meal": "meal", "dose": "dose", "note": "note", "genome": "genome"}
GENES = re.compile(r"genome|gene[|:_]|pgs|pgx|polygenic|star[|:_]|cyp\d|vkorc1|slco1b1|tpmt|nudt15")
NOTES = re.compile(r"\bnote\b", re.IGNORECASE)

Columns = dict[Code, Series]


@dataclass(frozen=True)
class Mark:
    """One shape on a lane; `title` says what it stands for, `at` when that was (UTC seconds)."""

    shape: str
    look: str
    x: float
    wide: float
    tall: float
    title: str
    down: float = 0.0
    says: str = ""
    code: str = ""
    at: float = 0.0
    way: str = ""


@dataclass(frozen=True)
class Lane:
    """One kind of fact over time."""

    name: str
    y: float
    tall: float
    count: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Tick:
    """A date on the axis."""

    x: float
    text: str


@dataclass(frozen=True)
class Journey:
    """The whole picture, and how many facts it stands for."""

    wide: float
    tall: float
    label: str
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    now_x: float
    facts: int


@dataclass(frozen=True)
class Stretch:
    """A signal that was drawn from one time to another (UTC seconds)."""

    code: str
    name: str
    begin: float
    end: float


@dataclass(frozen=True)
class Axis:
    """Where a time stands on the picture."""

    since: float
    until: float

    def x(self, at: float) -> float:
        """UTC seconds to picture units, held inside the picture."""
        share = (at - self.since) / max(self.until - self.since, 1.0)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDE - LEFT), 1)


def journey(
    record: Record,
    since: datetime,
    until: datetime,
    region: Region,
    signals: Sequence[Stretch] = (),
) -> Journey:
    """Everything known since then. However many facts there are, the picture stays small."""
    axis = Axis(since.timestamp(), until.timestamp())
    sorted_out = by_lane({c: within(c, s.current, axis) for c, s in record.columns.items()})
    lanes: list[Lane] = []
    y = TOP
    for key, name in LANES:
        seen = sorted_out.get(key, {})
        count = sum(len(s) for s in seen.values())
        marks = _marks(seen, key, axis, region) if count else ()
        if key == "signal":
            marks = _signals(signals, axis, region)
            count = len(marks)
        if count:
            tall = LANE + max((m.down for m in marks), default=0.0)
            lanes.append(Lane(name, y, tall, count, marks))
            y += tall
    facts = sum(lane.count for lane in lanes)
    label = f"{facts:,} facts since {reader.day(since, region)} in {len(lanes)} lanes"
    shown = ticks(axis, region)
    return Journey(WIDE, y + 10, label, shown, tuple(lanes), axis.x(axis.until), facts)


def by_lane(columns: Columns) -> dict[str, Columns]:
    """Each lane's facts: by kind, but genes, and what was read out of notes, by themselves."""
    found: dict[str, Columns] = {}
    for code, series in columns.items():
        for key, part in lanes_of(code, series):
            if len(part):
                found.setdefault(key, {})[code] = part
    return found


def lane(code: Code, source: str) -> str:
    """Which lane a fact of this code stands on, from this source."""
    if GENES.search(code.id.casefold()):
        return "genome"
    return "note" if NOTES.search(source) else code.kind.value


def lanes_of(code: Code, series: Series) -> Iterator[tuple[str, Series]]:
    """One code's facts, lane by lane."""
    keys = [lane(code, name) for name in series.sources]
    for key in dict.fromkeys(keys):
        here = [i for i, k in enumerate(keys) if k == key]
        yield key, series if len(here) == len(keys) else series.keep(np.isin(series.source, here))


def within(code: Code, series: Series, axis: Axis) -> Series:
    """Facts that were true at some time on this axis."""
    stays = np.inf if code.kind in STAYS else -np.inf
    until = np.full(len(series), np.nan) if series.until is None else series.until
    ends = np.maximum(np.where(np.isnan(until), stays, until), series.at)
    return series.keep((ends >= axis.since) & (series.at <= axis.until))


def _signals(signals: Sequence[Stretch], axis: Axis, region: Region) -> tuple[Mark, ...]:
    """One bar for each signal, from its first sample to its last."""
    here = [s for s in signals if s.end >= axis.since and s.begin <= axis.until]
    marks: list[Mark] = []
    for row, s in enumerate(here[:ROWS]):
        x = axis.x(s.begin)
        title = f"{s.name}, from {reader.clock(reader.utc(s.begin), region)}"
        wide = max(axis.x(s.end) - x, 4)
        marks.append(
            Mark(
                *("bar", "bar signal", x, wide, 14, title, ROW * row, _short(s.name)),
                code=s.code,
                at=s.begin,
            )
        )
    return tuple(marks)


def _marks(seen: Columns, key: str, axis: Axis, region: Region) -> tuple[Mark, ...]:
    count = sum(len(s) for s in seen.values())
    if key in {k.value for k in STAYS} or (key == "genome" and count <= DOTS):
        return _bars(seen, axis, region)
    if key == "measurement" or count > DOTS:
        return _bins(seen, key, axis, region)
    marks: list[Mark] = []
    for code, series in seen.items():
        marks += [_one(code, series, i, axis, region) for i in range(len(series))]
    look = LOOK.get(key, "")
    return tuple(replace(m, says="", look=f"{m.look} {look}".strip()) for m in marks)


def _bars(seen: Columns, axis: Axis, region: Region) -> tuple[Mark, ...]:
    """One row for each thing that lasts, with its words on it; the newest first."""
    things: dict[str, list[Mark]] = {}
    newest = sorted(
        ((float(s.at[i]), c, s, i) for c, s in seen.items() for i in range(len(s))),
        key=lambda r: -r[0],
    )
    for _, code, series, i in newest:
        mark = _one(code, series, i, axis, region)
        things.setdefault(mark.says or mark.title, []).append(mark)
    rows = list(things.items())[:ROWS]
    marks = [
        replace(m, down=ROW * k, says=_short(words) if j == len(same[:DOTS]) - 1 else "")
        for k, (words, same) in enumerate(rows)
        for j, m in enumerate(same[:DOTS])
    ]
    if len(things) > ROWS:
        more = f"and {len(things) - ROWS} more, in the table below"
        marks.append(Mark("words", "", LEFT, 0, 0, more, ROW * ROWS, more))
    return tuple(marks)


def _short(words: str, most: int = 60) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _one(code: Code, series: Series, i: int, axis: Axis, region: Region) -> Mark:
    at = float(series.at[i])
    says = str(series.says[i]) if series.says is not None else ""
    what = says or f"{code.name} {reader.amount(code, float(series.value[i]), region)}"
    title = f"{what}, {reader.clock(reader.utc(at), region)}"
    until = float(series.until[i]) if series.until is not None else float("nan")
    x, whence = axis.x(at), {"code": code.id, "at": at}
    if not isnan(until) and until > at:
        wide = max(axis.x(until) - x, 4)
        return Mark("bar", "bar", x, wide, 14, title, says=what, **whence)
    if code.kind in STAYS:
        wide, title = max(axis.x(axis.until) - x, 4), f"{title}, no end stated"
        return Mark("bar", "bar open", x, wide, 14, title, says=what, **whence)
    return Mark("dot", "dot", x, 0, 0, title, says=what, **whence)


def _bins(seen: Columns, key: str, axis: Axis, region: Region) -> tuple[Mark, ...]:
    at = np.concatenate([s.at for s in seen.values()])
    counts, edges = np.histogram(at, bins=BINS, range=(axis.since, axis.until))
    top = log1p(max(int(counts.max()), 1))
    look, wide = f"bin {LOOK.get(key, '')}".strip(), (WIDE - LEFT) / BINS
    return tuple(
        Mark(
            "bin",
            look,
            axis.x(float(edges[i])),
            round(wide, 1),
            round(3 + 15 * log1p(int(n)) / top, 1),
            f"{n} from {reader.clock(reader.utc(float(edges[i])), region)}",
            at=float(edges[i]),
        )
        for i, n in enumerate(counts)
        if n
    )


def ticks(axis: Axis, region: Region, most: int = 7) -> tuple[Tick, ...]:
    """Dates at even distances."""
    span = timedelta(seconds=axis.until - axis.since)
    form = "%H:%M" if span <= timedelta(days=2) else "%-d %b" if span.days <= 200 else "%b %Y"
    form = "%Y" if span.days > 365 * 6 else form
    times = np.linspace(axis.since, axis.until, most)[1:-1]
    texts = [reader.utc(float(t)).astimezone(region.zone).strftime(form) for t in times]
    return tuple(Tick(axis.x(float(t)), w) for t, w in zip(times, texts, strict=True))
