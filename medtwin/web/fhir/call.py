"""One request and one answer, whether it came alone or inside a Bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from medtwin.sources.fhir_kinds import KINDS
from medtwin.vault.vault import Vault
from medtwin.web.fhir.entrance import Entrant
from medtwin.web.fhir.problem import problem

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Call:
    """What is asked: a method, a path under the base, parameters, headers, bytes; and by whom."""

    vault: Vault
    entrant: Entrant
    base: str
    method: str
    path: tuple[str, ...]
    query: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    now: datetime | None = None

    def header(self, name: str) -> str:
        """A header, or nothing."""
        return self.headers.get(name, "")

    def prefers(self, what: str) -> str:
        """What `Prefer: what=...` says."""
        parts = (
            p.strip().partition("=") for p in self.header("prefer").replace(";", ",").split(",")
        )
        return next((value for name, _, value in parts if name == what), "")

    def one(self, name: str) -> str:
        """The last value of a parameter, or nothing."""
        return next((v for k, v in reversed(self.query) if k == name), "")


@dataclass(frozen=True)
class Reply:
    """What is answered: a status, a resource or nothing, and headers."""

    status: int
    resource: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def pairs(text: str) -> Pairs:
    """The parameters of a query or a form."""
    return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=200))


def kind_of(word: str) -> str:
    """A kind of resource, or a `Problem`."""
    if word not in KINDS:
        said = f"{word[:64]!r} is no kind of resource of FHIR R4; see /metadata for those here"
        raise problem(404, "not-supported", said)
    return word
