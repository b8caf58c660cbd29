"""The time column of a table as UTC seconds."""

from datetime import UTC, datetime, tzinfo
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

Seconds = Float[np.ndarray, " row"]


def seconds(column: Shaped[np.ndarray, " row"], place: tzinfo, layout: str | None) -> Seconds:
    """UTC seconds of each row, NaN where it is no time.

    A time that carries its own offset keeps it; another is in `place`.
    """
    if column.dtype.kind == "M":
        return _from_dates(column, place)
    return np.array([_one(v, place, layout) for v in column], dtype=float)


def _from_dates(column: Shaped[np.ndarray, " row"], place: tzinfo) -> Seconds:
    absent = np.isnat(column)
    local = column.astype("datetime64[us]").astype(np.int64) / 1e6
    days, inverse = np.unique(np.floor(local / 900), return_inverse=True)
    # An offset changes on a quarter of an hour at the finest (tz database).
    shift = np.array([_offset(q * 900, place) for q in days])
    return np.where(absent, np.nan, local - shift[inverse])


def _offset(local: float, place: tzinfo) -> float:
    naive = datetime(1970, 1, 1, tzinfo=UTC).timestamp() + local
    if not -6e10 < naive < 2.5e11:
        return 0.0
    wall = datetime.fromtimestamp(naive, UTC).replace(tzinfo=place)
    offset = wall.utcoffset()
    return offset.total_seconds() if offset else 0.0


def _one(value: Any, place: tzinfo, layout: str | None) -> float:
    if isinstance(value, datetime):
        moment = value
    else:
        text = str(value or "").strip()
        if not text:
            return np.nan
        try:
            moment = read_as(text, layout) if layout else datetime.fromisoformat(text)
        except ValueError:
            return np.nan
    moment = moment if moment.tzinfo else moment.replace(tzinfo=place)
    return moment.timestamp()


def read_as(text: str, layout: str) -> datetime:
    """A time in this layout; naive, for a wall clock without a zone is what it is."""
    return datetime.strptime(text, layout)  # noqa: DTZ007  the caller gives it its zone
