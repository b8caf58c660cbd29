"""`medtwin demo`, `serve` and `account`: the pages, and who may log in to them."""

import getpass
import sys

from medtwin.commands import house
from medtwin.commands.report import WrongInput, aside
from medtwin.settings import Settings
from medtwin.vault.access import Role


def serve(host: str | None, port: int | None) -> None:
    """Serve the pages on the store until Ctrl-C."""
    import uvicorn

    from medtwin.web.app import build

    where = Settings()
    host, port = host or where.host, where.port if port is None else port
    with house.vault() as vault:
        aside.print(f"medtwin serves {where.store} at http://{host}:{port}; Ctrl-C ends it")
        uvicorn.run(build(vault), host=host, port=port, log_level="warning")


def demo(speed: float, patients: int, host: str | None, port: int | None) -> None:
    """Start the generated hospital and its pages."""
    from medtwin.demo import run

    where = Settings()
    run(
        speed=speed,
        patients=patients,
        host=host or where.host,
        port=where.port if port is None else port,
    )


def account(name: str, role: str, patient: str | None) -> None:
    """Open a log-in, with a password that is typed twice or read from a pipe."""
    if role not in set(Role) - {Role.system}:
        allowed = ", ".join(r for r in Role if r is not Role.system)
        raise WrongInput(f"{role} is no role; allowed are {allowed}")
    if (role == Role.patient) != (patient is not None):
        raise WrongInput("--patient goes with --role patient, and only with it")
    with house.vault() as vault:
        vault.accounts.add(name, _password(), Role(role), patient)
    aside.print(f"{name} may log in as {role}")


def _password() -> str:
    if not sys.stdin.isatty():
        return _long_enough(sys.stdin.readline().rstrip("\n"))
    first, again = getpass.getpass("password: "), getpass.getpass("once more: ")
    if first != again:
        raise WrongInput("the two passwords differ; nothing was entered, try again")
    return _long_enough(first)


def _long_enough(password: str) -> str:
    if len(password) < 12:
        raise WrongInput("the password has fewer than 12 characters; choose a longer one")
    return password
