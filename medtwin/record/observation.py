"""The one fact type: something about one person that was true at one time."""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from medtwin.record.codes import Code

WITHDRAWN = "entered in error"


class Implausible(ValueError):
    """The fact cannot come from a living person, or cannot be true when it says."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A reading, a dose, a diagnosis or an answer; a dose planned for tomorrow is one too.

    `at` is when it was true of the patient, `until` when it stopped if it lasted, and `known`
    when we learned it. Keeping both is what lets a back-test ask what the twin could have
    known at the time. `says` holds words where a number is not enough; the value is then 1.
    """

    at: datetime
    code: Code
    value: float
    source: str
    known: datetime
    until: datetime | None = None
    says: str = ""

    @property
    def withdrawn(self) -> bool:
        """The source took it back: what it said before at this time was never true."""
        return self.says == WITHDRAWN

    def __post_init__(self) -> None:
        code = self.code
        if not (isfinite(self.value) and code.low <= self.value <= code.high):
            raise Implausible(
                f"{code.name} {self.value:g} {code.unit} from {self.source} is outside "
                f"{code.low:g} to {code.high:g}; check the unit the source sends"
            )
        for time in (self.at, self.known, self.until):
            if time is not None and time.tzinfo is None:
                raise Implausible(
                    f"{code.name} from {self.source} at {time} has no time zone; say which"
                )
        if self.until is not None and self.until < self.at:
            raise Implausible(
                f"{code.name} from {self.source} ends {self.until} before it begins {self.at}"
            )
