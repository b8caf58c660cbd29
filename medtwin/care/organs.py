"""The twins of the other organs: every model that follows something this person's record holds.

Glucose has the round; these are tended when one of their facts arrives, a level or a clotting
time, however seldom. The folder `physiology` is the list: a model that names its `horizons`
is followed, for whoever has readings of what it shows.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

import medtwin.physiology
from medtwin.care.admission import the_round
from medtwin.care.event import Event, What
from medtwin.catalogue import everything
from medtwin.engine.model import Model, seconds_in
from medtwin.maths.kalman import reading
from medtwin.physiology import glucose_living
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.record import Record, facts, moment
from medtwin.twin.bytes import NotATwin, dumped, loaded
from medtwin.twin.forecast import Forecast, forecast
from medtwin.twin.scored_life import lived_and_scored
from medtwin.twin.timeline import places
from medtwin.twin.twin import Twin, born
from medtwin.vault.access import Principal, Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

habit = 3
"""So many doses within a week are a habit that is taken to go on."""


@dataclass(frozen=True)
class Expected:
    """What one organ's twin expects to be read, with its doubt, at its model's own horizons.

    `plan` is what is taken to go on meanwhile: the doses of the last week, where they are regular.
    """

    twin: Twin
    ahead: tuple[Forecast, ...]
    plan: tuple[Observation, ...] = ()


@cache
def library() -> tuple[Model[Any], ...]:
    """The models that follow real people, besides that of glucose, which has the round."""
    found = everything(medtwin.physiology, Model).values()
    return tuple(m for m in found if m.horizons and m is not glucose_living.model)


def shows(model: Model[Any]) -> tuple[Code, ...]:
    """The codes whose readings teach this model's twin."""
    return tuple(code for code, (kind, _) in places(model).items() if kind == reading)


def followed(known: Sequence[Code]) -> Iterator[Model[Any]]:
    """The models that have something to learn from among these codes: readings of what they
    show, and something of what they take (an INR without warfarin is no business of warfarin's).
    """
    return (m for m in library() if _any(shows(m), known) and _any(taken(m), known, empty=True))


def taken(model: Model[Any]) -> tuple[Code, ...]:
    """Everything that the model takes, at once or running."""
    return (*model.inputs, *model.channels)


def teach_organs(new: Sequence[Observation]) -> bool:
    """Whether any of these facts is of a kind that some organ's model knows."""
    codes = {fact.code for fact in new}
    return any(codes & set(places(m)) for m in library())


def _any(codes: Sequence[Code], known: Sequence[Code], *, empty: bool = False) -> bool:
    return any(code in known for code in codes) or (empty and not codes)


def tend_organs(
    patient: str,
    vault: Vault,
    tell: Callable[[Event], object],
    now: datetime,
    reached: dict[str, int],
) -> tuple[Expected, ...]:
    """Each organ's twin of this person that has news is brought to now, kept and scored.

    `reached` remembers the last fact seen of each person. Nothing where they agreed to no twin.
    """
    try:
        number, news = vault.news(the_round, patient, Purpose.twin, reached.get(patient, 0))
    except Refused:
        reached.pop(patient, None)
        return ()
    new = {fact.code for fact in news}
    touched = [m for m in library() if new & set(places(m))]
    found = (brought_up(vault, the_round, patient, m, now) for m in touched)
    tended = tuple(e for e in found if e is not None)
    reached[patient] = number
    for one in tended:
        for ahead in one.ahead:
            tell(Event(patient, What.forecast, now, {"code": ahead.code.id, "by": ahead.by}))
    return tended


def brought_up(
    vault: Vault, who: Principal, patient: str, model: Model[Any], now: datetime
) -> Expected | None:
    """This organ's twin as of now: from where it was kept, or born with its first fact.

    What it expected of each new reading goes into the ledger. None where nothing that the model
    shows was ever read. Raises Refused without consent to a twin.
    """
    record = vault.record(who, patient, Purpose.twin, by=now, codes=covered(model))
    record = true_by(record, now)
    if model not in followed([code for code in record.columns if len(record[code])]):
        return None
    twin = lived(vault, who, record, model)
    plan = going_on(record, model, now)
    return Expected(twin, looked_ahead(twin, record, now, plan), plan)


def covered(model: Model[Any]) -> tuple[Code, ...]:
    """Every code of which this model knows something, covariates too."""
    return (*places(model), *model.covariates.values())


def true_by(record: Record, now: datetime) -> Record:
    """Without what is only to come."""
    kept = {c: s.keep(s.at <= now.timestamp()) for c, s in record.columns.items()}
    return Record(record.patient, kept)


