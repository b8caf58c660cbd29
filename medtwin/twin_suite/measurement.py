"""(a) A measurement changes the state and shrinks the doubt."""

from collections.abc import Iterator
from statistics import mean

from medtwin.twin_suite.adapter import Belief, Fact, System
from medtwin.twin_suite.stage import Stage
from medtwin.twin_suite.verdict import Finding

claim = "a measurement changes the state and shrinks the doubt"
looked_at = 8


def found(stage: Stage) -> Iterator[Finding]:
    """A reading a quarter of an hour, each held against what was believed just before it."""
    readings = [facts[-1] for _, facts in stage.turns if facts[-1].what == stage.story.signal]
    with stage.admitted() as system:
        system.tell(stage.turns[0][1], stage.turns[0][0])
        learned = [_learned(system, r) for r in readings[1 : looked_at + 1]]
    unmoved = sum(same for same, _, _, _ in learned)
    yield Finding(not unmoved, f"{len(learned) - unmoved} of {len(learned)} readings changed it")
    wider = sum(after.spread >= before.spread for _, _, before, after in learned)
    before, after = (mean(one[k].spread for one in learned) for k in (2, 3))  # type: ignore[union-attr]
    yield Finding(
        not wider and after < before,
        f"doubt shrank at {len(learned) - wider} of {len(learned)}, on average from {before:.2f} "
        f"to {after:.2f}",
    )
    off = [(abs(r.value - b.middle), abs(r.value - a.middle)) for _, r, b, a in learned]
    was, now = mean(one for one, _ in off), mean(one for _, one in off)
    yield Finding(now < was, f"its middle moved from {was:.2f} to {now:.2f} off the reading")


def _learned(system: System, reading: Fact) -> tuple[bool, Fact, Belief, Belief]:
    """Whether the state stayed as it was; the reading; the belief before and after."""
    state, before = system.state(), system.belief(reading.at)
    system.tell((reading,), reading.known)
    return system.state() == state, reading, before, system.belief(reading.at)
