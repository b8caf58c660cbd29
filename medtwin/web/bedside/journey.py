"""The swim lanes of one person: every kind of fact, over the span, kinds and sources asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

import numpy as np

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.quality import quality
from medtwin.record.record import Record, Series
from medtwin.record.versions import amended, taken_back
from medtwin.vault.consent import Purpose
from medtwin.web import region as reader
from medtwin.web.bedside import origins
from medtwin.web.page import Visit
from medtwin.web.trouble import wrong_value
from medtwin.web.views import journey as lanes
from medtwin.web.views.journey import Journey, Mark, Stretch

SPANS = {"7": "7 days", "1": "1 day", "30": "30 days", "365": "1 year", "all": "all"}
MOST = 100  # rows of the table on one page


@dataclass(frozen=True)
class Asked:
    """What of the record is asked for; nothing said means everything."""

    span: str
    on: date | None
    kinds: tuple[str, ...]
    source: str
    word: str
    turn: int


@dataclass(frozen=True)
class JourneyPart:
    """The swim lanes, what they were chosen by, and the facts behind them."""

    patient: str
    picture: Journey
    span: str
    spans: dict[str, str]
    on: str
    kinds: dict[str, str]
    chosen: tuple[str, ...]
    sources: tuple[str, ...]
    source: str
    word: str
    filtered: bool
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    links: tuple[str, ...]
    shown: str
    newer: str
    older: str
    refused: int


def journey(visit: Visit) -> JourneyPart:
    """The journey alone, as it is asked for when somebody chooses."""
    record = visit.vault.record(visit.who, visit.patient, Purpose.care, by=visit.now)
    return of_record(visit, record)


def of_record(visit: Visit, record: Record) -> JourneyPart:
    asked = _asked(visit, record)
    since, until = _stretch(asked, record, visit)
    part = _chosen(record, asked)
    signals = _signals(visit) if not asked.kinds or "signal" in asked.kinds else ()
    picture = _led(lanes.journey(part, since, until, visit.region, signals), asked, visit)
    found = sorted(_rows(part, record, since, until), key=lambda r: -r[0])
    first = (asked.turn - 1) * MOST
    page = found[first : first + MOST]
    sources = sorted({s for c in record.columns.values() for s in c.sources})
    return JourneyPart(
        patient=visit.patient,
        picture=picture,
        span=asked.span,
        spans=SPANS,
        on=asked.on.isoformat() if asked.on else "",
        kinds=dict(lanes.LANES),
        chosen=asked.kinds,
        sources=tuple(sources[:300]),
        source=asked.source,
        word=asked.word,
        filtered=bool(asked.kinds or asked.source or asked.word or asked.on),
        heads=("time", "what", "value", "source", "note"),
        rows=tuple(_words(*r, visit) for r in page),
        links=tuple(origins.way(visit.patient, code, at) for at, code, *_ in page),
        shown=f"{first + 1:,} to {first + len(page):,} of {len(found):,}, the newest first"
        if page
        else "none",
        newer=_way(visit, asked, asked.turn - 1) if asked.turn > 1 else "",
        older=_way(visit, asked, asked.turn + 1) if first + MOST < len(found) else "",
        refused=visit.vault.count_refused(visit.who, visit.patient, Purpose.care),
    )


def _asked(visit: Visit, record: Record) -> Asked:
    names = dict(lanes.LANES)
    kinds = tuple(k for k in visit.asked.get("kind", ()) if k)
    for k in kinds:
        if k not in names:
            raise wrong_value("kind", k, ", ".join(names))
    on = visit.one("on")
    try:
        day = date.fromisoformat(on) if on else None
    except ValueError:
        raise wrong_value("on", on, "a day, as 2026-03-01") from None
    return Asked(
        span=visit.choice("span", usual(record, visit.now)),
        on=day,
        kinds=kinds,
        source=visit.one("source"),
        word=visit.one("word").strip()[:80],
        turn=int(visit.number("turn", 1, 1, 10_000)),
    )


def usual(record: Record, now: datetime) -> tuple[str, ...]:
    """The spans, first the one that is meant by silence: a week, or all where a week is empty."""
    newest = max((float(s.at.max()) for s in record.columns.values() if len(s)), default=0.0)
    spans = tuple(SPANS)
    return spans if now.timestamp() - newest < 7 * 86400 else ("all", *spans[:-1])


def _stretch(asked: Asked, record: Record, visit: Visit) -> tuple[datetime, datetime]:
    """From when to when: one day of the reader's own clock, or the span up to now."""
    if asked.on:
        begin = datetime(asked.on.year, asked.on.month, asked.on.day, tzinfo=visit.region.zone)
        return begin, begin + timedelta(days=1)
    if asked.span != "all":
        return visit.now - timedelta(days=int(asked.span)), visit.now
    firsts = [float(s.at.min()) for s in record.columns.values() if len(s)]
    return reader.utc(min(firsts)) if firsts else visit.now - timedelta(days=1), visit.now


def _chosen(record: Record, asked: Asked) -> Record:
    """The record's facts of these kinds, from this source, with this word in them."""
    columns: dict[Code, Series] = {}
    for code, series in record.columns.items():
        keep = _of_kind(code, series, asked.kinds) & _from(series, asked.source)
        keep &= _speaks_of(code, series, asked.word.casefold())
        if keep.any():
            columns[code] = series if keep.all() else series.keep(keep)
    return Record(record.patient, columns)


