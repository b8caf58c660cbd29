"""What a suite of cases is, and what came of one case."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its name, whether we agree with it, and in a few words what was seen."""

    name: str
    agreed: bool
    said: str = ""


@dataclass(frozen=True)
class Suite:
    """The cases found in a folder of this name; `run` takes that folder and yields them all."""

    folder: str
    run: Callable[[Path], Iterator[Case]]
