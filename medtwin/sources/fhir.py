"""FHIR R4: bundles of every type, NDJSON and single resources, each kept byte for byte."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from medtwin.record.observation import Implausible, Observation
from medtwin.record.units import UnknownUnit
from medtwin.sources import fhir_events
from medtwin.sources.fhir_kinds import KINDS
from medtwin.sources.fhir_observation import Fact, observation
from medtwin.sources.fhir_patient import person
from medtwin.sources.fhir_subject import whose
from medtwin.sources.fhir_words import NoFact, NotUnderstood, Resource, Told
from medtwin.sources.json_spans import resources
from medtwin.sources.source import HEAD, SMALL, Arrived, Options, Refusal, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

MEDIA = "application/fhir+json"
READERS: dict[str, Callable[[Resource, Told], Iterator[Fact]]] = {
    "Observation": observation,
    **fhir_events.READERS,
}
OURS = (NotUnderstood, Implausible, UnknownUnit)
MISSHAPEN = (TypeError, AttributeError, KeyError, ValueError, IndexError)
BEGINNING = 4 << 20
Entry = tuple[Resource, bytes, str]  # resource, its bytes, its fullUrl


def recognises(path: Path, head: bytes) -> bool:
    """A JSON object that names a resource kind soon, or any JSON by its name."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"{") and (b'"resourceType"' in head or path.suffix in SUFFIXES)


SUFFIXES = (".json", ".ndjson", ".jsonl")


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Each resource in the file: understood, kept, or refused."""
    told = Told(options.received, zone_or_none(options.zone))
    if what.path.suffix in (".ndjson", ".jsonl"):
        yield from _lines(what, told)
        return
    with what.open() as file:
        raw = file.read()
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as why:
        several = "trailing" in str(why) or "after" in str(why)
        yield from _lines(what, told) if several else _broken(raw, what, told, why)
        return
    yield from document_read(document, raw, what.name, told)


def document_read(document: Any, raw: bytes, name: str, told: Told) -> Iterator[Arrived]:
    """One parsed document, with its bytes."""
    if not isinstance(document, dict):
        yield _refused(raw, name, None, "it is not a JSON object", "send a resource or a Bundle")
    elif document.get("resourceType") == "Bundle":
        yield from bundle(_entries(document, raw), name, told)
    else:
        yield one(document, raw, name, "", told)


def bundle(entries: list[Entry], name: str, told: Told) -> Iterator[Arrived]:
    """Every resource of a bundle; people first, so that their facts find them."""
    told = replace(told, entries=_indexed(entries))
    people_first = sorted(entries, key=lambda e: e[0].get("resourceType") != "Patient")
    for resource, raw, url in people_first:
        if resource.get("resourceType") == "Bundle":
            yield from bundle(_entries(resource, raw), name, told)
        else:
            yield one(resource, raw, name, url, told)


def one(resource: Resource, raw: bytes, name: str, url: str, told: Told) -> Arrived:
    """One resource as what it turned into."""
    kind = resource.get("resourceType")
    where = f"{name}#{kind}/{resource.get('id', '')}"
    if not isinstance(kind, str) or kind not in KINDS:
        because = f"{kind!r} is no FHIR R4 resource kind" if kind else "it has no resourceType"
        return _refused(raw, where, None, because, "check resourceType; allowed are those of R4")
    try:
        about = whose(resource, url, told)
        return _understood(kind, resource, raw, where, about, told)
    except NoFact as why:
        kept = f"{kind} {why}"
        return Arrived(raw, MEDIA, where, whose(resource, url, told), None, (), (), kept, kind)
    except MISSHAPEN as why:
        because = str(why) if isinstance(why, OURS) else _misshapen(why)
        about = _named(resource, url, told)
        return replace(_refused(raw, where, about, because, "correct and send again"), kind=kind)


def _understood(
    kind: str, resource: Resource, raw: bytes, where: str, about: str | None, told: Told
) -> Arrived:
    if kind == "Patient":
        who, doubts = person(resource, told)
        refused = tuple(_refusal(where, about, d, "correct and send again", raw) for d in doubts)
        return Arrived(raw, MEDIA, where, about, who, (), refused, "", kind)
    reader = READERS.get(kind)
    if reader is None:
        return Arrived(raw, MEDIA, where, about, None, (), (), kind, kind)
    if about is None:
        raise NotUnderstood("it names no patient; allowed is a subject that is a Patient")
    told_of = list(reader(resource, told))
    facts = tuple(f for f in told_of if isinstance(f, Observation))
    bad = (f for f in told_of if not isinstance(f, Observation))
    refused = tuple(_refusal(where, about, str(b), _next(b), raw) for b in bad)
    return Arrived(raw, MEDIA, where, about, None, facts, refused, "", kind)


def _indexed(entries: list[Entry]) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for resource, _, url in entries:
        kind = resource.get("resourceType")
        target = {**resource, "_url": url} if kind == "Patient" else resource
        found.setdefault(f"{kind}/{resource.get('id')}", target)
        if url:
            found[url] = target
    return found


def _entries(document: Resource, raw: bytes) -> list[Entry]:
    given = document.get("entry") or []
    inside = [e for e in given if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
    spans = resources(raw)
    if len(spans) == len(inside):
        slices = [raw[a:b] for a, b in spans]
    else:  # an entry that is not an object, a key given twice: the meaning is kept, not the bytes
        slices = [orjson.dumps(e["resource"]) for e in inside]
    pairs = zip(inside, slices, strict=True)
    found = [(e["resource"], s, str(e.get("fullUrl") or "")) for e, s in pairs]
    # A history begins with the newest version; we learn them in the order they were written.
    return found[::-1] if document.get("type") == "history" else found


def _lines(what: Sent, told: Told) -> Iterator[Arrived]:
    with what.open() as file:
        for number, line in enumerate(file, start=1):
            raw, name = line.strip(), f"{what.name}:{number}"
            if not raw:
                continue
            try:
                document = orjson.loads(raw)
            except orjson.JSONDecodeError as why:
                yield _refused(raw, name, None, f"the line is not JSON ({why})", "send it again")
                continue
            yield from document_read(document, raw, name, told)


def _broken(raw: bytes, what: Sent, told: Told, why: orjson.JSONDecodeError) -> Iterator[Arrived]:
    """A document cut short or spoilt: its whole resources are kept, the rest is refused apart."""
    # Garbage shows itself early; only a document that begins well is searched to its end.
    promising = b'"entry"' in raw[:HEAD] and resources(raw[:BEGINNING])
    spans = resources(raw) if promising else []
    parsed = [(_parsed(raw[a:b]), raw[a:b]) for a, b in spans]
    whole: list[Entry] = [(resource, piece, "") for resource, piece in parsed if resource]
    yield from bundle(whole, what.name, told)
    spoilt = [piece for resource, piece in parsed if not resource]
    rest = b"\n".join(spoilt) + raw[spans[-1][1] if spans else 0 :]
    because = f"the JSON is broken ({why}); {len(whole)} whole resources in it are kept"
    then = "send the file again; what is kept stays one fact"
    yield unread(what, because, then, rest[:SMALL])


def _parsed(piece: bytes) -> Resource:
    try:
        found = orjson.loads(piece)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _refused(raw: bytes, where: str, about: str | None, because: str, then: str) -> Arrived:
    return Arrived(
        raw, MEDIA, where, about, None, (), (_refusal(where, about, because, then, raw),)
    )


def _refusal(where: str, about: str | None, because: str, then: str, raw: bytes) -> Refusal:
    return Refusal(where.rpartition("#")[2], about or "nobody named", because, then, raw)


def _named(resource: Resource, url: str, told: Told) -> str | None:
    try:
        return whose(resource, url, told)
    except MISSHAPEN:
        return None


def _next(why: Fact) -> str:
    if isinstance(why, UnknownUnit):
        return "correct the unit at the sender, or add it to record/units.py"
    return "correct it at the sender and send it again"


def _misshapen(why: Exception) -> str:
    """Python's complaint, in words for whoever sent it."""
    stands = {"str": "a text", "int": "a number", "float": "a number", "list": "a list"}
    word = next((w for t, w in stands.items() if f"'{t}'" in str(why)), "something else")
    return f"it is not shaped as FHIR R4 says: {word} stands where another shape must ({why})"


source = Source(
    "FHIR R4", "HL7 FHIR Release 4 (4.0.1), https://hl7.org/fhir/R4/", SUFFIXES, recognises, read
)
