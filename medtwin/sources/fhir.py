"""FHIR R4: bundles of every type, NDJSON and single resources, each kept byte for byte."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from medtwin.sources.fhir_reading import Entry, indexed, one, refused
from medtwin.sources.fhir_words import Resource, Told
from medtwin.sources.json_spans import resources
from medtwin.sources.source import HEAD, SMALL, Arrived, Options, Sent, Source, unread
from medtwin.sources.zones import zone_or_none

BEGINNING = 4 << 20
ADDRESS = re.compile(rb'"(urn:[^"\\]+)"')


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
        several = "after document" in str(why)
        yield from _lines(what, told) if several else _broken(raw, what, told, why)
        return
    yield from document_read(document, raw, what.name, told)


def document_read(document: Any, raw: bytes, name: str, told: Told) -> Iterator[Arrived]:
    """One parsed document, with its bytes."""
    if not isinstance(document, dict):
        yield refused(raw, name, None, "it is not a JSON object", "send a resource or a Bundle")
    elif document.get("resourceType") == "Bundle":
        yield from bundle(_entries(document, raw), name, told)
    else:
        yield one(document, raw, name, "", told)


def bundle(entries: list[Entry], name: str, told: Told) -> Iterator[Arrived]:
    """Every resource of a bundle; people first, so that their facts find them."""
    told = replace(told, entries=indexed(entries))
    people_first = sorted(entries, key=lambda e: e[0].get("resourceType") != "Patient")
    for resource, raw, url in people_first:
        if resource.get("resourceType") == "Bundle":
            yield from bundle(_entries(resource, raw), name, told)
        else:
            yield addressed(one(resource, raw, name, url, told), resource, url, told)


def addressed(arrived: Arrived, resource: Resource, url: str, told: Told) -> Arrived:
    """With what the addresses of a bundle's entries mean: the kind and id they have."""
    written = ADDRESS.findall(arrived.original) if b'"urn:' in arrived.original else ()
    met = [(w.decode(), told.entries.get(w.decode())) for w in sorted(set(written))]
    refers = [(w, _called(target, w)) for w, target in met if target]
    if not resource.get("id") and url:
        refers.append(("", _called(resource, url)))
    return replace(arrived, refers=tuple(refers)) if refers else arrived


def _called(resource: Resource, url: str) -> str:
    id_ = resource.get("id") or url.removeprefix("urn:uuid:").rpartition("/")[2]
    return f"{resource.get('resourceType')}/{id_}"


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
                yield refused(raw, name, None, f"the line is not JSON ({why})", "send it again")
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


source = Source(
    "FHIR R4", "HL7 FHIR Release 4 (4.0.1), https://hl7.org/fhir/R4/", SUFFIXES, recognises, read
)
