"""Who needs a person first, and why: everybody kept, ranked by stated reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from medtwin.record import codes
from medtwin.vault.access import Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.people import Listed
from medtwin.web import region as reader
from medtwin.web.page import STAFF, Page, Visit
from medtwin.web.views import people, tiles
from medtwin.web.views.alerts import pressing, rows
from medtwin.web.views.people import Line, Standing
from medtwin.web.views.tiles import Pill

FILTERS = {
    "all": "everybody",
    "waiting": "something waits",
    "silent": "no data for an hour",
    "closed": "not open to me",
}
RECENT = timedelta(hours=24)
LONGEST = 100


@dataclass(frozen=True)
class Worklist:
    """The list, what was asked of it, and how it is ordered."""

    lines: tuple[Line, ...]
    summary: str
    order: str
    q: str
    show: str
    filters: dict[str, str]
    empty: str
    empty_next: str


def view(visit: Visit) -> Worklist:
    """The list for whoever asks; names only where the person agreed to care."""
    q, show = visit.one("q").strip()[:80], visit.choice("show", tuple(FILTERS))
    kept = visit.vault.patients(visit.who)
    raised = alerts_of(visit)
    every = people.ranked([line(visit, one, raised.get(one.patient, [])) for one in kept])
    shown = tuple(one for one in every if matches(one, q) and belongs(one, show))
    waits = sum(one.waiting > 0 for one in every)
    return Worklist(
        lines=shown[:LONGEST],
        summary=f"{len(every)} people kept, {waits} with something waiting, {len(shown)} shown"
        + (f", the first {LONGEST} here" if len(shown) > LONGEST else ""),
        order=people.ORDER,
        q=q,
        show=show,
        filters=FILTERS,
        empty="Nobody matches" if every else "Nobody is kept here yet",
        empty_next="Search for less, or show everybody."
        if every
        else "Import records with “medtwin import”, or start the demo.",
    )


def alerts_of(visit: Visit) -> dict[str, list[dict[str, Any]]]:
    """Open alerts by person, of everybody whose care the vault opens to this reader."""
    found: dict[str, list[dict[str, Any]]] = {}
    for alert in visit.vault.alerts(visit.who, limit=2000):
        found.setdefault(alert["patient"], []).append(alert)
    return found


def line(
    visit: Visit, kept: Listed, raised: list[dict[str, Any]]
) -> tuple[tuple[int, float], Line]:
    """One person: opened where the vault allows it, a pseudonym where not."""
    if visit.who.role is not Role.clinician:
        return _closed(visit, kept, f"names and values are not open to a {visit.who.role}")
    if kept.retired:
        return _closed(visit, kept, f"ended on {reader.day(kept.retired, visit.region)}")
    try:
        return _opened(visit, kept, raised)
    except Refused as refused:
        return _closed(visit, kept, refused.decision.because)


def _opened(
    visit: Visit, kept: Listed, raised: list[dict[str, Any]]
) -> tuple[tuple[int, float], Line]:
    asked = (visit.who, kept.patient)
    person = visit.vault.who(*asked, Purpose.care)
    alerts = rows(raised, visit.region, visit.now, "")
    glucose = visit.vault.record(
        *asked, Purpose.care, since=visit.now - RECENT, codes=[codes.glucose]
    )[codes.glucose].current
    standing = Standing(pressing(alerts), kept.last, open=True)
    tone, because, more = people.why(standing, visit.now)
    words, at = people.age_words(kept.last, visit.region, visit.now)
    last = float(glucose.value[-1]) if len(glucose) else None
    seen = reader.utc(float(glucose.at[-1])) if len(glucose) else None
    return people.place(standing, visit.now), Line(
        patient=kept.patient,
        name=person.name or kept.patient,
        who=people.described(person.born, person.sex, visit.now),
        rank=0,
        tone=tone,
        because=because,
        more=more,
        waiting=len(standing.alerts),
        glucose=reader.amount(codes.glucose, last, visit.region) if last else "",
        level=glucose_pill(last, seen, visit.now) if last and seen else None,
        data_age=words,
        data_at=at,
        stale=bool(kept.last) and visit.now - kept.last > people.SILENT,
        status=tuple(_status(kept)),
        open=True,
    )


def glucose_pill(value: float, at: datetime, now: datetime) -> Pill:
    """Where the last glucose stands; an old one stands nowhere."""
    stale = tiles.freshness(codes.glucose, at, now)
    return (
        Pill(f"{reader.age(at, now)}, stale", "warning", "clock") if stale else tiles.level(value)
    )


def _closed(visit: Visit, kept: Listed, because: str) -> tuple[tuple[int, float], Line]:
    standing = Standing((), kept.last, open=False)
    words, at = people.age_words(kept.last, visit.region, visit.now)
    return people.place(standing, visit.now), Line(
        patient=kept.patient,
        name=kept.patient,
        who=f"{kept.facts:,} facts, kept on the basis: {kept.basis}",
        rank=0,
        tone="",
        because="Not shown",
        more=because,
        waiting=0,
        glucose="",
        level=None,
        data_age=words,
        data_at=at,
        stale=False,
        status=tuple(_status(kept)),
        open=False,
        ended=bool(kept.retired),
    )


def _status(kept: Listed) -> Iterator[Pill]:
    if kept.retired:
        yield Pill("ended", "notice", "end")
    elif kept.grants.get(Purpose.twin):
        yield Pill("twin", "good", "twin")
    else:
        yield Pill("no twin: no consent", "", "lock")


def matches(one: Line, q: str) -> bool:
    """Whether the search words are in the name or the pseudonym."""
    text = f"{one.name} {one.patient}".casefold()
    return all(word in text for word in q.casefold().split())


def belongs(one: Line, show: str) -> bool:
    """Whether this line is of the kind asked for."""
    kinds = {
        "all": True,
        "waiting": one.waiting > 0,
        "silent": one.open and one.stale,
        "closed": not one.open,
    }
    return kinds[show]


page = Page(
    "worklist",
    "Worklist",
    "/worklist",
    "everybody kept, ranked by stated reasons",
    view,
    roles=STAFF | {Role.system},
    glyph="list",
    parts={"list": view},
    live="/live",
)
