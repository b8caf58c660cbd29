"""One person as the live loop follows them, brought to a moment from what the vault hands out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from medtwin.care.admission import birth_of, kept_head, kept_twins, model, supported
from medtwin.commands import house
from medtwin.commands.report import WrongInput
from medtwin.record.codes import Code
from medtwin.record.record import Record, moment
from medtwin.twin.assimilate import caught_up
from medtwin.twin.heads import speaking
from medtwin.twin.loop import Following
from medtwin.twin.timeline import places
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose

if TYPE_CHECKING:
    from medtwin.vault.vault import Vault


@dataclass(frozen=True)
class Present:
    """A person as followed, the moment it is for, and the newest fact of the code asked about."""

    following: Following
    now: datetime
    newest: datetime


def present(
    vault: "Vault", patient: str, code: Code, at: datetime | None, ahead: timedelta
) -> Present:
    """The twin at `at`, or at the newest fact of this code, from facts that were true by then."""
    clinician = house.me(Role.clinician)
    record = vault.record(clinician, patient, Purpose.twin)
    now = _moment(record, patient, code, at)
    lived = true_by(record, now)
    newest = moment(float(lived[code].current.at[-1]))
    told = moment(max(float(s.known.max()) for s in lived.columns.values() if len(s)))
    ledger = vault.ledger(clinician, patient, Purpose.twin, now - timedelta(days=14))
    checkpoints = (
        *(t for t in kept_twins(vault, patient, now) if t.at <= now.timestamp()),
        birth_of(patient, lived, max(told, now)),
    )
    twin = caught_up(checkpoints, lived, max(told, now))
    # A head speaks from what was known by then; of a past learned later it has nothing to say.
    learned = kept_head(vault, patient) if told <= now else None
    following = Following(
        lived,
        (twin,),
        heads=(speaking(learned),) if learned else (),
        weights=supported(ledger, now, learned),
        code=code,
        ahead=ahead,
    )
    return Present(following, now, newest)


def _moment(record: Record, patient: str, code: Code, at: datetime | None) -> datetime:
    """The moment to look from, or an error that says what there is."""
    if code not in places(model) or code in (*model.inputs, *model.channels):
        raise WrongInput(f"no twin shows {code.name}; the model {model.name} shows glucose")
    seen = record[code].current
    if not len(seen):
        have = ", ".join(sorted(c.name for c in record.columns)) or "nothing"
        raise WrongInput(f"{patient} has no {code.name} to start from; there is {have}")
    if at is not None and at.timestamp() < seen.at[0]:
        first = moment(float(seen.at[0])).isoformat()
        raise WrongInput(f"{patient} has no {code.name} before {first}; choose a later --at")
    return at or moment(float(seen.at[-1]))


def true_by(record: Record, now: datetime) -> Record:
    """Only what was true by `now`, whenever we learned it: an import learns the past at once."""
    until = now.timestamp()
    columns = {c: s.keep(s.at <= until) for c, s in record.columns.items()}
    return Record(record.patient, columns)
