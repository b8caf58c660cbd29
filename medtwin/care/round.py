"""The round: one turn of the whole loop, from facts that arrived to a person who must know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from medtwin.care.admission import keep, kept_heads, pages, supported, taken_up, the_round
from medtwin.care.alert import Alert
from medtwin.care.event import Event, What
from medtwin.care.watch import over, raised
from medtwin.engine.model import Model
from medtwin.physiology import glucose_living
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.forecast import Forecast
from medtwin.twin.ledger import LedgerEntry
from medtwin.twin.loop import Following, follow
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

Tell = Callable[[Event], object]
day, quarter = timedelta(days=1), timedelta(minutes=15)


@dataclass
class AtHand:
    """What the round remembers between turns. All of it is in the vault too: losing it costs
    time, not truth. Consent is asked for again at every turn, and what is no longer agreed to
    is dropped from here as well. `model` is whose twins these are."""

    following: dict[str, Following] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    weighed: dict[str, date] = field(default_factory=dict)
    raised: dict[str, dict[str, datetime]] = field(default_factory=dict)
    model: Model[Any] = glucose_living.model

    def forget(self, patient: str) -> None:
        """Remember nothing of this person's twin."""
        self.following.pop(patient, None)
        self.reached.pop(patient, None)


def tend(
    patient: str,
    arrived: Sequence[Observation],
    vault: Vault,
    tell: Tell,
    now: datetime,
    at_hand: AtHand | None = None,
) -> tuple[Alert, ...]:
    """Facts are kept, the twin learns, looks ahead and is scored, and whoever must know is told.

    Raises Refused where the person agreed to neither care nor a twin; then nothing is kept.
    """
    at_hand = AtHand() if at_hand is None else at_hand
    if arrived:
        keep_facts(patient, arrived, vault)
        tell(Event(patient, What.facts, now, newest(arrived)))
    ahead = look_ahead(patient, vault, now, at_hand)
    if ahead:
        tell(Event(patient, What.forecast, now, in_short(ahead)))
    return warn(patient, ahead, vault, tell, now, at_hand)


def keep_facts(patient: str, arrived: Sequence[Observation], vault: Vault) -> None:
    """On disk, for whichever purpose the person agreed to."""
    try:
        vault.add(the_round, patient, arrived, Purpose.care)
    except Refused:
        vault.add(the_round, patient, arrived, Purpose.twin)


def look_ahead(patient: str, vault: Vault, now: datetime, at_hand: AtHand) -> Forecast | None:
    """The twin brought to now, and the forecast shown; None without consent or without glucose.

    The news is what arrived in the vault since the last turn, whoever brought it, late or not.
    """
    try:
        reached, news = vault.news(
            the_round, patient, Purpose.twin, at_hand.reached.get(patient, 0)
        )
    except Refused:
        at_hand.forget(patient)
        return None
    before = at_hand.following.get(patient)
    if before is None:
        before, news = taken_up(vault, patient, news, now, at_hand.model), ()
    if before is None:
        return None
    if at_hand.weighed.setdefault(patient, now.date()) != now.date():
        learned = kept_heads(vault, patient)
        before = replace(before, weights=supported(pages(vault, patient, now), now, learned))
        at_hand.weighed[patient] = now.date()
    after, ahead, scored = follow(before, news, now)
    made, after = new_pages(before, after, now)
    keep(vault, after.twin)
    vault.keep_entries(the_round, patient, (*scored, *made), Purpose.twin)
    at_hand.following[patient], at_hand.reached[patient] = after, reached
    return ahead


def new_pages(
    before: Following, after: Following, now: datetime
) -> tuple[tuple[LedgerEntry, ...], Following]:
    """What was said in this turn, for the ledger: once in each quarter of an hour."""
    made = tuple(e for e in after.waiting if e.made == now)
    last = max((e.made for e in before.waiting), default=now - day)
    if now.timestamp() // quarter.total_seconds() > last.timestamp() // quarter.total_seconds():
        return made, after
    return (), replace(after, waiting=tuple(e for e in after.waiting if e.made != now))


def warn(
    patient: str,
    ahead: Forecast | None,
    vault: Vault,
    tell: Tell,
    now: datetime,
    at_hand: AtHand,
) -> tuple[Alert, ...]:
    """Alerts raised and alerts over, where the person agreed to care."""
    try:
        record = glucose_of_a_day(patient, vault, now)
        standing = at_hand.raised.get(patient)
        standing = open_alerts(patient, vault) if standing is None else standing
    except Refused:
        at_hand.raised.pop(patient, None)
        return ()
    alerts = raised(record, ahead, now)
    for alert in alerts:
        number = vault.keep_alert(the_round, alert)
        if alert.code not in standing:
            tell(Event(patient, What.alert, now, said(alert, number)))
    gone = {c for c, last in standing.items() if over(c, last, now)} - {a.code for a in alerts}
    for code in gone:
        vault.resolve_alert(the_round, patient, code)
        tell(Event(patient, What.resolved, now, {"code": code}))
    left = {c: last for c, last in standing.items() if c not in gone}
    at_hand.raised[patient] = left | {a.code: now for a in alerts}
    return alerts


def glucose_of_a_day(patient: str, vault: Vault, now: datetime) -> Record:
    """What the rules look at: who was silent, stuck or apart shows within a day, or two."""
    since = now - 2 * day
    return vault.record(
        the_round, patient, Purpose.care, by=now, since=since, codes=(codes.glucose,)
    )


def open_alerts(patient: str, vault: Vault) -> dict[str, datetime]:
    """The alerts that stand open in the vault, and when each was last raised."""
    kept = vault.alerts(the_round, patient)
    return {a["code"]: a["latest"] for a in kept if a["resolved_at"] is None}


def newest(arrived: Sequence[Observation]) -> dict[str, object]:
    """What came, in a few words: how many facts, and the newest of them."""
    last = max(arrived, key=lambda o: o.at)
    return {"facts": len(arrived), "code": last.code.id, "value": last.value, "at": last.at}


def in_short(ahead: Forecast) -> dict[str, object]:
    """The end of the forecast: when, the middle and its 90 % interval."""
    low, middle, high = (float(v) for v in ahead.band(0.9)[:, -1])
    at = ahead.times[-1]
    return {"code": ahead.code.id, "at": at, "low": low, "middle": middle, "high": high}


def said(alert: Alert, number: int) -> dict[str, object]:
    """An alert as plain values."""
    return {
        "id": number,
        "code": alert.code,
        "urgency": alert.urgency.value,
        "headline": alert.headline,
        "because": alert.because,
    }
