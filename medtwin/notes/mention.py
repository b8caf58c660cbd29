"""One thing that a note mentions: what, whose, whether it is so, when, and its very words."""

from dataclasses import dataclass
from datetime import datetime

from medtwin.record.codes import Code


@dataclass(frozen=True, slots=True)
class Dosing:
    """How a medicine is taken, as far as the note says: `amount` in `unit`, `days` it lasts."""

    amount: float | None = None
    unit: str = ""
    route: str = ""
    how_often: str = ""
    days: float | None = None

    @property
    def said(self) -> str:
        """The same in words."""
        dose = f"{self.amount:g} {self.unit}".strip() if self.amount is not None else ""
        lasts = f"for {self.days:g} days" if self.days is not None else ""
        return ", ".join(w for w in (dose, self.route, self.how_often, lasts) if w)


@dataclass(frozen=True, slots=True)
class Mention:
    """What a note says of one thing, at `start` to `end` of its text.

    `value` is in `unit`: a measurement's number, else 1, or 0 where it is negated. `whose` is
    empty for the patient, else the relative or donor. `at` is the date that its sentence tells,
    or that of the note; `dated` says which. A thing that `lasts`, once there, stays.
    """

    code: Code
    value: float
    unit: str
    says: str
    start: int
    end: int
    section: str
    negated: bool
    historical: bool
    hypothetical: bool
    uncertain: bool
    whose: str
    at: datetime
    dated: bool = False
    lasts: bool = False
    planned: bool = False
    dosing: Dosing | None = None

    @property
    def because(self) -> str:
        """Why it makes no fact about the patient; empty if it does."""
        if self.whose:
            return f"it is the {self.whose}'s, not the patient's"
        if self.hypothetical:
            return "it is only spoken of, as a risk, a condition or a reason"
        if self.uncertain:
            return "it is only possible"
        if self.planned:
            return "it lies ahead of the note"
        if self.historical and not (self.dated or self.lasts or self.negated):
            return "it is past, and no date is told"
        return ""

    @property
    def place(self) -> str:
        """Where its words stand."""
        return f"chars {self.start}-{self.end}"
