"""Long courses told shortly: lowest, highest and mean of each stretch of time, kept on writing.

A code with many facts has rollups of several widths, so that any chart reads at most 2,000 rows,
of rollups or of facts. They say what is held true today: of what was corrected the last word,
without what was taken back. Values are sealed; times and counts are in clear, as those of facts.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, select, update

from medtwin.record.observation import WITHDRAWN
from medtwin.vault.dialect import Found, Row, put
from medtwin.vault.facts import in_order, opened
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import facts, rollups, vocabulary
from medtwin.vault.times import micros

most = 2000  # points of a chart, and facts of a code that is not rolled up
crowded = 1000  # facts in one stretch before stretches get finer
second = 1_000_000
minute, hour, day = 60 * second, 3600 * second, 86_400 * second
# Each divides the next.
widths = (minute, 10 * minute, hour, 6 * hour, day, 7 * day, 28 * day, 364 * day)
layout = struct.Struct("<dddqdqd")


class Stretch(NamedTuple):
    """What was true in one stretch of time. Times are UTC microseconds."""

    begins: int
    facts: int
    low: float
    high: float
    total: float
    first_at: int
    first: float
    last_at: int
    last: float


@dataclass(frozen=True)
class Chart:
    """A course to be drawn, in order: UTC seconds at which stretches begin, and what they held.

    `width` is their length in seconds; 0 where every point is one fact, and `at` its time.
    """

    code: str
    width: float
    at: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    count: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def __len__(self) -> int:
        return len(self.at)


# Keeping in step


def follow(c: Connection, seal: Seal, rows: Sequence[Row], new: int) -> None:
    """Count the facts just kept, and correct the rollups they touch."""
    times: dict[str, list[int]] = {}
    for row in rows:
        times.setdefault(row["code"], []).append(row["at"])
    words = _words(c, seal.owner, list(times))
    sure = new == len(rows)  # otherwise some were there already
    now = {
        code: word.facts + len(times[code])
        if sure and word.facts is not None
        else _count(c, seal.owner, code)
        for code, word in words.items()
    }
    _counted(c, seal.owner, now)
    for code, word in words.items():
        if now[code] > most:
            _rolled(c, seal, code, word.width, times[code])


def _words(c: Connection, patient: str, codes: Sequence[str]) -> Mapping[str, Found]:
    v = vocabulary.c
    query = select(v.code, v.facts, v.width).where(v.patient == patient, v.code.in_(codes))
    return {r.code: r for r in c.execute(query)}


def _count(c: Connection, patient: str, code: str) -> int:
    theirs = select(func.count()).where(facts.c.patient == patient, facts.c.code == code)
    return c.execute(theirs).scalar_one()


def _counted(c: Connection, patient: str, now: Mapping[str, int]) -> None:
    v = vocabulary.c
    which = update(vocabulary).where(v.patient == patient, v.code == bindparam("which"))
    values = [{"which": code, "now": n} for code, n in now.items()]
    c.execute(which.values(facts=bindparam("now")), values)


def _rolled(c: Connection, seal: Seal, code: str, width: int | None, times: Iterable[int]) -> int:
    """Correct what these times touch, or begin; the finest width."""
    if width is None:
        return _built(c, seal, code, 0)
    touched = {t // width * width for t in times}
    found = _corrected(c, seal, code, width, touched)
    if width > widths[0] and any(s.facts > crowded for s in found):
        return _built(c, seal, code, width)
    for finer, wider in pairwise(widths):
        if finer >= width:
            touched = {t // wider * wider for t in touched}
            _gathered(c, seal, code, finer, wider, touched)
    return width


def _built(c: Connection, seal: Seal, code: str, finer_than: int) -> int:
    """All of it anew from the facts."""
    points = _current(seal, _facts(c, seal.owner, code, None, None))
    width = _finest(points, finer_than)
    r = rollups.c
    c.execute(delete(rollups).where(r.patient == seal.owner, r.code == code))
    stretches = list(_stretches(points, width))
    put(c, rollups, [_row(seal, code, width, s) for s in stretches])
    for wider in widths[widths.index(width) + 1 :]:
        stretches = list(_merged(stretches, wider))
        put(c, rollups, [_row(seal, code, wider, s) for s in stretches])
    v = vocabulary.c
    own = update(vocabulary).where(v.patient == seal.owner, v.code == code)
    c.execute(own.values(width=width))
    return width


def _finest(points: Sequence[tuple[int, float]], finer_than: int) -> int:
    """Wide enough to hold three facts as they usually come."""
    gaps = np.diff([at for at, _ in points]) if len(points) > 1 else np.array([day])
    wanted = 3 * float(np.median(gaps))
    fit = next((w for w in widths if w >= wanted), widths[-1])
    return fit if not finer_than or fit < finer_than else widths[widths.index(finer_than) - 1]


def _corrected(
    c: Connection, seal: Seal, code: str, width: int, touched: set[int]
) -> list[Stretch]:
    """These stretches of the finest width, from the facts in them."""
    found: list[Stretch] = []
    for begin, end in _runs(touched, width):
        rows = _facts(c, seal.owner, code, begin, end)
        found += _stretches(_current(seal, rows), width)
    _replaced(c, seal, code, width, touched, found)
    return found


def _gathered(
    c: Connection, seal: Seal, code: str, finer: int, wider: int, touched: set[int]
) -> None:
    found: list[Stretch] = []
    for begin, end in _runs(touched, wider):
        found += _merged(_read(c, seal, code, finer, begin, end), wider)
    _replaced(c, seal, code, wider, touched, found)


def _replaced(
    c: Connection, seal: Seal, code: str, width: int, touched: set[int], found: Sequence[Stretch]
) -> None:
    put(c, rollups, [_row(seal, code, width, s) for s in found])
    empty = list(touched - {s.begins for s in found})
    if empty:
        r = rollups.c
        own = delete(rollups).where(r.patient == seal.owner, r.code == code, r.width == width)
        c.execute(own.where(r.begins.in_(empty)))


def _runs(begins: Iterable[int], width: int) -> Iterator[tuple[int, int]]:
    """Stretches side by side as one."""
    begin = end = None
    for b in sorted(begins):
        if begin is not None and end is not None and b != end:
            yield begin, end
            begin = None
        begin = b if begin is None else begin
        end = b + width
    if begin is not None and end is not None:
        yield begin, end


# From facts to stretches, and from stretches to wider ones


def _facts(
    c: Connection, patient: str, code: str, begin: int | None, end: int | None
) -> Sequence[Found]:
    f = facts.c
    query = select(*in_order).where(f.patient == patient, f.code == code)
    if begin is not None and end is not None:
        query = query.where(f.at >= begin, f.at < end)
    rows = c.execute(query).all()
    return sorted(rows, key=itemgetter(3, 0))  # as they were learned: known, arrival


def _current(seal: Seal, rows: Sequence[Found]) -> list[tuple[int, float]]:
    """In the order it was true; of what was corrected the last word."""
    said: dict[tuple[int, str], tuple[float, str]] = {}
    for row, (value, _, source, says) in zip(rows, opened(seal, rows), strict=True):
        said[row[2], source] = value, says
    true = ((at, value) for (at, _), (value, says) in said.items() if says != WITHDRAWN)
    return sorted(true)


def _stretches(points: Iterable[tuple[int, float]], width: int) -> Iterator[Stretch]:
    for begins, inside in groupby(points, key=lambda p: p[0] // width * width):
        held = list(inside)
        values = [v for _, v in held]
        ends = (*held[0], *held[-1])
        yield Stretch(begins, len(held), min(values), max(values), sum(values), *ends)


def _merged(finer: Iterable[Stretch], width: int) -> Iterator[Stretch]:
    for begins, inside in groupby(finer, key=lambda s: s.begins // width * width):
        held = list(inside)
        yield Stretch(
            begins,
            sum(s.facts for s in held),
            min(s.low for s in held),
            max(s.high for s in held),
            sum(s.total for s in held),
            held[0].first_at,
            held[0].first,
            held[-1].last_at,
            held[-1].last,
        )


# Sealing


def _bound(patient: str, code: str, width: int, s_begins: int, n: int) -> bytes:
    return place(patient, "rollups", code, width, s_begins, n)


def _row(seal: Seal, code: str, width: int, s: Stretch) -> Row:
    bound = _bound(seal.owner, code, width, s.begins, s.facts)
    return {
        "patient": seal.owner,
        "code": code,
        "width": width,
        "begins": s.begins,
        "facts": s.facts,
        "sealed": seal.close(bound, layout.pack(*s[2:])),
    }


def _read(c: Connection, seal: Seal, code: str, width: int, begin: int, end: int) -> list[Stretch]:
    r = rollups.c
    query = select(r.begins, r.facts, r.sealed).where(
        r.patient == seal.owner, r.code == code, r.width == width, r.begins >= begin, r.begins < end
    )
    return [
        Stretch(b, n, *layout.unpack(seal.open(_bound(seal.owner, code, width, b, n), sealed)))
        for b, n, sealed in c.execute(query.order_by(r.begins))
    ]


# Drawing


def chart(
    c: Connection, seal: Seal, code: str, begin: datetime, end: datetime, points: int = most
) -> Chart:
    """The course from `begin` up to `end`, in at most so many points."""
    if not 2 <= points <= most:
        raise ValueError(f"a chart of {points} points; allowed are 2 to {most}")
    since, until = micros(begin), micros(end)
    width = _ready(c, seal, code)
    if width is not None:
        wanted = (until - since) / (points - 1)  # the first stretch may begin before
        fit = next((w for w in widths if w >= max(width, wanted)), None)
        if fit is None:
            raise ValueError("a chart of more years than anybody lives; ask for fewer")
        found = _read(c, seal, code, fit, since // fit * fit, until)
        if sum(s.facts for s in found) > points:
            return _chart(code, fit, found)
    held = _current(seal, _facts(c, seal.owner, code, since, until))
    return _in_points(code, held, since, until, points)


def chart_of_all(
    c: Connection, seals: Sequence[Seal], code: str, begin: datetime, end: datetime, points: int
) -> Chart:
    """The same of records read as one; linked facts are opened, not their rollups."""
    if len(seals) == 1:
        return chart(c, seals[0], code, begin, end, points)
    if not 2 <= points <= most:
        raise ValueError(f"a chart of {points} points; allowed are 2 to {most}")
    since, until = micros(begin), micros(end)
    held = _current_of_all([(s, _facts(c, s.owner, code, since, until)) for s in seals])
    return _in_points(code, held, since, until, points)


def _current_of_all(
    found: Sequence[tuple[Seal, Sequence[Found]]],
) -> list[tuple[int, float]]:
    """As `_current`, from several records: of what was corrected the word learned last."""
    rows = [
        (row[3], row[0], row[2], told)
        for seal, theirs in found
        for row, told in zip(theirs, opened(seal, theirs), strict=True)
    ]
    said: dict[tuple[int, str], tuple[float, str]] = {}
    for _, _, at, (value, _, source, says) in sorted(rows, key=itemgetter(0, 1)):
        said[at, source] = value, says
    return sorted((at, v) for (at, _), (v, says) in said.items() if says != WITHDRAWN)


def _in_points(
    code: str, held: Sequence[tuple[int, float]], since: int, until: int, points: int
) -> Chart:
    if len(held) <= points:
        return _chart(code, 0, [Stretch(t, 1, v, v, v, t, v, t, v) for t, v in held])
    fit = -(-(until - since) // (points - 1))
    return _chart(code, fit, list(_stretches(held, fit)))


def _ready(c: Connection, seal: Seal, code: str) -> int | None:
    """The finest width of this code; None where its facts are few."""
    word = _words(c, seal.owner, [code]).get(code)
    if word is None or word.width is not None:
        return None if word is None else word.width
    n = _count(c, seal.owner, code) if word.facts is None else word.facts
    if word.facts is None:  # kept before facts were counted
        _counted(c, seal.owner, {code: n})
    return _rolled(c, seal, code, None, ()) if n > most else None


def _chart(code: str, width: int, found: Sequence[Stretch]) -> Chart:
    columns = np.array([s[:5] + s[6:7] + s[8:] for s in found], dtype=float).reshape(-1, 7)
    begins, count, low, high, total, first, last = columns.T
    return Chart(
        code,
        width / second,
        begins / 1e6,
        low,
        high,
        total / np.maximum(count, 1),
        count,
        first,
        last,
    )
