"""What a source sent, byte for byte: compressed, sealed, and given back as it came."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from medtwin.sources.source import Arrived, Refusal
from medtwin.vault.dialect import Found
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import originals, refusals

length = struct.Struct("<H")
quick = 1  # zlib level: FHIR JSON shrinks to a fifth at 100 MB/s


def original_row(seal: Seal, arrived: Arrived) -> dict[str, Any]:
    """One original as the store keeps it; its origin is sealed too: file names hold names."""
    said = orjson.dumps([arrived.media, arrived.origin, arrived.kept])
    plain = length.pack(len(said)) + said + zlib.compress(arrived.original, quick)
    digest = seal.digest(b"original|" + arrived.original)
    sealed = seal.close(place(seal.owner, "originals", digest.hex()), plain)
    return {"patient": seal.owner, "digest": digest, "sealed": sealed}


def original_rows(c: Connection, patient: str) -> Sequence[Found]:
    """This person's originals in the order they came; still sealed."""
    at = originals.c.patient == patient
    return c.execute(select(originals).where(at).order_by(originals.c.number)).all()


def opened_originals(seal: Seal, rows: Sequence[Found]) -> Iterator[bytes]:
    """The originals, one by one."""
    return (opened_original(seal, r)[2] for r in rows)


def opened_original(seal: Seal, r: Found) -> tuple[str, str, bytes]:
    """One original: its media type, its name at the sender, its bytes."""
    plain = seal.open(place(seal.owner, "originals", r.digest.hex()), r.sealed)
    (size,) = length.unpack_from(plain)
    begins = length.size + size
    media, origin, _ = orjson.loads(plain[length.size : begins])
    return media, origin, zlib.decompress(plain[begins:])


def refusal_row(seal: Seal, at: int, refused: Refusal) -> dict[str, Any]:
    """One refusal as the store keeps it, with what was refused."""
    said = orjson.dumps([refused.what, refused.whose, refused.because, refused.next])
    plain = length.pack(len(said)) + said + zlib.compress(refused.original, quick)
    digest = seal.digest(b"refusal|" + said + refused.original)
    sealed = seal.close(place(seal.owner, "refusals", digest.hex()), plain)
    return {"patient": seal.owner, "at": at, "digest": digest, "sealed": sealed}


def refusal_rows(c: Connection) -> Sequence[Found]:
    """Everything refused and not retired, oldest first; still sealed."""
    return c.execute(select(refusals).order_by(refusals.c.number)).all()


def refused_of(c: Connection, patient: str) -> Sequence[Found]:
    """What was refused of one person, the newest first; still sealed."""
    query = select(refusals).where(refusals.c.patient == patient)
    return c.execute(query.order_by(refusals.c.number.desc())).all()


def count_refused(c: Connection, patient: str) -> int:
    """How much was refused of one person."""
    query = select(func.count()).select_from(refusals).where(refusals.c.patient == patient)
    return int(c.execute(query).scalar_one())


def opened_refusal(seal: Seal, r: Found) -> Refusal:
    """What was refused and why; whose it was, by pseudonym."""
    plain = seal.open(place(seal.owner, "refusals", r.digest.hex()), r.sealed)
    (size,) = length.unpack_from(plain)
    begins = length.size + size
    what, _, because, next_ = orjson.loads(plain[length.size : begins])
    original = zlib.decompress(plain[begins:])
    return Refusal(what, r.patient or "nobody named", because, next_, original)
