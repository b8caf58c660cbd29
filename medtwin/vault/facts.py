"""A person's facts, sealed one by one; found by code and time, opened together."""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, select

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Observation
from medtwin.record.record import Record, Series
from medtwin.vault.dialect import Found, Row, insert_new
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import facts, vocabulary
from medtwin.vault.times import micros, moment, moment_or_none

Opened = tuple[float, int | None, str, str]  # value, until (microseconds), source, says
Origin = tuple[bytes | None, str]  # the digest of an original, and the place in it
nowhere: Origin = (None, "")
tail = struct.Struct("<H")
layout = struct.Struct("<dqH")
never = -(2**63)
when = struct.Struct("<q")


def packed(o: Observation) -> bytes:
    """What is sealed of a fact: value, until, source and words."""
    source = o.source.encode()
    until = never if o.until is None else micros(o.until)
    return layout.pack(o.value, until, len(source)) + source + o.says.encode()


def unpacked(plain: bytes) -> Opened:
    """Value, until, source and words."""
    value, until, length = layout.unpack_from(plain)
    words = layout.size + length
    source = plain[layout.size : words].decode()
    return value, None if until == never else until, source, plain[words:].decode()


def digest_of(seal: Seal, o: Observation) -> bytes:
    """What finds this fact again, by nothing but what it says.

    It leaves `known` out, so that importing the same file later adds nothing; an amended value
    is another fact.
    """
    return _digest(seal, o.code.id, micros(o.at), packed(o))


def _digest(seal: Seal, code: str, at: int, plain: bytes) -> bytes:
    return seal.digest(b"\0".join((code.encode(), when.pack(at) + plain)))


def row(seal: Seal, o: Observation, origin: Origin = nowhere) -> dict[str, Any]:
    """One fact as the store keeps it; where it came from is bound to it, the place sealed in it."""
    plain = packed(o)
    at, known, code = micros(o.at), micros(o.known), o.code.id
    digest = _digest(seal, code, at, plain)
    original, stands = origin
    bound = _place(seal.owner, code, at, known, digest, original)
    if original is not None:
        spot = stands.encode()[:65_535]
        plain += spot + tail.pack(len(spot))
    return {
        "patient": seal.owner,
        "code": code,
        "at": at,
        "known": known,
        "digest": digest,
        "sealed": seal.close(bound, plain),
        "origin": original,
    }


def _place(
    patient: str, code: str, at: int, known: int, digest: bytes, original: bytes | None
) -> bytes:
    bound = f"facts|{patient}|{code}|{at}|{known}|".encode() + digest
    return bound if original is None else bound + original


def learn_words(c: Connection, seal: Seal, said: Mapping[str, Code]) -> None:
    """Keep what the codes mean, sealed beside the facts: free words may identify."""
    v = vocabulary.c
    there = set(c.execute(select(v.code).where(v.patient == seal.owner)).scalars())
    rows = [_word(seal, code) for name, code in said.items() if name not in there]
    insert_new(c, vocabulary, rows)


def _word(seal: Seal, code: Code) -> dict[str, Any]:
    plain = orjson.dumps(described(code))
    sealed = seal.close(place(seal.owner, "vocabulary", code.id), plain)
    return {"patient": seal.owner, "code": code.id, "sealed": sealed, "facts": 0}


def described(code: Code) -> dict[str, Any]:
    """A code in plain words and numbers; no limit is no entry."""
    said = ((f.name, getattr(code, f.name)) for f in fields(code))
    return {k: v for k, v in said if v is not None and not (isinstance(v, float) and math.isinf(v))}


def code_of(said: Mapping[str, Any]) -> Code:
    """The code that was described: ours, if the house knows it today."""
    ours = codes.known().get(said["id"])
    if ours is not None:
        return ours
    plain: dict[str, Any] = {f.name: said[f.name] for f in fields(Code) if f.name in said}
    plain |= {"kind": Kind(said["kind"]), "codings": tuple(said["codings"])}
    return Code(**plain)


