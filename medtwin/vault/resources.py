"""FHIR resources as they are kept: every version, sealed; found by what they say; as sent."""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from medtwin.sources.fhir_kinds import KINDS
from medtwin.sources.source import Arrived
from medtwin.vault.dialect import Found, Row, insert_new, insert_whole
from medtwin.vault.originals import length
from medtwin.vault.resource_index import Indexed, indexed, name, nothing
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import (
    originals,
    resource_links,
    resource_systems,
    resource_times,
    resource_words,
    resources,
)
from medtwin.vault.times import moment

MEDIA = "application/fhir+json"
POINTS = re.compile(rb'"reference"\s*:\s*"[^"]*Patient/|"resourceType"\s*:\s*"Patient"')


@dataclass(frozen=True)
class Version:
    """One version of a resource: whose it is, when it was written, and the bytes as they came.

    `refers` says what references mean here where that is not what is written; `patient` is the
    pseudonym of whoever it is about, or empty for the house's own.
    """

    number: int
    kind: str
    id: str
    version: int
    patient: str
    updated: datetime
    deleted: bool
    raw: bytes = field(repr=False)
    refers: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """How others point at it."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True)
class Incoming:
    """A resource on its way in: how it will be called and found, worked out before the store."""

    kind: str
    id: str
    name: int
    original: bytes
    refers: Mapping[str, str]
    index: Indexed


def incoming(key: bytes, seal: Seal, arrived: Arrived) -> Incoming | None:
    """What of an original is served; None where it is no resource that can be."""
    if arrived.media != MEDIA or arrived.kind not in KINDS:
        return None
    resource = _read(arrived.original)
    refers = dict(arrived.refers)
    kind, id_ = arrived.kind, refers.pop("", "").partition("/")[2] or resource.get("id")
    if not isinstance(id_, str) or not id_:
        id_ = sha256(arrived.original).hexdigest()[:32]
    if not seal.owner and about_somebody(arrived.original):
        return None
    owner = refers.pop("owner", "") or f"Patient/{(arrived.about or '').rpartition('|')[2]}"
    index = _indexed(key, kind, resource, refers, owner)
    digest = seal.digest(b"original|" + arrived.original)
    return Incoming(kind, id_, name(key, kind, id_), digest, refers, index)


def about_somebody(raw: bytes) -> bool:
    """Whether it points at a patient although it names none as its own."""
    return POINTS.search(raw) is not None


def _read(raw: bytes) -> dict[str, Any]:
    found = orjson.loads(raw)
    return found if isinstance(found, dict) else {}


def _indexed(
    key: bytes, kind: str, resource: Any, refers: Mapping[str, str], owner: str
) -> Indexed:
    """What is not shaped as FHIR says is served all the same, and found by its id only."""
    try:
        return indexed(key, kind, resource, refers, owner)
    except (TypeError, AttributeError, ValueError, KeyError):
        return nothing()


def keep(c: Connection, key: bytes, seal: Seal, at: int, new: Sequence[Incoming]) -> int:
    """Keep those that say something new as the newest version of themselves; how many."""
    if not new:
        return 0
    newest = _newest(c, [one.name for one in new])
    number = _last_number(c)
    rows: dict[int, tuple[Row, Incoming]] = {}
    for sent in new:
        one, before = _apart(key, seal, sent, newest.get(sent.name))
        if before is not None and not before.deleted and before.original == one.original:
            continue
        if before is not None and before.shown:
            _replaced(c, key, seal, before, rows)
        number += 1
        row = _row(seal, number, one, 1 if before is None else before.version + 1, at)
        rows[number] = (row, one)
        newest[one.name] = _Kept(**row)
    _insert(c, seal.owner, rows)
    return len(rows)


def _apart(
    key: bytes, seal: Seal, one: Incoming, before: Found | None
) -> tuple[Incoming, Found | None]:
    """Under another id, where somebody else's resource has this one already."""
    if before is None or before.patient == seal.owner:
        return one, before
    return _renamed(key, seal, one), None


def _replaced(
    c: Connection, key: bytes, seal: Seal, before: Found, rows: dict[int, tuple[Row, Incoming]]
) -> None:
    if before.number in rows:  # twice in one delivery
        row, one = rows[before.number]
        rows[before.number] = ({**row, "shown": False}, one)
    else:
        hide(c, key, seal, before)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The newest version there is of a name."""

    number: int
    kind: str
    name: int
    version: int
    patient: str
    deleted: bool
    shown: bool
    original: bytes | None
    sealed: bytes
    updated: int


def _newest(c: Connection, names: Iterable[int]) -> dict[int, Any]:
    query = select(resources).where(resources.c.name.in_(list(set(names))))
    return {r.name: r for r in c.execute(query.order_by(resources.c.version))}


def newest(c: Connection, wanted: int) -> Found | None:
    """The last version of this name, or None."""
    return _newest(c, [wanted]).get(wanted)


def _last_number(c: Connection) -> int:
    return c.execute(select(func.max(resources.c.number))).scalar() or 0


def _renamed(key: bytes, seal: Seal, one: Incoming) -> Incoming:
    """Somebody else's resource has this id already: two servers may both have an Observation/1."""
    apart = seal.digest(b"id|" + one.id.encode()).hex()[:12]
    id_ = f"{one.id[:51]}-{apart}"
    return Incoming(one.kind, id_, name(key, one.kind, id_), one.original, one.refers, one.index)


