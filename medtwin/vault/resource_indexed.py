"""Criteria that the index answers, as conditions of a query; the others are opened for."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from medtwin.vault.resource_asking import Asked, asked_span, split, token_fits
from medtwin.vault.resource_desk import Desk, Plan
from medtwin.vault.resource_index import (
    digest,
    longest,
    of_identity,
    owning,
    target,
    token_word,
)
from medtwin.vault.resource_values import Parameter, found, plain, tokens
from medtwin.vault.tables import (
    resource_links,
    resource_systems,
    resource_times,
    resource_words,
    resources,
)

pseudonym = re.compile(r"p-[0-9A-HJKMNP-TV-Z]{12}")
r, w, t, li = resources.c, resource_words.c, resource_times.c, resource_links.c


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


def updated(desk: Desk, value: str) -> ColumnElement[bool]:
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
        nodes = [n.get("identifier") for n in found(parameter, resource) if isinstance(n, dict)]
        there = [one for n in nodes for one in tokens(n)]
        return any(token_fits(v, one) for v in asked.values for one in there)

    return Plan((), (answer,))


INDEXED: Mapping[str, Callable[[Desk, Parameter, Asked, Plan], Plan]] = {
    "token": _tokens,
    "string": _strings,
    "uri": _uris,
    "date": _dates,
    "reference": _references,
}
"""By type of parameter: how the index answers, or the plan to open what is left."""
