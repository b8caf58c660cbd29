"""One person as the live loop follows them, brought to a moment from what the vault hands out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from medtwin.care.admission import birth_of, kept_heads, kept_twins, supported
from medtwin.care.organs import covered, everything_of, library, newborn, shows, taken, true_by
from medtwin.commands import house
from medtwin.commands.report import WrongInput
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.record import Record, moment
from medtwin.twin.assimilate import assimilate, caught_up
from medtwin.twin.footing import thin
from medtwin.twin.forecast import Forecast, forecast
from medtwin.twin.heads import speaking
from medtwin.twin.loop import Following, look_ahead
from medtwin.twin.twin import Twin
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose

if TYPE_CHECKING:
    from medtwin.engine.model import Model
    from medtwin.vault.vault import Vault

quarter = timedelta(minutes=15)


@dataclass(frozen=True)
class Present:
    """A person's twin, the moment it is for, the newest fact of the code asked about, how it
    looks ahead under a plan, and what to be careful about."""

    twin: Twin
    now: datetime
    newest: datetime
    look: Callable[[Sequence[Observation]], Forecast]
    cautions: tuple[str, ...]


def present(
    vault: "Vault", patient: str, code: Code, at: datetime | None, ahead: timedelta
) -> Present:
    """The twin at `at`, or at the newest fact of this code, from facts that were true by then."""
    return (_glucose if code == codes.glucose else _organ)(vault, patient, code, at, ahead)


def _organ(
    vault: "Vault", patient: str, code: Code, at: datetime | None, ahead: timedelta
) -> Present:
    """Any other organ's twin, lived through everything the record holds for it."""
    model = _model_of(code)
    record = vault.record(house.me(Role.clinician), patient, Purpose.twin, codes=covered(model))
    now = _moment(record, patient, code, at)
    told = everything_of(record := true_by(record, now), model)
    twin = assimilate(newborn(record, model), told)
    times = spaced(now, ahead)
    return Present(
        twin,
        now,
        moment(float(record[code].current.at[-1])),
        lambda plan: forecast(twin, code, times, plan),
        _cautions(record, model),
    )


def _cautions(record: Record, model: "Model[Any]") -> tuple[str, ...]:
    """What is missing from the record that this model would want."""
    wanted = taken(model)
    if not wanted or any(len(record[c]) for c in wanted):
        return ()
    names = ", ".join(c.name for c in wanted)
    return (f"the record holds none of {names}, by which {model.name} explains its readings",)


def _model_of(code: Code) -> "Model[Any]":
    for model in library():
        if code in shows(model):
            return model
    shown = sorted({c.name for m in library() for c in shows(m)} | {codes.glucose.name})
    raise WrongInput(f"no twin shows {code.name}; twins show {', '.join(shown)}")


def spaced(start: datetime, ahead: timedelta) -> tuple[datetime, ...]:
    """Moments until the end: every quarter of an hour, or a hundred of them where it is far."""
    count = max(1, min(96, round(ahead / quarter)))
    return tuple(start + ahead * (k / count) for k in range(1, count + 1))


def _glucose(
    vault: "Vault", patient: str, code: Code, at: datetime | None, ahead: timedelta
) -> Present:
    """The glucose twin as the live loop follows it, with its heads and its ledger."""
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
    learned = kept_heads(vault, patient) if told <= now else ()
    following = Following(
        lived,
        (twin,),
        heads=tuple(map(speaking, learned)),
        weights=supported(ledger, now, learned),
        code=code,
        ahead=ahead,
    )
    return Present(
        twin,
        now,
        newest,
        lambda plan: look_ahead(following, twin, now, plan)[0],
        thin(lived, now),
    )


def _moment(record: Record, patient: str, code: Code, at: datetime | None) -> datetime:
    """The moment to look from, or an error that says what there is."""
    seen = record[code].current
    if not len(seen):
        have = ", ".join(sorted(c.name for c in record.columns)) or "nothing"
        raise WrongInput(f"{patient} has no {code.name} to start from; there is {have}")
    if at is not None and at.timestamp() < seen.at[0]:
        first = moment(float(seen.at[0])).isoformat()
        raise WrongInput(f"{patient} has no {code.name} before {first}; choose a later --at")
    return at or moment(float(seen.at[-1]))
