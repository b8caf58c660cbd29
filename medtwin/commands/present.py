"""The twin of one person, brought to a moment from the record that the vault hands out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from medtwin import physiology
from medtwin.catalogue import everything
from medtwin.commands import house
from medtwin.commands.report import WrongInput
from medtwin.physiology.model import Model
from medtwin.record.codes import Code
from medtwin.record.record import Record, moment
from medtwin.twin.assimilate import caught_up
from medtwin.twin.timeline import places
from medtwin.twin.twin import Twin, born
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose

if TYPE_CHECKING:
    from medtwin.vault.vault import Vault


@dataclass(frozen=True)
class Present:
    """A twin, the record it rests on, and the newest fact of the code that was asked about."""

    twin: Twin
    record: Record
    newest: datetime


def present(vault: "Vault", patient: str, code: Code, at: datetime | None) -> Present:
    """The twin at `at`, or at the newest fact of this code, from facts true by then."""
    record = vault.record(house.me(Role.clinician), patient, Purpose.twin)
    seen = record[code].current
    if not len(seen):
        have = ", ".join(sorted(c.name for c in record.columns)) or "nothing"
        raise WrongInput(f"{patient} has no {code.name} to start from; there is {have}")
    now = at or moment(float(seen.at[-1]))
    if now.timestamp() < seen.at[0]:
        first = moment(float(seen.at[0])).isoformat()
        raise WrongInput(f"{patient} has no {code.name} before {first}; choose a later --at")
    lived = true_by(record, now)
    newest = moment(float(lived[code].current.at[-1]))
    twin = alive(patient, model_showing(code), lived)
    return Present(twin, lived, newest)


def alive(patient: str, model: Model[Any], record: Record) -> Twin:
    """Born with the first fact its model knows, and brought through all of them."""
    known = [record[c] for c in places(model) if len(record[c])]
    first = moment(min(float(s.at.min()) for s in known))
    last = moment(max(max(float(s.at.max()), float(s.known.max())) for s in known))
    return caught_up([born(patient, model, first, record)], record, last)


def true_by(record: Record, now: datetime) -> Record:
    """Only what was true by `now`, whenever we learned it: an import learns the past at once."""
    moment = now.timestamp()
    columns = {c: s.keep(s.at <= moment) for c, s in record.columns.items()}
    return Record(record.patient, columns)


def model_showing(code: Code) -> Model[Any]:
    """The model that shows this code: one made for real people before one of virtual ones."""
    fitting = [m for m in _models() if places(m).get(code) is not None and _shows(m, code)]
    if not fitting:
        raise WrongInput(
            f"no model shows {code.name}; there is one for {', '.join(sorted(shown_codes()))}"
        )
    return min(fitting, key=lambda m: m.doubt is None)


def shown_codes() -> set[str]:
    """The ids of every code that some model shows."""
    return {c.id for m in _models() for c in places(m) if _shows(m, c)}


def _shows(model: Model[Any], code: Code) -> bool:
    return code not in model.inputs and code not in model.channels


def _models() -> Iterable[Model[Any]]:
    return everything(physiology, Model).values()
