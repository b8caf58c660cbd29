"""Getting to know a person better, in the background: their own parameters from their past days,
and a track record for a twin that has none yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from medtwin.care.admission import birth_of, lived, pages, the_round
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.ledger import LedgerEntry
from medtwin.twin.loop import Following, follow
from medtwin.twin.personal import Personal
from medtwin.twin.refit import TooLittle, refit
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

every = timedelta(minutes=30)
warm = timedelta(hours=6)


@dataclass(frozen=True)
class Refined:
    """What the background found: a personal fit, and forecasts of the last two days held
    against what came; those days were not fitted to."""

    personal: Personal
    rehearsal: tuple[LedgerEntry, ...]


def refined(vault: Vault, patient: str, now: datetime) -> Refined | None:
    """Fit all but the last two days; None where there is too little to learn from.

    The rehearsal is made only where nothing in the ledger is scored yet: a twin with a record
    of its own needs none. Raises Refused without consent to a twin.
    """
    record = vault.record(the_round, patient, Purpose.twin, by=now)
    seen = record[codes.glucose].current
    if not len(seen):
        return None
    try:
        personal = refit(record, model, moment(float(seen.at[-1]) - lived.total_seconds()))
    except TooLittle:
        return None
    if any(e.measured is not None for e in pages(vault, patient, now)):
        return Refined(personal, ())
    return Refined(personal, tuple(rehearsed(record, now, personal)))


def rehearsed(record: Record, now: datetime, personal: Personal | None) -> Iterator[LedgerEntry]:
    """The very loop that runs live, over the last two days, each forecast from what was known
    then; the entries that reality has scored."""
    first = birth_of(record.patient, record, now, personal)
    following = Following(record, (first,))
    at = moment(first.at) + warm
    while at < now:
        following, _, scored = follow(following, (), at)
        yield from (e for e in scored if e.due <= now)
        at += every
