"""Keeping what arrives: in batches, each wholly on disk before it is acknowledged."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from time import monotonic

from sqlalchemy import Connection

from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.person import Person, together
from medtwin.sources.source import Arrived, Refusal
from medtwin.vault import acquainted, linking, links, people, resources, rollups, signals
from medtwin.vault.access import Action, Principal
from medtwin.vault.consent import Choice, Decision, Purpose
from medtwin.vault.dialect import Row, insert_new
from medtwin.vault.facts import insert_facts, row
from medtwin.vault.originals import original_row, refusal_row
from medtwin.vault.resources import Incoming, incoming
from medtwin.vault.retirement import finish_all
from medtwin.vault.seal import Seal
from medtwin.vault.store import Store, Work
from medtwin.vault.tables import originals, patients, refusals, waveforms
from medtwin.vault.times import micros, moment

batch_originals, batch_bytes, batch_seconds = 500, 8_000_000, 1.0


@dataclass(frozen=True)
class Receipt:
    """What became of everything that arrived; each original is understood or kept, and counted.

    `facts` and `originals` are new ones; `duplicates` are facts already there.
    """

    people: int = 0
    new_people: int = 0
    facts: int = 0
    duplicates: int = 0
    originals: int = 0
    understood: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Ground:
    """Who brings it in, on what basis it is kept, and what that basis grants."""

    principal: Principal
    basis: str
    grants: tuple[Purpose, ...]


@dataclass(frozen=True)
class Sealed:
    """Facts and signals as the store keeps them, and what the facts' codes mean."""

    rows: Sequence[Row]
    said: Mapping[str, Code]
    signals: Sequence[Row] = ()


@dataclass(frozen=True)
class Batch:
    """What arrived for one person, or for nobody named (then the seal is the house's)."""

    seal: Seal
    arrived: Sequence[Arrived]
    originals: Sequence[Row]
    facts: Sealed
    refused: Sequence[Refusal]
    apart: Sequence[Row]
    person: Person | None
    served: Sequence[Incoming] = ()


def batches(arriving: Iterable[Arrived]) -> Iterator[list[Arrived]]:
    """Groups small enough to commit often, large enough to commit fast."""
    held: list[Arrived] = []
    size, began = 0, monotonic()
    for one in arriving:
        held.append(one)
        size += len(one.original)
        full = len(held) >= batch_originals or size >= batch_bytes
        if full or monotonic() - began > batch_seconds:
            yield held
            held, size, began = [], 0, monotonic()
    if held:
        yield held


def receive(store: Store, ground: Ground, held: Sequence[Arrived], seen: set[str]) -> Receipt:
    """Keep one batch for good. `seen` are the people this import has met; it learns the new."""
    keyring = store.keyring
    names = keyring.pseudonyms(a.about for a in held if a.about is not None)
    by_person: dict[str, list[Arrived]] = {}
    for a in held:
        by_person.setdefault("" if a.about is None else names[a.about], []).append(a)
    at = micros(store.clock())
    key = keyring.house.digest_key
    ready = [prepared(store.seal_of(who), a, at, key) for who, a in by_person.items()]
    try:
        return _kept(store, ground, ready, seen)
    except people.Retired:  # by another process, while this one still knew them
        finish_all(store)
        for patient in by_person:
            keyring.forget(patient)
        return receive(store, ground, held, seen)


def _kept(store: Store, ground: Ground, ready: Sequence[Batch], seen: set[str]) -> Receipt:
    theirs = {b.seal.owner for b in ready if b.seal.owner}
    with store.asked(ground.principal, Action.receive, None) as work:
        c = work.connection
        people.none_retired(c, theirs)
        key = store.keyring.house.digest_key
        receipts = [keep(c, batch, ground.basis, work.at, key) for batch in ready]
        grant(c, theirs - seen, ground, work.at)
        compare(store, work, ready)
        for batch, receipt in zip(ready, receipts, strict=True):
            say(work, ground, batch.seal.owner, receipt)
    seen |= theirs
    return summed(receipts, len(theirs))


def compare(store: Store, work: Work, ready: Sequence[Batch]) -> None:
    """Whoever came or is described anew is compared with everybody kept; somebody looks at it."""
    c, ring = work.connection, store.keyring
    found = store.acquainted.meet(c, [b.seal.owner for b in ready if b.person is not None])
    acquainted.put_on_list(c, ring, work.at, found)
    told = [p for b in ready for p in acquainted.merges(c, ring, b.seal.owner, b.arrived)]
    for pair in told:
        links.suspect(c, ring.house, pair, work.at, acquainted.HOSPITAL_SAYS, None)
    if store.sure is acquainted.Sure.link:
        linking.link_sure(store, work, acquainted.sure(found))


def say(work: Work, ground: Ground, whose: str, r: Receipt) -> None:
    """The audit line of what was kept of one person."""
    allowed = Decision(True, f"kept on the basis: {ground.basis}")
    counts = {"facts": r.facts, "originals": r.originals, "refused": len(r.refused)}
    work.say(ground.principal, Action.receive, whose or None, None, allowed, counts)


