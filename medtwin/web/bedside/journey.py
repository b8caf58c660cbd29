"""The swim lanes of one person, over the span asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from medtwin.record.record import Record
from medtwin.web import region as reader
from medtwin.web.page import Visit
from medtwin.web.views.journey import Journey, journey

SPANS = {"7": "7 days", "1": "1 day", "30": "30 days", "365": "1 year", "all": "all"}


@dataclass(frozen=True)
class JourneyPart:
    """The swim lanes and the way to other spans."""

    patient: str
    picture: Journey
    span: str
    spans: dict[str, str]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shown: str


def of_record(visit: Visit, record: Record) -> JourneyPart:
    span = visit.choice("span", usual(record, visit.now))
    since = _since(span, record, visit.now)
    shown = recent_rows(record, since, visit)
    return JourneyPart(
        patient=visit.patient,
        picture=journey(record, since, visit.now, visit.region),
        span=span,
        spans=SPANS,
        heads=("time", "what", "value", "source"),
        rows=shown,
        shown=f"the newest {len(shown)}",
    )


def usual(record: Record, now: datetime) -> tuple[str, ...]:
    """The spans, first the one that is meant by silence: a week, or all where a week is empty."""
    newest = max((float(s.at.max()) for s in record.columns.values() if len(s)), default=0.0)
    spans = tuple(SPANS)
    return spans if now.timestamp() - newest < 7 * 86400 else ("all", *spans[:-1])


def _since(span: str, record: Record, now: datetime) -> datetime:
    if span != "all":
        return now - timedelta(days=int(span))
    firsts = [float(s.at.min()) for s in record.columns.values() if len(s)]
    return reader.utc(min(firsts)) if firsts else now - timedelta(days=1)


def recent_rows(
    record: Record, since: datetime, visit: Visit, most: int = 100
) -> tuple[tuple[str, ...], ...]:
    """The newest facts as words, for the table behind the picture."""
    newest = []
    for code, series in record.columns.items():
        s = series.current
        first = max(len(s) - most, 0)
        newest += [(float(s.at[i]), code, s, i) for i in range(first, len(s))]
    newest = sorted((r for r in newest if r[0] >= since.timestamp()), key=lambda r: -r[0])[:most]
    return tuple(
        (
            reader.clock(reader.utc(at), visit.region),
            code.name,
            str(s.says[i])
            if s.says is not None and s.says[i]
            else reader.amount(code, float(s.value[i]), visit.region),
            s.sources[int(s.source[i])],
        )
        for at, code, s, i in newest
    )
