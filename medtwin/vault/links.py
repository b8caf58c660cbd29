"""Records that may be, or are, of one person: the review list, what was joined, who said so.

A link changes no fact: each stays under its own pseudonym and key. That is why it can be undone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, delete, or_, select, update

from medtwin.vault.dialect import insert_new
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import checkpoints, links
from medtwin.vault.times import moment, moment_or_none


class State(StrEnum):
    """Where a pair stands; the first two are the review list."""

    waiting = "waiting"
    later = "later"
    apart = "apart"
    linked = "linked"
    parted = "parted"


open_to_review = (State.waiting, State.later)


class CannotLink(ValueError):
    """These two cannot be joined, or are not joined; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records, where the pair stands, and why: what was found, and what somebody decided.

    `chance` (0 to 1) is None where nothing was compared; `keep` is under whom both are listed.
    """

    one: str
    other: str
    state: State
    at: datetime
    found: tuple[str, ...]
    chance: float | None
    keep: str | None = None
    decided: datetime | None = None
    by: str = ""
    because: str = ""


def group(c: Connection, patient: str) -> tuple[str, ...]:
    """Everybody this record is read together with, themselves first."""
    found, edge = [patient], [patient]
    while edge:
        pairs = c.execute(select(links.c.one, links.c.other).where(_touching(edge), _linked)).all()
        edge = sorted({name for pair in pairs for name in pair} - set(found))
        found += edge
    return tuple(found)


_linked = links.c.state == State.linked.value


def _touching(people: Iterable[str]) -> Any:
    names = list(people)
    return or_(links.c.one.in_(names), links.c.other.in_(names))


def suspect(
    c: Connection,
    house: Seal,
    pair: tuple[str, str],
    at: int,
    found: tuple[str, ...],
    chance: float | None,
) -> int:
    """Put two on the review list; 0 if they were on it before, whatever was decided then."""
    one, other = sorted(pair)
    sealed = _closed(house, one, other, {"found": found, "chance": chance, "because": ""})
    row = {"one": one, "other": other, "state": State.waiting.value, "at": at, "sealed": sealed}
    return insert_new(c, links, [row])


def pair_of(c: Connection, house: Seal, one: str, other: str) -> Pair | None:
    """What is known of these two as a pair."""
    one, other = sorted((one, other))
    query = select(links).where(links.c.one == one, links.c.other == other)
    row = c.execute(query).first()
    return None if row is None else _opened(house, row)


def pairs(c: Connection, house: Seal, states: Iterable[State]) -> tuple[Pair, ...]:
    """Every pair that stands so; the likeliest first, those put off last."""
    wanted = [state.value for state in states]
    query = select(links).where(links.c.state.in_(wanted)).order_by(links.c.number)
    found = [_opened(house, row) for row in c.execute(query)]
    return tuple(sorted(found, key=lambda p: (p.state is State.later, -(p.chance or 1.0))))


def decide(
    c: Connection, house: Seal, pair: Pair, state: State, at: int, by: str, because: str
) -> None:
    """What somebody decided about two records, and why."""
    said = {"found": pair.found, "chance": pair.chance, "because": because}
    sealed = _closed(house, pair.one, pair.other, said)
    row = {"state": state.value, "keep": pair.keep, "decided": at, "by": by, "sealed": sealed}
    this = (links.c.one == pair.one, links.c.other == pair.other)
    c.execute(update(links).where(*this).values(row))
    if state in (State.linked, State.parted):  # a twin that knew half, or too much, begins anew
        both = [pair.one, pair.other]
        c.execute(delete(checkpoints).where(checkpoints.c.patient.in_(both)))


def linkable(c: Connection, keep: str, other: str) -> None:
    """`CannotLink` if they are one record, or read together already."""
    if keep == other:
        raise CannotLink(f"{keep} and {other} are one record; name two")
    if other in group(c, keep):
        raise CannotLink(f"{keep} and {other} are read together already; unlink them first")


def set_aside(c: Connection) -> dict[str, str]:
    """Those listed under another's pseudonym, and under whose."""
    rows = c.execute(select(links).where(_linked).order_by(links.c.number)).all()
    under = {r.other if r.keep == r.one else r.one: r.keep for r in rows}
    return {name: _last(name, under) for name in under}


def _last(name: str, under: Mapping[str, str]) -> str:
    seen = set()
    while name in under and name not in seen:
        seen.add(name)
        name = under[name]
    return name


def forget(c: Connection, patient: str) -> None:
    """Nothing of a retired person stays, not even whom they resembled."""
    c.execute(delete(links).where(_touching([patient])))


def _closed(house: Seal, one: str, other: str, said: Mapping[str, Any]) -> bytes:
    return house.close(place("", "links", one, other), orjson.dumps(said))


def _opened(house: Seal, r: Any) -> Pair:
    said = orjson.loads(house.open(place("", "links", r.one, r.other), r.sealed))
    return Pair(
        r.one,
        r.other,
        State(r.state),
        moment(r.at),
        tuple(said["found"]),
        said["chance"],
        r.keep,
        moment_or_none(r.decided),
        r.by or "",
        said["because"],
    )
