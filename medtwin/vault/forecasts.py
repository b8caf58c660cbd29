"""The ledger's pages: every forecast made, and, once reality arrived, its score."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, select

from medtwin.record.codes import Code
from medtwin.twin.ledger import LedgerEntry
from medtwin.vault.dialect import Found, put
from medtwin.vault.facts import learn_words
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import forecasts
from medtwin.vault.times import micros, moment

in_clear = ("patient", "code", "by", "made", "due")
sealed_fields = tuple(f.name for f in fields(LedgerEntry) if f.name not in in_clear)


def entry_row(seal: Seal, e: LedgerEntry) -> dict[str, Any]:
    """One ledger entry as the store keeps it."""
    code, by, made, due = e.code.id, e.by, micros(e.made), micros(e.due)
    plain = orjson.dumps([getattr(e, name) for name in sealed_fields], default=_number)
    sealed = seal.close(_place(seal, code, by, made, due), plain)
    key = {"patient": seal.owner, "code": code, "by": by, "made": made, "due": due}
    return key | {"sealed": sealed}


def _place(seal: Seal, code: str, by: str, made: int, due: int) -> bytes:
    return place(seal.owner, "forecasts", code, by, made, due)


def _number(value: object) -> Any:
    """Numbers straight from numpy."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a ledger entry holds a {type(value).__name__}; give numbers")


def keep(c: Connection, seal: Seal, entries: Sequence[LedgerEntry]) -> None:
    """Keep the entries; one that was kept before (now scored) is replaced."""
    rows = [entry_row(seal, e) for e in entries]
    learn_words(c, seal, {e.code.id: e.code for e in entries})
    put(c, forecasts, rows)


def sealed_rows(c: Connection, patient: str, since: datetime | None) -> Sequence[Found]:
    """This person's entries in the order they were made; still sealed."""
    query = select(forecasts).where(forecasts.c.patient == patient)
    if since is not None:
        query = query.where(forecasts.c.made >= micros(since))
    return c.execute(query.order_by(forecasts.c.made, forecasts.c.due, forecasts.c.by)).all()


def opened(
    seal: Seal, rows: Sequence[Found], meaning: Mapping[str, Code]
) -> tuple[LedgerEntry, ...]:
    """The entries as they were kept."""
    return tuple(_entry(seal, meaning, *row) for row in rows)


def _entry(
    seal: Seal,
    meaning: Mapping[str, Code],
    patient: str,
    code: str,
    by: str,
    made: int,
    due: int,
    sealed: bytes,
) -> LedgerEntry:
    said = orjson.loads(seal.open(_place(seal, code, by, made, due), sealed))
    rest: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in zip(sealed_fields, said, strict=False)
    }
    return LedgerEntry(patient, meaning[code], by, moment(made), moment(due), **rest)
