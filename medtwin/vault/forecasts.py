"""The ledger's pages: every forecast made, and, once reality arrived, its score."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, select

from medtwin.record.codes import Code
from medtwin.twin.ledger import LedgerEntry
from medtwin.vault.dialect import Found, put
from medtwin.vault.facts import code_of, described
from medtwin.vault.seal import Seal, place
from medtwin.vault.tables import forecasts
from medtwin.vault.times import micros, moment

plainly = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
)


def entry_row(seal: Seal, entry: LedgerEntry) -> dict[str, Any]:
    """One ledger entry as the store keeps it."""
    said = {f.name: getattr(entry, f.name) for f in fields(entry)}
    key: dict[str, Any] = {
        "patient": seal.owner,
        "code": entry.code.id,
        "by": entry.by,
        "made": micros(entry.made),
        "due": micros(entry.due),
    }
    bound = _place(seal, key["code"], key["by"], key["made"], key["due"])
    plain = orjson.dumps(said, default=_tagged, option=plainly)
    return key | {"sealed": seal.close(bound, plain)}


def _place(seal: Seal, code: str, by: str, made: int, due: int) -> bytes:
    return place(seal.owner, "forecasts", code, by, made, due)


def _tagged(value: object) -> Any:
    """What JSON has no word for."""
    if isinstance(value, datetime):
        return {"@t": micros(value)}
    if isinstance(value, Code):
        return {"@code": described(value)}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a ledger entry holds a {type(value).__name__}; hold times, numbers, words")


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_untagged(v) for v in value)
    if not isinstance(value, dict):
        return value
    if "@t" in value:
        return moment(value["@t"])
    if "@code" in value:
        return code_of(value["@code"])
    return {k: _untagged(v) for k, v in value.items()}


def keep(c: Connection, seal: Seal, entries: Sequence[LedgerEntry]) -> None:
    """Keep the entries; one that was kept before (now scored) is replaced."""
    put(c, forecasts, [entry_row(seal, e) for e in entries])


def sealed_rows(c: Connection, patient: str, since: datetime | None) -> Sequence[Found]:
    """This person's entries in the order they were made; still sealed."""
    query = select(forecasts).where(forecasts.c.patient == patient)
    if since is not None:
        query = query.where(forecasts.c.made >= micros(since))
    return c.execute(query.order_by(forecasts.c.made, forecasts.c.due, forecasts.c.by)).all()


def opened(seal: Seal, rows: Sequence[Found]) -> tuple[LedgerEntry, ...]:
    """The entries as they were kept."""
    bound = (_place(seal, r.code, r.by, r.made, r.due) for r in rows)
    plain = (seal.open(b, r.sealed) for b, r in zip(bound, rows, strict=True))
    return tuple(LedgerEntry(**_untagged(orjson.loads(p))) for p in plain)
