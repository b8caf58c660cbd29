"""Who may use what, and why: the consent ledger, read the same way everywhere. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What a person's data may be wanted for; each is asked about on its own."""

    care = "care"
    twin = "twin"
    research = "research"
    training = "training"
    sharing = "sharing"


@dataclass(frozen=True, slots=True)
class Choice:
    """A person said yes or no to one purpose. Choices are added, never changed."""

    patient: str
    purpose: Purpose
    yes: bool
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no to one request, and the reason in words."""

    allowed: bool
    because: str


def permits(choices: Iterable[Choice], purpose: Purpose) -> Decision:
    """The last choice entered speaks; silence is no.

    `choices` stand in the order they were entered. That order decides, not their times: a
    clock that runs ahead somewhere must not let an old yes outlive a new no.
    """
    made = [c for c in choices if c.purpose is purpose]
    if not made:
        return Decision(False, f"never asked about {purpose}")
    last = made[-1]
    said = "agreed to" if last.yes else "withdrew from"
    return Decision(last.yes, f"{said} {purpose} on {last.at:%d %B %Y}")


def standing(choices: Iterable[Choice]) -> dict[Purpose, bool]:
    """What holds now, for every purpose this person was ever asked about."""
    return {c.purpose: c.yes for c in choices}
