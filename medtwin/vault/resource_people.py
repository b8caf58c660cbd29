"""Whose resources a principal may find: the one decision, asked once for each kind of answer.

A search never asks person by person. What people said about a purpose is yes, no or nothing;
`access.decide` is asked about somebody who said each, and the query takes in whoever said what
is allowed. So a count, a page or an include never sees a row that reading it would refuse.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, false, func, or_, select

from medtwin.vault.access import Action, Principal, Role, Subject, decide
from medtwin.vault.consent import Choice, Purpose
from medtwin.vault.links import State
from medtwin.vault.tables import choices, links, patients
from medtwin.vault.times import moment

somebody = "somebody"


@dataclass(frozen=True)
class Seen:
    """Whose resources are seen: one person's own, or those of all who said what allows it."""

    purpose: Purpose
    own: str | None = None
    who_agreed: bool = False
    who_said_nothing: bool = False

    def of(self, patient: Any) -> ColumnElement[bool]:
        """The condition on a column of pseudonyms; the house's own resources are always seen."""
        allowed: list[ColumnElement[bool]] = [patient == ""]
        if self.own is not None:
            allowed.append(patient == self.own)
        if self.who_agreed:
            allowed.append(patient.in_(select(_of_one_mind(self.purpose).c.patient)))
        if self.who_said_nothing:
            allowed.append(patient.in_(_silent(self.purpose)))
        return or_(*allowed)

    def people(self, patient: Any) -> ColumnElement[bool]:
        """The same without the house."""
        return self.of(patient) & (patient != "") if self != Seen(self.purpose) else false()


def seen_by(principal: Principal, purpose: Purpose) -> Seen:
    """Whose resources this principal may read for this purpose."""
    if principal.role is Role.patient:
        mine = Subject(principal.patient or "")
        allowed = decide(principal, Action.read, mine, purpose).allowed
        return Seen(purpose, principal.patient if allowed else None)
    return Seen(purpose, None, _may(principal, purpose, (True,)), _may(principal, purpose, ()))


def _may(principal: Principal, purpose: Purpose, said: tuple[bool, ...]) -> bool:
    made = tuple(Choice(somebody, purpose, yes, moment(0), somebody) for yes in said)
    return decide(principal, Action.read, Subject(somebody, made), purpose).allowed


def _last(purpose: Purpose) -> Select[Any]:
    asked = choices.c.purpose == purpose.value
    return select(func.max(choices.c.number)).where(asked).group_by(choices.c.patient)


def _agreed(purpose: Purpose) -> Select[Any]:
    living = select(patients.c.patient).where(patients.c.retired.is_(None))
    yes = (choices.c.number.in_(_last(purpose)), choices.c.yes, choices.c.patient.in_(living))
    return select(choices.c.patient).where(*yes)


@cache  # one object, so that a query which asks at each step of a chain names it once
def _of_one_mind(purpose: Purpose) -> CTE:
    """Who agreed, but for those linked with a record that did not: then both refuse."""
    joined, agreed = links.c.state == State.linked.value, _agreed(purpose)
    one = select(links.c.one).where(joined, links.c.other.not_in(agreed))
    other = select(links.c.other).where(joined, links.c.one.not_in(agreed))
    mine = (choices.c.patient.not_in(one), choices.c.patient.not_in(other))
    return agreed.where(*mine).cte(f"agreed_to_{purpose}")


def _silent(purpose: Purpose) -> Select[Any]:
    asked = select(choices.c.patient).where(choices.c.purpose == purpose.value)
    quiet = (patients.c.retired.is_(None), patients.c.patient.not_in(asked))
    return select(patients.c.patient).where(*quiet)
