"""How the twin of one person has done so far."""

from dataclasses import dataclass
from datetime import timedelta

from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.web.bedside.ahead import Closed
from medtwin.web.page import Visit
from medtwin.web.views.track import TrackRecord, track_record

LOOKS_BACK = timedelta(days=14)


@dataclass(frozen=True)
class TrackPart:
    """The track record, or why it is not shown."""

    patient: str
    record: TrackRecord | None
    closed: Closed | None


def track(visit: Visit) -> TrackPart:
    """The forecasts of the last fourteen days against what came."""
    since = visit.now - LOOKS_BACK
    try:
        kept = visit.vault.ledger(visit.who, visit.patient, Purpose.twin, since)
    except Refused as refused:
        return TrackPart(visit.patient, None, Closed(refused.decision.because, consent=True))
    return TrackPart(visit.patient, track_record(kept, visit.region), None)
