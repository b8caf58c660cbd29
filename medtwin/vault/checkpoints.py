"""Dated states of a twin, kept so that a late fact can be replayed from before it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from medtwin.vault.dialect import put
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import checkpoints
from medtwin.vault.times import micros

hour = 3_600_000_000
day = 24 * hour
newest_kept = 12


def _of(patient: str, model: str) -> ColumnElement[bool]:
    return and_(checkpoints.c.patient == patient, checkpoints.c.model == model)


def keep(c: Connection, seal: Seal, model: str, at: datetime, twin: bytes) -> None:
    """Keep this state, and thin out the old ones."""
    bound = place(seal.owner, "checkpoints", model, micros(at))
    row = {"patient": seal.owner, "model": model, "at": micros(at)}
    put(c, checkpoints, [row | {"sealed": seal.close(bound, twin)}])
    times = c.execute(select(checkpoints.c.at).where(_of(seal.owner, model))).scalars()
    gone = spare(times)
    if gone:
        c.execute(delete(checkpoints).where(_of(seal.owner, model), checkpoints.c.at.in_(gone)))


def spare(times: Iterable[int]) -> list[int]:
    """Which checkpoints to drop: the newest stay, then one an hour, one a day, one a week."""
    order = sorted(times, reverse=True)
    seen: set[tuple[int, int]] = set()
    gone = []
    for at in order[newest_kept:]:
        age = order[0] - at
        width = hour if age < 2 * day else day if age < 60 * day else 7 * day
        if (width, at // width) in seen:
            gone.append(at)
        seen.add((width, at // width))
    return gone


def latest(
    c: Connection, patient: str, model: str, before: datetime | None
) -> tuple[int, bytes] | None:
    """The last state (strictly before a moment, if one is given): its time, and it, sealed."""
    query = select(checkpoints.c.at, checkpoints.c.sealed).where(_of(patient, model))
    if before is not None:
        query = query.where(checkpoints.c.at < micros(before))
    found = c.execute(query.order_by(checkpoints.c.at.desc()).limit(1)).first()
    return None if found is None else (found.at, found.sealed)


def opened(seal: Seal, model: str, at: int, sealed: bytes) -> bytes:
    """The twin's bytes, as they were kept."""
    return seal.open(place(seal.owner, "checkpoints", model, at), sealed)


def forget(c: Connection, patient: str, model: str, after: datetime) -> int:
    """Drop the states from `after` on; how many."""
    late = checkpoints.c.at >= micros(after)
    return c.execute(delete(checkpoints).where(_of(patient, model), late)).rowcount
