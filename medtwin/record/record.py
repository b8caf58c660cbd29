"""Everything known about one person: a column for each code, in the order we learned it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from operator import attrgetter

import numpy as np
from jaxtyping import Float, Integer, Shaped

from medtwin.record.codes import Code
from medtwin.record.observation import WITHDRAWN, Observation

Times = Float[np.ndarray, " seen"]


@dataclass(frozen=True)
class Series:
    """One code's history. Times are UTC seconds.

    Rows stand in the order they were learned, so that what was known by a moment is the
    beginning of the column and costs nothing to look at. `until` and `says` are there only
    where some fact lasts or has words; `sources` names what the `source` column points at.
    """

    at: Times
    known: Times
    value: Times
    source: Integer[np.ndarray, " seen"]
    sources: tuple[str, ...] = ()
    until: Times | None = None
    says: Shaped[np.ndarray, " seen"] | None = None

    def __len__(self) -> int:
        return len(self.at)

    def keep(self, which: slice | Shaped[np.ndarray, " kept"]) -> "Series":
        """These rows only."""
        until = None if self.until is None else self.until[which]
        says = None if self.says is None else self.says[which]
        return Series(
            self.at[which],
            self.known[which],
            self.value[which],
            self.source[which],
            self.sources,
            until,
            says,
        )

    def by(self, known: float) -> "Series":
        """The rows learned by `known` (UTC seconds)."""
        end = int(np.searchsorted(self.known, known, side="right"))
        return self if end == len(self) else self.keep(slice(end))

    @cached_property
    def current(self) -> "Series":
        """In the order it was true; of corrected facts, the last thing we were told.

        What a source took back (`says` is "entered in error") is gone from here, though the
        column keeps both rows.
        """
        if self.says is None and np.all(self.at[1:] > self.at[:-1]):
            return self
        order = np.lexsort((self.known, self.source, self.at))
        at, source = self.at[order], self.source[order]
        last = np.ones(len(order), dtype=bool)
        last[:-1] = (at[1:] != at[:-1]) | (source[1:] != source[:-1])
        if self.says is not None:
            last &= self.says[order] != WITHDRAWN
        return self.keep(order[last])


nothing = Series(np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=np.uint16))


@dataclass(frozen=True)
class Record:
    """A patient's history. Adding to it returns a new record and shares the old columns."""

    patient: str
    columns: Mapping[Code, Series] = field(default_factory=dict)

    def __getitem__(self, code: Code) -> Series:
        return self.columns.get(code, nothing)

    def __len__(self) -> int:
        return sum(len(s) for s in self.columns.values())

    def add(self, new: Iterable[Observation]) -> "Record":
        """With these facts too."""
        columns = dict(self.columns)
        by_code = sorted(new, key=attrgetter("code.id"))
        for code, seen in groupby(by_code, key=attrgetter("code")):
            columns[code] = joined(self[code], _series(list(seen)))
        return Record(self.patient, columns)

    def known(self, by: datetime) -> "Record":
        """The record as it stood at `by`: the guard against looking into the future."""
        moment = by.timestamp()
        return Record(self.patient, {c: s.by(moment) for c, s in self.columns.items()})


def facts(code: Code, series: Series) -> Iterable[Observation]:
    """A column's rows as observations, in the order they stand."""
    for i in range(len(series)):
        yield Observation(
            at=moment(series.at[i]),
            code=code,
            value=float(series.value[i]),
            source=series.sources[series.source[i]],
            known=moment(series.known[i]),
            until=None
            if series.until is None or np.isnan(series.until[i])
            else moment(series.until[i]),
            says="" if series.says is None else str(series.says[i]),
        )


def moment(seconds: float) -> datetime:
    """UTC seconds as an aware time."""
    return datetime.fromtimestamp(float(seconds), UTC)


def joined(old: Series, new: Series) -> Series:
    """Both columns' rows, in the order they were learned."""
    if not len(old):
        both = new
    else:
        names = old.sources + tuple(s for s in new.sources if s not in old.sources)
        places = np.array([names.index(s) for s in new.sources], dtype=np.uint16)
        both = _stacked(replace(old, sources=names), replace(new, source=places[new.source]))
    in_order = bool(np.all(both.known[1:] >= both.known[:-1]))
    return both if in_order else both.keep(np.argsort(both.known, kind="stable"))


def _stacked(old: Series, new: Series) -> Series:
    columns = {}
    for f in fields(Series):
        a, b = getattr(old, f.name), getattr(new, f.name)
        if f.name == "sources":
            columns[f.name] = a
        elif a is None and b is None:
            columns[f.name] = None
        else:
            empty = "" if f.name == "says" else np.nan
            a = np.full(len(old), empty, dtype=b.dtype) if a is None else a
            b = np.full(len(new), empty, dtype=a.dtype) if b is None else b
            columns[f.name] = np.concatenate([a, b])
    return Series(**columns)


def _series(seen: list[Observation]) -> Series:
    names = tuple(dict.fromkeys(o.source for o in seen))
    lasts = any(o.until for o in seen)
    speaks = any(o.says for o in seen)
    return Series(
        at=np.array([o.at.timestamp() for o in seen]),
        known=np.array([o.known.timestamp() for o in seen]),
        value=np.array([o.value for o in seen], dtype=float),
        source=np.array([names.index(o.source) for o in seen], dtype=np.uint16),
        sources=names,
        until=np.array([o.until.timestamp() if o.until else np.nan for o in seen])
        if lasts
        else None,
        says=np.array([o.says for o in seen], dtype=object) if speaks else None,
    )
