"""The store on this machine, opened by whoever sits at it; every request is audited by name."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from medtwin.settings import Settings
from medtwin.vault.access import Principal, Role

if TYPE_CHECKING:
    from medtwin.vault.vault import Vault


def me(role: Role) -> Principal:
    """Whoever types, in the role that the command needs; whoever holds the key file may."""
    return Principal(f"{getpass.getuser()} at the command line", role)


@contextmanager
def vault() -> Iterator["Vault"]:
    """The store under MEDTWIN_HOME, made when it is not there yet."""
    from medtwin.vault.acquainted import Sure
    from medtwin.vault.vault import Vault

    settings = Settings()
    with Vault.open(settings.store, database=database(), sure=Sure(settings.sure)) as opened:
        yield opened


def database() -> str | None:
    """The address of the store, where it is not in the home."""
    said = Settings().database
    return None if said is None else said.get_secret_value()
