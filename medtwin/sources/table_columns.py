"""A table's columns as facts in columns: scaled, converted, checked, all rows at once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from medtwin.record.codes import Kind
from medtwin.record.units import UnknownUnit, convert
from medtwin.sources.table_file import Table, numbers
from medtwin.sources.table_mapping import Column

Values = Float[np.ndarray, " row"]
Rows = Int[np.ndarray, " row"]


@dataclass(frozen=True)
class Facts:
    """One person's facts of one column. Times are UTC seconds; `row` is where each came from."""

    column: Column
    at: Values
    until: Values | None
    known: Values
    value: Values
    row: Rows


@dataclass(frozen=True)
class Rejected:
    """Values of one column that cannot be facts: how many, an example, why, what is allowed."""

    what: str
    because: str
    next: str


def facts(
    table: Table, rows: Rows, at: Values, who: str, column: Column, received: float
) -> tuple[Facts | None, list[Rejected]]:
    """One person's facts of one column, and what of it was refused.

    `rows` are the person's rows and `at` their times (UTC seconds).
    """
    value, absent = _amounts(table, rows, column)
    bad = _unreadable(value, column)
    if column.absent_if_always is not None and np.all(value[~absent] == column.absent_if_always):
        return None, bad
    try:
        value = convert(_scaled(value, who, column), column.unit, column.code)
    except UnknownUnit as why:
        return None, [Rejected(column.columns[0], str(why), "correct the unit in the mapping")]
    keep = np.isfinite(value) & np.isfinite(at)
    if column.above is not None:
        keep &= value > column.above
    in_bounds = (value >= column.code.low) & (value <= column.code.high)
    bad += _implausible(value[keep & ~in_bounds], column)
    order = np.flatnonzero(keep & in_bounds)
    order = order[np.argsort(at[order], kind="stable")]
    found = Facts(column, at[order], None, at[order], value[order], rows[order])
    single, doubled = _single(found)
    return _known(_lasting(single), received), bad + doubled


def _amounts(table: Table, rows: Rows, column: Column) -> tuple[Values, Bool[np.ndarray, " row"]]:
    value = np.full(len(rows), np.nan)
    for name in column.columns:
        here = numbers(table.columns[name][rows]) if name in table.columns else value
        value = np.where(np.isnan(value), here, value)
    for missing in column.missing:
        value = np.where(value == missing, np.nan, value)
    absent = np.isnan(value)
    for name in column.less:
        value = value - np.nan_to_num(numbers(table.columns[name][rows]))
    return value, absent


def _scaled(value: Values, who: str, column: Column) -> Values:
    for above, by in column.rescale:
        value = np.where(value > above, value * by, value)
    return value * column.per_person.get(who, column.scale)


def _single(found: Facts) -> tuple[Facts, list[Rejected]]:
    """Each fact once: the same row sent twice is one, amounts of one moment are their sum.

    A sensor that gives several values for one moment (a gap filled in later, its times lost) is
    believed for the last; the others are refused.
    """
    if found.column.window:
        return found, []
    same = np.flatnonzero((np.diff(found.at) == 0) & (np.diff(found.value) == 0)) + 1
    once = np.delete(np.arange(len(found.at)), same)
    found = _picked(found, once)
    at, first, place = np.unique(found.at, return_index=True, return_inverse=True)
    if found.column.code.kind in (Kind.dose, Kind.meal) and not found.column.lasting:
        total = np.bincount(place, weights=found.value, minlength=len(at))
        return replace(_picked(found, first), value=total), []
    last = np.append(first[1:], len(found.at)) - 1 if len(at) else first
    return _picked(found, last), _doubled(len(found.at) - len(at), found.column)


def _doubled(several: int, column: Column) -> list[Rejected]:
    if not several:
        return []
    what = f"{several} values of {column.columns[0]} ({column.code.name})"
    because = "the same sensor gives another value for the same moment; the last is kept"
    return [Rejected(what, because, "send them with the times they were measured at")]


def _lasting(found: Facts) -> Facts:
    column = found.column
    if column.window:
        return _windows(found)
    if column.lasting == "next":
        return _until_next(found)
    if column.lasting:
        return replace(found, until=found.at + 60 * float(column.lasting))
    return found


DAY = 86400.0


def _until_next(found: Facts) -> Facts:
    """Until the next value; the last for as long as the median one, none for over a day."""
    if len(found.at) < 2:
        return replace(found, until=found.at + 300.0)
    gaps = np.diff(found.at)
    gaps = np.minimum(np.append(gaps, np.median(gaps)), DAY)
    return replace(found, until=found.at + gaps)


def _windows(found: Facts) -> Facts:
    """One fact per stretch of the clock: the median, for an edge row may be its neighbour's."""
    width, early = 60 * found.column.window, found.column.early
    stretch = np.floor((found.at + early) / width).astype(np.int64)
    which, first, place = np.unique(stretch, return_index=True, return_inverse=True)
    order = np.lexsort((found.value, place))
    begins = np.searchsorted(place[order], np.arange(len(which)))
    counts = np.bincount(place, minlength=len(which))
    middle = found.value[order][begins + (counts - 1) // 2] if len(which) else found.value
    at = (which * width).astype(float)
    return Facts(found.column, at, at + width, at, middle, found.row[first])


def _known(found: Facts, received: float) -> Facts:
    rule = found.column.known
    if rule == "received":
        return replace(found, known=np.full(len(found.at), received))
    if rule == "closed" and found.until is not None:
        return replace(found, known=found.until)
    return replace(found, known=found.at)


def _picked(found: Facts, which: Rows) -> Facts:
    return replace(
        found,
        at=found.at[which],
        known=found.known[which],
        value=found.value[which],
        row=found.row[which],
    )


def _unreadable(value: Values, column: Column) -> list[Rejected]:
    n = int(np.isinf(value).sum())
    if not n:
        return []
    because = "they are no numbers; allowed are numbers, or nothing"
    return [
        Rejected(f"{n} values of {column.columns[0]}", because, "correct them or leave them out")
    ]


def _implausible(value: Values, column: Column) -> list[Rejected]:
    if not len(value):
        return []
    code = column.code
    because = (
        f"outside {code.low:g} to {code.high:g} {code.unit}, such as {value[0]:g}; "
        f"the column was read as {column.unit}"
    )
    what = f"{len(value)} values of {column.columns[0]} ({code.name})"
    return [Rejected(what, because, "check the unit, in the column's name or the mapping")]


def suspicious(table: Table, column: Column) -> Iterator[Rejected]:
    """Glucose without a unit whose values can only be millimoles: refused, not guessed."""
    if column.code.id != "glucose" or column.unit != "mg/dL" or column.source != column.columns[0]:
        return
    value = numbers(table.columns[column.columns[0]])
    value = value[np.isfinite(value)]
    if len(value) and np.percentile(value, 95) < 35:
        because = "no unit is told, and as mg/dL nobody would be alive; it looks like mmol/L"
        next_step = "name the column 'glucose (mmol/L)' or give a mapping file"
        yield Rejected(f"column {column.columns[0]}", because, next_step)