def lived(vault: Vault, who: Principal, record: Record, model: Model[Any]) -> Twin:
    """The twin as it was kept where it holds every fact; gone on from there where all that is
    new is later; otherwise it lives anew from its birth.

    A late fact gives the twin that facts in order would have given. What it foretold is kept
    before the twin: killed in between, it only lives once more.
    """
    told, first = everything_of(record, model), newborn(record, model)
    kept = kept_state(vault, who, record.patient, model)
    if kept is not None and in_step(kept, first, told):
        return kept
    begun, left = gone_on(kept, first, told)
    twin, scored = lived_and_scored(begun, left)
    vault.keep_entries(who, record.patient, scored, Purpose.twin)
    vault.forget_checkpoints(who, record.patient, model.name, Purpose.twin, moment(0.0))
    vault.keep(who, dumped(twin), twin.patient, model.name, moment(twin.at), Purpose.twin)
    return twin


def gone_on(
    kept: Twin | None, first: Twin, told: Sequence[Observation]
) -> tuple[Twin, list[Observation]]:
    """Where to live on from, and through what: the twin as kept, if what it has not lived through
    is later than itself; else its birth."""
    if kept is not None:
        before = [fact for fact in told if fact.at.timestamp() <= kept.at]
        if before and in_step(kept, first, before):
            return kept, [fact for fact in told if fact.at.timestamp() > kept.at]
    return first, list(told)


def newborn(record: Record, model: Model[Any]) -> Twin:
    """Born with the first fact, of the person's size, age and genes as they were then, or as they
    were first found later: when we learned of them does not change whose body it is."""
    at = min(fact.at for fact in everything_of(record, model))
    return born(record.patient, model, at, _told_at_birth(record, model, at))


def _told_at_birth(record: Record, model: Model[Any], at: datetime) -> Record:
    told = []
    for code in set(model.covariates.values()):
        seen = record[code].current
        if len(seen):
            i = max(0, int(np.searchsorted(seen.at, at.timestamp(), side="right")) - 1)
            told.append(Observation(at, code, float(seen.value[i]), "at birth", at))
    return Record(record.patient).add(told)


def in_step(twin: Twin, first: Twin, told: Sequence[Observation]) -> bool:
    """Whether the twin was born as `first` and has lived through exactly these facts."""
    newest = max(fact.known.timestamp() for fact in told)
    same_body = _told_of(twin) == _told_of(first) and twin.born == first.born
    return same_body and twin.facts == len(told) and twin.told >= newest


def _told_of(twin: Twin) -> dict[str, float]:
    """The covariates that the record told: all members agree on them, and learning moves none."""
    names = [f.name for f in fields(twin.model.parameters)]
    rows = {name: twin.parameters[names.index(name)] for name in twin.model.covariates}
    return {
        n: round(float(v[0]), 6) for n, v in rows.items() if np.ptp(v) < 1e-9 * abs(v[0]) + 1e-12
    }


def kept_state(vault: Vault, who: Principal, patient: str, model: Model[Any]) -> Twin | None:
    """The twin as it was last kept; none where it was kept by another version."""
    found = vault.checkpoint(who, patient, model.name, Purpose.twin)
    with suppress(NotATwin):
        return None if found is None else loaded(found)
    return None


def everything_of(record: Record, model: Model[Any]) -> list[Observation]:
    """What the twin lives through, as it now stands corrected."""
    return [fact for code in places(model) for fact in facts(code, record[code].current)]


def going_on(record: Record, model: Model[Any], now: datetime) -> tuple[Observation, ...]:
    """The last week's doses, week after week until the last horizon, where there were enough of
    them to be a habit; otherwise nothing."""
    week, end = timedelta(days=7), now + asked_ahead(model)[-1]
    since, by = (now - week).timestamp(), now.timestamp()
    doses = [
        f
        for c in model.inputs
        for f in facts(c, record[c].current)
        if since < f.at.timestamp() <= by
    ]
    if len(doses) < habit:
        return ()
    weeks = range(1, int((end - now) / week) + 2)
    coming = (
        replace(f, at=f.at + week * k, known=now, source="as in the last week")
        for k in weeks
        for f in doses
    )
    return tuple(sorted((f for f in coming if now < f.at <= end), key=lambda f: f.at))


def asked_ahead(model: Model[Any]) -> tuple[timedelta, ...]:
    """How far ahead this model's twin is asked."""
    return tuple(timedelta(seconds=h * seconds_in[model.clock]) for h in model.horizons)


def looked_ahead(
    twin: Twin, record: Record, now: datetime, plan: tuple[Observation, ...] = ()
) -> tuple[Forecast, ...]:
    """Each code the model shows and this person has readings of, at its horizons from now."""
    start = max(now, moment(twin.at))
    times = [start + h for h in asked_ahead(twin.model)]
    return tuple(forecast(twin, c, times, plan) for c in shows(twin.model) if len(record[c]))
