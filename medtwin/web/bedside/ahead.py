"""Looking ahead for one person, or saying why not."""

from dataclasses import dataclass
from datetime import timedelta

from medtwin.twin.forecast import Forecast
from medtwin.vault.access import Refused
from medtwin.web.page import Visit
from medtwin.web.twins import NoTwin, looked_ahead, twin_of

AHEAD = timedelta(hours=4)


@dataclass(frozen=True)
class Closed:
    """A part that is not shown, and why."""

    because: str
    consent: bool


def expected(visit: Visit) -> tuple[Forecast | None, Closed | None]:
    """The forecast, or why there is none."""
    try:
        twin = twin_of(visit, visit.patient)
    except Refused as refused:
        return None, Closed(refused.decision.because, consent=True)
    except NoTwin as none:
        return None, Closed(str(none), consent=False)
    return looked_ahead(visit, twin, AHEAD), None
