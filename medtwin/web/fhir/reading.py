"""Read, version read, history and search."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.resource_asking import CannotAsk
from medtwin.vault.resource_door import Absent, Found, Gone
from medtwin.vault.resource_values import span
from medtwin.vault.resources import Version
from medtwin.vault.times import moment
from medtwin.web.fhir import virtual
from medtwin.web.fhir.asked import Question, page_size, question, unanswerable
from medtwin.web.fhir.bundles import past, searchset
from medtwin.web.fhir.call import Call, Reply
from medtwin.web.fhir.problem import Problem, problem
from medtwin.web.fhir.shown import shown
from medtwin.web.fhir.wire import etag, served, tags


def read(call: Call, kind: str, id_: str) -> Reply:
    """The resource as it stands now."""
    call.entrant.need("read", kind)
    made = virtual.one(call, kind, id_)
    if made is not None:
        return Reply(200, made)
    try:
        version = found(call, kind, id_)
    except Problem:
        made = virtual.unknown_patient(call, id_) if kind == "Patient" else None
        if made is None:
            raise
        return Reply(200, made)
    if _unchanged(call, version):
        return Reply(304, None, tags(version))
    elements = tuple(e for e in call.one("_elements").split(",") if e)
    return Reply(200, shown(served(version), call.one("_summary"), elements), tags(version))


def vread(call: Call, kind: str, id_: str, number: str) -> Reply:
    """One version of it."""
    call.entrant.need("read", kind)
    if not number.isdecimal() or len(number) > 9:
        raise problem(404, "not-found", f"{number[:20]!r} is no version; versions are 1, 2, 3 ...")
    version = found(call, kind, id_, int(number))
    return Reply(200, served(version), tags(version))


def found(call: Call, kind: str, id_: str, number: int | None = None) -> Version:
    """The version that is kept, or a `Problem` saying 404 or 410."""
    try:
        return call.vault.resources.read(call.entrant.principal, kind, id_, Purpose.care, number)
    except Gone as gone:
        said = f"{gone}; read an older version at {kind}/{id_}/_history"
        raise problem(410, "deleted", said, kind) from None
    except (Absent, Refused):
        which = f" in version {number}" if number is not None else ""
        said = f"{kind}/{id_[:64]} is not here{which}, or not yours to see; search for it"
        raise problem(404, "not-found", said, kind) from None


def _unchanged(call: Call, version: Version) -> bool:
    if call.header("if-none-match"):
        return etag(version) in call.header("if-none-match")
    since = call.header("if-modified-since")
    try:
        then = datetime.strptime(since, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return False
    return version.updated < then + timedelta(seconds=1)


def history(call: Call, kind: str = "", id_: str = "") -> Reply:
    """Every version, newest first."""
    call.entrant.need("read", kind or "*")
    since, until = moment_of(call, "_since"), moment_of(call, "_at")
    most, after = page_size(call), call.one("_after")
    who, past_of = call.entrant.principal, call.vault.resources.history
    try:
        seen = past_of(who, kind, id_, since, until, most, after)
    except (Absent, Refused):
        said = f"{kind}/{id_[:64]} is not here, or not yours to see; search for it"
        raise problem(404, "not-found", said, kind) from None
    except CannotAsk as why:
        raise unanswerable(why) from None
    return Reply(200, past(call, seen))


def moment_of(call: Call, name: str) -> datetime | None:
    """A moment out of a parameter; None where it is not given."""
    text = call.one(name)
    if not text:
        return None
    reach = span(text.replace(" ", "+"))
    if reach is None:
        raise problem(400, "value", f"{name} is {text[:40]!r}; allowed is a date or a time", name)
    return moment(reach[1] if name == "_at" else reach[0])


def search(call: Call, kind: str) -> Reply:
    """What fits, page by page."""
    call.entrant.need("search", kind)
    asked = question(kind, call)
    try:
        made = virtual.found(call, kind, asked)
        met = _met(call, asked)
    except CannotAsk as why:
        raise unanswerable(why) from None
    return Reply(200, searchset(call, asked, met, made))


def _met(call: Call, asked: Question) -> Found:
    who, resources = call.entrant.principal, call.vault.resources
    met = resources.find(who, asked.search, asked.includes, base=call.base)
    if asked.total == "none" and asked.summary != "count":
        return met
    return Found(met.page, met.included, resources.count(who, asked.search, base=call.base))


def compartment(call: Call, id_: str, kind: str) -> Reply:
    """What fits, of one person: `Patient/7/Observation?code=...`."""
    within = replace(call, path=(kind,), query=(*call.query, ("patient", f"Patient/{id_}")))
    return search(within, kind)
