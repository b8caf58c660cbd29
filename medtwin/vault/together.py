"""Linked records read as one: the facts of both, and what both say alike once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medtwin.record.record import Record, Series, joined
from medtwin.vault.consent import Purpose
from medtwin.vault.people import Listed


def whole(found: Sequence[Record]) -> Record:
    """These records as one, under the name of the first."""
    if len(found) == 1:
        return found[0]
    columns: dict[str, tuple[Any, Series]] = {}
    for one in found:
        for code, series in one.columns.items():
            named, before = columns.get(code.id, (code, None))
            columns[code.id] = named, series if before is None else once(joined(before, series))
    return Record(found[0].patient, dict(columns.values()))


def once(series: Series) -> Series:
    """Without what is said twice in the same words; the first time we learned it stays."""
    seen: set[tuple[Any, ...]] = set()
    keep = np.ones(len(series), dtype=bool)
    for i in range(len(series)):
        until = None if series.until is None else _lasting(float(series.until[i]))
        says = "" if series.says is None else series.says[i]
        source = series.sources[series.source[i]]
        fact = (float(series.at[i]), float(series.value[i]), source, until, says)
        keep[i] = fact not in seen
        seen.add(fact)
    return series if keep.all() else series.keep(keep)


def _lasting(until: float) -> float | None:
    return None if np.isnan(until) else until


def listed(everybody: Sequence[Listed], under: Mapping[str, str]) -> tuple[Listed, ...]:
    """One line for each person; who was set aside is in the line they are listed under."""
    if not under:
        return tuple(everybody)
    lines = {one.patient: one for one in everybody}
    for name, keep in under.items():
        if name in lines and keep in lines and name != keep:
            lines[keep] = _both(lines[keep], lines.pop(name))
    return tuple(lines.values())


def _both(keep: Listed, other: Listed) -> Listed:
    """The line of two records: what either refuses, both do."""
    return replace(
        keep,
        grants=_strict(keep.grants, other.grants),
        facts=keep.facts + other.facts,
        first=min((t for t in (keep.first, other.first) if t), default=None),
        last=max((t for t in (keep.last, other.last) if t), default=None),
        linked=(*keep.linked, other.patient),
    )


def _strict(one: Mapping[Purpose, bool], other: Mapping[Purpose, bool]) -> dict[Purpose, bool]:
    purposes = {*one, *other}
    return {p: one.get(p, False) and other.get(p, False) for p in Purpose if p in purposes}
