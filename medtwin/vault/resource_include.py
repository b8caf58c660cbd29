"""What comes with what was found: what it points at, and what points at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import or_, select

from medtwin.vault.resource_asking import CannotAsk, parameter_of
from medtwin.vault.resource_desk import Desk, versions
from medtwin.vault.resource_index import digest, owning, target
from medtwin.vault.resource_values import Parameter, parameters, values
from medtwin.vault.resources import Version
from medtwin.vault.tables import resource_links, resources

most_included = 1000
deepest = 3  # what is included may itself include, so often
r, li = resources.c, resource_links.c


@dataclass(frozen=True)
class Include:
    """What is to come with what is found: by which parameter of which kind, and what of it.

    `back` brings what points at the found; `again` also at what was brought.
    """

    kind: str
    parameter: str
    target: str = ""
    back: bool = False
    again: bool = False


def pointed_at(desk: Desk, rows: Sequence[Any]) -> list[Version]:
    """The house's own resources that these point at: who treated, where, with what."""
    numbers = [row.number for row in rows]
    names: set[int] = set()
    for i in range(0, len(numbers), 5000):
        query = select(li.target).where(li.resource.in_(numbers[i : i + 5000])).distinct()
        names |= set(desk.connection.execute(query).scalars())
    return _shown(desk, list(names), r.patient == "")


def _shown(desk: Desk, names: Sequence[int], also: Any) -> list[Version]:
    found: list[Any] = []
    for i in range(0, len(names), 5000):
        query = select(resources).where(r.name.in_(names[i : i + 5000]), r.shown, also)
        found += desk.connection.execute(query.order_by(r.number)).all()
    return versions(desk, found[:most_included])


def included(
    desk: Desk, met: Sequence[Version], includes: Sequence[Include]
) -> tuple[Version, ...]:
    """What comes with a page; nothing twice, nothing that consent keeps back."""
    there = {v.number for v in met}
    brought: list[Version] = []
    new = list(met)
    for depth in range(deepest):
        wanted = [i for i in includes if i.again or depth == 0]
        found = [v for i in wanted for v in _brought(desk, new, i)]
        new = list({v.number: v for v in found if v.number not in there}.values())
        there |= {v.number for v in new}
        brought += new
        if not new or len(brought) > most_included:
            break
    return tuple(brought[:most_included])


def _brought(desk: Desk, met: Sequence[Version], include: Include) -> list[Version]:
    if include.back:
        return _pointing(desk, met, include)
    mine = [v for v in met if v.kind == include.kind]
    names = {n for v in mine for n in _names(desk, v, include)}
    also = desk.seen.of(r.patient)
    if include.target:
        also = also & (r.kind == include.target)
    return _shown(desk, sorted(names), also)


def _names(desk: Desk, version: Version, include: Include) -> set[int]:
    if include.parameter == "*":
        asked: list[Parameter] = [
            p for p in parameters(version.kind).values() if p.type == "reference"
        ]
    else:
        asked = [parameter_of(version.kind, include.parameter)]
    resource = orjson.loads(version.raw)
    said = {t for p in asked for t in values(p, resource)}
    meant = (version.refers.get(t, t).split("/_history/")[0] for t in said)
    local = (t.removeprefix(desk.base).lstrip("/") if desk.base else t for t in meant)
    return {target(desk.key, t) for t in local}


def _pointing(desk: Desk, met: Sequence[Version], include: Include) -> list[Version]:
    wanted = [v for v in met if not include.target or v.kind == include.target]
    if not wanted:
        return []
    parameter = parameter_of(include.kind, include.parameter)
    if parameter.type != "reference":
        raise CannotAsk("_revinclude", f"{parameter.name} points at nothing", "a reference")
    word = digest(desk.key, f"L|{include.kind}.{include.parameter}|")
    names = [target(desk.key, v.reference) for v in wanted]
    linked = r.number.in_(
        select(li.resource).where(li.target.in_(names), li.word == word, desk.seen.of(li.patient))
    )
    people = [v.patient for v in wanted if v.kind == "Patient" and v.patient]
    either = or_(linked, r.patient.in_(people)) if owning(parameter) else linked
    query = select(resources).where(
        r.kind == include.kind, r.shown, desk.seen.of(r.patient), either
    )
    rows = desk.connection.execute(query.order_by(r.number).limit(most_included)).all()
    return versions(desk, rows)
