"""Each criterion of a search as a condition, also of what a reference points at or from."""

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from medtwin.vault.resource_asking import Asked, CannotAsk, Search, answers, parameter_of
from medtwin.vault.resource_desk import Desk, Plan, fitting
from medtwin.vault.resource_index import digest, is_indexed, name, owning, together
from medtwin.vault.resource_indexed import INDEXED, aliases, updated
from medtwin.vault.resource_values import Parameter
from medtwin.vault.tables import resource_links, resources

r, li = resources.c, resource_links.c


def plan(desk: Desk, search: Search) -> Plan:
    """How a search is answered."""
    here = (r.kind == search.kind, r.shown, desk.seen.of(r.patient))
    parts = [_criterion(desk, search.kind, asked) for asked in search.asked]
    where = [w for p in parts for w in p.where]
    return Plan((*here, *where), tuple(o for p in parts for o in p.open))


def _criterion(desk: Desk, kind: str, asked: Asked) -> Plan:
    if asked.has:
        return Plan((_has(desk, kind, asked),))
    if asked.parameter == "_id":
        names = [name(desk.key, kind, v) for v in asked.values]
        also = aliases(asked.values) if kind == "Patient" else []
        return Plan((or_(r.name.in_(names), r.patient.in_(also)),))
    if asked.parameter == "_lastUpdated":
        return Plan((or_(*[updated(desk, v) for v in asked.values]),))
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


def _inner(desk: Desk, search: Search) -> tuple[ColumnElement[bool], ...]:
    """A search inside a search; what has to be opened is opened first, and named by number."""
    found = plan(desk, search)
    if not found.open:
        return found.where
    query = select(resources).order_by(r.number)
    return (r.number.in_([row.number for row, _ in fitting(desk, found, query)]),)


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
