"""Patterns across everything known of one person, each with its interval and days that count."""

from dataclasses import dataclass

from medtwin.learning.patterns import Pattern, fewest, patterns
from medtwin.vault.access import Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.web.bedside.ahead import Closed
from medtwin.web.page import Page, Visit

MOST = 12
WHAT = {
    "together": "correlation",
    "change": "difference",
    "week": "difference",
    "missing": "difference of shares",
}


@dataclass(frozen=True)
class Row:
    """One regularity, and how sure it is."""

    says: str
    sure: str


@dataclass(frozen=True)
class PatternsView:
    """The surest, and how many were looked at; or why nothing was computed."""

    patient: str
    looked: int
    fewest: int
    rows: tuple[Row, ...]
    closed: Closed | None


def view(visit: Visit) -> PatternsView:
    """Nothing is computed about a person who did not agree to their twin."""
    try:
        record = visit.vault.record(visit.who, visit.patient, Purpose.twin, by=visit.now)
    except Refused as refused:
        closed = Closed(refused.decision.because, consent=True)
        return PatternsView(visit.patient, 0, fewest, (), closed)
    found = patterns(record, visit.region.zone)
    rows = tuple(_row(p) for p in found.told[:MOST])
    return PatternsView(visit.patient, found.looked, fewest, rows, None)


def _row(pattern: Pattern) -> Row:
    interval = f"95 %: {pattern.low:.2g} to {pattern.high:.2g}"
    return Row(
        pattern.says,
        f"{WHAT[pattern.kind]} {pattern.estimate:.2g} ({interval}), {pattern.n} days, "
        f"false discovery rate {pattern.q:.2g}",
    )


page = Page(
    "patterns",
    "Patterns",
    "/patients/{patient}/patterns",
    "Benjamini and Hochberg 1995, J R Stat Soc B 57:289",
    view,
    roles=frozenset({Role.clinician}),
)
