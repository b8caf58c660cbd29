"""Where a fact came from: its original, byte for byte, and the place in it that says so."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, select

from medtwin.record.observation import Observation
from medtwin.vault import facts
from medtwin.vault.dialect import Found
from medtwin.vault.originals import opened_original
from medtwin.vault.seal import Seal
from medtwin.vault.tables import originals
from medtwin.vault.times import micros, moment_or_none


@dataclass(frozen=True)
class Origin:
    """The original behind a fact. `excerpt` is what stands at `place`; empty where unclear.

    A fact that was entered here has none: then `original` is empty and `media` too. `received`
    is not known of what was kept before the store wrote it down.
    """

    fact: Observation
    name: str
    media: str
    place: str
    received: datetime | None
    original: bytes
    excerpt: str = ""


def origin(c: Connection, seal: Seal, fact: Observation) -> Origin:
    """Where this fact came from; `LookupError` if it is not kept."""
    table = facts.facts.c
    found = _rows(c, and_(table.patient == seal.owner, table.digest == facts.digest_of(seal, fact)))
    if not found:
        raise LookupError(
            f"{fact.code.name} of {seal.owner} at {fact.at.isoformat()} is not kept as it was "
            "asked for; take the fact from their record"
        )
    return _told(c, seal, found[0])


def origin_in_any(c: Connection, seals: Sequence[Seal], fact: Observation) -> Origin:
    """The same for records read as one: the first that holds the fact says where it is from."""
    *before, last = seals
    for seal in before:
        with suppress(LookupError):
            return origin(c, seal, fact)
    return origin(c, last, fact)


def origins(c: Connection, seal: Seal, code: str, at: datetime) -> tuple[Origin, ...]:
    """Where everything said of this code at this moment came from, in the order we learned it."""
    table = facts.facts.c
    said = _rows(c, and_(table.patient == seal.owner, table.code == code, table.at == micros(at)))
    return tuple(_told(c, seal, r) for r in said)


def _rows(c: Connection, which: ColumnElement[bool]) -> list[Found]:
    query = select(*facts.in_order).where(which)
    return list(c.execute(query.order_by(facts.facts.c.known, facts.facts.c.arrival)))


def _told(c: Connection, seal: Seal, r: Found) -> Origin:
    (fact,) = facts.observations(seal, [r], facts.meanings(c, seal))
    table = originals.c
    query = select(originals).where(table.patient == seal.owner, table.digest == r.origin)
    kept = c.execute(query).first() if r.origin is not None else None
    if kept is None:
        return Origin(fact, fact.source, "", "", fact.known, b"")
    media, name, content = opened_original(seal, kept)
    place = facts.stands(seal, r)
    received = moment_or_none(kept.received)
    return Origin(fact, name, media, place, received, content, excerpt(content, media, place))


def excerpt(content: bytes, media: str, place: str) -> str:
    """The words at a place: a line, a stretch of characters, a segment, an element.

    >>> excerpt(b"a,b\\n1,2", "text/csv", "line 2")
    '1,2'
    >>> excerpt(b"pulse 80 today", "text/plain", "chars 6-8")
    '80'
    >>> excerpt(b'{"component":[{"v":1},{"v":2}]}', "application/fhir+json", "X.component[1]")
    '{"v":2}'
    >>> excerpt(b"MSH|^\\rOBX|1|a\\rOBX|2|b", "x-application/hl7-v2+er7", "OBX|2")
    'OBX|2|b'
    """
    text = content.decode("utf-8-sig", errors="replace")
    for pattern, find in FINDERS:
        said = re.fullmatch(pattern, place)
        if said is not None:
            return find(text, said)[:longest]
    return _element(text, place)[:longest] if "json" in media else ""


longest = 4000  # of an excerpt; the whole is in the original


def _line(text: str, said: re.Match[str]) -> str:
    lines, number = text.splitlines(), int(said[1])
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _characters(text: str, said: re.Match[str]) -> str:
    return text[int(said[1]) : int(said[2])]


def _segment(text: str, said: re.Match[str]) -> str:
    """The segment of HL7 v2 of this name and number; by its own count if it bears one."""
    alike = [s for s in re.split(r"[\r\n]+", text) if s.startswith(said[1])]
    own = [s for s in alike if s[len(said[1]) + 1 :].partition(s[len(said[1])])[0] == said[2]]
    number = int(said[2])
    return own[0] if len(own) == 1 else (alike[number - 1] if 0 < number <= len(alike) else "")


FINDERS: tuple[tuple[str, Callable[[str, re.Match[str]], str]], ...] = (
    (r"line (\d+)", _line),
    (r"chars (\d+)-(\d+)", _characters),
    (r"([A-Z][A-Z0-9]{2})\|(\d+)(?:\D.*)?", _segment),
)


def _element(text: str, place: str) -> str:
    """An element of a JSON original by its path, the kind of resource first."""
    try:
        found: Any = orjson.loads(text)
        for step in re.findall(r"\.(\w+)|\[(\d+)\]", place):
            found = found[step[0]] if step[0] else found[int(step[1])]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        return ""
    return orjson.dumps(found).decode() if "." in place else ""
