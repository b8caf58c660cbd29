"""C-CDA: clinical documents in XML; entries become facts, sections in words only are kept.

Each entry is first said as the FHIR resource that HL7's C-CDA on FHIR gives for it and then read
where all FHIR is read. The XML is read with entities and document types off, bounded in depth.
"""

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from medtwin.record.observation import Observation
from medtwin.sources import ccda_entries
from medtwin.sources.ccda_document import Document
from medtwin.sources.ccda_person import identifier, patient
from medtwin.sources.ccda_words import (
    V3,
    Element,
    Words,
    at,
    child,
    concept,
    every,
    narrative,
    parser,
    place,
    tag,
    text,
)
from medtwin.sources.fhir_reading import one
from medtwin.sources.fhir_words import NotUnderstood, Resource, Told
from medtwin.sources.hl7_times import zone
from medtwin.sources.note_facts import Noted, facts_of
from medtwin.sources.source import SMALL, Arrived, Options, Refusal, Sent, Source, unread

MEDIA = "application/cda+xml"
LARGEST = 64 << 20
MANY = 10_000  # entries and components of one document
RESEND = "correct it at the sender and send it again"
IN_WORDS = "C-CDA section in words only"
NOTHING = Noted((), (), (), ())


@dataclass(frozen=True)
class Outcome:
    """What became of one entry or section: facts, refusals, or only kept, and where it stands."""

    section: str
    place: str
    facts: tuple[Observation, ...] = ()
    refused: tuple[Refusal, ...] = ()
    kept: str = ""
    words: str = ""


def recognises(path: Path, head: bytes) -> bool:
    """XML whose root is a ClinicalDocument, or what its name says."""
    marked = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
    return (marked and b"ClinicalDocument" in head[:16384]) or path.suffix in (".ccda", ".cda")


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """One document, which is one person's."""
    with what.open() as file:
        raw = file.read(LARGEST + 1)
    try:
        root = opened(raw)
        by = Told(options.received, zone(_written(root), options.zone))
        who = one(patient(root), b"", f"{what.name}#recordTarget", "", by)
        found = list(outcomes(root, by))
    except NotUnderstood as why:
        yield unread(what, str(why), RESEND, raw[:SMALL])
        return
    yield from _arrived(what, raw, who, found, by.received)


def opened(raw: bytes) -> Element:
    """The document's root. Raises `NotUnderstood`, saying what is wrong with it and where."""
    if len(raw) > LARGEST:
        raise NotUnderstood(f"it is longer than {LARGEST} bytes")
    try:
        root = etree.fromstring(raw, parser())
    except etree.XMLSyntaxError as why:
        raise NotUnderstood(f"the XML is broken or goes too deep ({why})") from None
    if root.getroottree().docinfo.doctype:
        raise NotUnderstood("it brings a document type of its own; entities are never followed")
    if root.tag != f"{V3}ClinicalDocument":
        raise NotUnderstood(f"its root is {tag(root)}; allowed is a ClinicalDocument of CDA R2")
    many = sum(1 for _ in root.iter(f"{V3}entry", f"{V3}component", f"{V3}entryRelationship"))
    if many > MANY:
        raise NotUnderstood(f"it has {many} entries; allowed are {MANY}")
    return root


def _written(root: Element) -> str:
    time = child(root, "effectiveTime")
    return time.get("value", "") if time is not None else ""


def outcomes(root: Element, told: Told) -> Iterator[Outcome]:
    """What becomes of the document itself, of each section and of each of its entries."""
    who = patient(root)
    whose = {"identifier": who["identifier"][0]} if who.get("identifier") else None
    by = Document(whose, at(child(root, "effectiveTime")), Words(root))
    yield from _itself(root, by, told)
    for number, section in enumerate(root.iter(f"{V3}section"), start=1):
        yield from _section(section, number, by, told)


