"""Who may log in: passwords by argon2id, sessions kept here and named by a random token."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, delete, insert, select, update

from medtwin.vault.access import Action, Principal, Role
from medtwin.vault.consent import Decision
from medtwin.vault.dialect import Found, insert_new
from medtwin.vault.seal import Seal, place
from medtwin.vault.store import Store
from medtwin.vault.tables import accounts, patients, sessions
from medtwin.vault.times import micros

lasts = timedelta(hours=12)
tries, pause = 5, timedelta(minutes=15)  # wrong passwords before a pause
the_house = Principal("the log-in", Role.system)


class NotLoggedIn(PermissionError):
    """Name and password do not fit, or too many tries; it does not say whether the name exists."""


@dataclass(frozen=True)
class Accounts:
    """The log-ins of one vault. Log-in names are sealed, tokens and passwords kept only hashed."""

    store: Store

    def add(self, name: str, password: str, role: Role, patient: str | None = None) -> None:
        """A new account; one of role patient says whose, by pseudonym."""
        if (role is Role.patient) != (patient is not None):
            raise ValueError(
                f"an account of a {role} with patient {patient}; give a pseudonym with role "
                "patient, and only with it"
            )
        hashed = self.hasher.hash(password)
        with self.store.writing() as work:
            self._insert(work.connection, name, hashed, role, patient)
            said = Decision(True, f"a new account with role {role}")
            work.say(the_house, Action.open_account, patient, None, said)

    def login(self, name: str, password: str) -> str:
        """The token of a new session, or `NotLoggedIn`."""
        with self.store.turns.reading() as c:
            found = self._account(c, name)
        right = self._right(found, password)
        token, why = secrets.token_urlsafe(32), "name or password is wrong"
        now = micros(self.store.wall())
        with self.store.writing() as work:
            if found is not None and self._paused(found, now):
                right, why = False, f"{tries} wrong tries; wait {pause.seconds // 60} minutes"
            if found is not None:
                self._remember(work.connection, found, right, token, now)
            said = Decision(right, "name and password fit" if right else why)
            work.say(self._who(found), Action.log_in, found.patient if found else None, None, said)
        if not right:
            raise NotLoggedIn(f"not logged in: {why}; try again, or ask the operator")
        return token

    def session(self, token: str) -> Principal | None:
        """Who this token belongs to; None if it is unknown, ended or too old."""
        query = select(accounts, sessions.c.until).join(sessions)
        with self.store.turns.reading() as c:
            found = c.execute(query.where(sessions.c.token == _hashed(token))).first()
        if found is None or found.until < micros(self.store.wall()):
            return None
        return self._who(found)

    def logout(self, token: str) -> None:
        """End the session now."""
        with self.store.writing() as work:
            work.connection.execute(delete(sessions).where(sessions.c.token == _hashed(token)))

    @cached_property
    def hasher(self) -> PasswordHasher:
        """Argon2id with the library's parameters (RFC 9106, low memory)."""
        return PasswordHasher()

    @cached_property
    def _nobodys_hash(self) -> str:
        return self.hasher.hash(secrets.token_urlsafe(16))

    def _insert(
        self, c: Connection, name: str, hashed: str, role: Role, patient: str | None
    ) -> None:
        if patient is not None:
            at = patients.c.patient == patient
            if c.execute(select(patients).where(at, patients.c.retired.is_(None))).first() is None:
                raise ValueError(f"no {patient} is kept here; import their record first")
        digest = self._digest(name)
        seal = self._seal(patient)
        row = {
            "digest": digest,
            "name": seal.close(place(seal.owner, "accounts", digest.hex()), name.encode()),
            "password": hashed,
            "role": role.value,
            "patient": patient,
            "failures": 0,
        }
        if not insert_new(c, accounts, [row]):
            raise ValueError("an account with this name exists; choose another name")

    def _account(self, c: Connection, name: str) -> Found | None:
        return c.execute(select(accounts).where(accounts.c.digest == self._digest(name))).first()

    def _right(self, found: Found | None, password: str) -> bool:
        """Takes as long for a name that does not exist."""
        try:
            self.hasher.verify(self._nobodys_hash if found is None else found.password, password)
        except VerificationError:
            return False
        return found is not None

    def _paused(self, found: Found, now: int) -> bool:
        recent = found.failed is not None and now - found.failed < pause / timedelta(microseconds=1)
        return found.failures >= tries and recent

    def _remember(self, c: Connection, found: Found, right: bool, token: str, now: int) -> None:
        failed = {"failures": found.failures + 1, "failed": now}
        values = {"failures": 0, "failed": None} if right else failed
        c.execute(update(accounts).where(accounts.c.digest == found.digest).values(values))
        c.execute(delete(sessions).where(sessions.c.until < now))
        if right:
            until = now + lasts // timedelta(microseconds=1)
            row = {"token": _hashed(token), "account": found.digest, "until": until}
            c.execute(insert(sessions), [row])

    def _who(self, found: Found | None) -> Principal:
        if found is None:
            return Principal("unknown", Role.system)
        seal = self._seal(found.patient)
        name = seal.open(place(seal.owner, "accounts", found.digest.hex()), found.name).decode()
        return Principal(name, Role(found.role), found.patient)

    def _seal(self, patient: str | None) -> Seal:
        keyring = self.store.keyring
        return keyring.house if patient is None else keyring.seal_of(patient)

    def _digest(self, name: str) -> bytes:
        return self.store.keyring.house.digest(b"account|" + name.strip().casefold().encode())


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()
