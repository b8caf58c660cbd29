"""Whose a resource on its way in is: by its subject, or by the one patient it points at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.sources.fhir_subject import WHOSE
from medtwin.vault import people, resources
from medtwin.vault.resource_asking import Asked, Search
from medtwin.vault.resource_desk import Desk
from medtwin.vault.resource_index import name
from medtwin.vault.resource_indexed import pseudonym
from medtwin.vault.resource_search import page

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
class Whose:
    """Where to look people up, and whether this principal may write into somebody's record."""

    desk: Desk
    may: Callable[[str], bool]


def one_person(of: Whose, sent: Sent) -> None:
    """Somebody else who may be seen here must not have one of these identifiers."""
    given = sent.resource.get("identifier")
    for place, one in enumerate(given if isinstance(given, list) else ()):
        if not (isinstance(one, dict) and one.get("system") and one.get("value")):
            continue
        token = f"{one['system']}|{one['value']}"
        others = page(
            of.desk, Search("Patient", (Asked("identifier", "", (token,)),), count=2)
        ).versions
        if any(v.id != sent.id for v in others):
            raise CannotKeep(
                f"Patient.identifier[{place}]",
                "another Patient has this identifier",
                "update that one, or ask $match who it is",
                "duplicate",
            )


def subject(of: Whose, sent: Sent) -> str:
    where = element(sent.resource)
    reference = sent.resource.get(where) if where else None
    if isinstance(reference, dict) and (reference.get("reference") or "identifier" in reference):
        return _pointed(of, sent, f"{sent.kind}.{where}", reference)
    return _mentioned(of, sent)


def _pointed(of: Whose, sent: Sent, path: str, reference: Resource) -> str:
    text = reference.get("reference")
    if not isinstance(text, str) or not text:
        return _identified(of, path, reference)
    found = _patient(of, sent.refers.get(text, text))
    if found is not None and of.may(found):
        return found
    if _within(sent.resource, text) == "Patient" or "Patient/" in text or text[:4] == "urn:":
        raise CannotKeep(
            f"{path}.reference",
            f"{text[:80]} is nobody kept here",
            "create the Patient first, and refer to it as Patient/id",
            "not-found",
        )
    return _mentioned(of, sent)


def _patient(of: Whose, reference: str) -> str | None:
    """The pseudonym of `Patient/id`, of an address of this server, or of a pseudonym."""
    local = reference.removeprefix(of.desk.base).lstrip("/").split("/_history/")[0]
    kind, _, id_ = local.rpartition("/")
    if kind != "Patient":
        return None
    row = resources.newest(of.desk.connection, name(of.desk.key, "Patient", id_))
    if row is not None and not row.deleted:
        return row.patient
    return id_ if pseudonym.fullmatch(id_) and _is_kept(of, id_) else None


def _is_kept(of: Whose, patient: str) -> bool:
    who = people.subject(of.desk.connection, patient)
    return who is not None and who.retired is None


def _identified(of: Whose, path: str, reference: Resource) -> str:
    identifier = reference.get("identifier") or {}
    token = f"{identifier.get('system', '')}|{identifier.get('value', '')}"
    found = page(of.desk, Search("Patient", (Asked("identifier", "", (token,)),), count=2)).versions
    if len(found) != 1:
        raise CannotKeep(
            f"{path}.identifier",
            "no one Patient that you may see has this identifier",
            "refer to a Patient by id",
            "not-found",
        )
    return found[0].patient


def _mentioned(of: Whose, sent: Sent) -> str:
    """Of a resource that has no subject: the one patient it points at anywhere, or nobody."""
    written = set(references(sent.resource))
    met = {r: _patient(of, sent.refers.get(r, r)) for r in written if _is_person(r, sent)}
    unknown = [r for r, found in met.items() if found is None]
    if unknown or len(set(met.values())) > 1:
        raise CannotKeep(
            sent.kind,
            f"{unknown[0][:80]} is nobody kept here" if unknown else "it is about several people",
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


def element(resource: Resource) -> str:
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
