"""What people were told and what they did about it; one open alert for each reason."""

from typing import Any, Protocol

import orjson
from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from medtwin.vault.dialect import Found
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import alerts
from medtwin.vault.times import micros, moment, moment_or_none

order = ("note", "soon", "now")


class Raised(Protocol):
    """An alert as care raises it. `code` names the rule that spoke."""

    @property
    def patient(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def urgency(self) -> Any: ...
    @property
    def headline(self) -> str: ...
    @property
    def because(self) -> str: ...
    @property
    def at(self) -> Any: ...


def raise_alert(c: Connection, seal: Seal, alert: Raised) -> int:
    """Keep it, or count it once more where it is still open; its number.

    One that grew more urgent since somebody acknowledged it asks for attention again.
    """
    topic = _topic(seal, alert.code)
    found = c.execute(select(alerts).where(_open(seal, topic))).first()
    text = [str(getattr(alert.code, "id", alert.code)), str(alert.urgency)]
    plain = orjson.dumps([*text, alert.headline, alert.because])
    sealed, at = seal.close(_place(seal, topic), plain), micros(alert.at)
    if found is None:
        row = {"patient": seal.owner, "topic": topic, "at": at, "latest": at}
        made = insert(alerts).values(row | {"times": 1, "sealed": sealed})
        return c.execute(made.returning(alerts.c.number)).scalar_one()
    values: dict[str, Any] = {"sealed": sealed, "latest": at, "times": found.times + 1}
    if _rank(text[1]) > _rank(opened(seal, found)["urgency"]):
        values |= {"acknowledged_by": None, "acknowledged_at": None}
    c.execute(update(alerts).where(alerts.c.number == found.number).values(values))
    return int(found.number)


def resolve(c: Connection, seal: Seal, code: str, at: int) -> int:
    """The reason is gone: close what is open for it; how many."""
    gone = update(alerts).where(_open(seal, _topic(seal, code)))
    return c.execute(gone.values(resolved_at=at)).rowcount


def acknowledge(c: Connection, number: int, by: str, at: int) -> None:
    """Somebody has seen it."""
    seen = update(alerts).where(alerts.c.number == number, alerts.c.acknowledged_at.is_(None))
    c.execute(seen.values(acknowledged_by=by, acknowledged_at=at))


def rows(c: Connection, patient: str, limit: int) -> list[Found]:
    """This person's alerts, newest first; still sealed."""
    query = select(alerts).where(alerts.c.patient == patient)
    return list(c.execute(query.order_by(alerts.c.number.desc()).limit(limit)))


def people(c: Connection) -> list[str]:
    """Everybody there was ever an alert about."""
    return list(c.execute(select(alerts.c.patient).distinct()).scalars())


def whose(c: Connection, number: int) -> str | None:
    """The pseudonym an alert is about."""
    return c.execute(select(alerts.c.patient).where(alerts.c.number == number)).scalar()


def opened(seal: Seal, r: Found) -> dict[str, Any]:
    """One alert in words, and what became of it."""
    code, urgency, headline, because = orjson.loads(seal.open(_place(seal, r.topic), r.sealed))
    return {
        "id": r.number,
        "patient": r.patient,
        "code": code,
        "urgency": urgency,
        "headline": headline,
        "because": because,
        "at": moment(r.at),
        "latest": moment(r.latest),
        "count": r.times,
        "acknowledged_by": r.acknowledged_by,
        "acknowledged_at": moment_or_none(r.acknowledged_at),
        "resolved_at": moment_or_none(r.resolved_at),
    }


def _topic(seal: Seal, code: Any) -> bytes:
    return seal.digest(b"alert|" + str(getattr(code, "id", code)).encode())


def _open(seal: Seal, topic: bytes) -> ColumnElement[bool]:
    a = alerts.c
    return and_(a.patient == seal.owner, a.topic == topic, a.resolved_at.is_(None))


def _place(seal: Seal, topic: bytes) -> bytes:
    return place(seal.owner, "alerts", topic.hex())


def _rank(urgency: str) -> int:
    return order.index(urgency) if urgency in order else 0
