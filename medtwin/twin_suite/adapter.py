"""What the suite asks of a system that keeps a twin: a dozen plain questions, nothing inside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

care, twin = "care", "twin"


@dataclass(frozen=True)
class Fact:
    """Something that became true of the person, in words and units that the adapter knows.

    `known` is when it was learned; `at` where it was learned at once.
    """

    at: datetime
    what: str
    value: float
    known: datetime


@dataclass(frozen=True)
class Who:
    """An invented person: what a source tells of them that must not outlive them."""

    name: str
    identifier: str
    words: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may be found nowhere when they are gone."""
        return (self.name, self.identifier, self.words)


@dataclass(frozen=True)
class Change:
    """Something that could be done, and which way it must move the signal: -1 down, +1 up."""

    said: str
    fact: str
    amount: float
    direction: int


@dataclass(frozen=True)
class Story:
    """What happens to the invented person, in the order it happens.

    `signal` is what is measured and forecast; its readings stand among `facts`. The first half
    of them is told before a restart. `changes` are tried from the end of the story and judged
    `ahead` later.
    """

    signal: str
    facts: tuple[Fact, ...]
    changes: tuple[Change, ...]
    ahead: timedelta

    @property
    def readings(self) -> tuple[Fact, ...]:
        """The measurements of the signal."""
        return tuple(f for f in self.facts if f.what == self.signal)


@dataclass(frozen=True)
class Belief:
    """What a reading of the signal would be: its middle and the doubt (standard deviation)."""

    middle: float
    spread: float


@dataclass(frozen=True)
class Interval:
    """A difference between two plans: the middle, and the ends of its 90 % interval."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Scored:
    """A forecast in the ledger: quantiles at `levels`; `measured` and `crps` once it was scored."""

    made: datetime
    due: datetime
    levels: tuple[float, ...]
    quantiles: tuple[float, ...]
    measured: float | None
    crps: float | None


@dataclass(frozen=True)
class Line:
    """An audit line: what was done or refused, and why."""

    action: str
    allowed: bool
    because: str


@runtime_checkable
class System(Protocol):
    """One running system with one person in it. Whatever is not allowed raises PermissionError.

    All it keeps lies in the folder it was opened on: the suite copies that folder, opens the
    copy, and looks into its files.
    """

    def admit(self, who: Who, now: datetime) -> None:
        """Take this person in, with their yes to care and to a twin."""
        ...

    def tell(self, facts: Sequence[Fact], now: datetime) -> None:
        """Facts arrive at `now`: keep them, and let the twin take its turn."""
        ...

    def state(self) -> bytes:
        """Everything the twin believes, bit for bit."""
        ...

    def belief(self, at: datetime) -> Belief:
        """What a reading at this moment would be, as far as the twin knows now."""
        ...

    def expected(self, plan: Sequence[Fact], at: datetime, now: datetime) -> float:
        """The middle of the forecast for `at`, made at `now` under this plan."""
        ...

    def difference(
        self, a: Sequence[Fact], b: Sequence[Fact], at: datetime, now: datetime
    ) -> Interval:
        """Plan B minus plan A at this moment, for the same body and the same chance."""
        ...

    def ledger(self) -> tuple[Scored, ...]:
        """Every forecast kept, scored or not."""
        ...

    def kept(self) -> int:
        """How many facts of the person are kept for care."""
        ...

    def choose(self, purpose: str, now: datetime, yes: bool) -> None:
        """The person says yes or no to `care` or `twin`."""
        ...

    def retire(self, because: str) -> None:
        """End the person's data for good."""
        ...

    def doors(self) -> Mapping[str, Callable[[], object]]:
        """Every way to read something of the person, by name; empty results say nothing."""
        ...

    def holds_key(self) -> bool:
        """Whether anything is left that could unseal what was sealed for this person."""
        ...

    def certificate(self) -> str:
        """What is said of the end; empty while the person is there."""
        ...

    def audit(self) -> tuple[Line, ...]:
        """The person's audit lines, newest first."""
        ...

    def audit_is_whole(self) -> bool:
        """Whether every audit line is there and as it was written."""
        ...

    def close(self) -> None:
        """Stop; nothing is kept but what lies in the folder."""
        ...


@runtime_checkable
class Adapter(Protocol):
    """How a system is started. `address` is "module:name" of this adapter where another process
    can find it (the restart is then also tried in a fresh process), or empty."""

    @property
    def name(self) -> str:
        """Whose twin this is."""
        ...

    @property
    def address(self) -> str:
        """Where a fresh process finds this adapter."""
        ...

    @property
    def story(self) -> Story:
        """What is told to it."""
        ...

    def open(self, home: Path) -> System:
        """The system on this folder, with whatever an earlier life left there."""
        ...
