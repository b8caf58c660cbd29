"""Apple Health: the export of an iPhone, with its watch, its apps, its ECGs and its routes.

An export may have gigabytes. It is read in blocks of about a megabyte that begin and end between
two records; each block is an original, and all of them one after the other are the file.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from medtwin.record import codes
from medtwin.record.person import Person
from medtwin.sources.apple_health_ecg import is_ecg, read_ecg
from medtwin.sources.apple_health_kinds import CATEGORY, SLEEP, category, quantity, unit
from medtwin.sources.archive import BROKEN
from medtwin.sources.readings import Block, Reading, minutes, named, spoken, utc, whose
from medtwin.sources.source import Arrived, Options, Sent, Source, unread

BLOCK = 1 << 20
LONGEST = 64 << 20  # a block of a file that is not laid out in lines
OPEN, CLOSE = b"<HealthData>", b"</HealthData>"
ROOT = re.compile(rb"<HealthData(?:\s[^>]*)?>")
FIRST = re.compile(rb"(\s*)<(?:ExportDate|Me|Record|Workout|Correlation|ActivitySummary)[\s/>]")
DOCTYPE = b"<!DOCTYPE"
ME = "HKCharacteristicTypeIdentifier"
SUMS = {"ActivitySummary": "Apple activity summary (sums of its records)"}
COMMON = {"export", "exportieren", "exportar", "exporter", "esportazione", "apple_health_export"}
XML = "application/xml"


def recognises(path: Path, head: bytes) -> bool:
    """The export itself, an ECG or a route beside it, or the copy of it as CDA."""
    start = head[:4096]
    if b"<HealthData" in head or b"<!DOCTYPE HealthData" in start:
        return start.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<")
    return is_ecg(path, head) or _beside(path, start) != ""


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Every record of the export, block by block."""
    if is_ecg(what.path, what.head):
        yield from read_ecg(what, options, person_of(what, options))
        return
    if kind := _beside(what.path, what.head[:4096]):
        yield from _kept(what, options, kind)
        return
    try:
        yield from _export(what, options)
    except BROKEN as why:
        because = f"it breaks off ({why}); what came before is kept"
        yield unread(what, because, "export it again")


def _beside(path: Path, start: bytes) -> str:
    if b"<gpx" in start and b"Apple Health Export" in start:
        return "Apple workout route"
    # Apple writes a part of the same readings a second time as CDA: reading both counts twice.
    if path.name.rpartition(":")[2].endswith("export_cda.xml"):
        return "Apple export as CDA (the same readings again)"
    return ""


def _kept(what: Sent, options: Options, kind: str) -> Iterator[Arrived]:
    with what.open() as file:
        block = Block(person_of(what, options), options.received)
        block.keep(kind)
        yield from block.arrived(file.read(options.largest), XML, what.name, kind)


def person_of(what: Sent, options: Options) -> str:
    """Whose export: who the options say, else the name people gave the archive, else ""."""
    outer = what.name.rpartition(":")[0] or what.name
    telling = Path(outer).stem.lower() not in COMMON
    return (
        whose("apple_health", what, options, Path(outer).stem if telling else "")
        if (telling or options.about)
        else ""
    )


def by_content(body: bytes) -> str:
    """A name for somebody whose export is called as every export is.

    Of who they are and their oldest record, which stay the same from one export to the next.
    """
    lines = [ln for ln in body[:BLOCK].splitlines() if b"<Me " in ln or b"<Record " in ln][:2]
    return f"apple_health|{sha256(b'|'.join(ln.strip() for ln in lines)).hexdigest()[:16]}"


def _export(what: Sent, options: Options) -> Iterator[Arrived]:
    about, begins = person_of(what, options), 0
    of = f" of {what.size}" if what.size else ""
    with what.open() as file:
        for original, body in blocks(file):
            about = about or by_content(body)
            block = Block(about, options.received)
            person = None
            for place, element, bad in elements(body):
                if bad:
                    block.refuse(place, bad, "it is kept in the original; export it again", element)
                elif element.tag == "Me":
                    person = _person(about, element)
                else:
                    _told(block, place, element)
            origin = f"{what.name}, bytes {begins} to {begins + len(original)}{of}"
            begins += len(original)
            yield from block.arrived(original, XML, origin, "Apple Health records", person)


