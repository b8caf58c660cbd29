"""(c) The same person under two plans gives two courses and an interval for their difference."""

from collections.abc import Iterator

from medtwin.twin_suite.adapter import Change, Fact, Interval, System
from medtwin.twin_suite.stage import Stage, tell
from medtwin.twin_suite.verdict import Finding

claim = "two plans give two courses and an interval for their difference"


def found(stage: Stage) -> Iterator[Finding]:
    """Each change tried against doing nothing, and against itself."""
    with stage.admitted() as system:
        tell(system, stage.turns)
        for change in stage.story.changes:
            yield from _tried(stage, system, change)


def _tried(stage: Stage, system: System, change: Change) -> Iterator[Finding]:
    now = stage.turns[-1][0]
    at = now + stage.story.ahead
    plan = (Fact(now, change.fact, change.amount, now),)
    told = system.difference((), plan, at, now)
    yield Finding(_right_way(told, change.direction), f"{change.said}: {_shown(told)}")
    apart = system.expected(plan, at, now) - system.expected((), at, now)
    yield Finding(
        apart * change.direction > 0, f"the two courses under {change.said} are {apart:+.1f} apart"
    )
    same = system.difference(plan, plan, at, now)
    yield Finding(
        (same.low, same.middle, same.high) == (0.0, 0.0, 0.0),
        f"the same plan twice differs by {_shown(same)}",
    )


def _right_way(told: Interval, direction: int) -> bool:
    """An interval with a middle inside, all on the side that the change must move to."""
    nearest = told.high if direction < 0 else told.low
    return told.low < told.high and told.low <= told.middle <= told.high and nearest * direction > 0


def _shown(told: Interval) -> str:
    return f"{told.middle:+.1f} (90 % {told.low:+.1f} to {told.high:+.1f})"
