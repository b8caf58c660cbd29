"""`medtwin token`: let a program in at the FHIR server."""

from collections.abc import Sequence
from datetime import timedelta

from medtwin.commands import house, report
from medtwin.commands.importing import grants
from medtwin.commands.report import WrongInput, aside
from medtwin.vault.access import Principal, Role
from medtwin.vault.tokens import Bearer


def issue(
    name: str, role: str, patient: str | None, scopes: Sequence[str], basis: str,
    granted: Sequence[str], days: int,
) -> None:  # fmt: skip
    """Print a new token; it is shown this once."""
    if role not in set(Role):
        raise WrongInput(f"{role} is no role; allowed are {', '.join(Role)}")
    if (role == Role.patient) != (patient is not None):
        raise WrongInput("--patient goes with --role patient, and only with it")
    who = Principal(name, Role(role), patient)
    bearer = Bearer(who, tuple(scopes), basis, grants(granted))
    with house.vault() as vault:
        token = vault.tokens.issue(bearer, timedelta(days=days))
    aside.print(f"{name} may come to /fhir as {role} for {days} days; the token is shown once:")
    report.out.print(token, highlight=False, soft_wrap=True)