def prepared(seal: Seal, arrived: Sequence[Arrived], at: int, key: bytes) -> Batch:
    """Everything that can be done before the store is asked: nobody waits for it.

    `key` is the house's: what resources are found by is digested with it.
    """
    refused = [r for a in arrived for r in a.refused]
    several = sum(len(a.facts) for a in arrived)
    if not seal.owner and several:
        refused.append(_nobodys(arrived, several))
    rows, facts = _rows(seal, arrived, at)
    who = [a.person for a in arrived if a.person is not None] if seal.owner else []
    apart = [refusal_row(seal, at, r) for r in refused]
    served = [one for a in arrived if (one := incoming(key, seal, a)) is not None]
    whole = reduce(together, who) if who else None
    return Batch(seal, arrived, rows, facts, refused, apart, whole, served)


def _rows(seal: Seal, arrived: Sequence[Arrived], at: int) -> tuple[list[Row], Sealed]:
    """The originals, and their facts, each with the original it came from."""
    rows: list[Row] = []
    facts: list[Row] = []
    drawn: list[Row] = []
    for a in arrived:
        digest = None
        if a.original:
            kept = original_row(seal, a)
            digest = kept["digest"]
            rows.append(kept | {"received": at})
        if seal.owner:
            places = a.places or ("",) * len(a.facts)
            both = zip(a.facts, places, strict=True)
            facts += [row(seal, o, (digest, place)) for o, place in both]
            drawn += [piece for w in a.waveforms for piece in signals.rows(seal, w, digest)]
    return rows, Sealed(facts, {o.code.id: o.code for a in arrived for o in a.facts}, drawn)


def sealed(seal: Seal, new: Sequence[Observation]) -> Sealed:
    """Facts that came without an original."""
    return Sealed([row(seal, o) for o in new], {o.code.id: o.code for o in new})


def _nobodys(arrived: Sequence[Arrived], facts: int) -> Refusal:
    origin = next(a.origin for a in arrived if a.facts)
    because = "no person is named; a fact is about one person"
    return Refusal(
        f"{facts} facts from {origin}", "nobody named", because, "name the person and import again"
    )


def keep(c: Connection, batch: Batch, basis: str, at: int, key: bytes) -> Receipt:
    """Keep one person's batch inside the caller's transaction."""
    seal = batch.seal
    newcomer = 0
    if seal.owner:
        row = {"patient": seal.owner, "basis": basis, "since": at, "facts": 0}
        newcomer = insert_new(c, patients, [row])
    if batch.person is not None:
        people.introduce(c, seal, batch.person)
    new = keep_facts(c, seal, batch.facts)
    insert_new(c, waveforms, batch.facts.signals)
    insert_new(c, refusals, batch.apart)
    kept_originals = insert_new(c, originals, batch.originals)
    resources.keep(c, key, seal, at, batch.served)
    return Receipt(
        people=1 if seal.owner else 0,
        new_people=newcomer,
        facts=new,
        duplicates=len(batch.facts.rows) - new,
        originals=kept_originals,
        understood=Counter(_kind(a) for a in batch.arrived if _understood(a)),
        kept=Counter(a.kept for a in batch.arrived if a.kept),
        refused=tuple(batch.refused),
    )


def keep_facts(c: Connection, seal: Seal, new: Sealed) -> int:
    """Keep the new ones among these facts, and the listing's counts with them."""
    if not new.rows:
        return 0
    added = insert_facts(c, seal, new.said, new.rows)
    if added:
        people.count(c, seal.owner, added, [row["at"] for row in new.rows])
        rollups.follow(c, seal, new.rows, added)
    return added


def grant(c: Connection, who: Iterable[str], ground: Ground, at: int) -> None:
    """Enter what the import's basis grants, where the person has said nothing themselves."""
    asked = list(who)
    said = people.choices_of(c, asked)
    by = f"{ground.principal.signature}, {ground.basis}"
    silent = [
        Choice(patient, purpose, True, moment(at), by)
        for patient in asked
        for purpose in ground.grants
        if purpose not in {s.purpose for s in said.get(patient, [])}
    ]
    people.choose(c, silent)


def _understood(a: Arrived) -> bool:
    return not a.kept and bool(a.facts or a.person or not a.refused)


def _kind(a: Arrived) -> str:
    """The kind of resource, if the source says; else what its facts are."""
    if a.kind:
        return a.kind
    return a.facts[0].code.kind.value if a.facts else "person"


def summed(receipts: Iterable[Receipt], names: int) -> Receipt:
    """One receipt for all; `names` is how many people they were about."""
    all_of = list(receipts)
    understood: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for r in all_of:
        understood.update(r.understood)
        kept.update(r.kept)
    return Receipt(
        people=names,
        new_people=sum(r.new_people for r in all_of),
        facts=sum(r.facts for r in all_of),
        duplicates=sum(r.duplicates for r in all_of),
        originals=sum(r.originals for r in all_of),
        understood=understood,
        kept=kept,
        refused=tuple(f for r in all_of for f in r.refused),
    )
