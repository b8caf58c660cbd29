"""Alerts as rows: one row per matter with a count, severity by glyph, colour and word."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medtwin.record import codes
from medtwin.web import region as reader
from medtwin.web.region import Region

WORDS = {"now": ("critical", "Act now"), "soon": ("warning", "Soon"), "note": ("notice", "Note")}
NUMBER = r"\d+(?:\.\d+)?"
AMOUNTS = rf"({NUMBER}(?: (?:to|and) {NUMBER})?) mg/dL"
RANK = {"critical": 0, "warning": 1, "notice": 2}


@dataclass(frozen=True)
class Row:
    """One alert as it is shown."""

    id: str
    urgency: str
    word: str
    headline: str
    because: str
    at: str
    iso: str
    age: str
    count: int
    acknowledged: str
    resolved: str
    act: str


def rows(
    alerts: Iterable[Mapping[str, Any]], region: Region, now: datetime, act: str
) -> tuple[Row, ...]:
    """Open alerts, the most pressing and newest first; then those over or acknowledged."""
    shown = [(a, row(a, region, now, act)) for a in alerts]
    shown.sort(key=lambda r: r[1].iso, reverse=True)
    shown.sort(key=lambda r: (bool(r[1].resolved), bool(r[1].acknowledged), RANK[r[1].urgency]))
    return tuple(r for _, r in shown)


def row(alert: Mapping[str, Any], region: Region, now: datetime, act: str) -> Row:
    """One alert."""
    urgency, word = WORDS.get(str(alert["urgency"]), ("notice", "Note"))
    at: datetime = alert.get("latest") or alert["at"]
    resolved = alert.get("resolved_at")
    by = alert.get("acknowledged_by")
    return Row(
        id=str(alert["id"]),
        urgency=urgency,
        word=word,
        headline=in_units(alert["headline"], region),
        because=in_units(alert["because"], region),
        at=reader.clock(at, region, now),
        iso=at.isoformat(),
        age=reader.age(at, now),
        count=int(alert.get("count") or 1),
        acknowledged=f"acknowledged by {by}" if by else "",
        resolved=reader.clock(resolved, region, now) if resolved else "",
        act="" if by or resolved else act,
    )


def in_units(words: str, region: Region) -> str:
    """The same sentence with its glucose in the reader's unit."""

    def one(found: re.Match[str]) -> str:
        return reader.figure(codes.glucose, float(found[0]), region)

    def all_of(found: re.Match[str]) -> str:
        return f"{re.sub(NUMBER, one, found[1])} {region.glucose}"

    return words if region.glucose == "mg/dL" else re.sub(AMOUNTS, all_of, words)


def pressing(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Those that still wait for a person."""
    return tuple(r for r in rows if not r.resolved and not r.acknowledged)
