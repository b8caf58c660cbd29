"""Getting to know a person better, in the background: their own parameters from their past days,
and a track record for a twin that has none yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from medtwin.care.admission import birth_of, lived, pages, the_round
from medtwin.learning import lightgbm_person, ridge_inputs
from medtwin.learning.head import Learned, fit
from medtwin.learning.lessons import lesson, quarter_hours
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.heads import speaking
from medtwin.twin.ledger import LedgerEntry
from medtwin.twin.loop import Following, Head, follow
from medtwin.twin.personal import Personal
from medtwin.twin.refit import TooLittle, refit
from medtwin.twin.silence import taught as taught_by_silences
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

every = timedelta(minutes=30)
warm = timedelta(hours=6)
silences_of = timedelta(weeks=12)
horizons = (15, 30, 45, 60, 90, 120)
least_lessons = {ridge_inputs.head: 300, lightgbm_person.head: 700}
"""Quarter hours from which each head may begin to learn: about three days for a straight line, a
week for boosted trees, which with less err more than the line does."""


@dataclass(frozen=True)
class Refined:
    """What the background found: a personal fit, statistical heads taught by this person's own
    past, and forecasts of the last two days held against what came; nothing was fitted to those
    days."""

    personal: Personal
    learned: tuple[Learned, ...]
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
    past = moment(float(seen.at[-1]) - lived.total_seconds())
    try:
        personal = refit(record, model, past)
    except TooLittle:
        return None
    known = record.known(by=past)
    learned = (*taught(known), *taught_by_silences(of_late(known), model, personal))
    if any(e.measured is not None for e in pages(vault, patient, now)):
        return Refined(personal, learned, ())
    heads = tuple(map(speaking, learned))
    return Refined(personal, learned, tuple(rehearsed(record, now, personal, heads)))


def taught(past: Record) -> tuple[Learned, ...]:
    """A straight line and boosted trees through this person's own past, which serves nobody else's
    twin."""
    moments = quarter_hours(past)
    able = [head for head, least in least_lessons.items() if len(moments) >= least]
    lessons = [lesson(past, moments, horizons)] if able else []
    return tuple(fit(head, lessons, horizons)[0] for head in able)


def of_late(past: Record) -> Record:
    """The last weeks alone, as far back as past silences are looked for."""
    newest = float(past[codes.glucose].at.max()) if len(past[codes.glucose]) else 0.0
    since = newest - silences_of.total_seconds()
    return Record(past.patient, {c: s.keep(s.at >= since) for c, s in past.columns.items()})


def rehearsed(
    record: Record, now: datetime, personal: Personal | None, heads: tuple[Head, ...] = ()
) -> Iterator[LedgerEntry]:
    """The very loop that runs live, over the last two days, each forecast from what was known
    then; the entries that reality has scored."""
    first = birth_of(record.patient, record, now, personal)
    following = Following(record, (first,), heads)
    at = moment(first.at) + warm
    while at < now:
        following, _, scored = follow(following, (), at)
        yield from (e for e in scored if e.due <= now)
        at += every
