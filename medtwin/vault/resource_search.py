"""Search: criteria become one query, consent inside it; what it cannot answer is opened here."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, literal, or_, select

from medtwin.vault.dialect import Found
from medtwin.vault.resource_asking import (
    Answers,
    Asked,
    CannotAsk,
    Search,
    answers,
    asked_span,
    parameter_of,
    span_fits,
    split,
)
from medtwin.vault.resource_index import (
    digest,
    is_indexed,
    longest,
    name,
    of_identity,
    owning,
    target,
    together,
    token_word,
)
from medtwin.vault.resource_people import Seen
from medtwin.vault.resource_values import Parameter, plain, values
from medtwin.vault.resources import Version, opened
from medtwin.vault.seal import Seal
from medtwin.vault.tables import (
    resource_links,
    resource_systems,
    resource_times,
    resource_words,
    resources,
)

most_opened = 20_000  # resources that one question may open
pseudonym = re.compile(r"p-[0-9A-HJKMNP-TV-Z]{12}")
r, w, t, li = resources.c, resource_words.c, resource_times.c, resource_links.c
far = 2**62


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


@dataclass(frozen=True)
class Answer:
    """A page of what was found, and where the next one begins ("" after the last)."""

    versions: tuple[Version, ...]
    after: str


def plan(desk: Desk, search: Search) -> Plan:
    """How a search is answered."""
    here = (r.kind == search.kind, r.shown, desk.seen.of(r.patient))
    parts = [_criterion(desk, search.kind, asked) for asked in search.asked]
    where = [w for p in parts for w in p.where]
    return Plan((*here, *where), tuple(o for p in parts for o in p.open))


def count(desk: Desk, search: Search) -> int:
    """How many there are."""
    found = plan(desk, search)
    if found.open:
        return sum(1 for _ in _fitting(desk, found, select(resources).order_by(r.number)))
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


def cursor(after: str) -> tuple[int, int]:
    parts = re.fullmatch(r"(-?\d{1,19})\.(\d{1,19})", after)
    if parts is None:
        raise CannotAsk(
            "_after", f"{after[:40]!r} is no place in a search", "the next link", "value"
        )
    return int(parts[1]), int(parts[2])


def _rows(desk: Desk, found: Plan, query: Select[Any], most: int) -> list[tuple[Found, Version]]:
    if not found.open:
        rows = desk.connection.execute(query.limit(most)).all()
        return list(zip(rows, versions(desk, rows), strict=True))
    fitting = _fitting(desk, found, query)
    return [pair for pair, _ in zip(fitting, range(most), strict=False)]


def _fitting(desk: Desk, found: Plan, query: Select[Any]) -> Iterator[tuple[Found, Version]]:
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


def _cut(desk: Desk, rows: list[tuple[Found, Version]], most: int) -> Answer:
    kept = rows[:most]
    last = kept[-1][0] if kept and len(rows) > most else None
    after = "" if last is None else f"{last.key}.{last.number}"
    return Answer(tuple(version for _, version in kept), after)


def _sorted_open(desk: Desk, search: Search, found: Plan) -> Answer:
    """Sorted by what is sealed: everything found is opened, so it must not be too much."""
    query = select(resources, literal(0).label("key")).order_by(r.number)
    everything = [version for _, version in _fitting(desk, found, query)]
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


def _criterion(desk: Desk, kind: str, asked: Asked) -> Plan:
    if asked.has:
        return Plan((_has(desk, kind, asked),))
    if asked.parameter == "_id":
        names = [name(desk.key, kind, v) for v in asked.values]
        also = aliases(asked.values) if kind == "Patient" else []
        return Plan((or_(r.name.in_(names), r.patient.in_(also)),))
    if asked.parameter == "_lastUpdated":
        return Plan((or_(*[_updated(desk, v) for v in asked.values]),))
    parameter = parameter_of(kind, asked.parameter)
    if asked.chain is not None:
        return Plan((_chained(desk, parameter, asked, asked.chain),))
    both = together.get(f"{kind}.{asked.parameter}")
    if both and asked.modifier in ("", "not"):
        parts = [_criterion(desk, kind, replace(asked, parameter=p, modifier="")) for p in both]
        if not any(p.open for p in parts):
            either = or_(*[and_(*p.where) for p in parts])
            return Plan((~either if asked.modifier else either,))
    return _planned(desk, parameter, asked)


def _planned(desk: Desk, parameter: Parameter, asked: Asked) -> Plan:
    kind = parameter.kind
    slow = (answers(kind, asked, desk.now),)
    if not is_indexed(parameter) or asked.modifier == "missing":
        return Plan((), slow)
    made = INDEXED.get(parameter.type)
    return Plan((), slow) if made is None else made(desk, parameter, asked, Plan((), slow))


def _holding(desk: Desk, words: Sequence[int]) -> ColumnElement[bool]:
    """Resources in which one of these words stands."""
    query = select(w.resource).where(w.word.in_(list(words)), desk.seen.of(w.patient))
    return r.number.in_(query)


def _tokens(desk: Desk, parameter: Parameter, asked: Asked, slow: Plan) -> Plan:
    words = [_token_words(desk, parameter, value) for value in asked.values]
    if asked.modifier not in ("", "not") or not all(words):
        return slow
    there = _holding(desk, [word for some in words for word in some])
    return Plan((~there if asked.modifier == "not" else there,))


def _token_words(desk: Desk, parameter: Parameter, value: str) -> list[int]:
    """A code alone may be of any system that this parameter was ever seen with."""
    parts = split(value, "|")
    prefix = f"{parameter.kind}.{parameter.name}|"
    if len(parts) == 2 and parts[1]:
        return [token_word(desk.key, prefix, parts[0], parts[1])]
    if len(parts) != 1 or not parts[0]:
        return []
    seen = select(resource_systems.c.system).where(resource_systems.c.parameter == prefix)
    systems = {"", *desk.connection.execute(seen).scalars()}
    return [token_word(desk.key, prefix, system, parts[0]) for system in systems]


def _strings(desk: Desk, parameter: Parameter, asked: Asked, slow: Plan) -> Plan:
    bare = [plain(value) for value in asked.values]
    if asked.modifier == "contains" or not all(bare):
        return slow
    prefix = f"S|{parameter.kind}.{parameter.name}|"
    there = _holding(desk, [digest(desk.key, f"{prefix}{one[:longest]}") for one in bare])
    exact = not asked.modifier and all(len(one) <= longest for one in bare)
    return Plan((there,), () if exact else slow.open)


def _uris(desk: Desk, parameter: Parameter, asked: Asked, slow: Plan) -> Plan:
    if asked.modifier:
        return slow
    prefix = f"U|{parameter.kind}.{parameter.name}|"
    return Plan((_holding(desk, [digest(desk.key, f"{prefix}{v}") for v in asked.values]),))


def _dates(desk: Desk, parameter: Parameter, asked: Asked, slow: Plan) -> Plan:
    prefix = f"D|{parameter.kind}.{parameter.name}|"
    wanted = [asked_span(parameter.name, value) for value in asked.values]
    if parameter.name in of_identity:
        if any(how != "eq" for how, _ in wanted):
            return slow
        words = [digest(desk.key, f"{prefix}{low}|{high}") for _, (low, high) in wanted]
        return (
            Plan((_holding(desk, words),), slow.open) if all(_a_day(s) for _, s in wanted) else slow
        )
    word = digest(desk.key, prefix)
    fits = or_(*[compared(how, span, (t.low, t.high), desk.now) for how, span in wanted])
    query = select(t.resource).where(t.word == word, desk.seen.of(t.patient), fits)
    return Plan((r.number.in_(query),))


def _a_day(span: tuple[int, int]) -> bool:
    return span[1] - span[0] < 86_400_000_000


def compared(
    prefix: str, wanted: tuple[int, int], there: tuple[Any, Any], now: int
) -> ColumnElement[bool]:
    """`span_fits`, as the query says it."""
    (low, high), (begins, ends) = wanted, there
    inside = and_(begins >= low, ends <= high)
    slack = abs(now - low) // 10
    return {
        "eq": inside,
        "ne": ~inside,
        "gt": ends > high,
        "lt": begins < low,
        "ge": or_(ends > high, inside),
        "le": or_(begins < low, inside),
        "sa": begins > high,
        "eb": ends < low,
        "ap": and_(begins <= high + slack, ends >= low - slack),
    }[prefix]


def _updated(desk: Desk, value: str) -> ColumnElement[bool]:
    prefix, wanted = asked_span("_lastUpdated", value)
    return compared(prefix, wanted, (r.updated, r.updated), desk.now)


def _references(desk: Desk, parameter: Parameter, asked: Asked, slow: Plan) -> Plan:
    if asked.modifier == "identifier":
        return _identified(parameter, asked)
    targets = [t for v in asked.values for t in _targets(desk, parameter, asked.modifier, v)]
    linked = false()
    if targets:
        word = digest(desk.key, f"L|{parameter.kind}.{parameter.name}|")
        names = [target(desk.key, one) for one in targets]
        there = (li.target.in_(names), li.word == word, desk.seen.of(li.patient))
        linked = r.number.in_(select(li.resource).where(*there))
    if not owning(parameter):
        return Plan((linked,))
    return Plan((or_(linked, r.patient.in_(_owners(desk, targets, asked.values))),))


def _targets(desk: Desk, parameter: Parameter, kind: str, value: str) -> list[str]:
    """What is meant by `Patient/7`, `7`, or an address of this server or another."""
    value = value.removeprefix(desk.base).lstrip("/") if desk.base else value
    if "/" in value or value.startswith("urn:"):
        return [value.split("/_history/")[0]]
    kinds = [kind] if kind else sorted(parameter.targets)
    return [f"{k}/{value}" for k in kinds]


def _owners(desk: Desk, targets: Sequence[str], values_: Sequence[str]) -> Any:
    """The people who are these patients; a pseudonym is its own name."""
    names = [target(desk.key, one) for one in targets if one.startswith("Patient/")]
    known = select(r.patient).where(r.name.in_(names), r.kind == "Patient", r.patient != "")
    found = set(desk.connection.execute(known).scalars())
    return [*found, *aliases(values_)]


def aliases(values_: Sequence[str]) -> list[str]:
    last = (v.rpartition("/")[2] for v in values_)
    return [v for v in last if pseudonym.fullmatch(v)]


def _identified(parameter: Parameter, asked: Asked) -> Plan:
    def answer(resource: Any, _: Any) -> bool:
        from medtwin.vault.resource_asking import token_fits
        from medtwin.vault.resource_values import found, tokens

        nodes = [n.get("identifier") for n in found(parameter, resource) if isinstance(n, dict)]
        there = [one for n in nodes for one in tokens(n)]
        return any(token_fits(v, one) for v in asked.values for one in there)

    return Plan((), (answer,))


INDEXED: dict[str, Callable[[Desk, Parameter, Asked, Plan], Plan]] = {
    "token": _tokens,
    "string": _strings,
    "uri": _uris,
    "date": _dates,
    "reference": _references,
}


def _inner(desk: Desk, search: Search) -> tuple[ColumnElement[bool], ...]:
    """A search inside a search; what has to be opened is opened first, and named by number."""
    found = plan(desk, search)
    if not found.open:
        return found.where
    query = select(resources).order_by(r.number)
    return (r.number.in_([row.number for row, _ in _fitting(desk, found, query)]),)


def _chained(desk: Desk, parameter: Parameter, asked: Asked, chain: Asked) -> ColumnElement[bool]:
    """`patient.name=peter`, `subject:Patient.name=peter`: asked of what it points at."""
    kinds = [asked.modifier] if asked.modifier else sorted(parameter.targets)
    ways = []
    for kind in kinds:
        try:
            where = _inner(desk, Search(kind, (chain,)))
        except CannotAsk:
            if len(kinds) == 1:
                raise
            continue
        ways.append(_leading(desk, parameter, kind, where))
    if not ways:
        raise CannotAsk(
            f"{asked.parameter}.{chain.parameter}",
            f"none of {', '.join(kinds)} has it",
            f"{asked.parameter}:KIND.PARAMETER",
        )
    return or_(*ways)


def _leading(desk: Desk, parameter: Parameter, kind: str, where: Any) -> ColumnElement[bool]:
    word = digest(desk.key, f"L|{parameter.kind}.{parameter.name}|")
    met = select(r.name).where(*where)
    inner = met.subquery()
    linked = r.number.in_(
        select(li.resource).where(li.word == word, li.target.in_(select(inner.c.name)))
    )
    if not (owning(parameter) and kind == "Patient"):
        return linked
    people = select(r.patient).where(*where).subquery()
    return or_(linked, r.patient.in_(select(people.c.patient)))


def _has(desk: Desk, kind: str, asked: Asked) -> ColumnElement[bool]:
    """`_has:Observation:patient:code=x`: something points here of which that is true."""
    parameter = parameter_of(asked.has, asked.parameter)
    if asked.chain is None:
        raise CannotAsk("_has", "it asks nothing", "_has:KIND:REFERENCE:PARAMETER=value")
    where = _inner(desk, Search(asked.has, (asked.chain,)))
    met = select(r.number, r.patient).where(*where).subquery()
    word = digest(desk.key, f"L|{parameter.kind}.{parameter.name}|")
    pointing = select(li.target).where(li.word == word, li.resource.in_(select(met.c.number)))
    linked = r.name.in_(pointing)
    if not (owning(parameter) and kind == "Patient"):
        return linked
    return or_(linked, r.patient.in_(select(met.c.patient).where(met.c.patient != "")))


__all__ = ["Answer", "Desk", "compared", "count", "page", "plan", "span_fits", "versions"]
