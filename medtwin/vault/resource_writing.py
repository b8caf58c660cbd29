"""Writing resources: in one transaction, with the facts they tell and the reasons they may."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import orjson

from medtwin.sources.door import People, plausible
from medtwin.sources.fhir_kinds import KINDS
from medtwin.sources.fhir_reading import one as read_one
from medtwin.sources.fhir_words import Told
from medtwin.sources.source import Arrived, Refusal
from medtwin.vault import receiving, resources
from medtwin.vault.access import Action, Refused
from medtwin.vault.consent import Decision
from medtwin.vault.resource_asking import Search
from medtwin.vault.resource_desk import Desk, versions
from medtwin.vault.resource_index import name
from medtwin.vault.resource_search import page
from medtwin.vault.resource_whose import CannotKeep, Sent, Whose, element, one_person, subject
from medtwin.vault.resources import MEDIA, Version
from medtwin.vault.seal import Seal
from medtwin.vault.store import Store, Work, decided
from medtwin.vault.times import moment

Resource = dict[str, Any]
house = ""


@dataclass(frozen=True)
class Kept:
    """What became of it: the version that stands now, whether it is new, what was doubted."""

    version: Version
    created: bool
    changed: bool
    doubts: tuple[Refusal, ...] = ()


@dataclass
class Writing:
    """One transaction of writes. Life: one `with Resources.writing(...)`."""

    store: Store
    work: Work
    ground: receiving.Ground
    desk: Desk

    def find(self, search: Search) -> tuple[Version, ...]:
        """What this principal may find, with what was written in this transaction."""
        return page(self.desk, search).versions

    def newest(self, kind: str, id_: str) -> Version | None:
        """The last version of it, whoever may see it; also one that says it is gone."""
        row = resources.newest(self.work.connection, name(self.desk.key, kind, id_))
        return None if row is None else versions(self.desk, [row])[0]

    def may_see(self, version: Version) -> bool:
        """Whether this principal may read it."""
        if not version.patient:
            return True
        who, purpose = self.ground.principal, self.desk.seen.purpose
        return decided(self.work.connection, who, Action.read, version.patient, purpose).allowed

    def keep(self, sent: Sent) -> Kept:
        """Keep it as the newest version of itself; the same again changes nothing."""
        before = self.newest(sent.kind, sent.id)
        patient = self._whose(sent, before)
        decision = self._allowed(patient, sent)
        seal = self.store.seal_of(patient)
        arrived = self._arrived(sent, patient, seal)
        at, c, key = self.work.at, self.work.connection, self.desk.key
        batch = receiving.prepared(seal, [arrived], at, key)
        receipt = receiving.keep(c, batch, self.ground.basis, at, key)
        if patient and sent.kind == "Patient":
            receiving.compare(self.store, self.work, [batch])
        if patient and before is None and sent.kind == "Patient":
            receiving.grant(c, [patient], self.ground, at)
        now = self.newest(sent.kind, sent.id)
        if now is None:
            raise CannotKeep(sent.kind, "it was not kept", "send it again", "exception")
        changed = before is None or now.version != before.version
        if changed and before is not None and not before.deleted:
            self._take_back(before, arrived, seal)
        self._say(Action.add, patient, decision, now, {"facts": receipt.facts})
        return Kept(now, before is None or before.deleted, changed, arrived.refused)

    def delete(self, version: Version) -> Version:
        """A version that says it is gone; its facts are withdrawn, and stay known."""
        sent = Sent(version.kind, version.id, version.raw, {}, version.refers)
        decision = self._allowed(version.patient, sent)
        c, seal = self.work.connection, self.store.seal_of(version.patient)
        row = resources.newest(c, name(self.desk.key, version.kind, version.id))
        resources.remove(c, self.desk.key, seal, row, self.work.at)
        self._take_back(version, None, seal)
        self._say(Action.add, version.patient, decision, version, {"deleted": True})
        gone = self.newest(version.kind, version.id)
        return gone or version

    def _say(
        self, action: Action, patient: str, why: Decision, v: Version, detail: Mapping[str, Any]
    ) -> None:
        action = action if patient else Action.receive
        purpose = self.desk.seen.purpose if patient else None
        told = {"kind": v.kind, "version": v.version, **detail}
        self.work.say(self.ground.principal, action, patient or None, purpose, why, told)

    def _allowed(self, patient: str, sent: Sent) -> Decision:
        """Their own choice allows it, or the house takes records in on a basis of its own."""
        action, decision = self._decided(patient)
        if not decision.allowed:
            whose = patient or f"the house ({sent.kind})"
            raise Refused(decision, self.ground.principal, action, whose)
        return decision

    def _decided(self, patient: str) -> tuple[Action, Decision]:
        c, who = self.work.connection, self.ground.principal
        take_in = decided(c, who, Action.receive, None, None)
        if not patient or take_in.allowed:
            return Action.receive, take_in
        return Action.add, decided(c, who, Action.add, patient, self.desk.seen.purpose)

    def _whose(self, sent: Sent, before: Version | None) -> str:
        """The pseudonym of whoever it is about; a new Patient gets one."""
        if sent.kind == "Patient":
            return self._who(sent, before)
        patient = subject(self._whom(), sent)
        if before is not None and before.patient != patient:
            raise CannotKeep(
                f"{sent.kind}.{element(sent.resource)}",
                "this resource is about somebody else already",
                "send it under another id; what was kept stays theirs",
                "business-rule",
            )
        return patient

    def _whom(self) -> Whose:
        return Whose(self.desk, lambda patient: self._decided(patient)[1].allowed)

    def _who(self, sent: Sent, before: Version | None) -> str:
        one_person(self._whom(), sent)
        if before is not None:
            return before.patient
        take_in = decided(self.work.connection, self.ground.principal, Action.receive, None, None)
        if not take_in.allowed:
            raise Refused(take_in, self.ground.principal, Action.receive, "a new Patient")
        about = f"fhir|{sent.id}"
        return self.store.keyring.pseudonyms([about])[about]

    def _arrived(self, sent: Sent, patient: str, seal: Seal) -> Arrived:
        """The original with the facts it tells, under the names it has here."""
        resource = {**sent.resource, "id": sent.id}
        told = Told(moment(self.work.at), UTC, self._entries(sent))
        arrived = plausible(read_one(resource, sent.raw, "FHIR", "", told), People(), told.received)
        if sent.kind not in KINDS:
            raise CannotKeep("resourceType", f"{sent.kind!r} is no kind of R4", "check the kind")
        owner = next(iter(resources.owners(self.work.connection, seal)), f"Patient/{sent.id}")
        refers = (("", f"{sent.kind}/{sent.id}"), ("owner", owner), *sent.refers.items())
        facts = arrived.facts if patient else ()
        places = arrived.places if patient else ()
        unplaced = arrived.refused if patient else ()
        return replace(
            arrived, media=MEDIA, kind=sent.kind, about=None, refers=refers,
            facts=facts, places=places, refused=unplaced,
            person=arrived.person if patient else None,
        )  # fmt: skip

    def _entries(self, sent: Sent) -> dict[str, Resource]:
        """The medicine and the visit that it refers to, if they are here."""
        met: dict[str, Resource] = {}
        for place in ("medicationReference", "encounter", "context"):
            reference = sent.resource.get(place)
            text = reference.get("reference") if isinstance(reference, dict) else None
            if isinstance(text, str):
                kind, _, id_ = sent.refers.get(text, text).rpartition("/")
                version = self.newest(kind, id_) if kind in ("Medication", "Encounter") else None
                if version is not None and version.raw:
                    met[text] = orjson.loads(version.raw)
        return met

    def _take_back(self, before: Version, now: Arrived | None, seal: Seal) -> None:
        """Withdraw what the version before told and this one does not tell any more."""
        if not before.patient or not before.raw:
            return
        error = {"status": "entered-in-error", "verificationStatus": {"coding": [ERROR]}}
        resource = {**orjson.loads(before.raw), "id": before.id, **error}
        told = Told(moment(self.work.at), UTC)
        old = read_one(resource, before.raw, "FHIR", "", told)
        standing = {(f.at, f.code.id) for f in now.facts} if now else set()
        gone = [f for f in old.facts if (f.at, f.code.id) not in standing]
        receiving.keep_facts(self.work.connection, seal, receiving.sealed(seal, gone))


ERROR = {"code": "entered-in-error"}
