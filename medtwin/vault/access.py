"""May this principal do this to this person's data, for this purpose? Deny by default. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from medtwin.vault.consent import Choice, Decision, Purpose, permits


class Role(StrEnum):
    """What a principal is here to do."""

    clinician = "clinician"
    researcher = "researcher"
    patient = "patient"
    operator = "operator"
    system = "system"


class Action(StrEnum):
    """What can be done with the vault; the words stand in the audit."""

    list = "list people"
    receive = "receive records"
    see_refusals = "see refusals"
    see_audit = "see the audit"
    identify = "identify"
    read = "read"
    add = "add facts"
    keep = "keep a result"
    acknowledge = "acknowledge an alert"
    choose = "enter a choice"
    see_choices = "see choices"
    review = "see the review list"
    link = "link records"
    unlink = "unlink records"
    retire = "retire"
    back_up = "back up"
    restore = "put a copy back"
    open_account = "open an account"
    log_in = "log in"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a member of staff, a service, or a patient (then `patient` says which)."""

    name: str
    role: Role
    patient: str | None = None

    @property
    def signature(self) -> str:
        """How the audit names them: a patient by pseudonym, since a log-in name may identify."""
        return self.patient or "patient" if self.role is Role.patient else self.name


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data is asked for, and what they have said about its use."""

    patient: str
    choices: tuple[Choice, ...] = ()
    retired: datetime | None = None


class Refused(PermissionError):
    """The vault said no; `decision` carries the reason."""

    def __init__(
        self, decision: Decision, principal: Principal, action: Action, whose: str
    ) -> None:
        self.decision = decision
        super().__init__(
            f"{principal.signature} ({principal.role}) may not {action} of {whose}: "
            f"{decision.because}"
        )


P = Purpose
everything = frozenset(Purpose)
treating = frozenset({P.care, P.twin})
learning = frozenset({P.research, P.training, P.sharing})

# Of the whole house, with nobody's data opened.
of_the_house: dict[Action, frozenset[Role]] = {
    Action.list: frozenset({Role.clinician, Role.researcher, Role.operator, Role.system}),
    Action.receive: frozenset({Role.operator, Role.system}),
    Action.see_refusals: frozenset({Role.operator}),
    Action.see_audit: frozenset({Role.operator}),
    Action.review: frozenset({Role.clinician, Role.operator}),
    Action.back_up: frozenset({Role.operator}),
    Action.restore: frozenset({Role.operator}),
}
# Of one person, without asking them: keeping their rights and the house in order.
in_stewardship: dict[Action, frozenset[Role]] = {
    Action.list: of_the_house[Action.list],
    Action.see_choices: frozenset({Role.clinician, Role.operator, Role.system}),
    Action.choose: frozenset({Role.operator}),
    Action.see_audit: frozenset({Role.operator}),
    Action.link: frozenset({Role.clinician, Role.operator}),
    Action.unlink: frozenset({Role.clinician, Role.operator}),
    Action.retire: frozenset({Role.operator}),
}
# Of one person, if they agreed to the purpose.
with_consent: dict[Action, dict[Role, frozenset[Purpose]]] = {
    Action.read: {Role.clinician: treating, Role.researcher: learning, Role.system: everything},
    Action.identify: {Role.clinician: frozenset({P.care})},
    Action.add: {Role.clinician: treating, Role.system: treating},
    Action.keep: {Role.clinician: treating, Role.system: treating},
    Action.acknowledge: {Role.clinician: frozenset({P.care})},
    Action.see_audit: {Role.clinician: frozenset({P.care})},
}
# Of themselves: always what is kept and what they said; anything computed only if they agreed.
always_own = frozenset(
    {Action.list, Action.identify, Action.see_choices, Action.choose, Action.see_audit}
)
own_with_consent = frozenset({Action.read, Action.add, Action.keep})


def decide(
    principal: Principal, action: Action, subject: Subject | None, purpose: Purpose | None
) -> Decision:
    """Yes or no, with the reason. `subject` None asks about the house as a whole."""
    if subject is None:
        return _house(principal, action)
    if subject.retired is not None and action not in (Action.see_audit, Action.see_choices):
        return Decision(False, f"retired on {subject.retired:%d %B %Y}; nothing is left to read")
    if principal.role is Role.patient:
        return _own(principal, action, subject, purpose)
    if principal.role in in_stewardship.get(action, ()):
        return Decision(True, f"role {principal.role} may {action}")
    return _consented(principal, action, subject, purpose)


def _house(principal: Principal, action: Action) -> Decision:
    allowed = of_the_house.get(action, frozenset())
    if principal.role in allowed:
        return Decision(True, f"role {principal.role} may {action}")
    who = ", ".join(sorted(allowed)) or "nobody"
    return Decision(False, f"role {principal.role} may not {action}; allowed: {who}")


def _own(
    principal: Principal, action: Action, subject: Subject, purpose: Purpose | None
) -> Decision:
    if principal.patient != subject.patient:
        return Decision(False, "a patient sees only their own data")
    if action in always_own or (action is Action.read and purpose is Purpose.care):
        return Decision(True, "their own data")
    if action in own_with_consent and purpose is not None:
        return permits(subject.choices, purpose)
    return Decision(False, f"a patient may not {action}; ask the operator")


def _consented(
    principal: Principal, action: Action, subject: Subject, purpose: Purpose | None
) -> Decision:
    roles = with_consent.get(action, {})
    purposes = roles.get(principal.role, frozenset())
    if purpose is None or purpose not in purposes:
        allowed = ", ".join(sorted(purposes)) or f"{', '.join(sorted(roles)) or 'nobody'} only"
        return Decision(
            False, f"role {principal.role} may not {action} for {purpose}; allowed: {allowed}"
        )
    return permits(subject.choices, purpose)
