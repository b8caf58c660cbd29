"""What a test found: every single observation with its number, and the verdict they add up to."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it held, and what was seen."""

    holds: bool
    said: str


@dataclass(frozen=True)
class Verdict:
    """One of the six claims held against one system."""

    letter: str
    claim: str
    passed: bool
    because: str


def judged(letter: str, claim: str, findings: Sequence[Finding]) -> Verdict:
    """All must hold. What did not is the reason; where all did, everything seen is."""
    wrong = [f for f in findings if not f.holds]
    said = "; ".join(f.said for f in wrong or findings)
    return Verdict(letter, claim, bool(findings) and not wrong, said or "nothing could be seen")
