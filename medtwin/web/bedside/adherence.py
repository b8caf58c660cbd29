"""Whether somebody had, and took, their medicines: a sentence each, with the gaps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from medtwin.record.adherence import DAY, Gap, NothingSupplied, days_covered, doses_taken
from medtwin.record.codes import Code, Kind
from medtwin.record.record import Record, Series, facts
from medtwin.web import region as reader
from medtwin.web.page import Visit
from medtwin.web.region import Region

LOOKS_BACK = timedelta(days=365)
LONGEST = 200 * DAY  # a supply; what lasts longer is a course of treatment
OPENED = "dispenser"
MOST = 3


@dataclass(frozen=True)
class Held:
    """One medicine: the sentence, where it is from, and its longest gaps."""

    name: str
    said: str
    by: str
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class AdherencePart:
    """Every medicine of the last year of which something can be said."""

    patient: str
    rows: tuple[Held, ...]


def of_record(visit: Visit, record: Record) -> AdherencePart:
    """What supplies and dispensers say; a medicine of which neither is known is left out."""
    rows = (*_supplies(record, visit.now, visit.region), *_openings(record, visit.now))
    return AdherencePart(visit.patient, tuple(sorted(rows, key=lambda r: r.name)))


def _supplies(record: Record, now: datetime, region: Region) -> Iterator[Held]:
    since = (now - LOOKS_BACK).timestamp()
    for code, series in record.columns.items():
        handed = supplied(series) if code.kind is Kind.medication else None
        if handed is None or np.sum(handed.at >= since) < 2:  # one supply is no course yet
            continue
        try:
            found = days_covered(handed, since, now.timestamp())
        except NothingSupplied:
            continue
        longest = sorted(found.gaps, key=lambda g: -g.days)[:MOST]
        gaps = tuple(_gap(g, region) for g in sorted(longest, key=lambda g: g.begin))
        supplied_too = f"supplied for {found.mpr:.0%} of them (MPR)"
        said = f"{found.said}; {supplied_too}"
        yield Held(name_of(code, handed), said, "days of supply handed out (PDC)", gaps)


def supplied(series: Series) -> Series | None:
    """The facts that tell how long a supply lasts; None if there are none."""
    now = series.current
    if now.until is None:
        return None
    lasting = now.until - now.at
    kept = now.keep((lasting > 0) & (lasting <= LONGEST))
    return kept if len(kept) else None


def _openings(record: Record, now: datetime) -> Iterator[Held]:
    """On how many days a dispenser was opened, from the first opening in the year on."""
    for code, series in record.columns.items():
        opened = of_dispenser(series) if code.kind is Kind.dose else None
        since = (now - LOOKS_BACK).timestamp()
        inside = (
            opened.keep((opened.at >= since) & (opened.at < now.timestamp())) if opened else None
        )
        if inside is None or not len(inside):
            continue
        begin = float(inside.at[0])
        days = int(np.ceil((now.timestamp() - begin) / DAY))
        share = doses_taken(inside, 1, begin, begin + days * DAY)
        said = f"opened on {share * days:.0f} of {days} days ({share:.0%})"
        yield Held(name_of(code, inside), said, "openings of the dispenser")


def of_dispenser(series: Series) -> Series | None:
    """The doses that a dispenser tells of."""
    now = series.current
    theirs = [i for i, name in enumerate(now.sources) if OPENED in name.casefold()]
    kept = now.keep(np.isin(now.source, theirs))
    return kept if len(kept) else None


def name_of(code: Code, series: Series) -> str:
    """What the medicine is called: by the code, or as the last supply words it."""
    last = list(facts(code, series.keep(slice(-1, None))))
    return code.name or (last[0].says if last else code.id)


def _gap(gap: Gap, region: Region) -> str:
    begin, end = (reader.day(reader.utc(t), region) for t in (gap.begin, gap.end))
    return f"nothing for {gap.days:.0f} days: {begin} to {end}"
