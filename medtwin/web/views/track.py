"""The twin's own track record, in words and in one small table."""

from collections.abc import Sequence
from dataclasses import dataclass

from medtwin.record import codes
from medtwin.twin.ledger import Honesty, LedgerEntry, track
from medtwin.web import region as reader
from medtwin.web.region import Region
from medtwin.web.views.tiles import Pill

ENOUGH = 50
HONEST = (0.83, 0.96)


@dataclass(frozen=True)
class TrackRecord:
    """How past forecasts did; `words` say it, `rows` hold the figures."""

    words: tuple[str, ...]
    pill: Pill
    brief: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    days: tuple[tuple[str, ...], ...]
    n: int


def track_record(kept: Sequence[LedgerEntry], region: Region) -> TrackRecord:
    """What the ledger says of the forecasts shown (of the mechanism's, where it kept no others)."""
    mine = [e for e in kept if e.code == codes.glucose]
    shown = [e for e in mine if e.by == "shown"] or [e for e in mine if e.by == "mechanism"]
    found = track(shown)
    overall = found.overall
    if overall is None:
        words = ("No forecast has met its measurement yet, so nothing is known of its errors.",)
        waits = f"{found.waiting} wait for theirs." if found.waiting else ""
        return TrackRecord(
            (*words, waits) if waits else words, Pill("no record yet"), (), (), (), (), 0
        )
    rows = tuple(_row(f"{h:g} min", seen, region) for h, seen in sorted(found.horizons.items()))
    return TrackRecord(
        words=tuple(_words(overall, found.horizons, region)),
        pill=verdict(overall),
        brief=tuple((r[0], r[1], r[2], r[5]) for r in rows),
        heads=("ahead", "checked", f"error, {region.glucose}", "50 %", "80 %", "90 %"),
        rows=rows,
        days=tuple(
            _row(reader.day(d, region), seen, region) for d, seen in sorted(found.days.items())
        )[::-1],
        n=overall.n,
    )


def verdict(seen: Honesty) -> Pill:
    """Whether its stated doubt was honest: the 90 % interval should hold nine in ten."""
    if seen.n < ENOUGH:
        return Pill(f"only {seen.n} checked", "warning")
    if seen.cover90 < HONEST[0]:
        return Pill("too sure of itself", "warning")
    return Pill("wider than needed" if seen.cover90 > HONEST[1] else "honest", "good")


def _words(seen: Honesty, horizons: dict[float, Honesty], region: Region) -> list[str]:
    since = reader.day(seen.since, region)
    words = [f"Since {since}, {seen.n:,} forecasts met their measurement."]
    hour = min(horizons, key=lambda h: abs(h - 60))
    error = reader.amount(codes.glucose, horizons[hour].rmse, region)
    words.append(f"{hour:g} minutes ahead they were typically {error} off.")
    held = f"{100 * seen.cover90:.0f} in 100"
    words.append(f"The 90 % interval held {held}; it should hold 90.")
    return words


def _row(name: str, seen: Honesty, region: Region) -> tuple[str, ...]:
    covers = (seen.cover50, seen.cover80, seen.cover90)
    error = reader.figure(codes.glucose, seen.rmse, region)
    return (name, f"{seen.n:,}", error, *(f"{100 * c:.0f} %" for c in covers))
