"""What a program shows instead of a password: a token for one principal, with scopes and an end."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select

from medtwin.vault.access import Action, Principal, Role
from medtwin.vault.consent import Decision, Purpose
from medtwin.vault.store import Store
from medtwin.vault.tables import tokens
from medtwin.vault.times import micros

the_house = Principal("the tokens", Role.system)


@dataclass(frozen=True)
class Bearer:
    """Who shows a token: the principal, what it is good for, and the ground records come in on."""

    principal: Principal
    scopes: tuple[str, ...]
    basis: str
    grants: tuple[Purpose, ...]


@dataclass(frozen=True)
class Tokens:
    """The tokens of one vault; kept only hashed."""

    store: Store

    def issue(self, bearer: Bearer, lasts: timedelta) -> str:
        """A new token; it is shown once and cannot be read again."""
        who = bearer.principal
        if (who.role is Role.patient) != (who.patient is not None):
            raise ValueError(
                f"a token of a {who.role} for patient {who.patient}; allowed is both or none"
            )
        token = secrets.token_urlsafe(32)
        until = micros(self.store.wall()) + lasts // timedelta(microseconds=1)
        row = {
            "token": _hashed(token),
            "name": who.name,
            "role": who.role.value,
            "patient": who.patient,
            "scopes": " ".join(bearer.scopes),
            "basis": bearer.basis,
            "grants": " ".join(bearer.grants),
            "until": until,
        }
        with self.store.writing() as work:
            work.connection.execute(insert(tokens), [row])
            said = Decision(True, f"a token for {who.role} with scopes {row['scopes']}")
            work.say(the_house, Action.open_account, who.patient, None, said)
        return token

    def bearer(self, token: str) -> Bearer | None:
        """Who this token belongs to; None if it is unknown, ended or too old."""
        with self.store.turns.reading() as c:
            found = c.execute(select(tokens).where(tokens.c.token == _hashed(token))).first()
        if found is None or found.until < micros(self.store.wall()):
            return None
        principal = Principal(found.name, Role(found.role), found.patient)
        grants = tuple(Purpose(g) for g in found.grants.split())
        return Bearer(principal, tuple(found.scopes.split()), found.basis, grants)

    def end(self, token: str) -> None:
        """End it now."""
        with self.store.writing() as work:
            work.connection.execute(delete(tokens).where(tokens.c.token == _hashed(token)))


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()
