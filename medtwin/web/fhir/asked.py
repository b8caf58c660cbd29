"""The words of a search: which are criteria, which say how to answer, which are unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

from medtwin.sources.fhir_kinds import KINDS
from medtwin.vault.resource_asking import Asked, CannotAsk, Search, parameter_of, split
from medtwin.vault.resource_include import Include
from medtwin.vault.resource_values import parameters
from medtwin.web.fhir.call import Call, Pairs
from medtwin.web.fhir.problem import Fault, Problem, problem

COUNT, MOST = 50, 1000
SUMMARIES = ("true", "false", "text", "data", "count")
TOTALS = ("none", "estimate", "accurate")
SILENT = frozenset({"_format", "_pretty", "_contained", "_containedType", "_score"})
NARROWING = frozenset({"_text", "_content", "_filter", "_list", "_query", "_has", "_id", "_type"})
NARROWING |= {"_lastUpdated", "_tag", "_profile", "_security", "_source"}
STANDING = frozenset({"_id", "_lastUpdated"})
DEEPEST = 4  # links of a chain


@dataclass(frozen=True)
class Question:
    """A search, what comes with it, how much of each is shown, and what was not understood."""

    search: Search
    includes: tuple[Include, ...]
    summary: str
    elements: tuple[str, ...]
    total: str
    used: Pairs
    ignored: tuple[Fault, ...]


def question(kind: str, call: Call) -> Question:
    """What a call's parameters ask of a kind of resource, or a `Problem`."""
    used: list[tuple[str, str]] = []
    ignored: list[Fault] = []
    criteria: list[Asked] = []
    for key, value in call.query:
        try:
            criteria += _criteria(kind, key, value)
            used.append((key, value))
        except CannotAsk as why:
            lenient = call.prefers("handling") == "lenient" or _of_another_server(key)
            if not lenient or why.code != "not-supported":
                raise unanswerable(why) from None
            ignored.append(Fault("not-supported", f"left out: {why}", key, "warning"))
    asked = tuple(criteria)
    search = Search(kind, asked, _sort(kind, call), page_size(call), call.one("_after"))
    summary = _word(call, "_summary", SUMMARIES)
    return Question(
        search if summary != "count" else Search(kind, asked, (), 0),
        tuple(_includes(call)),
        summary,
        tuple(e for v in _all(call, "_elements") for e in v.split(",") if e),
        _word(call, "_total", TOTALS),
        tuple(used),
        tuple(ignored),
    )


def _of_another_server(key: str) -> bool:
    """Words that another server is told how to answer with; left out, nothing more is found."""
    return key.startswith("_") and key.partition(":")[0] not in NARROWING


def unanswerable(why: CannotAsk) -> Problem:
    """A question that cannot be answered, as FHIR says so."""
    return problem(400, why.code, f"{why.part}: {why.because}; allowed: {why.allowed}", why.part)


def _criteria(kind: str, key: str, value: str) -> list[Asked]:
    name = key.partition(":")[0]
    if name in CONTROLS or not value:
        return []
    return [criterion(kind, key, value)]


def criterion(kind: str, key: str, value: str, depth: int = 0) -> Asked:
    """One criterion: `code`, `name:exact`, `patient.name`, `_has:Observation:patient:code`."""
    if depth > DEEPEST:
        raise CannotAsk(key, "the chain is too long", f"{DEEPEST} links", "too-costly")
    if key.startswith("_has:"):
        _, there, by, rest = [*key.split(":", 3), "", "", ""][:4]
        if there not in KINDS or not rest:
            raise CannotAsk(key, "it asks nothing", "_has:KIND:REFERENCE:PARAMETER", "value")
        parameter_of(there, by)
        return Asked(by, has=there, chain=criterion(there, rest, value, depth + 1))
    head, chained, rest = key.partition(".")
    name, _, modifier = head.partition(":")
    if chained:
        return _chain(kind, name, modifier, rest, value, depth)
    if name not in STANDING:
        parameter_of(kind, name)
    elif modifier:
        raise CannotAsk(key, "it takes no modifier", name)
    return Asked(name, modifier, tuple(v for v in split(value, ",") if v))


def _chain(kind: str, name: str, modifier: str, rest: str, value: str, depth: int) -> Asked:
    parameter = parameter_of(kind, name)
    kinds = [modifier] if modifier else sorted(parameter.targets)
    wanted = rest.partition(".")[0].partition(":")[0]
    fitting = [
        k for k in kinds if wanted in parameters(k) or wanted in STANDING or rest[:5] == "_has:"
    ]
    if parameter.type != "reference" or not fitting:
        raise CannotAsk(f"{name}.{rest}", f"nothing {name} points at has it", "KIND it points at")
    inner = criterion(fitting[0], rest, value, depth + 1)
    return Asked(name, modifier, (), inner)


def _sort(kind: str, call: Call) -> tuple[tuple[str, bool], ...]:
    wanted = [p for value in _all(call, "_sort") for p in value.split(",") if p]
    found = tuple((p.lstrip("-"), p.startswith("-")) for p in wanted)
    for name, _ in found:
        if name not in STANDING:
            try:
                parameter_of(kind, name)
            except CannotAsk as why:
                raise unanswerable(why) from None
    return found


def page_size(call: Call) -> int:
    """How many are wanted on a page."""
    text = call.one("_count")
    if not text:
        return COUNT
    if not text.isdecimal() or len(text) > 9:
        raise problem(400, "value", f"_count is {text[:20]!r}; allowed is 0 to {MOST}", "_count")
    return min(int(text), MOST)


def _word(call: Call, name: str, allowed: Sequence[str]) -> str:
    value = call.one(name)
    if value and value not in allowed:
        said = f"{name} is {value[:20]!r}; allowed are {', '.join(allowed)}"
        raise problem(400, "value", said, name)
    return value


def _all(call: Call, name: str) -> list[str]:
    return [v for k, v in call.query if k == name]


def _includes(call: Call) -> list[Include]:
    found = []
    for key, value in call.query:
        name, _, modifier = key.partition(":")
        if name in ("_include", "_revinclude"):
            found.append(_include(key, value, name == "_revinclude", modifier))
    return found


def _include(key: str, value: str, back: bool, modifier: str) -> Include:
    kind, parameter, target = [*value.split(":"), "", ""][:3]
    known = kind in KINDS and (parameter in parameters(kind) or (parameter == "*" and not back))
    if not known or (target and target not in KINDS):
        said = f"{key} is {value[:80]!r}; allowed is KIND:REFERENCE or KIND:REFERENCE:TARGET"
        raise problem(400, "value", said, key)
    return Include(kind, parameter, target, back, modifier in ("iterate", "recurse"))


CONTROLS = SILENT | {
    "_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude", "_after",
}  # fmt: skip
