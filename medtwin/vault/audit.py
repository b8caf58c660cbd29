"""Every read and write leaves a line; each line seals the one before it.

A line's hash is sha256(previous hash + the line as canonical JSON): changing, dropping or
swapping lines breaks the chain. The last line's number and hash are also written, signed,
to a file beside the store, so that cutting off the end is seen too.
"""

import fcntl
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import blake2b, sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from medtwin.vault.access import Action, Principal
from medtwin.vault.consent import Decision, Purpose
from medtwin.vault.tables import audit
from medtwin.vault.times import moment

beginning = sha256(b"medtwin audit").digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """What one audit line says. Never a name or a value: pseudonyms, counts, reasons."""

    at: int
    who: str
    role: str
    action: str
    patient: str | None
    purpose: str | None
    allowed: bool
    because: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many lines, and the last one's hash."""

    lines: int = 0
    hash: bytes = beginning


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the audit is whole, how long it is, and where it breaks."""

    lines: int
    ok: bool
    because: str


def entry(
    at: int,
    principal: Principal,
    action: Action,
    patient: str | None,
    purpose: Purpose | None,
    decision: Decision,
    detail: Mapping[str, Any] | None = None,
) -> Entry:
    """The line for one decision; `detail` holds counts."""
    words = orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode() if detail else ""
    return Entry(
        at,
        principal.signature,
        principal.role.value,
        action.value,
        patient,
        None if purpose is None else purpose.value,
        decision.allowed,
        decision.because,
        words,
    )


def chained(before: bytes, line: int, said: Entry) -> bytes:
    """The hash that binds this line to all before it."""
    canonical = orjson.dumps({"line": line, **asdict(said)}, option=orjson.OPT_SORT_KEYS)
    return sha256(before + canonical).digest()


def head(connection: Connection) -> Head:
    """Where the chain ends now."""
    last = connection.execute(
        select(audit.c.line, audit.c.hash).order_by(audit.c.line.desc()).limit(1)
    ).first()
    return Head() if last is None else Head(last.line, last.hash)


def follows(connection: Connection, signed: Head | None) -> bool:
    """Whether the chain still leads through the signed head; if not, signing on would hide it."""
    if signed is None or signed.lines == 0:
        return signed == Head()
    at = audit.c.line == signed.lines
    return connection.execute(select(audit.c.hash).where(at)).scalar() == signed.hash


def write(connection: Connection, said: Sequence[Entry]) -> Head:
    """Add lines to the end, inside the transaction that does what they say."""
    end, rows = head(connection), []
    for one in said:
        end = Head(end.lines + 1, chained(end.hash, end.lines + 1, one))
        rows.append({"line": end.lines, **asdict(one), "hash": end.hash})
    if rows:
        connection.execute(insert(audit), rows)
    return end


def verify(connection: Connection, signed: Head | None) -> Verified:
    """Walk the whole chain; say where it breaks first. `signed` is what the anchor holds."""
    end = Head()
    at_anchor = signed is not None and signed.lines == 0
    for row in connection.execute(select(audit).order_by(audit.c.line)).mappings():
        said = Entry(**{k: v for k, v in row.items() if k not in ("line", "hash")})
        number = end.lines + 1
        if row["line"] != number:
            return Verified(end.lines, False, f"line {number} is missing")
        if chained(end.hash, number, said) != row["hash"]:
            return Verified(end.lines, False, f"line {number} was changed")
        end = Head(number, row["hash"])
        at_anchor = at_anchor or end == signed
    if end.lines and signed is None:
        return Verified(end.lines, False, "the signed head is missing or was changed")
    if signed is not None and not at_anchor:
        return Verified(
            end.lines, False, f"{end.lines} lines do not lead to the signed head ({signed.lines})"
        )
    return Verified(end.lines, True, "every line follows from the one before")


class Anchor:
    """The signed head of the chain, in a file of its own; it only moves forward."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key

    def read(self) -> Head | None:
        """The signed head; None if there is none or its signature is wrong."""
        try:
            lines, digest, signature = self._path.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        said = f"{lines} {digest}"
        if not compare_digest(signature, self._signature(said)):
            return None
        return Head(int(lines), bytes.fromhex(digest))

    def begin(self) -> None:
        """Sign the empty chain of a new store; ever after, a missing head is a broken one."""
        self._sign(Head(), os.O_CREAT | os.O_TRUNC)

    def advance(self, to: Head) -> None:
        """Sign a later head. Called after the commit: the anchor never runs ahead of the store."""
        now = self.read()
        if now is not None and to.lines > now.lines:
            self._sign(to, 0)

    def _sign(self, to: Head, how: int) -> None:
        """Always the same length, in place, in one write: no moment at which half is there."""
        file = os.open(self._path, os.O_RDWR | how, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            now = self.read()
            if now is None or to.lines > now.lines:
                said = f"{to.lines:020} {to.hash.hex()}"
                os.pwrite(file, f"{said} {self._signature(said)}\n".encode(), 0)
        finally:
            os.close(file)

    def _signature(self, said: str) -> str:
        return blake2b(said.encode(), key=self._key, digest_size=32).hexdigest()


@dataclass(frozen=True, slots=True)
class Line:
    """One audit line, as it is read."""

    line: int
    at: datetime
    who: str
    role: str
    action: str
    patient: str | None
    purpose: str | None
    allowed: bool
    because: str
    detail: str
    hash: str


def lines(connection: Connection, patient: str | None, limit: int) -> tuple[Line, ...]:
    """The last lines, newest first; of one person, or of everybody."""
    query = select(audit).order_by(audit.c.line.desc()).limit(limit)
    if patient is not None:
        query = query.where(audit.c.patient == patient)
    return tuple(
        Line(**{**r, "at": moment(r["at"]), "hash": r["hash"].hex()})
        for r in connection.execute(query).mappings()
    )