def _itself(root: Element, by: Document, told: Told) -> Iterator[Outcome]:
    title = child(root, "title")
    paper = by.about(
        "DocumentReference",
        root,
        status="current",
        type=by.concept(root),
        date=by.written,
        description=text(title) if title is not None else "",
        masterIdentifier=identifier(child(root, "id")) if child(root, "id") is not None else {},
    )
    yield _read(paper, "document", "ClinicalDocument", told)
    for other in every(root, "relatedDocument"):
        kept = f"C-CDA {other.get('typeCode', 'related')} of another document"
        yield Outcome("document", "ClinicalDocument/relatedDocument", kept=kept)
    body = child(root, "component/nonXMLBody/text")
    if body is not None:
        yield _embedded(body)


def _embedded(body: Element) -> Outcome:
    where, media = "ClinicalDocument/component/nonXMLBody", body.get("mediaType", "unknown")
    said = text(body)
    if body.get("representation") == "B64":
        try:
            content = binascii.a2b_base64("".join(said.split()), strict_mode=True)
        except binascii.Error as why:
            because = f"its embedded {media} is broken or cut short ({why})"
            return Outcome("document", where, refused=(_refusal(where, because),))
        said = content.decode("utf-8", "replace") if media.startswith("text/plain") else ""
    return Outcome("document", where, kept=f"C-CDA embedded {media}", words=said)


def _section(section: Element, number: int, by: Document, told: Told) -> Iterator[Outcome]:
    code, title = child(section, "code"), child(section, "title")
    said = concept(code, by.words)
    name = (text(title) if title is not None else "") or said.get("text") or "unnamed section"
    by = replace(by, section=code.get("code", "") if code is not None else "")
    entries = every(section, "entry")
    for entry in entries:
        for element in entry:
            yield from _entry(element, name, number, by, told)
    if not entries and not every(section, "component/section"):
        where, words = f"(//section)[{number}]", narrative(section)
        empty = section.get("nullFlavor") or not words
        kept = "C-CDA section without information" if empty else IN_WORDS
        yield Outcome(name, where, kept=kept, words="" if empty else words)


def _entry(
    element: Element, section: str, number: int, by: Document, told: Told
) -> Iterator[Outcome]:
    found = list(ccda_entries.told(element, by))
    for resource, origin in found:
        yield _read(resource, section, place(origin, number), told)
    if not found:
        yield Outcome(section, place(element, number), kept=f"C-CDA {tag(element)} in {section}")


def _read(resource: Resource, section: str, where: str, told: Told) -> Outcome:
    arrived = one(resource, b"", f"#{where}", "", told)
    refused = tuple(_refusal(f"{arrived.kind} at {where}", r.because) for r in arrived.refused)
    kept = f"C-CDA {arrived.kept}" if arrived.kept else ""
    facts = tuple(replace(f, source="C-CDA") for f in arrived.facts)
    return Outcome(section, where, facts, refused, kept)


def _refusal(what: str, because: str) -> Refusal:
    return Refusal(what, "nobody named", because, RESEND)


def _arrived(
    what: Sent, raw: bytes, who: Arrived, found: list[Outcome], received: datetime
) -> Iterator[Arrived]:
    whose = who.about or "nobody named"
    apart = (*who.refused, *(r for o in found for r in o.refused))
    yield Arrived(
        original=raw,
        media=MEDIA,
        origin=what.name,
        about=who.about,
        person=who.person,
        facts=tuple(f for o in found for f in o.facts),
        refused=tuple(replace(r, whose=whose, original=b"") for r in apart),
        kind="C-CDA document",
        places=tuple(o.place for o in found for _ in o.facts),
    )
    for o in (o for o in found if o.kept):
        origin, words = f"{what.name}#{o.place}", o.words.encode()
        media = "text/plain" if words else MEDIA
        said = _noted(o, found, received) if words and who.about else NOTHING
        yield Arrived(
            words, media, origin, who.about, None, said.facts, (), o.kept, o.kept, said.places
        )


def _noted(section: Outcome, found: list[Outcome], received: datetime) -> Noted:
    """What a section in words says, as of the document's own date."""
    at = next((f.at for o in found for f in o.facts if o.section == "document"), received)
    header = section.section
    return facts_of(section.words, at, "C-CDA, words read", received, header=header)


source = Source(
    "C-CDA",
    "HL7 C-CDA R1.1 and R2.1 (CDA R2); turned into FHIR after HL7's C-CDA on FHIR",
    (".ccda", ".cda", ".xml"),
    recognises,
    read,
)
