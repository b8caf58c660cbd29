"""The door to FHIR resources: read, find and write them as a principal, for a purpose."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from medtwin.vault.access import Action, Principal, Refused
from medtwin.vault.consent import Decision, Purpose
from medtwin.vault.receiving import Ground
from medtwin.vault.resource_asking import Search
from medtwin.vault.resource_desk import Desk, cursor, versions
from medtwin.vault.resource_include import Include, included, pointed_at
from medtwin.vault.resource_index import name
from medtwin.vault.resource_indexed import aliases
from medtwin.vault.resource_people import seen_by
from medtwin.vault.resource_search import Answer, count, page
from medtwin.vault.resource_writing import Writing
from medtwin.vault.resources import Version
from medtwin.vault.store import Store, decided
from medtwin.vault.tables import resource_links, resources
from medtwin.vault.times import micros

r, li = resources.c, resource_links.c
counted = Decision(True, "counted and listed as consent allows")


class Absent(LookupError):
    """There is none of that name that this principal may see."""


class Gone(LookupError):
    """It was there, and was deleted."""

    def __init__(self, version: Version) -> None:
        super().__init__(f"{version.reference} was deleted in version {version.version}")
        self.version = version


@dataclass(frozen=True)
class Found:
    """An answer: a page of what fits, what comes with it, and how many fit in all."""

    page: Answer
    included: tuple[Version, ...] = ()
    total: int | None = None

    @classmethod
    def nothing(cls) -> "Found":
        """Nothing fits."""
        return cls(Answer((), ""), (), 0)


@dataclass(frozen=True)
class History:
    """Versions, newest first, and where the next page begins ("" after the last)."""

    versions: tuple[Version, ...]
    after: str
    total: int


@dataclass(frozen=True)
class Resources:
    """The resources of one vault. Every question leaves a line for each person whose data left."""

    store: Store

    def read(
        self,
        principal: Principal,
        kind: str,
        id_: str,
        purpose: Purpose = Purpose.care,
        version: int | None = None,
    ) -> Version:
        """This resource, or this version of it; `Absent` also where consent says no, or `Gone`."""
        with self._looking(principal, purpose) as desk:
            row = _row(desk, kind, id_, version)
            found = versions(desk, [row])[0] if row is not None else None
        patient = found.patient if found is not None else ""
        self._tell(principal, purpose, [patient] if patient else [], {"kind": kind})
        if found is None:
            raise Absent(f"{kind}/{id_[:64]} is not here, or not yours to see")
        if found.deleted:
            raise Gone(found)
        return found

    def find(
        self,
        principal: Principal,
        search: Search,
        includes: Sequence[Include] = (),
        purpose: Purpose = Purpose.care,
        base: str = "",
    ) -> Found:
        """A page of what fits, and what comes with it; how many fit is told by `count`."""
        with self._looking(principal, purpose, base) as desk:
            met = page(desk, search) if search.count else Answer((), "")
            brought = included(desk, met.versions, includes)
        people = sorted({v.patient for v in (*met.versions, *brought) if v.patient})
        self._tell(principal, purpose, people, {"search": search.kind})
        return Found(met, brought, None)

    def count(
        self,
        principal: Principal,
        search: Search,
        purpose: Purpose = Purpose.care,
        base: str = "",
    ) -> int:
        """How many fit."""
        with self._looking(principal, purpose, base) as desk:
            return count(desk, search)

    def everything(
        self,
        principal: Principal,
        patient: str,
        kinds: Sequence[str] = (),
        since: datetime | None = None,
        after: str = "",
        most: int = 5000,
        purpose: Purpose = Purpose.care,
    ) -> History:
        """All that is kept about one person, and what of the house they point at."""
        with self._looking(principal, purpose) as desk:
            mine = [r.patient == patient, desk.seen.of(r.patient), r.shown]
            mine.append(r.kind.in_(list(kinds) or _kinds(desk.connection)))
            if since is not None:
                mine.append(r.updated >= micros(since))
            if after:
                mine.append(r.number > cursor(after)[1])
            query = select(resources).where(*mine).order_by(r.number).limit(most + 1)
            rows = desk.connection.execute(query).all()
            found = versions(desk, rows[:most])
            beside = pointed_at(desk, rows[:most])
        self._tell(principal, purpose, [patient] if found else [], {"everything": len(found)})
        last = f"0.{rows[most - 1].number}" if len(rows) > most else ""
        return History((*found, *beside), last, len(found))

    def history(
        self,
        principal: Principal,
        kind: str = "",
        id_: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        most: int = 50,
        after: str = "",
        purpose: Purpose = Purpose.care,
    ) -> History:
        """Every version of one resource, of a kind, or of all; newest first."""
        with self._looking(principal, purpose) as desk:
            mine = [desk.seen.of(r.patient)]
            mine += [r.name == name(desk.key, kind, id_)] if id_ else []
            mine += [r.kind == kind] if kind else []
            mine += [r.updated >= micros(since)] if since is not None else []
            mine += [r.updated <= micros(until)] if until is not None else []
            total = desk.connection.execute(
                select(func.count()).select_from(resources).where(*mine)
            ).scalar_one()
            mine += [r.number < cursor(after)[1]] if after else []
            query = select(resources).where(*mine).order_by(r.number.desc()).limit(most + 1)
            rows = desk.connection.execute(query).all()
            found = versions(desk, rows[:most])
        people = sorted({v.patient for v in found if v.patient})
        self._tell(principal, purpose, people, {"history": kind or "all"})
        if id_ and not total:
            raise Absent(f"{kind}/{id_[:64]} is not here, or not yours to see")
        last = f"0.{rows[most - 1].number}" if len(rows) > most else ""
        return History(tuple(found), last, total)

    @contextmanager
    def writing(
        self, ground: Ground, purpose: Purpose = Purpose.care, base: str = ""
    ) -> Iterator[Writing]:
        """One transaction of writes: all of them and their audit lines are kept, or none."""
        try:
            with self.store.writing() as work:
                seen = seen_by(ground.principal, purpose)
                house = self.store.keyring.house.digest_key
                c, of = work.connection, self.store.seal_of
                desk = Desk(c, house, of, seen, work.at, base)
                yield Writing(self.store, work, ground, desk)
        except Refused as no:
            with self.store.writing() as work:
                who = ground.principal
                work.say(who, Action.add, None, purpose, no.decision, {"written": False})
            raise

    @contextmanager
    def _looking(self, principal: Principal, purpose: Purpose, base: str = "") -> Iterator[Desk]:
        key = self.store.keyring.house.digest_key
        now = micros(self.store.clock())
        with self.store.turns.reading() as c:
            yield Desk(c, key, self.store.seal_of, seen_by(principal, purpose), now, base)

    def _tell(
        self, principal: Principal, purpose: Purpose, people: Sequence[str], detail: dict[str, Any]
    ) -> None:
        """A line for each person whose data is about to leave; one also where nobody's is."""
        with self.store.writing() as work:
            for patient in people:
                why = decided(work.connection, principal, Action.read, patient, purpose)
                work.say(principal, Action.read, patient, purpose, why, detail)
                if not why.allowed:  # withdrawn between the question and its answer
                    no = why
                    raise Refused(no, principal, Action.read, patient)
            if not people:
                work.say(principal, Action.read, None, purpose, counted, detail)


def _row(desk: Desk, kind: str, id_: str, version: int | None) -> Any:
    named = or_(
        r.name == name(desk.key, kind, id_),
        r.patient.in_(aliases([id_]) if kind == "Patient" else []) & r.shown,
    )
    query = select(resources).where(named, r.kind == kind, desk.seen.of(r.patient))
    if version is not None:
        query = query.where(r.version == version)
    return desk.connection.execute(query.order_by(r.version.desc()).limit(1)).first()


def _kinds(c: Connection) -> list[str]:
    """Every kind there is, by leaps through the index: one look for each."""
    found: list[str] = []
    query = select(func.min(r.kind)).where(r.shown)
    one = c.execute(query).scalar()
    while one is not None:
        found.append(one)
        one = c.execute(query.where(r.kind > one)).scalar()
    return found
