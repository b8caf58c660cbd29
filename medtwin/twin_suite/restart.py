"""(d) A restart reproduces the state bit for bit, and late facts give the same twin."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from medtwin.twin_suite.adapter import Fact
from medtwin.twin_suite.stage import Stage, Turn, tell
from medtwin.twin_suite.verdict import Finding

claim = "a restart reproduces the state bit for bit, late facts give the same twin"


def found(stage: Stage) -> Iterator[Finding]:
    """The same person lives three times: at a stretch, cut short, with late facts."""
    home, turns = stage.inhabited(), stage.turns
    with stage.opened(stage.copy(home)) as system:
        tell(system, turns)
        whole = system.state()
    yield from _restarted(stage, stage.copy(home), whole)
    late = with_late_facts(turns)
    with stage.opened(stage.copy(home)) as system:
        tell(system, late)
        again = system.state()
    yield Finding(
        again == whole, f"{moved(turns, late)} facts late: {_held(again, whole)} as in order"
    )


def _restarted(stage: Stage, home: Path, whole: bytes) -> Iterator[Finding]:
    half = len(stage.turns) // 2
    with stage.opened(home) as system:
        tell(system, stage.turns[:half])
        before = system.state()
    if stage.adapter.address:
        same = in_a_fresh_process(stage.adapter.address, stage.copy(home)) == digest(before)
        yield Finding(same, f"a fresh process finds {'the same' if same else 'another'} state")
    with stage.opened(home) as system:
        after = system.state()
        tell(system, stage.turns[half:])
        end = system.state()
    yield Finding(after == before, f"after a restart {_held(after, before)} as before it")
    yield Finding(end == whole, f"going on from there {_held(end, whole)} as without a restart")


def in_a_fresh_process(address: str, home: Path) -> str:
    """The digest of the state that a new Python process finds in this folder."""
    told = os.environ | {"PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
    asked = [sys.executable, "-m", "medtwin.twin_suite.fresh_process", address, str(home)]
    done = subprocess.run(  # noqa: S603 - our own module, in this very Python
        asked, env=told, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout.strip() or done.stderr.strip()[-200:]


def digest(state: bytes) -> str:
    """A state in few letters."""
    return sha256(state).hexdigest()


def with_late_facts(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The same facts, those of three turns (with what was eaten and injected) over an hour late."""
    held = range(len(turns) // 3, len(turns) // 3 + 3)
    to = held.stop + 5
    late = tuple(replace(f, known=turns[to][0]) for i in held for f in turns[i][1])
    kept = [(now, facts) for i, (now, facts) in enumerate(turns) if i not in held]
    return tuple((now, facts + late if now == turns[to][0] else facts) for now, facts in kept)


def moved(turns: Sequence[Turn], late: Sequence[Turn]) -> int:
    """How many facts were learned later."""
    return len(_facts(late) - _facts(turns))


def _facts(turns: Sequence[Turn]) -> set[Fact]:
    return {f for _, facts in turns for f in facts}


def _held(one: bytes, other: bytes) -> str:
    if one == other:
        return f"the same {len(one):,} bytes"
    wrong = sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))
    return f"{wrong:,} of {len(other):,} bytes not the same"
