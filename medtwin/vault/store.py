"""The open store: files, keys, clock, and the one way in, which asks and writes it down."""

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from medtwin.vault import access, audit, links, people, schema
from medtwin.vault.access import Action, Principal, Refused, Subject
from medtwin.vault.acquainted import Acquainted, Sure
from medtwin.vault.consent import Decision, Purpose
from medtwin.vault.dialect import Turns, Where
from medtwin.vault.keys import KeyMissing, Keyring
from medtwin.vault.seal import Seal
from medtwin.vault.times import micros


@dataclass
class Work:
    """One transaction: what it writes, and what the audit will say of it. Life: one `with`.

    `whole` is everybody whose records are read as one here, the one asked for first.
    """

    connection: Connection
    at: int
    whole: tuple[str, ...] = ()
    said: list[audit.Entry] = field(default_factory=list)

    def say(
        self,
        principal: Principal,
        action: Action,
        patient: str | None,
        purpose: Purpose | None,
        decision: Decision,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an audit line; it is kept if, and only if, the transaction is."""
        self.said.append(
            audit.entry(self.at, principal, action, patient, purpose, decision, detail)
        )


class Store:
    """A sealed store, and two files of keys: `keys.db` (wrapped keys) and `key` (opens those).

    The store is `store.db` beside them, or a PostgreSQL database. A last file, `audit.head`,
    holds the signed end of the audit chain.
    """

    def __init__(
        self,
        home: Path,
        where: Where,
        key_file: Path,
        clock: Callable[[], datetime],
        wall: Callable[[], datetime] | None = None,
        sure: Sure = Sure.review,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home, self.key_file = home, key_file
        self.clock = clock
        self.wall = wall or clock
        self.sure = sure
        file = where if isinstance(where, Path) else None
        with locked(home / "open.lock"):
            self.turns = Turns(where)
            begun = schema.begun(self.turns)
            if begun:
                complete(self.turns.engine, home, key_file)
            self.keyring = Keyring(home / "keys.db", key_file)
            self.anchor = audit.Anchor(home / "audit.head", self.keyring.house_key(b"audit head"))
            if not begun:
                self.anchor.begin()
            self.acquainted = Acquainted(self.keyring)
            schema.ready(self.turns, file)
            if file is not None:
                file.chmod(0o600)

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """All of it and its audit lines are on disk when this returns, or none of it."""
        with self.turns.writing() as c:
            work = Work(c, micros(self.clock()))
            yield work
            whole = audit.follows(c, self.anchor.read())
            head = audit.write(c, work.said)
        if whole:
            self.anchor.advance(head)

    @contextmanager
    def asked(
        self,
        principal: Principal,
        action: Action,
        patient: str | None,
        purpose: Purpose | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Iterator[Work]:
        """A transaction for one request, if it is allowed; `Refused` if not. Both leave a line."""
        no: Decision | None = None
        with self.writing() as work:
            c = work.connection
            work.whole = together(c, action, patient)
            decision = decided_of_all(c, principal, action, work.whole, purpose)
            for one in work.whole or (None,):
                work.say(principal, action, one, purpose, decision, detail)
            if decision.allowed:
                yield work
            else:
                no = decision
        if no is not None:
            raise Refused(no, principal, action, patient or "the house")

    def seal_of(self, patient: str) -> Seal:
        """The seal of a person; of the house, where nobody was named."""
        return self.keyring.seal_of(patient) if patient else self.keyring.house

    def close(self) -> None:
        """Let the files go and forget the keys."""
        self.turns.close()
        self.keyring.close()


def decided(
    c: Connection,
    principal: Principal,
    action: Action,
    patient: str | None,
    purpose: Purpose | None,
) -> Decision:
    """The one decision, on what the consent ledger says inside this very transaction."""
    if patient is None:
        return access.decide(principal, action, None, purpose)
    found: Subject | None = people.subject(c, patient)
    if found is None:
        return Decision(False, f"no {patient} is kept here; list the people kept")
    return access.decide(principal, action, found, purpose)


shared = frozenset({Action.read, Action.identify, Action.add, Action.keep, Action.acknowledge})
"""What is done to a linked person as a whole; what each record said, and its end, stay its own."""


def together(c: Connection, action: Action, patient: str | None) -> tuple[str, ...]:
    """Everybody whom this asks about: linked records are read as one."""
    if patient is None:
        return ()
    return links.group(c, patient) if action in shared else (patient,)


def decided_of_all(
    c: Connection,
    principal: Principal,
    action: Action,
    whole: Sequence[str],
    purpose: Purpose | None,
) -> Decision:
    """The one decision for records read as one: what one of them refuses is refused."""
    if not whole:
        return decided(c, principal, action, None, purpose)
    first, *others = whole
    decision = decided(c, principal, action, first, purpose)
    for one in others if decision.allowed else ():
        # whoever may log in as one of these records is the person whom all of them are about
        asks = replace(principal, patient=one) if principal.patient == first else principal
        stricter = decided(c, asks, action, one, purpose)
        if not stricter.allowed:
            return Decision(False, f"{stricter.because}, as {one}, which is linked with {first}")
    return decision


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def complete(engine: Engine, home: Path, key_file: Path) -> None:
    """A store without its keys must not be opened with new ones."""
    store = engine.url.render_as_string(hide_password=True)
    for path, what in ((home / "keys.db", "keyring"), (key_file, "key file")):
        if not path.exists():
            raise KeyMissing(
                f"the {what} {path} is missing while a store exists ({store}); put back the one "
                "that belongs to this store: without it nothing in it can be read"
            )
