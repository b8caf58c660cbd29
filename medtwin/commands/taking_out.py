"""What `medtwin export` does: consent decides person by person, the audit knows, names stay."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from medtwin.commands import house, report
from medtwin.commands.report import WrongInput
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose

if TYPE_CHECKING:
    from medtwin.exports.unnamed import Unnamed
    from medtwin.record.record import Record
    from medtwin.vault.vault import Vault

PAGE = 1000


@dataclass(frozen=True)
class Asked:
    """Who takes it out, for what, and how people are called in it."""

    principal: Principal
    purpose: Purpose
    key: bytes
    shifted: bool

    def days(self, patient: str) -> int:
        """How far this person's dates move."""
        from medtwin.exports.unnamed import shifts

        return shifts(self.key)(patient) if self.shifted else 0

    def unnamed(self, whose: dict[str, str]) -> "Unnamed":
        """How resources lose their names."""
        from medtwin.exports.unnamed import Unnamed

        return Unnamed(self.key, whose, self.days)


def asked(purpose: str, shifted: bool) -> Asked:
    """What was asked for, if it is a purpose that tables may leave the house for."""
    allowed = (Purpose.research, Purpose.training, Purpose.sharing)
    if purpose not in allowed:
        raise WrongInput(f"{purpose!r} is no purpose to export for; allowed: {', '.join(allowed)}")
    me = house.me(Role.researcher)
    return Asked(me, Purpose(purpose), secrets.token_bytes(32), shifted)


def view_of(wanted: Asked, definition: Path, to: Path) -> dict[str, Any]:
    """The rows of a view definition into a file; what was written."""
    from medtwin.exports import tables
    from medtwin.exports.views import rows, view

    try:
        one = view(orjson.loads(definition.read_bytes()))
    except orjson.JSONDecodeError as why:
        raise WrongInput(f"{definition} is not JSON: {why}") from why
    with house.vault() as vault:
        found = report.counted(resources(vault, wanted, one.resource), "resources")
        some = tables.kept(to, one.name, tables.schema(one), rows(one, found))
    return {"table": one.name, "rows": some, "file": str(to)}


def meds_of(wanted: Asked, to: Path) -> dict[str, Any]:
    """The facts of everybody who agreed, as MEDS, in a new folder; what was written."""
    from datetime import UTC, datetime

    from medtwin.exports import meds

    if to.exists() and any(to.iterdir()):
        raise WrongInput(f"{to} is not empty; give a new folder")
    with house.vault() as vault:
        found = report.counted(records(vault, wanted), "people")
        told = meds.written(to, found, f"medtwin, for {wanted.purpose}", datetime.now(UTC))
    return {**told, "folder": str(to)}


def records(vault: "Vault", wanted: Asked) -> "Iterator[tuple[Record, int]]":
    """The facts of whoever agreed to the purpose, each with the days their dates move."""
    for one in vault.patients(wanted.principal):
        if one.retired is None and one.grants.get(wanted.purpose):
            record = vault.record(wanted.principal, one.patient, wanted.purpose)
            yield record, wanted.days(one.patient)


def resources(vault: "Vault", wanted: Asked, kind: str) -> Iterator[dict[str, Any]]:
    """Resources of one kind, page by page, of whoever agreed to the purpose; without names."""
    from medtwin.fhir import parsing
    from medtwin.vault.resource_asking import Search

    unnamed = wanted.unnamed(people(vault, wanted))
    search, more = Search(kind, count=PAGE), True
    while more:
        page = vault.resources.find(wanted.principal, search, purpose=wanted.purpose).page
        for version in page.versions:
            yield unnamed.resource(parsing.read(version.raw), version.patient, version.refers)
        search, more = Search(kind, count=PAGE, after=page.after), bool(page.after)


def people(vault: "Vault", wanted: Asked) -> dict[str, str]:
    """`Patient/id` of everybody who agreed, with their pseudonyms."""
    from medtwin.vault.resource_asking import Search

    found: dict[str, str] = {}
    search, more = Search("Patient", count=PAGE), True
    while more:
        page = vault.resources.find(wanted.principal, search, purpose=wanted.purpose).page
        found |= {v.reference: v.patient for v in page.versions}
        search, more = Search("Patient", count=PAGE, after=page.after), bool(page.after)
    return found


def tell(told: dict[str, Any], as_json: bool) -> None:
    """What was written, and where."""
    if as_json:
        report.said(told)
        return
    for name, value in told.items():
        report.out.print(f"{name}: {value}")
