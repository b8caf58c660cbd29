"""What a page is: a view of the vault for some roles, with a template beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from medtwin.care.ward import Ward
from medtwin.vault.access import Principal, Role
from medtwin.vault.vault import Vault
from medtwin.web.region import Region
from medtwin.web.trouble import wrong_value

STAFF = frozenset({Role.clinician, Role.operator, Role.researcher})


@dataclass(frozen=True)
class Visit:
    """One request as a page sees it: who asks, of which vault, when, and in whose units."""

    vault: Vault
    ward: Ward | None
    principal: Principal | None
    region: Region
    now: datetime
    here: str
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    csrf: str = ""
    contact: str = ""

    @property
    def who(self) -> Principal:
        """The principal; pages with roles are only opened by one."""
        if self.principal is None:
            raise LookupError("nobody is logged in; log in first")
        return self.principal

    @property
    def patient(self) -> str:
        """Whose page this is."""
        return self.place.get("patient") or self.who.patient or ""

    def one(self, name: str, default: str = "") -> str:
        """The last value sent under this name."""
        return self.asked.get(name, (default,))[-1]

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number inside its limits; anything else is said to be wrong, not bent."""
        sent = self.one(name)
        if not sent:
            return default
        allowed = f"{name} is a number from {low:g} to {high:g}"
        try:
            value = float(sent)
        except ValueError:
            raise wrong_value(name, sent, allowed) from None
        if not low <= value <= high:
            raise wrong_value(name, sent, allowed)
        return value

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of a few words; the first is what silence means."""
        sent = self.one(name) or allowed[0]
        if sent not in allowed:
            raise wrong_value(name, sent, f"{name} is one of {', '.join(allowed)}")
        return sent


@dataclass(frozen=True)
class File:
    """Something to take away as it is, under this name; a browser never opens it as a page."""

    content: bytes
    name: str


@dataclass(frozen=True)
class Page:
    """A plug-in noun: `page = Page(...)` in `web/pages/<name>.py`, `<name>.html` beside it.

    `view` answers a GET with frozen data that the template shows and that is the page's JSON
    under `/api`. `parts` are pieces of it with addresses of their own (`<path>/<part>`, template
    `<name>.<part>.html`). `acts` answer a POST and say where to go next; `files` are for taking
    away. No `roles` means that anybody may look.
    """

    name: str
    title: str
    path: str
    reference: str
    view: Callable[[Visit], Any]
    roles: frozenset[Role] = frozenset()
    glyph: str = ""
    parts: Mapping[str, Callable[[Visit], Any]] = field(default_factory=dict)
    acts: Mapping[str, Callable[[Visit], str]] = field(default_factory=dict)
    files: Mapping[str, Callable[[Visit], File]] = field(default_factory=dict)
    live: str = ""
