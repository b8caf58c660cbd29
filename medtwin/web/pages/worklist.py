"""Who needs a person first, and why: everybody kept, ranked by stated reasons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from medtwin.record import codes
from medtwin.record.record import Series, nothing
from medtwin.vault.access import Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.people import Listed
from medtwin.web import region as reader
from medtwin.web.page import STAFF, Page, Visit
from medtwin.web.views import people, tiles
from medtwin.web.views.alerts import pressing, rows
from medtwin.web.views.people import Line, Standing
from medtwin.web.views.tiles import Pill

T = TypeVar("T")
FILTERS = {
    "all": "everybody",
    "waiting": "something waits",
    "silent": "no data for an hour",
    "closed": "not open to me",
}
RECENT = timedelta(hours=24)
AT_ONCE = 50


@dataclass(frozen=True)
class Worklist:
    """The list, what was asked of it, and how it is ordered."""

    lines: tuple[Line, ...]
    summary: str
    order: str
    q: str
    show: str
    page: int
    pages: int
    filters: dict[str, str]
    empty: str
    empty_next: str


def view(visit: Visit) -> Worklist:
    """The list for whoever asks; names only where the person agreed to care.

    The order needs no record to be opened. Those on this page of the list are, and a search for
    a name opens everybody's name, each with its line in the audit.
    """
    q, show = visit.one("q").strip()[:80], visit.choice("show", tuple(FILTERS))
    kept = visit.vault.patients(visit.who)
    order = ordered(visit, kept)
    waits = sum(bool(standing.alerts) for _, _, standing in order)
    asked = [one for one in order if belongs(one[2], show, visit.now)]
    count, lines, page, pages = searched(visit, asked, q) if q else listed(visit, asked)
    return Worklist(
        lines=lines,
        summary=f"{len(kept)} people kept, {waits} with something waiting, {count} listed",
        order=people.ORDER,
        q=q,
        show=show,
        page=page,
        pages=pages,
        filters=FILTERS,
        empty="Nobody matches" if kept else "Nobody is kept here yet",
        empty_next="Search for less, or show everybody."
        if kept
        else "Import records with “medtwin import”, or start the demo.",
    )


Placed = tuple[int, Listed, Standing]
Found = tuple[int, tuple[Line, ...], int, int]


def searched(visit: Visit, asked: Sequence[Placed], q: str) -> Found:
    """Those whose name or pseudonym holds the words."""
    every = (placed(visit, one) for one in asked)
    found = [one for one in every if matches(one, q)]
    lines, page, pages = window(visit, found)
    return len(found), tuple(lines), page, pages


def listed(visit: Visit, asked: Sequence[Placed]) -> Found:
    """One page of everybody asked for; nobody else is opened."""
    some, page, pages = window(visit, asked)
    return len(asked), tuple(placed(visit, one) for one in some), page, pages


def placed(visit: Visit, one: Placed) -> Line:
    """A line with its place in the whole order."""
    rank, kept, standing = one
    return replace(line(visit, kept, standing), rank=rank)


def ordered(visit: Visit, kept: Sequence[Listed]) -> list[Placed]:
    """Everybody with their place, the most pressing first."""
    raised = alerts_of(visit)
    standings = [(one, standing_of(visit, one, raised.get(one.patient, []))) for one in kept]
    standings.sort(key=lambda pair: people.place(pair[1], visit.now))
    return [(rank, one, standing) for rank, (one, standing) in enumerate(standings, 1)]


def standing_of(visit: Visit, kept: Listed, raised: list[dict[str, Any]]) -> Standing:
    """What decides a place on the list; whether it may be opened, the vault decides again."""
    alerts = pressing(rows(raised, visit.region, visit.now, ""))
    mine = visit.who.role is Role.clinician and not kept.retired
    return Standing(alerts, kept.last, mine and bool(kept.grants.get(Purpose.care)))


def window(visit: Visit, found: Sequence[T]) -> tuple[Sequence[T], int, int]:
    """One page of the list, its number and how many there are."""
    pages = max(1, -(-len(found) // AT_ONCE))
    page = min(int(visit.number("page", 1, 1, 100_000)), pages)
    return found[(page - 1) * AT_ONCE : page * AT_ONCE], page, pages


def alerts_of(visit: Visit) -> dict[str, list[dict[str, Any]]]:
    """Open alerts by person, of everybody whose care the vault opens to this reader."""
    found: dict[str, list[dict[str, Any]]] = {}
    for alert in visit.vault.alerts(visit.who, limit=2000):
        found.setdefault(alert["patient"], []).append(alert)
    return found


def line(visit: Visit, kept: Listed, standing: Standing) -> Line:
    """One person: opened where the vault allows it, a pseudonym where not."""
    if visit.who.role is not Role.clinician:
        return _closed(visit, kept, f"names and values are not open to a {visit.who.role}")
    if kept.retired:
        return _closed(visit, kept, f"ended on {reader.day(kept.retired, visit.region)}")
    try:
        return _opened(visit, kept, standing)
    except Refused as refused:
        return _closed(visit, kept, refused.decision.because)


def glucose_of(visit: Visit, kept: Listed) -> Series:
    """The glucose of the last day; nothing is opened where no fact is that new."""
    since = visit.now - RECENT
    if kept.last is None or kept.last < since:
        return nothing
    return visit.vault.record(
        visit.who, kept.patient, Purpose.care, since=since, codes=[codes.glucose]
    )[codes.glucose].current


def _opened(visit: Visit, kept: Listed, standing: Standing) -> Line:
    person = visit.vault.who(visit.who, kept.patient, Purpose.care)
    glucose = glucose_of(visit, kept)
    tone, because, more = people.why(standing, visit.now)
    words, at = people.age_words(kept.last, visit.region, visit.now)
    last = float(glucose.value[-1]) if len(glucose) else None
    seen = reader.utc(float(glucose.at[-1])) if len(glucose) else None
    return Line(
        patient=kept.patient,
        name=person.name or kept.patient,
        who=people.described(person, visit.now),
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


def _closed(visit: Visit, kept: Listed, because: str) -> Line:
    words, at = people.age_words(kept.last, visit.region, visit.now)
    return Line(
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


def belongs(standing: Standing, show: str, now: datetime) -> bool:
    """Whether this person is of the kind asked for."""
    silent = standing.last is not None and now - standing.last > people.SILENT
    kinds = {
        "all": True,
        "waiting": bool(standing.alerts),
        "silent": standing.open and silent,
        "closed": not standing.open,
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
