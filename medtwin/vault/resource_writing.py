"""Writing resources: in one transaction, with the facts they tell and the reasons they may."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import orjson

from medtwin.sources.door import People, plausible
from medtwin.sources.fhir_kinds import KINDS
from medtwin.sources.fhir_reading import one as read_one
from medtwin.sources.fhir_subject import WHOSE
from medtwin.sources.fhir_words import Told
from medtwin.sources.source import Arrived, Refusal
from medtwin.vault import people, receiving, resources
from medtwin.vault.access import Action, Refused
from medtwin.vault.consent import Decision
from medtwin.vault.resource_asking import Asked, Search
from medtwin.vault.resource_index import name
from medtwin.vault.resource_search import Desk, page, pseudonym, versions
from medtwin.vault.resources import MEDIA, Version
from medtwin.vault.seal import Seal
from medtwin.vault.store import Store, Work, decided
from medtwin.vault.times import moment

Resource = dict[str, Any]
house = ""


class CannotKeep(ValueError):
    """A resource that cannot be kept: where in it, why, and what to do next."""

    def __init__(self, path: str, because: str, then: str, code: str = "invalid") -> None:
        super().__init__(f"{path}: {because}; {then}")
        self.path, self.because, self.then, self.code = path, because, then, code


@dataclass(frozen=True)
class Sent:
    """A resource on its way in: its bytes, the same read, and what references in it mean."""

    kind: str
    id: str
    raw: bytes
    resource: Resource
    refers: Mapping[str, str]


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
        patient = self._subject(sent)
        if before is not None and before.patient != patient:
            raise CannotKeep(
                f"{sent.kind}.{_element(sent.resource)}",
                "this resource is about somebody else already",
                "send it under another id; what was kept stays theirs",
                "business-rule",
            )
        return patient

    def _who(self, sent: Sent, before: Version | None) -> str:
        self._is_one_person(sent)
        if before is not None:
            return before.patient
        take_in = decided(self.work.connection, self.ground.principal, Action.receive, None, None)
        if not take_in.allowed:
            raise Refused(take_in, self.ground.principal, Action.receive, "a new Patient")
        about = f"fhir|{sent.id}"
        return self.store.keyring.pseudonyms([about])[about]

    def _is_one_person(self, sent: Sent) -> None:
        """Somebody else who may be seen here must not have one of these identifiers."""
        given = sent.resource.get("identifier")
        for place, one in enumerate(given if isinstance(given, list) else ()):
            if not (isinstance(one, dict) and one.get("system") and one.get("value")):
                continue
            token = f"{one['system']}|{one['value']}"
            others = self.find(Search("Patient", (Asked("identifier", "", (token,)),), count=2))
            if any(v.id != sent.id for v in others):
                raise CannotKeep(
                    f"Patient.identifier[{place}]",
                    "another Patient has this identifier",
                    "update that one, or ask $match who it is",
                    "duplicate",
                )

    def _subject(self, sent: Sent) -> str:
        element = _element(sent.resource)
        reference = sent.resource.get(element) if element else None
        if isinstance(reference, dict) and (
            reference.get("reference") or "identifier" in reference
        ):
            return self._pointed(sent, f"{sent.kind}.{element}", reference)
        return self._mentioned(sent)

    def _pointed(self, sent: Sent, path: str, reference: Resource) -> str:
        text = reference.get("reference")
        if not isinstance(text, str) or not text:
            return self._identified(path, reference)
        found = self._patient(sent.refers.get(text, text))
        if found is not None and self._decided(found)[1].allowed:
            return found
        if _within(sent.resource, text) == "Patient" or "Patient/" in text or text[:4] == "urn:":
            raise CannotKeep(
                f"{path}.reference",
                f"{text[:80]} is nobody kept here",
                "create the Patient first, and refer to it as Patient/id",
                "not-found",
            )
        return self._mentioned(sent)

    def _patient(self, reference: str) -> str | None:
        """The pseudonym of `Patient/id`, of an address of this server, or of a pseudonym."""
        local = reference.removeprefix(self.desk.base).lstrip("/").split("/_history/")[0]
        kind, _, id_ = local.rpartition("/")
        if kind != "Patient":
            return None
        row = resources.newest(self.work.connection, name(self.desk.key, "Patient", id_))
        if row is not None and not row.deleted:
            return row.patient
        return id_ if pseudonym.fullmatch(id_) and self._is_kept(id_) else None

    def _is_kept(self, patient: str) -> bool:
        who = people.subject(self.work.connection, patient)
        return who is not None and who.retired is None

    def _identified(self, path: str, reference: Resource) -> str:
        identifier = reference.get("identifier") or {}
        token = f"{identifier.get('system', '')}|{identifier.get('value', '')}"
        found = self.find(Search("Patient", (Asked("identifier", "", (token,)),), count=2))
        if len(found) != 1:
            raise CannotKeep(
                f"{path}.identifier",
                "no one Patient that you may see has this identifier",
                "refer to a Patient by id",
                "not-found",
            )
        return found[0].patient

    def _mentioned(self, sent: Sent) -> str:
        """Of a resource that has no subject: the one patient it points at anywhere, or nobody."""
        written = set(references(sent.resource))
        met = {r: self._patient(sent.refers.get(r, r)) for r in written if _is_person(r, sent)}
        unknown = [r for r, found in met.items() if found is None]
        if unknown or len(set(met.values())) > 1:
            raise CannotKeep(
                sent.kind,
                f"{unknown[0][:80]} is nobody kept here"
                if unknown
                else "it is about several people",
                "refer to patients kept here" if unknown else "send one for each person",
                "not-found" if unknown else "business-rule",
            )
        found = next(iter(met.values()), None)
        if found is None and resources.about_somebody(sent.raw):
            raise CannotKeep(
                f"{sent.kind}.contained",
                "it holds a patient who cannot be told",
                "create the Patient, and refer to it",
                "business-rule",
            )
        return found or house

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
        for element in ("medicationReference", "encounter", "context"):
            reference = sent.resource.get(element)
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


def _element(resource: Resource) -> str:
    """Which element says whose it is."""
    also = WHOSE.get(str(resource.get("resourceType")), "")
    return next((e for e in ("subject", "patient", also) if e and resource.get(e)), "")


def _within(resource: Resource, reference: str) -> str:
    """The kind of a contained resource; a contained one that is not there is nobody."""
    if not reference.startswith("#"):
        return ""
    inside = resource.get("contained")
    held = (c for c in inside if isinstance(c, dict)) if isinstance(inside, list) else ()
    kinds = (c.get("resourceType") for c in held if c.get("id") == reference[1:])
    return str(next(kinds, "Patient"))


def _is_person(reference: str, sent: Sent) -> bool:
    return "Patient/" in sent.refers.get(reference, reference)


def references(node: Any) -> Iterator[str]:
    """Every reference in a resource, at any depth."""
    waiting: list[Any] = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            text = here.get("reference")
            if isinstance(text, str):
                yield text
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
