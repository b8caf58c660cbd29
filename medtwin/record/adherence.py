"""Whether somebody had, and took, the medicine they were given: days covered, doses taken.

Definitions as Hess et al. (2006), Ann Pharmacother 40:1280-1288: the proportion of days covered
(PDC) counts each day once and shifts a supply that came early to when the one before it ends;
the medication possession ratio (MPR) adds the days of all supplies and can exceed 1. From 0.8 on
people are called adherent, by convention; what that is worth differs between drugs.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from jaxtyping import Float

from medtwin.record.record import Series

DAY = 86_400.0
ADHERENT = 0.8


@dataclass(frozen=True)
class Gap:
    """Days without supply: from, to (UTC seconds)."""

    begin: float
    end: float

    @property
    def days(self) -> float:
        """How long."""
        return (self.end - self.begin) / DAY


@dataclass(frozen=True)
class Covered:
    """Over so many `days`: the share covered (`pdc`), the share supplied (`mpr`), the gaps."""

    days: float
    pdc: float
    mpr: float
    gaps: tuple[Gap, ...]

    @property
    def said(self) -> str:
        """In a sentence."""
        words = f"covered on {self.pdc:.0%} of {self.days:.0f} days"
        if not self.gaps:
            return f"{words}, without a gap"
        longest = max(self.gaps, key=lambda g: g.days)
        begun = datetime.fromtimestamp(longest.begin, UTC)
        many = "one gap" if len(self.gaps) == 1 else f"{len(self.gaps)} gaps, the longest"
        return f"{words}; {many} of {longest.days:.0f} days from {begun:%d %b %Y}"


class NothingSupplied(ValueError):
    """No supply with a length is known, so nothing can be said of days covered."""


def days_covered(supplied: Series, begin: float, end: float) -> Covered:
    """How `begin` to `end` (UTC seconds) was covered by supplies that each last until `until`.

    The count begins at the first supply in the window, as the definition asks. Raises
    NothingSupplied where no supply with a length lies in it, ValueError for a window of no length.
    """
    if end <= begin:
        raise ValueError(f"a window from {begin} to {end} has no length; give an end after it")
    handed = supplied.current
    until = handed.until
    if until is None:
        raise NothingSupplied("no supply says how long it lasts; a dispense needs days of supply")
    within = (handed.at >= begin) & (handed.at < end) & (until > handed.at)
    at, last = handed.at[within], until[within]
    if not len(at):
        raise NothingSupplied("no supply with a length lies in this time")
    first = float(at[0])
    spans = shifted(at, last - at, end)
    gaps = _gaps(spans, first, end)
    missing = sum(g.end - g.begin for g in gaps)
    given = float(np.sum(last - at))
    return Covered(
        (end - first) / DAY, 1 - missing / (end - first), given / (end - first), tuple(gaps)
    )


def shifted(
    at: Float[np.ndarray, " supply"], lasting: Float[np.ndarray, " supply"], end: float
) -> list[tuple[float, float]]:
    """When each supply is used: one that came early begins when the one before it ends."""
    free, spans = -np.inf, []
    for handed, length in zip(at, lasting, strict=True):
        begins = max(float(handed), free)
        free = begins + float(length)
        if begins < end:
            spans.append((begins, min(free, end)))
    return spans


def _gaps(spans: list[tuple[float, float]], first: float, end: float) -> list[Gap]:
    reached, found = first, []
    for begins, ends in spans:
        if begins > reached:
            found.append(Gap(reached, begins))
        reached = max(reached, ends)
    return [*found, Gap(reached, end)] if reached < end else found


def doses_taken(taken: Series, a_day: float, begin: float, end: float) -> float:
    """The share of doses that were taken (a dispenser's openings, or what was entered), 0 to 1.

    More than `a_day` on one day count as `a_day`: tomorrow's tablet taken today is not adherence.
    Days are counted from `begin`. Raises ValueError for a plan of no dose or a window of no length.
    """
    if a_day <= 0 or end <= begin:
        raise ValueError(f"{a_day:g} doses a day from {begin} to {end} is no plan to hold to")
    days = int(np.ceil((end - begin) / DAY))
    at = taken.current.at
    counts, _ = np.histogram(at, bins=days, range=(begin, begin + days * DAY))
    planned = a_day * (end - begin) / DAY
    return float(min(np.sum(np.minimum(counts, a_day)) / planned, 1.0))
