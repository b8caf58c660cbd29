"""Clinical notes as text: one with a small header, or many as lines of JSON."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from medtwin.notes.lexicon import BadTerm, Lexicon, english
from medtwin.record import codes
from medtwin.record.codes import Kind
from medtwin.record.observation import Observation
from medtwin.sources.diary import placed
from medtwin.sources.note_facts import facts_of
from medtwin.sources.source import Arrived, Options, Refusal, Sent, Source, unread
from medtwin.sources.table_file import decoded
from medtwin.sources.zones import zone_or_none

HEADER = re.compile(r"\A\s*((?:(?:patient|date|kind)[ \t]*:[^\n]*\n\s*){2,4})", re.IGNORECASE)
LINE = re.compile(r"(patient|date|kind)[ \t]*:[ \t]*([^\n]*)", re.IGNORECASE)
NEXT = "write Patient:, Date: (2026-03-01) and Kind: above the text and send it again"
NEXT_JSON = 'send a line {"patient": ..., "at": "2026-03-01T12:00:00Z", "kind": ..., "text": ...}'
LINE_BYTES = 1 << 23


@dataclass(frozen=True)
class Letter:
    """A note as it came: whose, when, of what kind, its text and what stands before it."""

    patient: str
    at: str
    kind: str
    text: str
    before: int = 0


class NoLetter(ValueError):
    """Not a note as this source takes them."""


def recognises(path: Path, head: bytes) -> bool:
    """Text with Patient: and Date: above it, or lines of JSON with patient, at and text."""
    if head.lstrip().startswith(b"{"):
        line = head.lstrip().split(b"\n", 1)[0]
        return all(f'"{k}"'.encode() in line for k in ("patient", "at", "text"))
    if b"\0" in head[:64]:
        return False
    match = HEADER.match(decoded(head[:4096]) + "\n")
    return match is not None and {"patient", "date"} <= {k.lower() for k, _ in _lines(match)}


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Each note as an original of its own, with the facts it tells and where."""
    with what.open() as file:
        if what.head.lstrip().startswith(b"{"):
            number = 0
            while line := file.readline(LINE_BYTES):
                number += 1
                if line.strip():
                    yield _one(line, f"{what.name}:{number}", what, options, from_json)
            return
        raw = file.read(options.largest)
    yield _one(raw, what.name, what, options, with_header)


@cache
def dictionary(own: Path | None) -> Lexicon:
    """The house's dictionary, with a user's own (`.tsv`, `.csv`) where the options name one."""
    if own is None or own.suffix.lower() not in (".tsv", ".csv"):
        return english()
    return english().extended(own.read_text(encoding="utf-8-sig"))


def from_json(raw: bytes) -> Letter:
    """A line of JSON. Raises `NoLetter` saying what is missing."""
    try:
        said: Any = orjson.loads(raw)
    except orjson.JSONDecodeError as why:
        raise NoLetter(f"the line is no JSON ({why})") from None
    fields = ("patient", "at", "text")
    if not isinstance(said, dict) or not all(isinstance(said.get(f), str) for f in fields):
        raise NoLetter("it must have patient, at and text, each a text")
    return Letter(said["patient"], said["at"], str(said.get("kind") or "note"), said["text"])


def with_header(raw: bytes) -> Letter:
    """A text under its header. Raises `NoLetter` where there is none."""
    text = decoded(raw)
    match = HEADER.match(text + "\n")
    if match is None:
        raise NoLetter("it does not begin with Patient: and Date:")
    told = {k.lower(): v.strip() for k, v in _lines(match)}
    before = min(match.end(), len(text))
    kind = told.get("kind") or "note"
    return Letter(told.get("patient", ""), told.get("date", ""), kind, text[before:], before)


def _lines(match: re.Match[str]) -> list[tuple[str, str]]:
    return LINE.findall(match[1])


def _one(raw: bytes, origin: str, what: Sent, options: Options, shape: Any) -> Arrived:
    media = "application/json" if shape is from_json else "text/plain"
    try:
        letter = shape(raw)
        at = _moment(letter.at, options)
        terms = dictionary(options.mapping)
        if not letter.patient:
            raise NoLetter("it names no patient")
    except (NoLetter, BadTerm, OSError, UnicodeDecodeError) as why:
        then = NEXT_JSON if shape is from_json else NEXT
        return unread(what, str(why), then, raw)
    about = f"note|{letter.patient}"
    source = f"{letter.kind}, read"
    noted = facts_of(letter.text, at, source, options.received, terms)
    code = codes.opened(f"text|{letter.kind}", letter.kind, "1", Kind.report)
    whole = Observation(at, code, 1.0, source, options.received, says=letter.kind)
    places = (
        f"chars 0-{letter.before + len(letter.text)}",
        *(_moved(p, letter.before) for p in noted.places),
    )
    wrong = tuple(
        Refusal(f"{origin}, {w.partition(': ')[0]}", about, w.partition(": ")[2], "look it up", b"")
        for w in noted.wrong
    )
    facts = (whole, *noted.facts)
    return Arrived(raw, media, origin, about, None, facts, wrong, "", "clinical note", places)


def _moment(said: str, options: Options) -> datetime:
    try:
        return placed(datetime.fromisoformat(said.strip()), zone_or_none(options.zone))
    except (ValueError, OverflowError):
        raise NoLetter(f"its date {said[:40]!r} is not written as 2026-03-01T12:00") from None


def _moved(place: str, by: int) -> str:
    """A place of the text as a place of the whole document."""
    start, end = (int(n) + by for n in place.removeprefix("chars ").split("-"))
    return f"chars {start}-{end}"


source = Source(
    "clinical note",
    "NegEx (Chapman 2001) and ConText (Harkema 2009) over sections and a dictionary",
    (".txt", ".jsonl", ".ndjson"),
    recognises,
    read,
    streams=True,
)
