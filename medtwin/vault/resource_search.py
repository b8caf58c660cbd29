"""Search: a page of what fits, in the order asked for, and how many there are."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Select, and_, func, literal, or_, select

from medtwin.vault.dialect import Found
from medtwin.vault.resource_asking import Search, parameter_of
from medtwin.vault.resource_criteria import plan
from medtwin.vault.resource_desk import Desk, Plan, cursor, fitting, versions
from medtwin.vault.resource_index import digest, of_identity
from medtwin.vault.resource_values import Parameter, plain, values
from medtwin.vault.resources import Version
from medtwin.vault.tables import resource_times, resources

r, t = resources.c, resource_times.c
far = 2**62


@dataclass(frozen=True)
class Answer:
    """A page of what was found, and where the next one begins ("" after the last)."""

    versions: tuple[Version, ...]
    after: str


def count(desk: Desk, search: Search) -> int:
    """How many there are."""
    found = plan(desk, search)
    if found.open:
        return sum(1 for _ in fitting(desk, found, select(resources).order_by(r.number)))
    query = select(func.count()).select_from(resources).where(*found.where)
    return desk.connection.execute(query).scalar_one()


def page(desk: Desk, search: Search) -> Answer:
    """The next `search.count` of them, in the order asked for."""
    found = plan(desk, search)
    if any(not _in_query(search.kind, one) for one, _ in search.sort):
        return _sorted_open(desk, search, found)
    keys = [_key(desk, search.kind, one, last_first) for one, last_first in search.sort[:1]]
    key, last_first = keys[0] if keys else (r.number, False)
    ordered = _ordered(found, key, last_first, search.after)
    rows = _rows(desk, replace(found, where=()), ordered, search.count + 1)
    return _cut(desk, rows, search.count)


def _in_query(kind: str, parameter: str) -> bool:
    if parameter == "_lastUpdated":
        return True
    one = parameter_of(kind, parameter)
    return one.type == "date" and one.name not in of_identity


def _key(desk: Desk, kind: str, parameter: str, last_first: bool) -> tuple[Any, bool]:
    if parameter == "_lastUpdated":
        return r.updated, last_first
    word = digest(desk.key, f"D|{kind}.{parameter}|")
    end = func.max(t.high) if last_first else func.min(t.low)
    mine = (t.word == word, t.patient == r.patient, t.resource == r.number)
    value = select(end).where(*mine).correlate(resources).scalar_subquery()
    return func.coalesce(value, -far if last_first else far), last_first


def _ordered(found: Plan, key: Any, last_first: bool, after: str) -> Select[Any]:
    query = select(resources, key.label("key")).where(*found.where)
    query = query.order_by(key.desc() if last_first else key, r.number)
    if not after:
        return query
    value, number = cursor(after)
    beyond = key < value if last_first else key > value
    return query.where(or_(beyond, and_(key == value, r.number > number)))


def _rows(desk: Desk, found: Plan, query: Select[Any], most: int) -> list[tuple[Found, Version]]:
    if not found.open:
        rows = desk.connection.execute(query.limit(most)).all()
        return list(zip(rows, versions(desk, rows), strict=True))
    return list(islice(fitting(desk, found, query), most))


def _cut(desk: Desk, rows: list[tuple[Found, Version]], most: int) -> Answer:
    kept = rows[:most]
    last = kept[-1][0] if kept and len(rows) > most else None
    after = "" if last is None else f"{last.key}.{last.number}"
    return Answer(tuple(version for _, version in kept), after)


def _sorted_open(desk: Desk, search: Search, found: Plan) -> Answer:
    """Sorted by what is sealed: everything found is opened, so it must not be too much."""
    query = select(resources, literal(0).label("key")).order_by(r.number)
    everything = [version for _, version in fitting(desk, found, query)]
    for one, last_first in reversed(search.sort):
        parameter = None if one in ("_id", "_lastUpdated") else parameter_of(search.kind, one)
        everything.sort(key=lambda v, p=parameter: _sortable(p, v), reverse=last_first)
    start = cursor(search.after)[1] if search.after else 0
    end = start + search.count
    after = f"0.{end}" if len(everything) > end else ""
    return Answer(tuple(everything[start:end]), after)


def _sortable(parameter: Parameter | None, version: Version) -> tuple[bool, Any]:
    if parameter is None:
        return False, version.number
    there = values(parameter, orjson.loads(version.raw))
    first = min((_comparable(parameter, v) for v in there), default=None)
    return (True, 0) if first is None else (False, first)


def _comparable(parameter: Parameter, value: Any) -> Any:
    if parameter.type == "token":
        return value[1]
    if parameter.type in ("quantity", "number"):
        return value[0]
    return plain(value) if isinstance(value, str) else value
