"""Resources without who they are about: pseudonyms for people, new ids, no names, no free words.

What is taken out is listed here. Dates stay as they are (of birth, the year), unless shifted: a
person's dates all move by the same number of days, so that what lies between them stays true.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any

Resource = dict[str, Any]
NEVER = frozenset(
    {"text", "identifier", "contained", "note", "display", "photo", "telecom", "address", "name"}
    | {"contact", "link", "implicitRules", "data", "comment", "meta", "description", "div"}
)
NOTHING: Mapping[str, str] = {}
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(T.*)?")
SPREAD = 365  # days either way


@dataclass(frozen=True)
class Unnamed:
    """How one export names people and things; `key` is made for it and then forgotten.

    `whose` gives the pseudonym of `Patient/id`; `days` how far a pseudonym's dates move.
    """

    key: bytes
    whose: Mapping[str, str]
    days: Callable[[str], int] = lambda patient: 0

    def resource(
        self, told: Resource, patient: str, refers: Mapping[str, str] = NOTHING
    ) -> Resource:
        """The resource as strangers may read it; `refers` says what its addresses mean."""
        kind = str(told.get("resourceType"))
        found: Resource = self._part(told, self.days(patient), refers)
        found["id"] = patient if kind == "Patient" else self.id(kind, str(told.get("id")))
        if "birthDate" in found:
            found["birthDate"] = str(told["birthDate"])[:4]
        return found

    def id(self, kind: str, said: str) -> str:
        """Another id: the same for the same resource within this export."""
        return blake2b(f"{kind}/{said}".encode(), key=self.key, digest_size=16).hexdigest()

    def _part(self, told: Any, move: int, refers: Mapping[str, str]) -> Any:
        if isinstance(told, dict):
            found = {k: self._part(v, move, refers) for k, v in told.items() if _stays(k, told)}
            said = told.get("reference")
            if isinstance(said, str):
                found["reference"] = self._pointing(refers.get(said, said))
            return found
        if isinstance(told, list):
            return [self._part(one, move, refers) for one in told]
        return moved(told, move) if isinstance(told, str) and move else told

    def _pointing(self, said: str) -> str:
        kind, _, id_ = said.partition("/_history/")[0].rpartition("/")
        kind = kind.rpartition("/")[2]
        patient = self.whose.get(f"{kind}/{id_}") or self.whose.get(said)
        return f"Patient/{patient}" if patient else f"{kind}/{self.id(kind, id_)}"


def _stays(name: str, told: Resource) -> bool:
    """The words beside a code stay; nothing else that may name somebody does."""
    name = name.removeprefix("_")
    return name not in NEVER or (name == "display" and "code" in told)


def shifts(key: bytes) -> Callable[[str], int]:
    """How many days each person's dates move: never none, at most a year, the same throughout."""

    def days(patient: str) -> int:
        drawn = blake2b(patient.encode(), key=key, digest_size=8).digest()
        found = int.from_bytes(drawn) % (2 * SPREAD) - SPREAD
        return found if found < 0 else found + 1

    return days


def moved(said: str, days: int) -> str:
    """A text, with the date that it is moved; a year or a month alone stays."""
    match = DATE.fullmatch(said)
    if match is None:
        return said
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return day.isoformat() + (match[4] or "")


def later(at: datetime, days: int) -> datetime:
    """A time, moved."""
    return at + timedelta(days=days)
