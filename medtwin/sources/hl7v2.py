"""HL7 v2: messages of admissions, results, orders, medicines, documents, vaccines, visits.

Each message is kept byte for byte. What HL7's own maps turn into a FHIR resource is read as one
(`fhir_reading`), so that meaning stays in one place; segments without a reader are counted.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medtwin.sources.fhir_reading import one
from medtwin.sources.fhir_words import Told
from medtwin.sources.hl7_times import zone
from medtwin.sources.hl7v2_batches import LARGEST, Counted, Piece, pieces
from medtwin.sources.hl7v2_messages import Found, Part, told
from medtwin.sources.hl7v2_parser import Message, Unreadable, parsed
from medtwin.sources.hl7v2_types import sender
from medtwin.sources.note_facts import facts_of
from medtwin.sources.source import MERGE, SMALL, Arrived, Options, Refusal, Sent, Source, unread

MEDIA = "x-application/hl7-v2+er7"
BEGINS = re.compile(rb"[\x0b\xef\xbb\xbf\s]*(MSH|FHS|BHS)[^A-Za-z0-9\s]")
RESEND = "correct it at the sender and send it again"


def recognises(path: Path, head: bytes) -> bool:
    """MSH, FHS or BHS and a separator; or the name says so."""
    return BEGINS.match(head) is not None or path.suffix in (".hl7", ".er7")


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Every message in the file, one after another."""
    counted = Counted()
    with what.open() as file:
        for number, piece in enumerate(pieces(file), start=1):
            wrong = counted.meet(piece)
            yield from _piece(piece, f"{what.name}:{number}", options)
            if wrong:
                yield unread(what, wrong, "ask the sender for the batch again", piece.raw)


def _piece(piece: Piece, origin: str, options: Options) -> Iterator[Arrived]:
    if piece.size > LARGEST or not piece.raw:
        because = f"the message is {piece.size} bytes long; allowed are {LARGEST}"
        yield refused(piece.raw[:SMALL], origin, because, "send it in parts")
    elif piece.name in ("FHS", "BHS", "BTS", "FTS"):
        kept = "HL7 v2 batch header or trailer"
        yield Arrived(piece.raw, MEDIA, origin, None, None, (), (), kept, piece.name)
    else:
        yield from message(piece.raw, origin, options)


def message(raw: bytes, origin: str, options: Options) -> list[Arrived]:
    """One message, or why it cannot be read."""
    try:
        return understood(parsed(raw), raw, origin, options)
    except Unreadable as why:
        return [refused(raw, f"{origin}#{why.place}", str(why), RESEND)]


def refused(raw: bytes, origin: str, because: str, then: str) -> Arrived:
    """A whole message refused, with its bytes."""
    refusal = Refusal(origin, "nobody named", because, then, raw)
    return Arrived(raw, MEDIA, origin, None, None, (), (refusal,))


def understood(said: Message, raw: bytes, origin: str, options: Options) -> list[Arrived]:
    """What a message turned into: for each person one original, and what was only kept."""
    where = f"{origin}#{said.number}"
    by = Told(options.received, zone(said.head.text(7), options.zone))
    # Times without a zone are in that of MSH-7 (HL7 v2.5.1, 2.A.22).
    found: list[Arrived] = []
    for part in told(said):
        found += _part(part, said, raw, where, by)
    return found


def _part(part: Part, said: Message, raw: bytes, where: str, by: Told) -> Iterator[Arrived]:
    visit = part.visit
    by = replace(by, entries={"Encounter/visit": visit}) if visit else by
    read_as = [(f, one(f.resource, b"", f"{where}#{f.place}", "", by)) for f in part.found]
    who = one(part.patient, b"", f"{where}#PID", "", by) if part.patient else None
    about = who.about if who else None
    source = f"HL7 v2, {sender(said.head).name}"
    facts = [(replace(f, source=source), _place(f0, p)) for f0, a in read_as for f, p in _of(a)]
    apart = [r for _, a in read_as for r in _apart(a, about)]
    apart += _apart(who, about) if who else []
    apart += [Refusal(place, about or "nobody named", why, RESEND) for place, why in part.wrong]
    yield Arrived(
        original=raw,
        media=MEDIA,
        origin=where,
        about=about,
        person=who.person if who else None,
        facts=tuple(f for f, _ in facts),
        refused=tuple(apart),
        kind=f"HL7 v2 {said.type}",
        places=tuple(place for _, place in facts),
    )
    yield from _kept(part, read_as, where, about, by)


def _kept(
    part: Part, read_as: list[tuple[Found, Arrived]], where: str, about: str | None, by: Told
) -> Iterator[Arrived]:
    """What is counted without being facts; documents and merges with their words."""
    kept = [(what, place, "") for what, place in part.kept]
    kept += [(f"HL7 v2 {a.kept}", f.place, "") for f, a in read_as if a.kept]
    kept += [(MERGE, place, numbers) for place, numbers in part.merges]
    for what, place, text in kept:
        media = "text/plain" if text else MEDIA
        origin = f"{where}#{place}"
        yield Arrived(text.encode(), media, origin, about, None, (), (), what, what)
    written = {f.place: a.facts[0].at for f, a in read_as if a.facts}
    for place, text in part.papers:
        noted = facts_of(text, written.get(place, by.received), "HL7 v2, note read", by.received)
        facts, places = (noted.facts, noted.places) if about else ((), ())
        origin, raw = f"{where}#{place}", text.encode()
        yield Arrived(raw, "text/plain", origin, about, None, facts, (), PAPER, PAPER, places)


PAPER = "text of a document"


def _of(arrived: Arrived) -> Iterator[tuple]:
    return zip(arrived.facts, arrived.places, strict=True)


def _place(found: Found, inside: str) -> str:
    number = re.search(r"component\[(\d+)\]", inside)
    return f"{found.place} value {int(number[1]) + 1}" if number else found.place


def _apart(arrived: Arrived, about: str | None) -> Iterator[Refusal]:
    place = arrived.origin.rsplit("#", 2)[-2]
    for r in arrived.refused:
        whose = r.whose if about is None else about
        yield Refusal(f"{arrived.kind or r.what} in {place}", whose, r.because, r.next, b"")


source = Source(
    "HL7 v2",
    "HL7 v2.1 to 2.8; turned into FHIR after HL7's maps (HL7/v2-to-FHIR)",
    (".hl7", ".er7"),
    recognises,
    read,
)