def insert_facts(c: Connection, seal: Seal, said: Mapping[str, Code], rows: Sequence[Row]) -> int:
    """Keep the facts that are not there yet; how many were new. `said` is what their codes mean."""
    learn_words(c, seal, said)
    return insert_new(c, facts, rows)


def meanings(c: Connection, seal: Seal) -> dict[str, Code]:
    """This person's codes by id: as the house knows them, or as the source described them."""
    rows = c.execute(select(vocabulary).where(vocabulary.c.patient == seal.owner)).all()
    plain = (seal.open(place(seal.owner, "vocabulary", r.code), r.sealed) for r in rows)
    return {r.code: code_of(orjson.loads(p)) for r, p in zip(rows, plain, strict=True)}


in_order = [
    facts.c[name] for name in ("arrival", "code", "at", "known", "digest", "sealed", "origin")
]


def sealed_rows(
    c: Connection,
    patient: str,
    by: datetime | None = None,
    since: datetime | None = None,
    only: Iterable[Code] | None = None,
    after: int | None = None,
) -> Sequence[Found]:
    """The rows asked for, in the order they were learned; still sealed."""
    f = facts.c
    query = select(*in_order).where(f.patient == patient)
    if by is not None:
        query = query.where(f.known <= micros(by))
    if since is not None:
        query = query.where(f.at >= micros(since))
    if only is not None:
        query = query.where(f.code.in_([code.id for code in only]))
    if after is not None:
        return c.execute(query.where(f.arrival > after).order_by(f.arrival)).all()
    return c.execute(query.order_by(f.known, f.arrival)).all()


def opened(seal: Seal, rows: Sequence[Found]) -> list[Opened]:
    """The sealed part of each row."""
    patient, unseal = seal.owner, seal.open
    return [
        unpacked(_without_place(unseal(_place(patient, code, at, known, digest, o), sealed), o))
        for _, code, at, known, digest, sealed, o in rows
    ]


def _without_place(plain: bytes, origin: bytes | None) -> bytes:
    if origin is None:
        return plain
    return plain[: -tail.size - tail.unpack_from(plain, len(plain) - tail.size)[0]]


def stands(seal: Seal, r: Found) -> str:
    """The place of a fact in its original; empty where it is the whole, or not told."""
    if r.origin is None:
        return ""
    plain = seal.open(_place(seal.owner, r.code, r.at, r.known, r.digest, r.origin), r.sealed)
    (size,) = tail.unpack_from(plain, len(plain) - tail.size)
    return plain[len(plain) - tail.size - size : -tail.size].decode(errors="replace")


def record(seal: Seal, rows: Sequence[Found], meaning: Mapping[str, Code]) -> Record:
    """The rows as a record."""
    by_code: dict[str, list[tuple[int, int, Opened]]] = {}
    for r, plain in zip(rows, opened(seal, rows), strict=True):
        by_code.setdefault(r[1], []).append((r[2], r[3], plain))
    return Record(seal.owner, {meaning[k]: _series(seen) for k, seen in by_code.items()})


def _series(seen: list[tuple[int, int, Opened]]) -> Series:
    at, known, plain = zip(*seen, strict=True)
    value, until, source, says = zip(*plain, strict=True)
    names = {name: i for i, name in enumerate(dict.fromkeys(source))}
    lasts = any(u is not None for u in until)
    return Series(
        at=np.array(at) / 1e6,
        known=np.array(known) / 1e6,
        value=np.array(value),
        source=np.array([names[s] for s in source], dtype=np.uint16),
        sources=tuple(names),
        until=np.array([np.nan if u is None else u / 1e6 for u in until]) if lasts else None,
        says=np.array(says, dtype=object) if any(says) else None,
    )


def observations(
    seal: Seal, rows: Sequence[Found], meaning: Mapping[str, Code]
) -> tuple[Observation, ...]:
    """The rows as facts, in their order."""
    return tuple(
        Observation(
            at=moment(r[2]),
            code=meaning[r[1]],
            value=value,
            source=source,
            known=moment(r[3]),
            until=moment_or_none(until),
            says=says,
        )
        for r, (value, until, source, says) in zip(rows, opened(seal, rows), strict=True)
    )
