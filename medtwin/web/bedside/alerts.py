"""What waits for a person, with its reason, and the acknowledgement."""

from dataclasses import dataclass

from medtwin.web.page import Visit
from medtwin.web.trouble import wrong_value
from medtwin.web.views.alerts import Row, pressing, rows


@dataclass(frozen=True)
class AlertsPart:
    """What waits for a person, and what was dealt with."""

    patient: str
    waiting: tuple[Row, ...]
    dealt: tuple[Row, ...]


def alerts(visit: Visit) -> AlertsPart:
    """Alerts of this person, one row for each matter."""
    found = rows(
        visit.vault.alerts(visit.who, visit.patient),
        visit.region,
        visit.now,
        f"/patients/{visit.patient}/acknowledge",
    )
    waiting = pressing(found)
    return AlertsPart(visit.patient, waiting, tuple(r for r in found if r not in waiting)[:12])


def acknowledge(visit: Visit) -> str:
    """Somebody has seen this alert; it is not silenced, and its return is counted."""
    number = visit.form.get("alert", "")
    if not number.isdigit() or len(number) > 18:
        raise wrong_value("alert", number, "the number of an alert on this page")
    mine = {str(a["id"]) for a in visit.vault.alerts(visit.who, visit.patient)}
    if number not in mine:
        raise wrong_value("alert", number, "the number of an alert on this page")
    visit.vault.acknowledge(visit.who, int(number))
    return f"/patients/{visit.patient}#alerts"
