"""One line of the models' evidence: what a model reproduces, and how it does on real people."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """A figure beside the one it is held against.

    `claim` says what was done, in words; `ours` the figure reached; `against` what it is held
    against (a published value, another program, a simpler method) and `theirs` that one's
    figure; `unit` of both. `target` says in words what was asked, `reached` whether it was.
    `data` names the data set, with people and readings; empty for a worked example.
    `note` says what a reader must know to judge it: how it was split, what was tried.
    """

    model: str
    claim: str
    ours: float
    unit: str
    against: str
    theirs: float
    target: str
    reached: bool
    data: str = ""
    note: str = ""

    def told(self) -> dict[str, Any]:
        """The line as JSON; NumPy's numbers and truths become Python's."""
        plain = {"ours": float(self.ours), "theirs": float(self.theirs)}
        return {**asdict(self), **plain, "reached": bool(self.reached)}

    def said(self) -> str:
        """The line for a reader."""
        verdict = "reached" if self.reached else "MISSED"
        held = f"{self.ours:.6g} {self.unit}; {self.against}: {self.theirs:.6g}"
        return f"{self.model}: {self.claim}: {held} [{verdict}: {self.target}]"