def blocks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The file in pieces, and of each the whole elements: prologue, DTD and root left out.

    The DTD is never parsed: Apple's own was malformed in some versions, and none is needed.
    """
    held = file.read(BLOCK)
    root = ROOT.search(held)
    skip = root.end() if root else 0
    first = FIRST.match(held, skip)
    between = first.group(1) if first else b""
    while held:
        more = file.read(BLOCK)
        end = _border(held, between, skip) if more else len(held)
        if end == 0 and len(held) < LONGEST:
            held += more
            continue
        end = end or len(held)
        yield held[:end], held[skip:end]
        held, skip = held[end:] + more, 0


def _border(held: bytes, between: bytes, skip: int) -> int:
    """Where the last element of this piece begins; 0 if that cannot be told."""
    if not between:
        return 0
    at = len(held)
    while (at := held.rfind(between + b"<", skip + 1, at)) > 0:
        if held[at + len(between) + 1 : at + len(between) + 2].isalpha():
            return at
    return 0


def elements(body: bytes) -> Iterator[tuple[str, Any, str]]:
    """Place and element of each record in the block; a broken one as bytes, with the reason."""
    body = body.rstrip().removesuffix(CLOSE)
    try:
        root = etree.fromstring(OPEN + body + CLOSE, _parser())
    except etree.XMLSyntaxError:
        yield from _one_by_one(body)
        return
    seen: dict[str, int] = {}
    for element in root:
        tag = str(element.tag)
        seen[tag] = seen.get(tag, 0) + 1
        yield f"{tag}[{seen[tag]}]", element, ""


def _one_by_one(body: bytes) -> Iterator[tuple[str, Any, str]]:
    first = FIRST.match(body)
    between = first.group(1) if first else b"\n"
    borders = [m.start() for m in re.finditer(re.escape(between) + rb"<(?=[A-Za-z])", body)]
    for number, (a, b) in enumerate(pairwise([*borders, len(body)]), start=1):
        piece = body[a:b].strip()
        try:
            yield f"element {number}", etree.fromstring(piece, _parser()), ""
        except etree.XMLSyntaxError as why:
            yield f"element {number}", piece, f"it is not well-formed XML ({why.msg})"
    if not borders and body.strip():
        yield "the block", body, "it is not well-formed XML"


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _person(about: str, me: Any) -> Person:
    born = me.get(f"{ME}DateOfBirth", "")
    sex = me.get(f"{ME}BiologicalSex", "").removeprefix("HKBiologicalSex").lower()
    sex = "unknown" if sex in ("", "notset") else sex
    try:
        return Person((about,), born=date.fromisoformat(born) if born else None, sex=sex)
    except ValueError:
        return Person((about,), sex=sex)


def _told(block: Block, place: str, element: Any) -> None:
    if element.tag == "ExportDate" or not isinstance(element.tag, str):
        return
    try:
        if element.tag == "Record":
            _record(block, place, element.attrib)
        elif element.tag == "Workout":
            _workout(block, place, element)
        elif element.tag == "Correlation":
            return  # Apple's DTD: what stands inside stands at the top level too
        else:
            block.keep(SUMS.get(element.tag, f"Apple {element.tag}"))
    except (ValueError, KeyError) as why:
        because = f"{why} is missing" if isinstance(why, KeyError) else why
        block.refuse(place, because, "it is kept in the original; export it again")


def _record(block: Block, place: str, said: Any) -> None:
    kind, by = said["type"], said.get("sourceName", "Apple Health")
    at, until = when(said["startDate"]), when(said["endDate"])
    if kind == f"{CATEGORY}SleepAnalysis":
        word = said["value"].removeprefix("HKCategoryValueSleepAnalysis")
        code = SLEEP.get(word)
        if code is None:
            raise ValueError(f"sleep value {word!r} is not known; known are {named(list(SLEEP))}")
        block.take(Reading(place, at, code, minutes(at, until), "min", by, until))
    elif kind.startswith(CATEGORY):
        word = spoken(said.get("value", "").removeprefix("HKCategoryValue"))
        ends = until if until > at else None
        block.take(Reading(place, at, category(kind), 1, "1", by, ends, word))
    else:
        written = said.get("unit", "")
        code, ucum = quantity(kind, written), unit(written)
        ends = until if until > at else None
        ucum = code.unit if ucum == "1" and code.unit.startswith("{") else ucum
        block.take(Reading(place, at, code, said["value"], ucum, by, ends))


def _workout(block: Block, place: str, element: Any) -> None:
    """How long and what; its distance and energy are in the records already."""
    said = element.attrib
    at, until = when(said["startDate"]), when(said["endDate"])
    word = spoken(said.get("workoutActivityType", "").removeprefix("HKWorkoutActivityType"))
    by = f"{said.get('sourceName', 'Apple Health')}, workout"
    block.take(Reading(place, at, codes.exercise, minutes(at, until), "min", by, until, word))


def when(text: str) -> datetime:
    """`2024-05-01 08:00:00 +0200`; Apple always writes the offset. Raises `ValueError`."""
    found = datetime.fromisoformat(text[:19] + text[20:])
    if found.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset")
    return utc(found)


source = Source(
    "Apple Health export",
    "Apple HealthKit documentation; export.xml with its own DTD, versions 11 to 14",
    (".xml", ".csv", ".gpx"),
    recognises,
    read,
    streams=True,
)
