"""What is written when a twin ends: what it was, what it knew, and that it is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from medtwin.record.record import moment
from medtwin.twin.bytes import dumped
from medtwin.twin.twin import Twin


@dataclass(frozen=True)
class Ending:
    """The pieces of a retirement certificate that the twins themselves can tell.

    `digests` are SHA-256 of each checkpoint's bytes: they prove which twins were meant, and
    hold nothing of the person.
    """

    model: str
    followed_since: datetime | None
    followed_until: datetime | None
    facts: int
    digests: tuple[str, ...]
    ended: datetime
    because: str

    def __str__(self) -> str:
        span = (
            f"from {self.followed_since:%d %B %Y} to {self.followed_until:%d %B %Y}"
            if self.followed_since and self.followed_until
            else "never begun"
        )
        return (
            f"Twin of model {self.model}, followed {span} on {self.facts} facts, "
            f"{len(self.digests)} checkpoints; ended {self.ended:%d %B %Y %H:%M} UTC because "
            f"{self.because}."
        )


def ending(checkpoints: Sequence[Twin], now: datetime, because: str) -> Ending:
    """What the certificate says of these checkpoints of one person's twin (of one model)."""
    last = max(checkpoints, key=lambda t: t.at, default=None)
    return Ending(
        model=last.model.name if last else "none",
        followed_since=moment(min(t.born for t in checkpoints)) if last else None,
        followed_until=moment(last.at) if last else None,
        facts=last.facts if last else 0,
        digests=tuple(sha256(dumped(t)).hexdigest() for t in checkpoints),
        ended=now,
        because=because,
    )
