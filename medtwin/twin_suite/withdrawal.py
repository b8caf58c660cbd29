"""(e) Withdrawn consent changes what is computed, at once."""

from collections.abc import Iterator

from medtwin.twin_suite import adapter
from medtwin.twin_suite.adapter import System
from medtwin.twin_suite.stage import Stage, refusal, tell
from medtwin.twin_suite.verdict import Finding

claim = "withdrawn consent changes what is computed, at once"


def found(stage: Stage) -> Iterator[Finding]:
    """The twin refused for an hour while care goes on, then allowed again."""
    turns, first = stage.turns, len(stage.turns) // 4
    before, during, after = turns[:first], turns[first : first + 4], turns[first + 4]
    withdrawn, back = before[-1][0], during[-1][0]
    newest = [f for f in after[1] if f.what == stage.story.signal][-1]
    with stage.admitted() as system:
        tell(system, before)
        old, kept = system.state(), system.kept()
        said = system.belief(newest.at)
        system.choose(adapter.twin, withdrawn, yes=False)
        yield _refused(stage, system, "at once")
        tell(system, during)
        yield _refused(stage, system, "an hour later")
        arrived = sum(len(facts) for _, facts in during)
        yield Finding(
            system.kept() == kept + arrived,
            f"care kept {system.kept() - kept} of the {arrived} facts that came meanwhile",
        )
        system.choose(adapter.twin, back, yes=True)
        tell(system, [after])
        now = system.belief(newest.at)
        yield Finding(system.state() != old, "allowed again, the state is another than before")
        was, off = abs(said.middle - newest.value), abs(now.middle - newest.value)
        yield Finding(off < was, f"it knows the facts: {off:.1f} off the newest, not {was:.1f}")
        made = [e for e in system.ledger() if withdrawn < e.made <= back]
        yield Finding(not made, f"{len(made)} forecasts were made while it was withdrawn")


def _refused(stage: Stage, system: System, when: str) -> Finding:
    now, _ = stage.turns[-1]
    at = now + stage.story.ahead
    asks = {
        "state": system.state,
        "belief": lambda: system.belief(at),
        "forecast": lambda: system.expected((), at, now),
        "difference": lambda: system.difference((), (), at, now),
        "ledger": system.ledger,
    }
    answered = [name for name, ask in asks.items() if refusal(ask) is None]
    if answered:
        return Finding(False, f"{when} it still answers: {', '.join(answered)}")
    return Finding(True, f"{when} {len(asks)} of {len(asks)} questions are refused")
