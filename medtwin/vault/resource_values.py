"""What a search parameter finds in a resource: tokens, references, moments, words, quantities."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any

from medtwin.fhir.r4_search import ROWS
from medtwin.vault.resource_paths import Path, paths, walked
from medtwin.vault.times import micros

Resource = dict[str, Any]
Token = tuple[str, str, str]  # system, code, words
Span = tuple[int, int]  # microseconds, both ends in it
Quantity = tuple[Decimal, str, str, str]  # value, system, code, unit
eternity = (-(2**62), 2**62)


@dataclass(frozen=True)
class Parameter:
    """A search parameter of one kind of resource."""

    kind: str
    name: str
    type: str
    targets: frozenset[str]
    paths: tuple[Path, ...]
    components: tuple[tuple[str, str], ...] = ()


@cache
def parameters(kind: str) -> dict[str, Parameter]:
    """Every search parameter of this kind, by name."""
    bases = {kind, "Resource", "DomainResource"}
    mine = (r for r in ROWS if bases & set(r[2].split()) and (r[4] or r[1] == "composite"))
    found = {r[0]: _parameter(kind, r) for r in mine if r[0] not in ("_id", "_lastUpdated")}
    return dict(sorted(found.items()))


def _parameter(kind: str, row: tuple[str, ...]) -> Parameter:
    name, sort, _, targets, expression, components = row
    parts = [tuple(line.split("=", 1)) for line in components.splitlines() if "=" in line]
    pairs = tuple((a, b) for a, b in parts)
    return Parameter(kind, name, sort, frozenset(targets.split()), paths(expression, kind), pairs)


def found(parameter: Parameter, resource: Resource) -> list[Any]:
    """What stands at the parameter's places, as FHIR writes it."""
    return [node for path in parameter.paths for node in walked(path, resource)]


def values(parameter: Parameter, resource: Resource) -> list[Any]:
    """The same as what is searched for: tokens, targets, spans, words or quantities.

    What is not shaped as FHIR says is not found.
    """
    read = READERS[parameter.type]
    return [value for node in found(parameter, resource) for value in read(node)]


def tokens(node: Any) -> Iterator[Token]:
    """Codings, identifiers, contact points, plain codes and booleans."""
    if isinstance(node, bool):
        yield "", "true" if node else "false", ""
    elif isinstance(node, str):
        yield "", node, ""
    elif isinstance(node, dict):
        yield from _tokens_of(node)


def _tokens_of(node: Resource) -> Iterator[Token]:
    if "coding" in node or "text" in node:
        words = _text(node.get("text"))
        for coding in node.get("coding") or ():
            if isinstance(coding, dict):
                yield _token(coding, "code", words)
        if not node.get("coding"):
            yield "", "", words
    elif "value" in node:
        kind = node.get("type")
        yield _token(node, "value", _text(kind.get("text")) if isinstance(kind, dict) else "")
    elif "code" in node:
        yield _token(node, "code", "")


def _token(node: Resource, key: str, words: str) -> Token:
    said = f"{words} {_text(node.get('display'))}".strip()
    return _text(node.get("system")), _text(node.get(key)), said


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def targets(node: Any) -> Iterator[str]:
    """What references point at, as written."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict) and isinstance(node.get("reference"), str):
        yield node["reference"]


def spans(node: Any) -> Iterator[Span]:
    """Dates, moments, periods and timings, from their first to their last microsecond."""
    if isinstance(node, str):
        known = span(node)
        if known:
            yield known
    elif isinstance(node, dict):
        yield from _spans_of(node)


def _spans_of(node: Resource) -> Iterator[Span]:
    if "start" in node or "end" in node:
        start, end = span(_text(node.get("start"))), span(_text(node.get("end")))
        yield start[0] if start else eternity[0], end[1] if end else eternity[1]
    for event in node.get("event") or ():
        yield from spans(event)
    repeat = node.get("repeat")
    if isinstance(repeat, dict) and isinstance(repeat.get("boundsPeriod"), dict):
        yield from _spans_of(repeat["boundsPeriod"])


@lru_cache(maxsize=4096)
def span(text: str) -> Span | None:
    """A FHIR date or moment as the time it covers: 2024-03 is all of March."""
    if text[:4] == "9999":  # how some say that there is no end
        return micros(datetime(9999, 1, 1, tzinfo=UTC)), eternity[1]
    try:
        start, end = _reach(text)
    except (ValueError, OverflowError):
        return None
    return micros(start), micros(end) - 1


def _reach(text: str) -> tuple[datetime, datetime]:
    if len(text) <= 10:
        return _days(text)
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    fraction = re.search(r":\d\d(\.\d+)?(?:Z|[+-]|$)", text[16:])
    if text[16:17] != ":":
        return at, at + timedelta(minutes=1)
    if fraction and fraction[1]:
        step = max(10 ** (7 - len(fraction[1])), 1)
        return at, at + timedelta(microseconds=step)
    return at, at + timedelta(seconds=1)


def _days(text: str) -> tuple[datetime, datetime]:
    parts = [int(p) for p in text.split("-")]
    if len(parts) == 1:
        return datetime(parts[0], 1, 1, tzinfo=UTC), datetime(parts[0] + 1, 1, 1, tzinfo=UTC)
    if len(parts) == 2:
        year, month = parts
        after = (year + 1, 1) if month == 12 else (year, month + 1)
        return datetime(year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)
    year, month, day = parts
    begins = datetime(year, month, day, tzinfo=UTC)
    return begins, begins + timedelta(days=1)


NAMED = ("text", "family", "given", "prefix", "suffix", "line", "city", "district", "state")
NAMED = (*NAMED, "postalCode", "country")


def words(node: Any) -> Iterator[str]:
    """Words to search in: a text, or the parts of a name or an address."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key in NAMED:
            part = node.get(key)
            yield from (
                p for p in (part if isinstance(part, list) else [part]) if isinstance(p, str)
            )


def plain(text: str) -> str:
    """Without case, accents and double spaces: how words are compared."""
    bare = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in bare if not unicodedata.combining(c)).casefold().split())


def quantities(node: Any) -> Iterator[Quantity]:
    """Numbers with their units; a range counts with both its ends."""
    if isinstance(node, dict) and ("low" in node or "high" in node):
        for end in (node.get("low"), node.get("high")):
            yield from quantities(end)
    elif isinstance(node, dict):
        number = decimal(node.get("value"))
        if number is not None:
            unit = _text(node.get("unit")) or _text(node.get("currency"))
            yield number, _text(node.get("system")), _text(node.get("code")), unit
    else:
        number = decimal(node)
        if number is not None:
            yield number, "", "", ""


def decimal(value: Any) -> Decimal | None:
    """The number, exactly as written; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def itself(node: Any) -> Iterator[Any]:
    """A part of the resource, for parameters made of several."""
    yield node


READERS: dict[str, Callable[[Any], Iterator[Any]]] = {
    "token": tokens,
    "reference": targets,
    "date": spans,
    "string": words,
    "uri": targets,
    "number": quantities,
    "quantity": quantities,
    "composite": itself,
    "special": itself,
}
