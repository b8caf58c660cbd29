"""Where a test plays: fresh folders, the story told in turns, copies of a folder."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from pathlib import Path

from medtwin.twin_suite.adapter import Adapter, Fact, Story, System
from medtwin.twin_suite.story import somebody

Turn = tuple[datetime, tuple[Fact, ...]]
every = timedelta(minutes=15)


@dataclass
class Stage:
    """One adapter and a folder of its own for every system opened."""

    adapter: Adapter
    folder: Path
    homes: int = field(default=0)

    @property
    def story(self) -> Story:
        """What is told."""
        return self.adapter.story

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The facts of the story as they arrive: every quarter of an hour."""
        return in_turns(self.story.facts)

    @contextmanager
    def opened(self, home: Path) -> Iterator[System]:
        """The system on this folder, closed whatever happens."""
        system = self.adapter.open(home)
        try:
            yield system
        finally:
            system.close()

    @contextmanager
    def admitted(self) -> Iterator[System]:
        """A new system with the invented person in it, nothing told yet."""
        with self.opened(self.inhabited()) as system:
            yield system

    def inhabited(self) -> Path:
        """A new folder with the invented person in it, closed."""
        home = self._empty()
        home.mkdir(parents=True)
        with self.opened(home) as system:
            system.admit(somebody, self.story.facts[0].at)
        return home

    def copy(self, home: Path) -> Path:
        """Another folder with everything that a closed system keeps."""
        return Path(shutil.copytree(home, self._empty()))

    def _empty(self) -> Path:
        self.homes += 1
        return self.folder / f"home{self.homes}"


def in_turns(facts: Sequence[Fact]) -> tuple[Turn, ...]:
    """Facts in the order they were learned, gathered at whole quarters of an hour."""
    in_order = sorted(facts, key=lambda f: f.known)
    return tuple((now, tuple(some)) for now, some in groupby(in_order, key=_gathered))


def _gathered(fact: Fact) -> datetime:
    begin = fact.known.replace(hour=0, minute=0, second=0, microsecond=0)
    return begin + ceil((fact.known - begin) / every) * every


def tell(system: System, turns: Sequence[Turn]) -> None:
    """One turn after the other."""
    for now, facts in turns:
        system.tell(facts, now)


def refusal(ask: Callable[[], object]) -> str | None:
    """Why this was refused; None where it was answered."""
    try:
        ask()
    except PermissionError as refused:
        return str(refused) or "refused"
    return None
