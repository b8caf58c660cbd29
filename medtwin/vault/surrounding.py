"""What is around people, by where they live: the vault knows the addresses and tells nobody."""

from collections.abc import Callable

from sqlalchemy import select

from medtwin.record.person import Person
from medtwin.sources.source import Arrived
from medtwin.vault import people, receiving
from medtwin.vault.access import Action, Principal
from medtwin.vault.receiving import Receipt
from medtwin.vault.store import Store
from medtwin.vault.tables import patients

Around = Callable[[Person], Arrived | None]


def surround(store: Store, principal: Principal, around: Around, basis: str) -> Receipt:
    """Keep for everybody what is said of where they live; each in a transaction of their own."""
    with store.asked(principal, Action.receive, None) as work:
        query = select(patients.c.patient).where(patients.c.person.is_not(None))
        everybody = list(work.connection.execute(query).scalars())
    kept = [_one(store, receiving.Ground(principal, basis, ()), p, around) for p in everybody]
    told = [receipt for receipt in kept if receipt is not None]
    return receiving.summed(told, len(told))


def _one(store: Store, ground: receiving.Ground, patient: str, around: Around) -> Receipt | None:
    with store.asked(ground.principal, Action.receive, None) as work:
        c = work.connection
        sealed = people.sealed_person(c, patient)
        if sealed is None:  # retired since
            return None
        seal = store.seal_of(patient)
        arrived = around(people.person(seal, sealed))
        if arrived is None:
            return None
        key = store.keyring.house.digest_key
        batch = receiving.prepared(seal, [arrived], work.at, key)
        receipt = receiving.keep(c, batch, ground.basis, work.at, key)
        receiving.say(work, ground, patient, receipt)
        return receipt