def _row(seal: Seal, number: int, one: Incoming, version: int, at: int) -> dict[str, Any]:
    plain = orjson.dumps([one.id, dict(one.refers)])
    return {
        "number": number,
        "kind": one.kind,
        "name": one.name,
        "version": version,
        "patient": seal.owner,
        "updated": at,
        "deleted": False,
        "shown": True,
        "original": one.original,
        "sealed": seal.close(place(seal.owner, "resources", one.name, version), plain),
    }


def _insert(c: Connection, patient: str, rows: Mapping[int, tuple[Row, Incoming]]) -> None:
    if not rows:
        return
    insert_new(c, resources, [row for row, _ in rows.values()])
    shown = [(n, one.index) for n, (row, one) in rows.items() if row["shown"]]
    pairs = {pair for _, index in shown for pair in index.systems}
    insert_new(c, resource_systems, [{"parameter": p, "system": s} for p, s in pairs])
    for table, entries in _index_rows(patient, shown):
        insert_whole(c, table, entries)


def _index_rows(
    patient: str, shown: Sequence[tuple[int, Indexed]]
) -> Iterator[tuple[Table, list[tuple[Any, ...]]]]:
    """Sorted, so that neighbours in the index are written together."""
    yield resource_words, sorted((w, patient, n) for n, index in shown for w in index.words)
    yield (
        resource_times,
        sorted((w, patient, low, high, n) for n, i in shown for w, low, high in i.times),
    )
    yield resource_links, sorted((t, w, patient, n) for n, index in shown for t, w in index.links)


def hide(c: Connection, key: bytes, seal: Seal, row: Found) -> None:
    """Take a version out of what is found: something newer stands in its place."""
    version = opened(c, seal, [row])[0]
    owner = next(iter(owners(c, seal)), "")
    resource = _read(version.raw)
    index = _indexed(key, row.kind, resource, version.refers, owner)
    c.execute(update(resources).where(resources.c.number == row.number).values(shown=False))
    n = row.number
    c.execute(delete(resource_links).where(resource_links.c.resource == n))
    for table, words in (
        (resource_words, index.words),
        (resource_times, {w for w, _, _ in index.times}),
    ):
        if words:
            mine = (table.c.word.in_(words), table.c.patient == row.patient, table.c.resource == n)
            c.execute(delete(table).where(*mine))


def owners(c: Connection, seal: Seal) -> list[str]:
    """`Patient/id` of this person, as far as they have one."""
    r = resources.c
    mine = select(resources).where(r.kind == "Patient", r.patient == seal.owner, r.shown)
    found = c.execute(mine.order_by(r.number)).all() if seal.owner else []
    return [f"Patient/{_said(seal, row)[0]}" for row in found]


def remove(c: Connection, key: bytes, seal: Seal, row: Found, at: int) -> int:
    """A version that says it is gone; its number."""
    if row.shown:
        hide(c, key, seal, row)
    version, number = row.version + 1, _last_number(c) + 1
    plain = orjson.dumps([_said(seal, row)[0], {}])
    gone = {
        "number": number,
        "kind": row.kind,
        "name": row.name,
        "version": version,
        "patient": row.patient,
        "updated": at,
        "deleted": True,
        "shown": False,
        "original": None,
        "sealed": seal.close(place(seal.owner, "resources", row.name, version), plain),
    }
    c.execute(insert(resources), [gone])
    return number


def _said(seal: Seal, row: Found) -> tuple[str, dict[str, str]]:
    plain = seal.open(place(seal.owner, "resources", row.name, row.version), row.sealed)
    id_, refers = orjson.loads(plain)
    return id_, refers


def contents(c: Connection, patient: str, digests: Iterable[bytes]) -> dict[bytes, bytes]:
    """The sealed originals of one person, by digest."""
    o = originals.c
    wanted, found = list(set(digests)), {}
    for i in range(0, len(wanted), 500):
        mine = (o.patient == patient, o.digest.in_(wanted[i : i + 500]))
        found |= {r.digest: r.sealed for r in c.execute(select(o.digest, o.sealed).where(*mine))}
    return found


def opened(c: Connection, seal: Seal, rows: Sequence[Found]) -> list[Version]:
    """The versions in these rows, all of one person."""
    sealed = contents(c, seal.owner, [r.original for r in rows if r.original is not None])
    return [_version(seal, row, sealed.get(row.original)) for row in rows]


def _version(seal: Seal, row: Found, sealed: bytes | None) -> Version:
    id_, refers = _said(seal, row)
    raw = b"" if sealed is None else _original(seal, row.original, sealed)
    at = moment(row.updated)
    return Version(
        row.number, row.kind, id_, row.version, row.patient, at, row.deleted, raw, refers
    )


def _original(seal: Seal, digest: bytes, sealed: bytes) -> bytes:
    plain = seal.open(place(seal.owner, "originals", digest.hex()), sealed)
    (size,) = length.unpack_from(plain)
    return zlib.decompress(memoryview(plain)[length.size + size :])
