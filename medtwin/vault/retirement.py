"""The end of a person's data: what was there, who ended it, when and why. Provable, and final."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update

from medtwin.vault import audit, links, tables
from medtwin.vault.access import Action, Principal, Role
from medtwin.vault.audit import Head
from medtwin.vault.consent import Decision
from medtwin.vault.facts import meanings
from medtwin.vault.keys import Keyring
from medtwin.vault.seal import Seal, place
from medtwin.vault.store import Store, Work
from medtwin.vault.tables import accounts, facts, patients, retirements, sessions
from medtwin.vault.times import moment

the_vault = Principal("the vault", Role.system)
gone = "their key was destroyed and their data is gone"
gone_but = (
    f"{gone}; the key file could not be written, so old copies of the keyring still open: "
    "destroy them"
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was ended. `head` is the audit's last hash when it began, so both tell one story."""

    patient: str
    at: datetime
    by: str
    because: str
    facts: Mapping[str, int]
    originals: int
    twins: int
    forecasts: int
    alerts: int
    audit_lines: int
    head: str

    def __str__(self) -> str:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.facts.items())) or "none"
        return (
            f"The data of {self.patient} was ended on {self.at:%d %B %Y at %H:%M %Z} by {self.by}, "
            f"because: {self.because}. Facts: {kinds}; originals: {self.originals}; twin states: "
            f"{self.twins}; forecasts: {self.forecasts}; alerts: {self.alerts}. Their key was "
            f"destroyed; what is left in any copy of the store cannot be read. The audit then held "
            f"{self.audit_lines} lines and ended in {self.head}."
        )


def counted(
    c: Connection, seal: Seal, by: str, because: str, at: datetime, head: Head
) -> Certificate:
    """What is there, before it goes."""
    n = {t.name: _count(c, t, seal.owner) for t in tables.of_one_person}
    return Certificate(
        patient=seal.owner,
        at=at,
        by=by,
        because=because,
        facts=_by_kind(c, seal),
        originals=n["originals"],
        twins=n["checkpoints"],
        forecasts=n["forecasts"],
        alerts=n["alerts"],
        audit_lines=head.lines,
        head=head.hash.hex(),
    )


def _count(c: Connection, table: Any, patient: str) -> int:
    at = table.c.patient == patient
    return c.execute(select(func.count()).select_from(table).where(at)).scalar_one()


def _by_kind(c: Connection, seal: Seal) -> dict[str, int]:
    meaning = meanings(c, seal)
    query = select(facts.c.code, func.count()).where(facts.c.patient == seal.owner)
    kinds: Counter[str] = Counter()
    for code, n in c.execute(query.group_by(facts.c.code)):
        kinds[meaning[code].kind.value] += n
    return dict(kinds)


def begin(
    work: Work, keyring: Keyring, principal: Principal, patient: str, because: str
) -> Certificate:
    """Before the key goes: the certificate is kept and the person closed to everybody."""
    c, by, at = work.connection, principal.signature, moment(work.at)
    certificate = counted(c, keyring.seal_of(patient), by, because, at, audit.head(c))
    bound = place("", "retirements", patient)
    sealed = keyring.house.close(bound, orjson.dumps(asdict(certificate)))
    row = {"patient": patient, "certificate": sealed, "finished": False}
    c.execute(insert(retirements), [row])
    closed = {"retired": work.at, "person": None, "facts": 0, "first": None, "last": None}
    c.execute(update(patients).where(patients.c.patient == patient).values(closed))
    return certificate


def finish_all(store: Store) -> None:
    """Destroy the keys, then the sealed rows; done again at `open` if it was cut short."""
    with store.turns.reading() as c:
        begun = unfinished(c)
        store.keyring.bury(_certificates(c))
    for patient in begun:
        ended = gone if store.keyring.destroy(patient) else gone_but
        with store.writing() as work:
            finish(work.connection, patient)
            work.say(the_vault, Action.retire, patient, None, Decision(True, ended))
        store.turns.scrub()


def finish(c: Connection, patient: str) -> None:
    """After the key went: nothing of the person stays but pseudonym, choices and certificate."""
    for table in tables.of_one_person:
        c.execute(delete(table).where(table.c.patient == patient))
    links.forget(c, patient)
    theirs = select(accounts.c.digest).where(accounts.c.patient == patient)
    c.execute(delete(sessions).where(sessions.c.account.in_(theirs)))
    c.execute(delete(accounts).where(accounts.c.patient == patient))
    done = update(retirements).where(retirements.c.patient == patient)
    c.execute(done.values(finished=True))


def unfinished(c: Connection) -> list[str]:
    """Those whose retirement was interrupted."""
    query = select(retirements.c.patient).where(retirements.c.finished.is_(False))
    return list(c.execute(query).scalars())


def certificate(c: Connection, house: Seal, patient: str) -> Certificate | None:
    """The certificate of a retired person; None if they were not retired."""
    query = select(retirements.c.certificate).where(retirements.c.patient == patient)
    sealed = c.execute(query).scalar()
    if sealed is None:
        return None
    return opened_certificate(house, patient, sealed)


def _certificates(c: Connection) -> dict[str, bytes]:
    return {r.patient: r.certificate for r in c.execute(select(retirements))}


def opened_certificate(house: Seal, patient: str, sealed: bytes) -> Certificate:
    """What a sealed certificate says."""
    said = orjson.loads(house.open(place("", "retirements", patient), sealed))
    return Certificate(**said | {"at": datetime.fromisoformat(said["at"])})
