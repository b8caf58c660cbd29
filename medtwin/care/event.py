"""What the ward says to whoever listens: something happened to this person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class What(StrEnum):
    """What can happen: facts came, a forecast was made, an alert was raised or is over, nothing
    is computed because the person did not agree, or the ward itself failed at something."""

    facts = "facts"
    forecast = "forecast"
    alert = "alert"
    resolved = "resolved"
    refused = "refused"
    trouble = "trouble"
    progress = "progress"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, small enough to send: who, what, when, and a few plain values.

    `id` is its number on this ward's line, 0 until it is published. `patient` is the pseudonym,
    empty where it is about the whole ward.
    """

    patient: str
    kind: What
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
