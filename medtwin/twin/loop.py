"""The loop: facts arrive, the twin learns, what it said is scored, and it looks ahead again.

Pure: the round that runs live and the back-test call the same `follow`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from scipy.stats import norm

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.assimilate import caught_up
from medtwin.twin.forecast import Forecast, ahead, announced
from medtwin.twin.ledger import LedgerEntry, entries, levels, score
from medtwin.twin.mix import Said, Weights, alone, mechanism, shown, speaks
from medtwin.twin.twin import Twin


@runtime_checkable
class Head(Protocol):
    """A head speaks from the record as known at a moment, told the plan, and what the mechanism
    itself says (`own`); one that cannot do without it is silent where it is not told."""

    def __call__(
        self,
        record: Record,
        now: datetime,
        plan: Sequence[Observation],
        own: Said | None = None,
        /,
    ) -> Said: ...


every = timedelta(minutes=15)
kept_hours = 6


@dataclass(frozen=True)
class Following:
    """One person being followed: record, dated checkpoints of the twin, heads, and what is
    still to be scored. `ahead` is how far each forecast looks, `code` at what."""

    record: Record
    checkpoints: tuple[Twin, ...]
    heads: tuple[Head, ...] = ()
    weights: Weights = field(default_factory=alone)
    waiting: tuple[LedgerEntry, ...] = ()
    code: Code = codes.glucose
    ahead: timedelta = timedelta(hours=2)

    @property
    def twin(self) -> Twin:
        """The newest belief."""
        return self.checkpoints[-1]


def follow(
    following: Following,
    arrived: Sequence[Observation],
    now: datetime,
    plan: Sequence[Observation] = (),
) -> tuple[Following, Forecast, tuple[LedgerEntry, ...]]:
    """One turn: learn what arrived, score what came due, look ahead from now under `plan`.

    Returns the person as now followed, the forecast shown, and the entries scored in this turn.
    """
    record = following.record.add(arrived) if arrived else following.record
    twin = caught_up(following.checkpoints, record, now)
    judged = score(following.waiting, record)
    seen, said = look_ahead(replace(following, record=record), twin, now, plan)
    kept = replace(
        following,
        record=record,
        checkpoints=thinned((*following.checkpoints, twin)),
        waiting=(
            *(e for e in judged if e.measured is None and e.due > now - timedelta(hours=6)),
            *(e for one in said for e in spoken(twin, following.code, one, now)),
            *(e for e in entries(seen, now) if round(e.horizon) in following.weights.horizons),
        ),
    )
    return kept, seen, tuple(e for e in judged if e.measured is not None)


def look_ahead(
    following: Following, twin: Twin, now: datetime, plan: Sequence[Observation] = ()
) -> tuple[Forecast, tuple[Said, ...]]:
    """The forecast shown at `now`, and what mechanism and heads said for it."""
    told = following.record.known(by=now)
    own = speak(twin, following.code, now, following.weights.horizons, plan)
    heads = tuple(said for head in following.heads if speaks(said := head(told, now, plan, own)))
    times = [now + k * every for k in range(1, int(following.ahead / every) + 1)]
    paths = announced(twin, following.code, times, plan)
    return shown(paths, heads, following.weights, now, own), (own, *heads)


def speak(
    twin: Twin, code: Code, now: datetime, horizons: Sequence[float], plan: Sequence[Observation]
) -> Said:
    """What the mechanism says at these horizons (minutes from now)."""
    since = (now.timestamp() - twin.at) / 60
    mean, spread = ahead(twin, code, [since + h for h in horizons], plan)
    return Said(mechanism, tuple(horizons), mean, spread)


def spoken(twin: Twin, code: Code, said: Said, made: datetime) -> tuple[LedgerEntry, ...]:
    """What one head said, as ledger entries (normal quantiles)."""
    wide = norm.ppf(levels)
    return tuple(
        LedgerEntry(
            patient=twin.patient,
            code=code,
            by=said.by,
            made=made,
            due=made + timedelta(minutes=h),
            horizon=h,
            quantiles=tuple(map(float, m + s * wide)),
            mean=float(m),
            spread=float(s),
        )
        for h, m, s in zip(said.horizons, said.mean, said.spread, strict=True)
    )


def thinned(checkpoints: Sequence[Twin]) -> tuple[Twin, ...]:
    """The newest twins, one for each quarter of an hour of the last hours, and the oldest."""
    newest = checkpoints[-1].at
    kept = {round(t.at // 900): t for t in checkpoints if newest - t.at <= kept_hours * 3600}
    first = checkpoints[0]
    return tuple(sorted({id(t): t for t in (first, *kept.values())}.values(), key=lambda t: t.at))
