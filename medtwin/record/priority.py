"""Two devices measured the same thing: which to believe, so that nothing counts twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from jaxtyping import Bool, Float

from medtwin.record.codes import Code, Kind, opened
from medtwin.record.observation import Observation
from medtwin.record.record import Record, Series

BEFORE = " > "
AMOUNTS = ("steps", "energy", "energy_active", "energy_resting", "distance")
# A watch is on the body while a phone lies on a table; a pump knows what it gave.
USUAL = (
    ("pump", "pen", "dispenser", "watch", "ring", "band", "garmin", "fitbit", "oura"),
    ("tracker", "phone", "android", "pixel"),
    ("app", "diary", "manual", "by hand"),
)


def preferred(series: Series, order: Sequence[str], within: float) -> Series:
    """Of what several sources say within so many seconds, what the first in `order` says.

    Rows come back in the order they were true, corrections applied. A source that `order`
    does not name is never dropped and drops nobody: we were not told that it measures the
    same thing. Works the same for readings (the trusted sensor wins) and for amounts such as
    doses or steps (the same dose told by pump and app is one dose).
    """
    now = series.current
    rank = ranks(now.sources, order)[now.source]
    keep = np.ones(len(now), dtype=bool)
    for place in range(1, len(order)):
        better = now.at[keep & (rank < place)]
        mine = rank == place
        keep[mine] = ~near(now.at[mine], better, within)
    return now.keep(keep)


def uncovered(series: Series, order: Sequence[str]) -> Series:
    """Of amounts that last, such as steps and energy, what no better source has counted already.

    A watch and a phone count the same steps over stretches that do not line up. Each stretch of a
    source counts as far as the stretches of those before it in `order` leave it free, its amount
    taken as spread evenly. A source that `order` does not name is left as it is. Gives the rows
    in the order they were true, corrections applied, wholly covered ones gone.
    """
    now = series.current
    if now.until is None:
        return now
    rank, share = ranks(now.sources, order)[now.source], np.ones(len(now))
    ends = np.where(np.isnan(now.until), now.at, now.until)
    for place in range(1, len(order)):
        mine, better = rank == place, rank < place
        begins, stops = merged(now.at[better], ends[better])
        taken = covered(ends[mine], begins, stops) - covered(now.at[mine], begins, stops)
        lasts = ends[mine] - now.at[mine]
        share[mine] = 1 - np.divide(taken, lasts, out=np.zeros_like(taken), where=lasts > 0)
    kept = share > 1e-9
    return replace(now.keep(kept), value=(now.value * share)[kept])


def merged(
    at: Float[np.ndarray, " stretch"], until: Float[np.ndarray, " stretch"]
) -> tuple[Float[np.ndarray, " apart"], Float[np.ndarray, " apart"]]:
    """The same time as stretches that do not touch, in order."""
    order = np.argsort(at, kind="stable")
    at, furthest = at[order], np.maximum.accumulate(until[order])
    first = np.ones(len(at), dtype=bool)
    first[1:] = at[1:] > furthest[:-1]
    last = np.roll(first, -1) if len(at) else first
    return at[first], furthest[last]


def covered(
    moment: Float[np.ndarray, " seen"],
    begins: Float[np.ndarray, " apart"],
    stops: Float[np.ndarray, " apart"],
) -> Float[np.ndarray, " seen"]:
    """How many seconds of these stretches lie before each moment."""
    before = np.searchsorted(begins, moment, side="right")
    total = np.concatenate([[0.0], np.cumsum(stops - begins)])
    over = np.zeros(len(moment))
    inside = before > 0
    over[inside] = np.maximum(stops[before[inside] - 1] - moment[inside], 0)
    return total[before] - over


def ranks(sources: Sequence[str], order: Sequence[str]) -> Float[np.ndarray, " source"]:
    """Each source's place in the order; infinite for one the order does not name."""
    places = {name: float(i) for i, name in enumerate(order)}
    return np.array([places.get(s, np.inf) for s in sources])


def near(
    at: Float[np.ndarray, " seen"], others: Float[np.ndarray, " other"], within: float
) -> Bool[np.ndarray, " seen"]:
    """Which times lie within so many seconds of one of the others (which are sorted)."""
    if not len(others):
        return np.zeros(len(at), dtype=bool)
    after = np.searchsorted(others, at).clip(0, len(others) - 1)
    before = (after - 1).clip(0)
    gap = np.minimum(np.abs(others[after] - at), np.abs(others[before] - at))
    return gap <= within


def told_once(series: Series, order: Sequence[str], within: float = 600.0) -> Series:
    """Doses and meals without those that a source before in `order` has told already.

    A row counts as told already where a better source has one of the same amount (to 10 %) within
    so many seconds, each of them matched once: two doses of a pump stay two, the same dose in pump
    and diary is one. A dose of another amount is another dose.
    """
    now = series.current
    rank = ranks(now.sources, order)[now.source]
    keep = np.ones(len(now), dtype=bool)
    for place in range(1, len(order)):
        better, taken = np.flatnonzero(keep & (rank < place)), set[int]()
        for i in np.flatnonzero(rank == place):
            first = np.searchsorted(now.at[better], now.at[i] - within)
            last = np.searchsorted(now.at[better], now.at[i] + within, side="right")
            same = (
                j
                for j in better[first:last].tolist()
                if j not in taken and abs(now.value[j] - now.value[i]) <= 0.1 * now.value[i]
            )
            match = min(same, key=lambda j: abs(now.at[j] - now.at[i]), default=None)
            if match is not None:
                taken.add(match)
                keep[i] = False
    return now.keep(keep)


def summed(code: Code) -> bool:
    """Whether amounts of this code are added up, so that none may count twice."""
    given = code.kind in (Kind.dose, Kind.meal) and "/" not in code.unit
    return given or code.id in AMOUNTS


def counted(record: Record, code: Code) -> Series:
    """The amounts of a code, each once, whoever told it: in the person's order of sources."""
    series, order = record[code], order_of(record, code)
    if not summed(code):
        return series.current
    lasts = code.kind is Kind.measurement and series.until is not None
    return uncovered(series, order) if lasts else told_once(series, order)


def order_of(record: Record, code: Code) -> tuple[str, ...]:
    """Which source counts first for this person: as was set for them, else what is usual."""
    series = record[code]
    said = record[setting(code)].current
    chosen = str(said.says[-1]).split(BEFORE) if len(said) and said.says is not None else []
    first = tuple(s for s in chosen if s in series.sources)
    return (*first, *(s for s in usual(series) if s not in first))


def usual(series: Series) -> tuple[str, ...]:
    """What is worn before what is carried, what gives before what is written down; then most."""
    counts = np.bincount(series.source, minlength=len(series.sources))

    def place(i: int) -> tuple[int, int, str]:
        name = series.sources[i].casefold()
        groups = (k for k, words in enumerate(USUAL) if any(w in name for w in words))
        return next(groups, len(USUAL)), -int(counts[i]), series.sources[i]

    return tuple(series.sources[i] for i in sorted(range(len(series.sources)), key=place))


def preferring(code: Code, order: Sequence[str], at: datetime, who: str) -> Observation:
    """The order of sources as a fact about the person: dated, and changed like any other."""
    return Observation(at, setting(code), 1, who, at, says=BEFORE.join(order))


def setting(code: Code) -> Code:
    """The code under which a person's order of sources for `code` is kept."""
    return opened(f"source_order|{code.id}", f"which device counts: {code.name}", "1", Kind.answer)
