"""What was sent about one person and could not be accepted: kept, counted and shown."""

from dataclasses import dataclass

from medtwin.sources.source import Refusal
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose
from medtwin.web.page import Page, Visit
from medtwin.web.views.original import readable

MOST, LONGEST = 200, 2000


@dataclass(frozen=True)
class Row:
    """One thing that was refused: what, why, what to do next, and its own words."""

    what: str
    because: str
    next: str
    words: str


@dataclass(frozen=True)
class RefusedView:
    """The newest of them, and how many there are."""

    patient: str
    back: str
    count: int
    rows: tuple[Row, ...]


def view(visit: Visit) -> RefusedView:
    """Everything refused of this person, the newest first."""
    found = visit.vault.refused(visit.who, visit.patient, Purpose.care)
    back = "/own" if visit.who.patient == visit.patient else f"/patients/{visit.patient}"
    return RefusedView(visit.patient, back, len(found), tuple(_row(r) for r in found[:MOST]))


def _row(refused: Refusal) -> Row:
    text = readable(refused.original, "") or f"{len(refused.original):,} bytes that are no text"
    return Row(refused.what, refused.because, refused.next, text[:LONGEST])


page = Page(
    "refused",
    "What could not be accepted",
    "/patients/{patient}/refused",
    "what was sent about one person and refused, with its reason and its own words",
    view,
    roles=frozenset({Role.clinician, Role.patient}),
)
