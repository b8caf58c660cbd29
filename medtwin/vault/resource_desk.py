"""Where questions about resources are answered: the store's view, the keys, whose rows are seen."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select

from medtwin.vault.dialect import Found
from medtwin.vault.resource_asking import Answers, CannotAsk
from medtwin.vault.resource_people import Seen
from medtwin.vault.resources import Version, opened
from medtwin.vault.seal import Seal

most_opened = 20_000  # resources that one question may open


@dataclass(frozen=True)
class Desk:
    """Where questions are answered: the view of the store, its keys, and whose rows are seen."""

    connection: Connection
    key: bytes
    seal_of: Callable[[str], Seal]
    seen: Seen
    now: int
    base: str = ""


@dataclass(frozen=True)
class Plan:
    """What the query can decide, and what has to be opened for."""

    where: tuple[ColumnElement[bool], ...]
    open: tuple[Answers, ...] = ()


def fitting(desk: Desk, found: Plan, query: Select[Any]) -> Iterator[tuple[Found, Version]]:
    """Those whose content fits, opened some hundred at a time."""
    rows = desk.connection.execute(query.where(*found.where).limit(most_opened + 1)).all()
    if len(rows) > most_opened:
        raise CannotAsk(
            "this search",
            f"it would open more than {most_opened:,} resources",
            "a patient, a code or a date beside it, so that fewer are left",
            "too-costly",
        )
    for i in range(0, len(rows), 200):
        some = rows[i : i + 200]
        for row, version in zip(some, versions(desk, some), strict=True):
            if _fits(found.open, version):
                yield row, version


def _fits(open_: Sequence[Answers], version: Version) -> bool:
    resource = orjson.loads(version.raw)
    try:
        return all(answer(resource, version.refers) for answer in open_)
    except (TypeError, AttributeError, KeyError):
        return False  # not shaped as FHIR says: nothing is found in it


def versions(desk: Desk, rows: Sequence[Found]) -> list[Version]:
    """The rows opened, in their order, each with its person's key."""
    by_person: dict[str, list[Found]] = {}
    for row in rows:
        by_person.setdefault(row.patient, []).append(row)
    found: dict[int, Version] = {}
    for patient, theirs in by_person.items():
        seal = desk.seal_of(patient)
        found |= {v.number: v for v in opened(desk.connection, seal, theirs)}
    return [found[row.number] for row in rows]


def cursor(after: str) -> tuple[int, int]:
    parts = re.fullmatch(r"(-?\d{1,19})\.(\d{1,18})", after)
    if parts is None or abs(int(parts[1])) >= 2**63:
        raise CannotAsk(
            "_after", f"{after[:40]!r} is no place in a search", "the next link", "value"
        )
    return int(parts[1]), int(parts[2])
