"""(f) Termination is provable: nothing of the person can be read, and the audit shows it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from medtwin.twin_suite.adapter import System
from medtwin.twin_suite.stage import Stage, refusal, tell
from medtwin.twin_suite.story import somebody
from medtwin.twin_suite.verdict import Finding

claim = "termination is provable: nothing can be read, and the audit shows it"


def found(stage: Stage) -> Iterator[Finding]:
    """A whole life, then its end; looked at through every door, in every file, after a restart."""
    home = stage.inhabited()
    with stage.opened(home) as system:
        tell(system, stage.turns)
        gave, state, key = open_doors(system.doors()), system.state(), system.holds_key()
        yield Finding(bool(gave), f"{len(gave)} doors gave something before")
        system.retire("the invented person asked to be forgotten")
        yield _shut(system, "afterwards")
        now, facts = stage.turns[-1]
        refused = refusal(lambda: system.tell(facts, now))
        yield Finding(refused is not None, f"new facts are {'refused' if refused else 'taken'}")
    yield _unreadable(home, state)
    with stage.opened(home) as system:
        yield _shut(system, "after a restart")
        yield Finding(
            key and not system.holds_key(),
            f"their key is {_there(system.holds_key())} (was {_there(key)})",
        )
        yield from _proved(system)


def open_doors(doors: Mapping[str, Callable[[], object]]) -> tuple[str, ...]:
    """The names of those that give something away."""
    return tuple(name for name, ask in doors.items() if _gives(ask))


def _gives(ask: Callable[[], object]) -> bool:
    try:
        return bool(ask())
    except (PermissionError, LookupError):
        return False


def _shut(system: System, when: str) -> Finding:
    doors = system.doors()
    still = open_doors(doors)
    if still:
        return Finding(False, f"{when} still open: {', '.join(still)}")
    return Finding(bool(doors), f"{when} all {len(doors)} are shut")


def _unreadable(home: Path, state: bytes) -> Finding:
    """Every byte of every file, for who they were and for a piece of what the twin believed."""
    sought = [*(secret.encode() for secret in somebody.secrets), *telling_piece(state)]
    files = [p for p in home.rglob("*") if p.is_file()]
    telling = [p.name for p in files if any(s in p.read_bytes() for s in sought)]
    size = sum(p.stat().st_size for p in files)
    if telling:
        return Finding(False, f"something of the person stands in clear in {', '.join(telling)}")
    return Finding(bool(files), f"nothing of the person in {size:,} bytes of {len(files)} files")


def telling_piece(state: bytes) -> tuple[bytes, ...]:
    """The 48 bytes least likely to stand anywhere by chance; none where a state is too short."""
    pieces = [state[i : i + 48] for i in range(0, len(state) - 15, 48)]
    return tuple(sorted(pieces, key=lambda piece: len(set(piece)))[-1:])


def _proved(system: System) -> Iterator[Finding]:
    lines = [x for x in system.audit() if "retire" in x.action and x.allowed]
    yield Finding(bool(lines), f"{len(lines)} audit lines tell of the end")
    whole = system.audit_is_whole()
    yield Finding(whole, f"the audit is {'whole' if whole else 'broken'}")
    said = system.certificate()
    yield Finding(bool(said), "there is a certificate" if said else "there is no certificate")


def _there(yes: bool) -> str:
    return "there" if yes else "gone"
