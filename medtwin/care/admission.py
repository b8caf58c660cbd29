"""Taking a person up: from the vault's checkpoints after a restart, by birth the first time."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from medtwin.engine.model import Model
from medtwin.learning.head import Learned
from medtwin.learning.kept import Unreadable
from medtwin.learning.kept import dumped as head_dumped
from medtwin.learning.kept import loaded as head_loaded
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record, moment
from medtwin.twin.assimilate import NoCheckpoint, caught_up
from medtwin.twin.bytes import NotATwin, dumped, loaded
from medtwin.twin.heads import of_silence, speaking
from medtwin.twin.ledger import LedgerEntry, recent
from medtwin.twin.loop import Following
from medtwin.twin.mix import Weights, mechanism, weights
from medtwin.twin.personal import Personal
from medtwin.twin.silence import weights_of
from medtwin.twin.twin import Twin, born
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

the_round = Principal("the round", Role.system)
lived = timedelta(days=2)
looked_back = timedelta(hours=6)
own_head = "statistical head of the person's own past"
own_heads = ("ridge_inputs", "lightgbm_person", *of_silence)
"""The heads that a person's own past teaches; what others lived through teaches none of them."""
a_day_of_forecasts = 576  # every quarter of an hour, at six horizons
taken_back = 12


def at_birth(model: Model[Any]) -> str:
    """The name under which a twin is kept as it was born."""
    return f"{model.name}, at birth"


def taken_up(
    vault: Vault,
    patient: str,
    facts: tuple[Observation, ...],
    now: datetime,
    model: Model[Any] = model,
) -> Following | None:
    """The person as their twin of this model was when last kept, or newly born.

    None where no glucose was ever measured. The twin that goes on from here equals, bit for
    bit, the one that was never interrupted: it is caught up from dated states.
    """
    record = Record(patient).add(facts)
    if not len(record[codes.glucose].by(now.timestamp())):
        return None
    checkpoints = kept_twins(vault, patient, now, model)
    try:
        checkpoints = (*checkpoints, caught_up(checkpoints, record, now))
    except NoCheckpoint:
        checkpoints = admitted(vault, record, now, model=model)
    ledger, learned = pages(vault, patient, now), kept_heads(vault, patient)
    waiting = (e for e in ledger if e.measured is None and e.due > now - looked_back)
    return Following(
        record,
        checkpoints,
        heads=tuple(map(speaking, learned)),
        weights=supported(ledger, now, learned),
        waiting=tuple(waiting),
    )


def pages(vault: Vault, patient: str, now: datetime) -> tuple[LedgerEntry, ...]:
    """The ledger of the last two weeks."""
    return vault.ledger(the_round, patient, Purpose.twin, now - timedelta(days=14))


def kept_twins(
    vault: Vault, patient: str, now: datetime, model: Model[Any] = model
) -> tuple[Twin, ...]:
    """The states kept of late, and the twin as it was born, oldest first."""
    found, before = [], None
    for _ in range(taken_back):
        kept = vault.checkpoint(the_round, patient, model.name, Purpose.twin, before)
        if kept is None:
            break
        found.append(kept)
        before = moment(loaded(kept).at) if _readable(kept) else None
        if before is None or before < now - looked_back:
            break
    birth = vault.checkpoint(the_round, patient, at_birth(model), Purpose.twin)
    twins = [loaded(kept) for kept in (*found, *([birth] if birth else [])) if _readable(kept)]
    return tuple(sorted(twins, key=lambda t: t.at))


def admitted(
    vault: Vault,
    record: Record,
    now: datetime,
    personal: Personal | None = None,
    model: Model[Any] = model,
) -> tuple[Twin, Twin]:
    """A twin born two days ago from what was known then, and as those days have taught it."""
    patient = record.patient
    first = birth_of(patient, record, now, personal, model)
    for name in (
        at_birth(model),
        model.name,
    ):  # a late fact must not replay from who they were before
        vault.forget_checkpoints(the_round, patient, name, Purpose.twin, moment(0.0))
    keep(vault, first, at_birth(model))
    twin = caught_up([first], record, now)
    keep(vault, twin)
    return first, twin


def birth_of(
    patient: str,
    record: Record,
    now: datetime,
    personal: Personal | None = None,
    model: Model[Any] = model,
) -> Twin:
    """Born two days before the newest reading, or with the first one."""
    seen = record[codes.glucose].by(now.timestamp()).current
    at = max(float(seen.at[0]), float(seen.at[-1]) - lived.total_seconds())
    return born(patient, model, moment(at), record, personal=personal)


def keep(vault: Vault, twin: Twin, name: str | None = None) -> None:
    """The twin's state, kept under its own time and its model's name, or another."""
    at, name = moment(twin.at), name or twin.model.name
    vault.keep(the_round, dumped(twin), twin.patient, name, at, Purpose.twin)


def supported(
    ledger: tuple[LedgerEntry, ...], now: datetime, learned: Sequence[Learned]
) -> Weights:
    """What the track record until midnight supports: the same all day, restarted or not.

    A head that began to speak lately waits until it was held against what came for a day. Those of
    a silent sensor count at once, by their rehearsal: silences are rare.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    scored = [e for e in recent(ledger, now, 14) if e.due <= midnight and e.measured is not None]
    awake = [one for one in learned if one.head not in of_silence]
    spoke = Counter(e.by for e in scored)
    enough = min(spoke[mechanism] / 2, a_day_of_forecasts)
    tried = (one.head for one in awake if spoke[one.head] >= enough)
    found = weights(scored, (mechanism, *tried))
    return replace(found, silent=weights_of(learned, scored))


def keep_heads(vault: Vault, patient: str, learned: Sequence[Learned], now: datetime) -> None:
    """What the statistical heads have learned, each sealed like a twin, in place of the last."""
    for head in own_heads:
        vault.forget_checkpoints(the_round, patient, place_of(head), Purpose.twin, moment(0.0))
    for one in learned:
        place = place_of(one.head)
        vault.keep(the_round, head_dumped(one), patient, place, now, Purpose.twin)


def kept_heads(vault: Vault, patient: str) -> tuple[Learned, ...]:
    """The heads kept last; without those that another version kept."""
    found = []
    for head in own_heads:
        kept = vault.checkpoint(the_round, patient, place_of(head), Purpose.twin)
        with suppress(Unreadable):
            found += [] if kept is None else [head_loaded(kept)]
    return tuple(found)


def place_of(head: str) -> str:
    """The name under which a head of a person's own past is kept."""
    return own_head if head == own_heads[0] else f"{own_head}, {head}"


def _readable(kept: bytes) -> bool:
    """A state of a model that has changed since is no use; the record is, and it is all there."""
    try:
        loaded(kept)
    except NotATwin:
        return False
    return True
