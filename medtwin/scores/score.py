"""A published score, and how one is worked out for a patient from what was known then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from medtwin.record.codes import Code
from medtwin.record.record import Record, Series


@dataclass(frozen=True)
class Points:
    """The sum of a chart, with the points each factor gave. It is no probability."""

    name: str
    total: int
    highest: int
    because: Mapping[str, int]


@dataclass(frozen=True)
class Estimate:
    """A quantity worked out from others, in the unit of its code."""

    code: Code
    value: float
    because: Mapping[str, float]


@dataclass(frozen=True)
class Risk:
    """A probability of an outcome within a time, its interval where published, and its reasons.

    Learned models answer with the same type.
    """

    outcome: str
    probability: float
    within: timedelta
    because: Mapping[str, float]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Unknown:
    """The score cannot be worked out, and why: never a silent default."""

    missing: tuple[Code, ...]
    stale: tuple[Code, ...] = ()

    def __str__(self) -> str:
        lacks = [code.name for code in self.missing]
        old = [f"a newer {code.name}" for code in self.stale]
        return "needs " + ", ".join(lacks + old)


Answer = Points | Estimate | Risk


@dataclass(frozen=True)
class Score:
    """A published predictor as one plain function of the latest value of each code it needs.

    `compute` takes one float for each of `needs`, in their order, in the codes' own units.
    `fresh` is the age a value may have; None where the last one ever known counts.
    """

    name: str
    reference: str
    needs: tuple[Code, ...]
    compute: Callable[..., Answer]
    fresh: Mapping[Code, timedelta] | None = None


def apply(score: Score, record: Record, at: datetime) -> Answer | Unknown:
    """What the score says of this person at `at`, from the record as it was known then.

    >>> from datetime import UTC, datetime
    >>> from medtwin.scores.ckd_epi import score
    >>> print(apply(score, Record("somebody"), datetime(2026, 1, 1, tzinfo=UTC)))
    needs creatinine, age, female sex
    """
    then = record.known(by=at)
    last = {code: _last(then[code], at) for code in score.needs}
    missing = tuple(code for code, seen in last.items() if seen is None)
    values = {code: seen[1] for code, seen in last.items() if seen is not None}
    stale = tuple(c for c, seen in last.items() if seen and _too_old(score, c, at, seen[0]))
    if missing or stale:
        return Unknown(missing, stale)
    return score.compute(*(values[code] for code in score.needs))


def _last(series: Series, at: datetime) -> tuple[float, float] | None:
    """When the latest value was true (UTC seconds) and what it was; plans ahead do not count."""
    seen = series.current
    true_by_now = seen.at <= at.timestamp()
    if not true_by_now.any():
        return None
    return float(seen.at[true_by_now][-1]), float(seen.value[true_by_now][-1])


def _too_old(score: Score, code: Code, at: datetime, seen: float) -> bool:
    limit = (score.fresh or {}).get(code)
    return limit is not None and at.timestamp() - seen > limit.total_seconds()
