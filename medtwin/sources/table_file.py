"""The bytes of a table: CSV in its many dialects, or Parquet, as named columns."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Int, Shaped

PARQUET = b"PAR1"
# What people and programs write for nothing.
EMPTY = {"", "na", "n/a", "nan", "null", "none", "-", "."}


class BadTable(ValueError):
    """These bytes are not a table we can read."""


@dataclass(frozen=True)
class Table:
    """Columns by name, all of one length; text as objects, numbers and times as they are.

    `lines` are the rows' own bytes with the header first, where the file has lines.
    """

    columns: dict[str, Shaped[np.ndarray, " row"]]
    rows: int
    header: bytes = b""
    lines: Sequence[bytes] | None = None
    arrow: Any = None

    def block(self, which: Int[np.ndarray, " kept"]) -> tuple[bytes, str]:
        """These rows as bytes and their media type: lines as sent, or Parquet written anew."""
        if self.lines is not None:
            lines = [self.header, *(self.lines[i] for i in which)]
            return b"\n".join(lines) + b"\n", "text/csv"
        out = BytesIO()
        pq.write_table(self.arrow.take(pa.array(which)), out)
        return out.getvalue(), "application/vnd.apache.parquet"


def parquet(raw: bytes) -> Table:
    """A Parquet file."""
    try:
        arrow = pq.read_table(BytesIO(raw))
    except (pa.ArrowException, OSError) as why:
        raise BadTable(f"it begins like Parquet and is not ({why})") from why
    columns = {n: arrow[n].to_numpy(zero_copy_only=False) for n in arrow.column_names}
    return Table(columns, arrow.num_rows, arrow=arrow)


def delimited(raw: bytes, skip: int = 0) -> Table:
    """A CSV file; `skip` lines stand before its header."""
    text = decoded(raw)
    lines = text.splitlines()
    if len(lines) <= skip:
        raise BadTable("it has no header line")
    try:
        text = StringIO("\n".join(lines[skip:]))
        rows = list(csv.reader(text, delimiter=delimiter(lines[skip])))
    except csv.Error as why:
        raise BadTable(f"its quotes or lines are broken ({why})") from why
    names = [n.strip() for n in rows[0]]
    body = [r for r in rows[1:] if any(r)]
    width = len(names)
    filled = [r if len(r) == width else (r + [""] * width)[:width] for r in body]
    turned = list(zip(*filled, strict=True)) or [()] * width
    columns = {n: np.array(c, dtype=object) for n, c in zip(names, turned, strict=True)}
    kept = [ln for ln in lines[skip + 1 :] if ln.strip()]
    own = kept if len(kept) == len(body) else [",".join(r) for r in body]
    return Table(
        columns, len(body), "\n".join(lines[: skip + 1]).encode(), [ln.encode() for ln in own]
    )


def decoded(raw: bytes) -> str:
    """Text in UTF-8, with or without mark, UTF-16, or else Windows' Western."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def delimiter(header: str) -> str:
    """What parts the columns."""
    return max(",;\t", key=header.count)


def names(head: bytes) -> list[str]:
    """The column names in the first line of a text, as far as there are any."""
    line = decoded(head.split(b"\n", 1)[0]).strip()
    if not line.isprintable() and "\t" not in line:
        return []
    try:
        return [n.strip() for n in next(csv.reader([line], delimiter=delimiter(line)), [])]
    except csv.Error:
        return []


def numbers(column: Shaped[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """The column as numbers: NaN where it says nothing, infinite where it is no number."""
    if column.dtype.kind in "fiub":
        return column.astype(float)
    return np.array([_number(v) for v in column], dtype=float)


def _number(value: Any) -> float:
    if value is None or (text := str(value).strip()).lower() in EMPTY:
        return np.nan
    try:
        return float(text if "," not in text else text.replace(",", "."))
    except ValueError:
        return np.inf
