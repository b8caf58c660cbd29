"""What-if: each plan beside doing nothing more, as the difference it makes and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.twin.forecast import Difference, Forecast, what_if
from medtwin.web import region as reader
from medtwin.web.region import Region
from medtwin.web.trouble import wrong_value
from medtwin.web.views.glucose import TARGET

MINUS = "\N{MINUS SIGN}"
MOST = 3
LIMITS = {"carbohydrate": (0.0, 150.0), "bolus": (0.0, 20.0), "minutes": (0.0, 180.0)}
LOOKS = (60, 120, 180)
FORM = "carbohydrate-bolus-minutes, such as 45-4.5-15, at most 150 g, 20 U and 180 min"


@dataclass(frozen=True)
class Plan:
    """Carbohydrate (g) and a bolus (U), so many minutes from now."""

    carbohydrate: float
    bolus: float
    minutes: float

    @property
    def key(self) -> str:
        """How the plan stands in an address."""
        return f"{self.carbohydrate:g}-{self.bolus:g}-{self.minutes:g}"

    @property
    def words(self) -> str:
        """How one would say it."""
        said = [f"{self.carbohydrate:g} g"] if self.carbohydrate else []
        said += [f"{self.bolus:g} U"] if self.bolus else []
        when = f"in {self.minutes:g} min" if self.minutes else "now"
        return f"{' and '.join(said)} {when}" if said else "nothing more"

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.carbohydrate or self.bolus)

    def observations(self, now: datetime) -> tuple[Observation, ...]:
        """The plan as facts not yet made."""
        at = now + timedelta(minutes=self.minutes)
        doses = ((codes.carbohydrate, self.carbohydrate), (codes.insulin_bolus, self.bolus))
        return tuple(Observation(at, code, v, "what-if", at) for code, v in doses if v)


def parsed(key: str) -> Plan:
    """A plan from an address; what cannot be one is said to be wrong."""
    parts = key.split("-")
    try:
        values = [float(p) for p in parts]
    except ValueError:
        raise wrong_value("plan", key, FORM) from None
    inside = len(values) == 3 and all(
        low <= v <= high for v, (low, high) in zip(values, LIMITS.values(), strict=True)
    )
    if not inside:
        raise wrong_value("plan", key, FORM)
    return Plan(*values)


@dataclass(frozen=True)
class Outcome:
    """One plan against doing nothing more."""

    key: str
    words: str
    pinned: bool
    cells: tuple[tuple[str, str], ...]
    low: str
    high: str


@dataclass(frozen=True)
class Comparison:
    """Plans side by side: the picture, the figures, and the words."""

    plans: tuple[str, ...]
    data: dict[str, Any]
    heads: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    rows: tuple[tuple[str, ...], ...]


def compared(
    base: Forecast,
    tried: Sequence[tuple[Plan, Difference, bool]],
    region: Region,
    now: datetime,
) -> Comparison:
    """The plans tried, each moved from the same forecast by its own paired difference."""
    moved = [what_if(base, change) for _, change, _ in tried]
    names = (*(plan.words for plan, _, _ in tried), "nothing more")
    futures = [*moved, base]
    outcomes = tuple(
        _outcome(plan, change, future, pinned, region)
        for (plan, change, pinned), future in zip(tried, moved, strict=True)
    )
    return Comparison(
        plans=names,
        data=_data(futures, names, region, now),
        heads=("plan", *(f"change at {m} min" for m in LOOKS), *chances(region)),
        outcomes=outcomes,
        rows=_rows(futures, region),
    )


def chances(region: Region) -> tuple[str, str]:
    """What the last two columns count."""
    low, high = (reader.figure(codes.glucose, v, region) for v in TARGET)
    return f"chance below {low}", f"chance above {high}"


def at_minutes(future: Forecast | Difference, minutes: int) -> int:
    """The row nearest so many minutes after the first."""
    first = future.times[0] - timedelta(minutes=5)
    gaps = [abs((t - first) - timedelta(minutes=minutes)) for t in future.times]
    return int(np.argmin([g.total_seconds() for g in gaps]))


def _outcome(
    plan: Plan, change: Difference, future: Forecast, pinned: object, region: Region
) -> Outcome:
    band = change.band(0.9)
    cells = []
    for minutes in LOOKS:
        low, middle, high = band[:, at_minutes(change, minutes)]
        interval = f"90 %: {signed(low, region)} to {signed(high, region)}"
        cells.append((f"{signed(middle, region)} {region.glucose}", interval))
    return Outcome(
        plan.key,
        plan.words,
        bool(pinned),
        tuple(cells),
        percent(future.chance(future.paths < TARGET[0])),
        percent(future.chance(future.paths > TARGET[1])),
    )


def signed(value: float, region: Region) -> str:
    """A difference with its sign, in the reader's unit."""
    words = reader.figure(codes.glucose, abs(float(value)), region)
    return words if not float(words) else f"{'+' if value > 0 else MINUS}{words}"


def percent(chance: float) -> str:
    """A chance, no finer than the members can tell."""
    return "under 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"


def _data(
    futures: Sequence[Forecast], names: tuple[str, ...], region: Region, now: datetime
) -> dict[str, Any]:
    k = reader.scale(codes.glucose, region)
    digits = 1 if region.glucose == "mmol/L" else 0
    first = futures[0].band(0.9) * k
    middles = [f.band(0.9)[1] * k for f in futures]
    at = [t.timestamp() for t in futures[0].times]
    drawn = [first[0], first[2], *middles]
    low, high = (float(f([f(line) for line in drawn])) for f in (np.min, np.max))
    return {
        "data": [at, *([round(float(v), digits + 1) for v in line] for line in drawn)],
        "plans": list(names),
        "from": at[0],
        "to": at[-1],
        "zone": region.zone.key,
        "unit": region.glucose,
        "digits": digits,
        "span": [min(50 * k, low * 0.95), max(200 * k, high * 1.05)],
        "range": [TARGET[0] * k, TARGET[1] * k],
        "sync": "plans",
    }


def _rows(futures: Sequence[Forecast], region: Region) -> tuple[tuple[str, ...], ...]:
    every = range(5, len(futures[0].times), 6)
    bands = [f.band(0.9) for f in futures]
    return tuple(
        (
            reader.clock(futures[0].times[i], region),
            *(
                f"{reader.figure(codes.glucose, float(b[1, i]), region)} "
                f"({reader.figure(codes.glucose, float(b[0, i]), region)} to "
                f"{reader.figure(codes.glucose, float(b[2, i]), region)})"
                for b in bands
            ),
        )
        for i in every
    )