def _of_kind(code: Code, series: Series, kinds: tuple[str, ...]) -> np.ndarray:
    if not kinds:
        return np.ones(len(series), dtype=bool)
    keys = np.array([lanes.lane(code, name) in kinds for name in series.sources])
    return keys[series.source]


def _from(series: Series, source: str) -> np.ndarray:
    names = np.array([not source or name == source for name in series.sources])
    return names[series.source]


def _speaks_of(code: Code, series: Series, word: str) -> np.ndarray:
    """Whether the word stands in the name, the codings, the source or what was said."""
    if not word or word in " ".join((code.name, code.id, *code.codings)).casefold():
        return np.ones(len(series), dtype=bool)
    found = np.array([word in name.casefold() for name in series.sources])[series.source]
    if series.says is not None:
        found |= np.array([word in str(s).casefold() for s in series.says])
    return found


Row = tuple[float, Code, Series, int, str]


def _rows(part: Record, record: Record, since: datetime, until: datetime) -> Iterator[Row]:
    """Each fact of the span, and what was taken back; with what is to be said about it."""
    axis = lanes.Axis(since.timestamp(), until.timestamp())
    for code, series in part.columns.items():
        now, back = series.current, taken_back(record[code])
        changed, doubt = amended(series), _doubts(code, record[code], now)
        begin = np.searchsorted(now.at, axis.since), np.searchsorted(now.at, axis.until, "right")
        for i in range(int(begin[0]), int(begin[1])):
            yield (
                float(now.at[i]),
                code,
                now,
                i,
                "; ".join(
                    w for w in ("amended" if changed[i] else "", doubt.get(_same(now, i), "")) if w
                ),
            )
        for i in range(len(back)):
            if axis.since <= back.at[i] <= axis.until:
                yield float(back.at[i]), code, back, i, "taken back"


def _same(series: Series, i: int) -> tuple[float, str]:
    return float(series.at[i]), series.sources[int(series.source[i])]


def _doubts(code: Code, whole: Series, now: Series) -> dict[tuple[float, str], str]:
    """Which readings are doubted, and the word for why."""
    if code.kind is not Kind.measurement or not len(now):
        return {}
    judged, all_of_it = quality(code, whole), whole.current
    found: dict[tuple[float, str], str] = {}
    for d in judged.doubts:
        for i in np.flatnonzero(d.doubted):
            at = _same(all_of_it, int(i))
            found[at] = f"{found[at]}, {d.name}" if at in found else f"doubtful: {d.name}"
    return found


def _words(at: float, code: Code, s: Series, i: int, note: str, visit: Visit) -> tuple[str, ...]:
    says = str(s.says[i]) if s.says is not None and s.says[i] else ""
    number = reader.amount(code, float(s.value[i]), visit.region)
    value = says if says and code.unit == "1" else f"{number}, {says}" if says else number
    lasts = s.until is not None and not np.isnan(s.until[i]) and s.until[i] > at
    until = f"until {reader.clock(reader.utc(float(s.until[i])), visit.region)}" if lasts else ""  # pyright: ignore[reportOptionalSubscript]
    told = "; ".join(w for w in (note, until) if w)
    return (
        reader.clock(reader.utc(at), visit.region),
        code.name,
        value or "yes",
        s.sources[int(s.source[i])],
        told,
    )


def _signals(visit: Visit) -> tuple[Stretch, ...]:
    known, names = visit.vault.signals(visit.who, visit.patient, Purpose.care), codes.known()
    return tuple(
        Stretch(
            s.code,
            names[s.code].name
            if s.code in names
            else s.code.rpartition("|")[2].replace("ecg", "ECG"),
            s.first.timestamp(),
            s.last.timestamp(),
        )
        for s in known
    )


def _way(visit: Visit, asked: Asked, turn: int) -> str:
    """The address of another page of the same choice."""
    said = [("span", asked.span), ("turn", str(turn)), *(("kind", k) for k in asked.kinds)]
    said += [("source", asked.source)] * bool(asked.source) + [("word", asked.word)] * bool(
        asked.word
    )
    said += [("on", asked.on.isoformat())] if asked.on else []
    return f"/patients/{visit.patient}?{urlencode(said)}#journey"


def _led(picture: Journey, asked: Asked, visit: Visit) -> Journey:
    """Each mark leads somewhere: a fact to its origin, a heap of facts to its day."""

    def led(mark: Mark) -> Mark:
        if mark.look.endswith("signal"):
            return replace(
                mark, way=f"/patients/{visit.patient}/signal?{urlencode({'code': mark.code})}"
            )
        if mark.code:
            asking = origins.asking(mark.code, reader.utc(mark.at))
            return replace(mark, way=f"/patients/{visit.patient}/origin?{asking}")
        if mark.shape != "bin" or asked.on:
            return mark
        day = reader.utc(mark.at).astimezone(visit.region.zone).date()
        return replace(mark, way=_way(visit, replace(asked, on=day), 1))

    rows = tuple(replace(x, marks=tuple(led(m) for m in x.marks)) for x in picture.lanes)
    return replace(picture, lanes=rows)
