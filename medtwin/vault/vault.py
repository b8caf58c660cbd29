"""The door. Nobody reads or writes anything of a person except through here.

Every method names who asks and for what, is allowed or refused by the person's own choices
(`decide`), and leaves a line in the audit: in the same transaction, so that neither is
without the other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.person import Person
from medtwin.record.record import Record
from medtwin.record.waveform import Waveform
from medtwin.sources.source import Arrived, Refusal
from medtwin.twin.ledger import LedgerEntry
from medtwin.vault import (
    alerts,
    audit,
    backup,
    checkpoints,
    facts,
    forecasts,
    linking,
    links,
    originals,
    people,
    provenance,
    receiving,
    retirement,
    rollups,
    signals,
    surrounding,
    together,
)
from medtwin.vault.access import Action, Principal, Role
from medtwin.vault.accounts import Accounts
from medtwin.vault.acquainted import Sure
from medtwin.vault.audit import Line, Verified
from medtwin.vault.backup import Copied
from medtwin.vault.consent import Choice, Decision, Purpose
from medtwin.vault.dialect import address
from medtwin.vault.links import Pair, State
from medtwin.vault.people import Listed
from medtwin.vault.provenance import Origin
from medtwin.vault.receiving import Receipt
from medtwin.vault.resource_door import Resources
from medtwin.vault.retirement import Certificate
from medtwin.vault.rollups import Chart
from medtwin.vault.store import Store, decided, decided_of_all
from medtwin.vault.store import together as stored_together
from medtwin.vault.times import moment
from medtwin.vault.tokens import Tokens


def now() -> datetime:
    """The time it is."""
    return datetime.now(UTC)


def untold(_: Receipt) -> None:
    """Nobody listens."""


class Vault:
    """People's records, twins, forecasts and choices, sealed on disk. Life: `open` to `close`.

    Several threads and processes may use one home at the same time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        retirement.finish_all(self._store)

    @classmethod
    def open(
        cls,
        home: Path,
        clock: Callable[[], datetime] = now,
        key_file: Path | None = None,
        wall: Callable[[], datetime] | None = None,
        database: str | None = None,
        sure: Sure = Sure.review,
    ) -> "Vault":
        """Open the store in `home`, or make one with new keys; `KeyMissing` if its keys are gone.

        `key_file` keeps the key-encryption key elsewhere than in `home` (better). Log-ins last
        by `wall`, which is `clock` unless the records live in a time of their own. `database`
        keeps the sealed store in PostgreSQL (postgresql://...), the keys stay in `home`. `sure`
        says whether records that are surely of one person are linked, or put on the review list.
        """
        home = Path(home)
        where = home / "store.db" if database is None else address(database)
        return cls(Store(home, where, key_file or home / "key", clock, wall, sure))

    def close(self) -> None:
        """Forget the keys and let the files go."""
        self._store.close()

    def __enter__(self) -> "Vault":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def accounts(self) -> Accounts:
        """Who may log in."""
        return Accounts(self._store)

    @cached_property
    def tokens(self) -> Tokens:
        """What programs show instead of passwords."""
        return Tokens(self._store)

    @cached_property
    def resources(self) -> Resources:
        """The FHIR resources: read, found and written."""
        return Resources(self._store)

    # Who may what

    def decide(
        self, principal: Principal, action: Action, patient: str | None, purpose: Purpose | None
    ) -> Decision:
        """Whether this would be allowed now, and why. Asking leaves a line too."""
        with self._store.writing() as work:
            decision = decided(work.connection, principal, action, patient, purpose)
            work.say(principal, action, patient, purpose, decision, {"asked": True})
        return decision

    def choose(self, principal: Principal, patient: str, purpose: Purpose, yes: bool) -> Choice:
        """Enter a person's yes or no; it holds from this moment on."""
        detail = {"purpose": purpose.value, "yes": yes}
        with self._store.asked(principal, Action.choose, patient, None, detail) as work:
            said = Choice(patient, purpose, yes, moment(work.at), principal.signature)
            people.choose(work.connection, [said])
        return said

    def choices(self, principal: Principal, patient: str) -> tuple[Choice, ...]:
        """Everything this person ever said about the use of their data, in order."""
        with self._store.asked(principal, Action.see_choices, patient) as work:
            return tuple(people.choices_of(work.connection, [patient]).get(patient, []))

    # Keeping

    def receive(
        self,
        principal: Principal,
        arrived: Iterable[Arrived],
        basis: str,
        grants: Sequence[Purpose] = (),
        acknowledged: Callable[[Receipt], None] = untold,
    ) -> Receipt:
        """Keep what arrives, byte for byte and as facts; what is there already stays as it is.

        `basis` says on what ground it is kept, `grants` what comes with that ground; where a
        person has chosen for themselves, their choice stays. Each batch is wholly on disk
        before `acknowledged` hears of it (its own receipt, not a running sum).
        """
        with self._store.asked(principal, Action.receive, None):
            ground = receiving.Ground(principal, basis, tuple(grants))
        receipts: list[Receipt] = []
        seen: set[str] = set()
        for held in receiving.batches(arrived):
            receipts.append(receiving.receive(self._store, ground, held, seen))
            acknowledged(receipts[-1])
        return receiving.summed(receipts, len(seen))

    def surround(
        self, principal: Principal, around: Callable[[Person], Arrived | None], basis: str
    ) -> Receipt:
        """Keep for everybody what is known of where they live; the address leaves nowhere."""
        return surrounding.surround(self._store, principal, around, basis)

    def add(
        self, principal: Principal, patient: str, new: Sequence[Observation], purpose: Purpose
    ) -> int:
        """Keep facts as they arrive live; how many were new. They are on disk when it returns."""
        detail = {"facts": len(new)}
        with self._store.asked(principal, Action.add, patient, purpose, detail) as work:
            seal = self._store.seal_of(patient)
            return receiving.keep_facts(work.connection, seal, receiving.sealed(seal, new))

    # Reading

    def patients(self, principal: Principal) -> tuple[Listed, ...]:
        """Everybody kept, by pseudonym, with counts; a patient finds only themselves."""
        own = principal.patient if principal.role is Role.patient else None
        with self._store.asked(principal, Action.list, own) as work:
            c = work.connection
            everybody = people.listed(c, own)
            under = {} if own is not None else links.set_aside(c)
        return together.listed(everybody, under)

    def who(self, principal: Principal, patient: str, purpose: Purpose) -> Person:
        """Who this is. Where no source has said, the name is empty."""
        with self._store.asked(principal, Action.identify, patient, purpose) as work:
            return linking.person(self._store, work)

    def record(
        self,
        principal: Principal,
        patient: str,
        purpose: Purpose,
        by: datetime | None = None,
        since: datetime | None = None,
        codes: Iterable[Code] | None = None,
    ) -> Record:
        """A person's facts; only those known `by`, true `since`, or of these codes, if asked."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            only = None if codes is None else tuple(codes)
            held = [
                (seal, facts.sealed_rows(work.connection, seal.owner, by, since, only), meaning)
                for seal, meaning in linking.opened(self._store, work)
            ]
        return together.whole([facts.record(*one) for one in held])

    def news(
        self, principal: Principal, patient: str, purpose: Purpose, after: int
    ) -> tuple[int, tuple[Observation, ...]]:
        """The facts that arrived after number `after`, in that order, and the number reached."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            held = [
                (seal, facts.sealed_rows(work.connection, seal.owner, after=after), meaning)
                for seal, meaning in linking.opened(self._store, work)
            ]
        told = [
            zip((r.arrival for r in one[1]), facts.observations(*one), strict=True) for one in held
        ]
        arrived = sorted((pair for one in told for pair in one), key=itemgetter(0))
        reached = arrived[-1][0] if arrived else after
        return reached, tuple(fact for _, fact in arrived)

    def originals(self, principal: Principal, patient: str, purpose: Purpose) -> Iterator[bytes]:
        """What the sources sent about this person, byte for byte, in the order it came."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            held = [
                (self._store.seal_of(one), originals.original_rows(work.connection, one))
                for one in work.whole
            ]
        return chain.from_iterable(originals.opened_originals(*one) for one in held)

    def chart(
        self,
        principal: Principal,
        patient: str,
        code: str,
        begin: datetime,
        end: datetime,
        purpose: Purpose,
        points: int = rollups.most,
    ) -> Chart:
        """The course of a code from `begin` up to `end`, in at most `points`, however long."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            seals = [self._store.seal_of(one) for one in work.whole]
            return rollups.chart_of_all(work.connection, seals, code, begin, end, points)

    def signals(
        self, principal: Principal, patient: str, purpose: Purpose
    ) -> tuple[signals.Signal, ...]:
        """Which waveforms are kept of a person, and from when to when."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            c = work.connection
            return tuple(signal for one in work.whole for signal in signals.known(c, one))

    def waveforms(
        self,
        principal: Principal,
        patient: str,
        code: str,
        begin: datetime,
        end: datetime,
        purpose: Purpose,
        channels: Sequence[str] | None = None,
    ) -> tuple[Waveform, ...]:
        """What was drawn from `begin` up to `end`, of these channels or of all."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            c, seal_of = work.connection, self._store.seal_of
            drawn = (signals.read(c, seal_of(p), code, begin, end, channels) for p in work.whole)
            return tuple(sorted(chain.from_iterable(drawn), key=attrgetter("at")))

    def origin(
        self, principal: Principal, patient: str, fact: Observation, purpose: Purpose
    ) -> Origin:
        """The original this fact came from, and the place in it; `LookupError` if not kept."""
        with self._store.asked(principal, Action.read, patient, purpose, {"origins": 1}) as work:
            seals = [self._store.seal_of(one) for one in work.whole]
            return provenance.origin_in_any(work.connection, seals, fact)

    def origins(
        self, principal: Principal, patient: str, code: str, at: datetime, purpose: Purpose
    ) -> tuple[Origin, ...]:
        """Where everything said of a code at a moment came from, in the order we learned it."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            c, seal_of = work.connection, self._store.seal_of
            told = [o for p in work.whole for o in provenance.origins(c, seal_of(p), code, at)]
            return tuple(sorted(told, key=lambda o: o.fact.known))

    def refusals(self, principal: Principal) -> tuple[Refusal, ...]:
        """Everything that could not be accepted, and why; whose, by pseudonym."""
        with self._store.asked(principal, Action.see_refusals, None) as work:
            rows = originals.refusal_rows(work.connection)
            return tuple(originals.opened_refusal(self._store.seal_of(r.patient), r) for r in rows)

    def refused(self, principal: Principal, patient: str, purpose: Purpose) -> tuple[Refusal, ...]:
        """What was sent about this person and could not be accepted, the newest first."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            rows = originals.refused_of(work.connection, patient)
            seal = self._store.seal_of(patient)
        return tuple(originals.opened_refusal(seal, r) for r in rows)

    def count_refused(self, principal: Principal, patient: str, purpose: Purpose) -> int:
        """How much of what was sent about this person could not be accepted."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            return originals.count_refused(work.connection, patient)

    # Who is who

    def review(self, principal: Principal) -> tuple[Pair, ...]:
        """Records that may be of one person, likeliest first; what was put off comes last."""
        with self._store.asked(principal, Action.review, None) as work:
            return links.pairs(work.connection, self._store.keyring.house, links.open_to_review)

    def links(self, principal: Principal) -> tuple[Pair, ...]:
        """Records that are read as one, who said so, and why."""
        with self._store.asked(principal, Action.review, None) as work:
            return links.pairs(work.connection, self._store.keyring.house, (State.linked,))

    def link(self, principal: Principal, keep: str, other: str, because: str) -> Pair:
        """These two records are of one person: from now on they are read as one, under `keep`."""
        return linking.link(self._store, principal, keep, other, because)

    def unlink(self, principal: Principal, one: str, other: str, because: str) -> Pair:
        """They are not: each record is again exactly what it was."""
        return linking.unlink(self._store, principal, (one, other), because)

    def leave_apart(self, principal: Principal, one: str, other: str, because: str) -> Pair:
        """Two people; the pair leaves the review list."""
        return linking.settle(self._store, principal, (one, other), State.apart, because)

    def ask_later(self, principal: Principal, one: str, other: str) -> Pair:
        """Nobody can say yet; the pair goes to the end of the review list."""
        return linking.settle(
            self._store, principal, (one, other), State.later, "to be asked later"
        )

    # What was computed

    def keep(
        self,
        principal: Principal,
        twin: bytes,
        patient: str,
        model: str,
        at: datetime,
        purpose: Purpose,
    ) -> None:
        """Keep a twin's state at a moment; older states are thinned out."""
        with self._store.asked(principal, Action.keep, patient, purpose) as work:
            checkpoints.keep(work.connection, self._store.seal_of(patient), model, at, twin)

    def checkpoint(
        self,
        principal: Principal,
        patient: str,
        model: str,
        purpose: Purpose,
        before: datetime | None = None,
    ) -> bytes | None:
        """The twin's last state; with `before`, the last one strictly before that moment."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            found = checkpoints.latest(work.connection, patient, model, before)
            seal = self._store.seal_of(patient)
        return None if found is None else checkpoints.opened(seal, model, *found)

    def forget_checkpoints(
        self, principal: Principal, patient: str, model: str, purpose: Purpose, after: datetime
    ) -> int:
        """Drop the states from `after` on, which a late fact has made untrue; how many."""
        with self._store.asked(principal, Action.keep, patient, purpose) as work:
            return checkpoints.forget(work.connection, patient, model, after)

    def keep_entries(
        self, principal: Principal, patient: str, entries: Sequence[LedgerEntry], purpose: Purpose
    ) -> None:
        """Keep forecasts in the ledger; one kept before is replaced, as when it is scored."""
        detail = {"entries": len(entries)}
        with self._store.asked(principal, Action.keep, patient, purpose, detail) as work:
            forecasts.keep(work.connection, self._store.seal_of(patient), entries)

    def ledger(
        self,
        principal: Principal,
        patient: str,
        purpose: Purpose,
        since: datetime | None = None,
    ) -> tuple[LedgerEntry, ...]:
        """The twin's forecasts and their scores, in the order they were made."""
        with self._store.asked(principal, Action.read, patient, purpose) as work:
            c, seal = work.connection, self._store.seal_of(patient)
            rows = forecasts.sealed_rows(c, patient, since)
            meaning = facts.meanings(c, seal)
        return forecasts.opened(seal, rows, meaning)

    def keep_alert(
        self, principal: Principal, alert: alerts.Raised, purpose: Purpose = Purpose.care
    ) -> int:
        """Keep an alert, or count an open one of the same patient and code again; its number."""
        patient = alert.patient
        with self._store.asked(principal, Action.keep, patient, purpose) as work:
            return alerts.raise_alert(work.connection, self._store.seal_of(patient), alert)

    def resolve_alert(
        self, principal: Principal, patient: str, code: str, purpose: Purpose = Purpose.care
    ) -> int:
        """The reason for it is gone: close the open alert of this code; how many there were."""
        with self._store.asked(principal, Action.keep, patient, purpose) as work:
            return alerts.resolve(work.connection, self._store.seal_of(patient), code, work.at)

    def alerts(
        self, principal: Principal, patient: str | None = None, limit: int = 200
    ) -> tuple[dict[str, Any], ...]:
        """Alerts of this person, newest first; without a patient, of all whose care agrees."""
        if patient is None:
            return self._all_alerts(principal, limit)
        with self._store.asked(principal, Action.read, patient, Purpose.care) as work:
            return self._alerts_of(work.connection, work.whole, limit)

    def acknowledge(self, principal: Principal, alert_id: int) -> None:
        """Somebody has seen this alert."""
        with self._store.turns.reading() as c:
            patient = alerts.whose(c, alert_id)
        if patient is None:
            raise LookupError(f"no alert {alert_id} is kept; take the id from the list of alerts")
        with self._store.asked(principal, Action.acknowledge, patient, Purpose.care) as work:
            alerts.acknowledge(work.connection, alert_id, principal.signature, work.at)

    # Accounting for it

    def audit(
        self, principal: Principal, patient: str | None = None, limit: int = 1000
    ) -> tuple[Line, ...]:
        """Who did what, newest first; of one person, or of the whole house."""
        purpose = Purpose.care if patient else None
        with self._store.asked(principal, Action.see_audit, patient, purpose) as work:
            return audit.lines(work.connection, patient, limit)

    def verify(self) -> Verified:
        """Whether every audit line is there and as it was written."""
        signed = self._store.anchor.read()
        with self._store.turns.reading() as c:
            return audit.verify(c, signed)

    # Copies

    def back_up(self, principal: Principal, folder: Path, keys: Path | None = None) -> Copied:
        """Copy the sealed store to `folder` while it is used; the keys to `keys`, elsewhere."""
        return backup.back_up(self._store, principal, Path(folder), keys)

    @classmethod
    def restore(
        cls,
        principal: Principal,
        folder: Path,
        home: Path,
        keys: Path | None = None,
        database: str | None = None,
        clock: Callable[[], datetime] = now,
    ) -> "Vault":
        """The store of a copy, put back into a home without one, and opened.

        Who was retired since stays retired, as far as the keyring knows of it.
        """
        home = Path(home)
        where = home / "store.db" if database is None else address(database)
        copied = backup.put_back(Path(folder), home, where, home / "key", keys)
        store = Store(home, where, home / "key", clock)
        vault = cls(store)
        with store.asked(principal, Action.restore, None, detail={"rows": copied.rows}):
            pass
        return vault

    # Ending it

    def retire(self, principal: Principal, patient: str, because: str) -> Certificate:
        """End a person's data: their key is destroyed and nothing can be read again, anywhere.

        Records linked with theirs are theirs, and end with them, each with its certificate.
        """
        with self._store.asked(principal, Action.retire, patient) as work:
            certificate = linking.end_all(self._store, work, principal, patient, because)
        retirement.finish_all(self._store)
        return certificate

    def certificate(self, patient: str) -> Certificate | None:
        """What was ended, by whom, when and why; None if this person was not retired."""
        with self._store.turns.reading() as c:
            return retirement.certificate(c, self._store.keyring.house, patient)

    # Inside

    def _alerts_of(
        self, c: Connection, people: Sequence[str], limit: int
    ) -> tuple[dict[str, Any], ...]:
        seal_of = self._store.seal_of
        found = [alerts.opened(seal_of(p), r) for p in people for r in alerts.rows(c, p, limit)]
        return tuple(sorted(found, key=lambda a: a["latest"], reverse=True)[:limit])

    def _all_alerts(self, principal: Principal, limit: int) -> tuple[dict[str, Any], ...]:
        found: list[dict[str, Any]] = []
        with self._store.asked(principal, Action.list, None) as work:
            c = work.connection
            for patient in alerts.people(c):
                whole = stored_together(c, Action.read, patient)
                decision = decided_of_all(c, principal, Action.read, whole, Purpose.care)
                if decision.allowed:
                    work.say(principal, Action.read, patient, Purpose.care, decision)
                    seal = self._store.seal_of(patient)
                    found += [alerts.opened(seal, r) for r in alerts.rows(c, patient, limit)]
        return tuple(sorted(found, key=lambda a: a["latest"], reverse=True)[:limit])
