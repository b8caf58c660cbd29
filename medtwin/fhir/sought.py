"""What can be searched for, in the shape that a search compares: tokens, spans, amounts, targets.

https://hl7.org/fhir/R4/search.html#ptypes.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from medtwin.fhir import moments
from medtwin.fhir.nodes import MEASURES, Node, system
from medtwin.fhir.path_functions import reference_kind

ISO_CURRENCIES = "urn:iso:std:iso:4217"


class Token(NamedTuple):
    """A code in a system (None: in none, or in one that the element implies), and its words."""

    system: str | None
    code: str | None
    text: str = ""


class Span(NamedTuple):
    """From this moment up to, not including, that one; None where an end is open."""

    start: datetime | None
    end: datetime | None


class Amount(NamedTuple):
    """A value with its unit; `least` to `most` is what it may mean (72.5 is 72.45 to 72.55)."""

    value: Decimal
    least: Decimal | None
    most: Decimal | None
    system: str | None
    code: str | None
    unit: str | None


class Target(NamedTuple):
    """What a reference names: kind and id if its address says so, the address, an identifier."""

    kind: str
    id: str
    address: str
    identifier: Token | None


def _tokens(node: Node) -> Iterator[Token]:
    held = node.value
    if isinstance(held, dict):
        yield from (TOKENS.get(node.kind) or _no_token)(held)
    elif isinstance(held, bool):
        yield Token(None, "true" if held else "false")
    elif held is not None:
        yield Token(None, str(held))


def _no_token(held: dict[str, Any]) -> Iterator[Token]:
    yield from ()


def _coding(held: dict[str, Any]) -> Iterator[Token]:
    if "code" in held or "display" in held or "system" in held:
        yield Token(held.get("system"), held.get("code"), held.get("display", ""))


def _concept(held: dict[str, Any]) -> Iterator[Token]:
    for coding in held.get("coding", ()):
        yield from _coding(coding)
    if "text" in held:
        yield Token(None, None, held["text"])


def _identifier(held: dict[str, Any]) -> Iterator[Token]:
    if "value" in held or "system" in held:
        yield Token(held.get("system"), held.get("value"), held.get("type", {}).get("text", ""))


def _contact(held: dict[str, Any]) -> Iterator[Token]:
    if "value" in held:
        yield Token(held.get("system"), held["value"])


TOKENS: dict[str, Callable[[dict[str, Any]], Iterator[Token]]] = {
    "Coding": _coding,
    "CodeableConcept": _concept,
    "Identifier": _identifier,
    "ContactPoint": _contact,
    "Quantity": lambda held: iter((Token(held.get("system"), held.get("code")),)),
}
NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
ADDRESS_PARTS = ("text", "line", "city", "district", "state", "country", "postalCode")


def _texts(node: Node) -> Iterator[str]:
    held = node.value
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict):
        for part in ADDRESS_PARTS if node.kind == "Address" else NAME_PARTS:
            said = held.get(part)
            yield from (s for s in (said if isinstance(said, list) else (said,)) if s)


def _spans(node: Node) -> Iterator[Span]:
    held = node.value
    if isinstance(held, str):
        yield from _span(held)
    elif isinstance(held, dict):
        yield from _timing(held) if node.kind == "Timing" else _period(held)


def _span(said: str) -> Iterator[Span]:
    found = moments.moment(said)
    if found is not None and found.kind != "Time":
        yield Span(*moments.bounds(found))


def _period(held: dict[str, Any]) -> Iterator[Span]:
    begins = next(_span(held["start"]), None) if "start" in held else None
    ends = next(_span(held["end"]), None) if "end" in held else None
    if begins or ends:
        yield Span(begins.start if begins else None, ends.end if ends else None)


def _timing(held: dict[str, Any]) -> Iterator[Span]:
    spans = [s for said in held.get("event", ()) for s in _span(said)]
    spans += list(_period(held.get("repeat", {}).get("boundsPeriod", {})))
    if spans:
        starts, ends = [s.start for s in spans], [s.end for s in spans]
        first = None if None in starts else min(s for s in starts if s)
        yield Span(first, None if None in ends else max(e for e in ends if e))


def _numbers(node: Node) -> Iterator[Amount]:
    kind, value = system(node)
    if kind in {"Integer", "Decimal", "Long"} and value is not None:
        yield _amount(Decimal(value), None, None, None)


def _amount(value: Decimal, place: str | None, code: str | None, unit: str | None) -> Amount:
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    return Amount(value, value - half, value + half, place, code, unit)


def _amounts(node: Node) -> Iterator[Amount]:
    held = node.value
    if not isinstance(held, dict):
        yield from _numbers(node)
    elif node.kind in MEASURES and "value" in held:
        yield _measured(held)
    elif node.kind == "Money" and "value" in held:
        value = _decimal(held["value"])
        yield _amount(value, ISO_CURRENCIES, held.get("currency"), held.get("currency"))
    elif node.kind == "Range":
        yield from _range(held)


def _decimal(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _measured(held: dict[str, Any]) -> Amount:
    value = _decimal(held["value"])
    found = _amount(value, held.get("system"), held.get("code"), held.get("unit"))
    sign = held.get("comparator", "")
    if sign.startswith("<"):
        return found._replace(least=None)
    return found._replace(most=None) if sign.startswith(">") else found


def _range(held: dict[str, Any]) -> Iterator[Amount]:
    low, high = (
        next(_amounts(Node(held[e], "Quantity")), None) if e in held else None
        for e in ("low", "high")
    )
    one = low or high
    if one is not None:
        yield one._replace(least=low.least if low else None, most=high.most if high else None)


def _references(node: Node) -> Iterator[Target]:
    held = node.value
    if isinstance(held, str):
        yield target(held)
    elif isinstance(held, dict) and ("reference" in held or "identifier" in held):
        told = next(_identifier(held.get("identifier", {})), None)
        found = target(held.get("reference", ""))
        kind = found.kind or held.get("type", "")
        yield found._replace(kind=kind, identifier=told)


def target(address: str) -> Target:
    """What a literal reference names: `Patient/1/_history/2` is the Patient with the id 1."""
    kind = reference_kind(address)
    plain = address.partition("/_history/")[0]
    return Target(kind, plain.rpartition("/")[2] if kind else "", address, None)


def _addresses(node: Node) -> Iterator[str]:
    if isinstance(node.value, str):
        yield node.value


READERS: dict[str, Callable[[Node], Iterator[Any]]] = {
    "token": _tokens,
    "string": _texts,
    "date": _spans,
    "number": _numbers,
    "quantity": _amounts,
    "reference": _references,
    "uri": _addresses,
}
