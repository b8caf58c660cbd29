"""(b) Each forecast is scored by the later measurement."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from medtwin.twin_suite.adapter import Fact, Scored
from medtwin.twin_suite.stage import Stage, tell
from medtwin.twin_suite.verdict import Finding

claim = "each forecast is scored by the later measurement"
near = timedelta(minutes=2.5)
fewest = 12


def found(stage: Stage) -> Iterator[Finding]:
    """The whole story told; then the ledger is worked out again from what was told."""
    with stage.admitted() as system:
        tell(system, stage.turns)
        ledger = system.ledger()
    readings = stage.story.readings
    due = [(e, _held_against(e, readings)) for e in ledger]
    came = [(e, r.value) for e, r in due if r is not None]
    yield Finding(len(came) >= fewest, f"{len(came)} of {len(ledger)} forecasts came due")
    after = sum(e.made >= e.due for e in ledger)
    no = f": no, {after} were not" if after else ""
    yield Finding(not after, f"every forecast was made before its time{no}")
    missing = sum(e.measured != value for e, value in came)
    yield Finding(
        not missing,
        f"{len(came) - missing} of {len(came)} are held against the reading that came",
    )
    early = sum(e.measured is not None for e, r in due if r is None)
    yield Finding(not early, f"{early} are scored though nothing was measured")
    apart = [abs(e.crps - crps(e, value)) for e, value in came if e.crps is not None]
    yield Finding(
        len(apart) == len(came) and max(apart, default=0.0) < 1e-6,
        f"{len(apart)} scores (CRPS) worked out again, at most {max(apart, default=0):.1e} apart",
    )


def crps(entry: Scored, measured: float) -> float:
    """Twice the mean pinball loss: Gneiting & Ranjan (2011), J Bus Econ Stat 29:411, eq. 10."""
    pairs = zip(entry.levels, entry.quantiles, strict=True)
    losses = [max(a * (measured - q), (a - 1) * (measured - q)) for a, q in pairs]
    return 2 * sum(losses) / len(losses)


def _held_against(entry: Scored, readings: Sequence[Fact]) -> Fact | None:
    closest = min(readings, key=lambda r: abs(r.at - entry.due))
    return closest if abs(closest.at - entry.due) <= near else None
