"""`medtwin listen`: take HL7 v2 messages over MLLP and keep them in the store."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medtwin.commands import house
from medtwin.commands.report import WrongInput, aside
from medtwin.settings import Settings
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose

if TYPE_CHECKING:
    import ssl

    from medtwin.vault.vault import Vault
    from medtwin.web.mllp_desk import Terms


@dataclass(frozen=True)
class Asked:
    """Where to listen, on what basis messages are kept, what is granted with it."""

    host: str | None
    port: int
    basis: str
    grants: Sequence[Purpose]
    zone: str | None = None


def listen(asked: Asked) -> None:
    """Listen until Ctrl-C."""
    from medtwin.web.mllp_desk import Terms

    where = Settings()
    who = Principal(f"the HL7 v2 listener at port {asked.port}", Role.system)
    terms = Terms(who, asked.basis, tuple(asked.grants), asked.zone)
    with house.vault() as vault:
        asyncio.run(_until_ended(vault, terms, asked.host or where.host, asked.port, _tls(where)))


async def _until_ended(
    vault: "Vault", terms: "Terms", host: str, port: int, tls: "ssl.SSLContext | None"
) -> None:
    from medtwin.web.mllp import listening

    async with listening(vault, terms, host, port, tls) as found:
        sealed = "with TLS" if tls else "without TLS"
        aside.print(f"medtwin listens for HL7 v2 at {host}:{found} {sealed}; Ctrl-C ends it")
        await asyncio.Event().wait()


def _tls(where: Settings) -> "ssl.SSLContext | None":
    """TLS if a certificate is set; both files or neither."""
    from medtwin.web.mllp import secured

    if where.mllp_certificate is None and where.mllp_key is None:
        return None
    if where.mllp_certificate is None or where.mllp_key is None:
        raise WrongInput("set both MEDTWIN_MLLP_CERTIFICATE and MEDTWIN_MLLP_KEY, or neither")
    return secured(where.mllp_certificate, where.mllp_key, where.mllp_clients)
