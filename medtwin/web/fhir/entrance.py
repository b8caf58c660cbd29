"""Who comes in: by session as on the pages, or by a token that a program shows."""

from dataclasses import dataclass

from starlette.requests import Request

from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.receiving import Ground
from medtwin.vault.vault import Vault
from medtwin.web.door import SESSION
from medtwin.web.fhir.problem import problem

LETTERS = {"create": "c", "read": "r", "update": "u", "delete": "d", "search": "s"}


@dataclass(frozen=True)
class Entrant:
    """Who asks, what their scopes allow, and on what ground what they send is kept."""

    principal: Principal
    scopes: tuple[str, ...] = ("user/*.cruds",)
    basis: str = "sent to the FHIR server"
    grants: tuple[Purpose, ...] = ()

    @property
    def ground(self) -> Ground:
        """The ground of what they bring in."""
        return Ground(self.principal, self.basis, self.grants)

    def need(self, doing: str, kind: str) -> None:
        """Raise a `Problem` unless a scope allows this of this kind."""
        if not any(allows(scope, LETTERS[doing], kind) for scope in self.scopes):
            level = "patient" if self.principal.role is Role.patient else "user"
            said = f"the token's scopes do not allow to {doing} {kind}; ask for {level}/{kind}."
            raise problem(403, "forbidden", f"{said}{LETTERS[doing]}")


def principal_of(request: Request) -> Entrant:
    """Who this request comes from, or a `Problem`. A bearer token wins over a session."""
    vault: Vault = request.app.state.vault
    words = request.headers.get("authorization", "").split()
    if len(words) == 2 and words[0].lower() == "bearer":
        return _bearer(vault, words[1])
    principal = vault.accounts.session(request.cookies.get(SESSION, ""))
    if principal is None or (_changes(request) and not _same_site(request)):
        raise problem(401, "login", "nobody is logged in; send Authorization: Bearer and a token")
    return Entrant(principal)


def _changes(request: Request) -> bool:
    return request.method not in ("GET", "HEAD", "OPTIONS")


def _same_site(request: Request) -> bool:
    """A session's cookie must not be ridden by another site's form."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def _bearer(vault: Vault, token: str) -> Entrant:
    found = vault.tokens.bearer(token)
    if found is None:
        raise problem(401, "login", "this token is unknown or has ended; get a new one")
    return Entrant(found.principal, found.scopes, found.basis, found.grants)


def allows(scope: str, letter: str, kind: str) -> bool:
    """SMART 2: `patient/Observation.rs`, `user/*.cruds`; of SMART 1 `.read`, `.write`, `.*`."""
    where, _, what = scope.partition("/")
    named, _, letters = what.partition("?")[0].partition(".")
    old = {"read": "rs", "write": "cud", "*": "cruds"}
    right = where in ("patient", "user", "system") and named in ("*", kind)
    return right and letter in old.get(letters, letters)
