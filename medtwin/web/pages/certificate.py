"""The proof that a person's record ended: what was there, who ended it, when and why."""

from dataclasses import dataclass

from medtwin.vault.access import Role
from medtwin.web import region as reader
from medtwin.web.page import STAFF, Page, Visit
from medtwin.web.trouble import unknown


@dataclass(frozen=True)
class Ended:
    """The certificate as rows."""

    patient: str
    at: str
    by: str
    because: str
    counts: tuple[tuple[str, str], ...]
    head: str
    words: str


def view(visit: Visit) -> Ended:
    """What was ended. Nothing here was ever part of the record."""
    found = visit.vault.certificate(visit.patient)
    if found is None:
        raise unknown("no record of this name has ended", visit.patient)
    kept = (
        *((f"facts: {kind}", n) for kind, n in sorted(found.facts.items())),
        ("originals", found.originals),
        ("twin states", found.twins),
        ("forecasts", found.forecasts),
        ("alerts", found.alerts),
        ("audit lines, which stay", found.audit_lines),
    )
    return Ended(
        found.patient,
        reader.clock(found.at, visit.region),
        found.by,
        found.because,
        tuple((what, f"{n:,}") for what, n in kept),
        found.head,
        str(found),
    )


page = Page(
    "certificate",
    "Certificate",
    "/certificate/{patient}",
    "the proof that a record has ended",
    view,
    roles=STAFF | {Role.patient},
)
