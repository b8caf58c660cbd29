"""An original as a person reads it: the words at the place, marked, among those around them."""

import re
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

from medtwin.vault.provenance import Origin

AROUND, LONGEST = 400, 4000
TEXTUAL = ("json", "xml", "text", "csv", "hl7", "er7", "hand")
DECODER = JSONDecoder()
GAP = re.compile(r"[\s,]*")


@dataclass(frozen=True)
class Shown:
    """The place between what stands before and after it. `heads` is the first line of a table."""

    before: str
    at: str
    after: str
    heads: str
    size: int
    words: str


def shown(origin: Origin) -> Shown:
    """The original around the place of a fact; of what is no text, only its size."""
    size = len(origin.original)
    if not size:
        return Shown("", "", "", "", 0, "it was entered here, there is no original")
    text = readable(origin.original, origin.media)
    if text is None:
        return Shown("", "", "", "", size, f"{size:,} bytes that are no text; download them")
    begin, end = span(text, origin.place)
    whole = begin == 0 and end == len(text)
    words = "the whole of it" if whole else origin.place
    heads = text.splitlines()[0][:AROUND] if _in_table(origin, text, begin) else ""
    before, after = _before(text, begin), _after(text, end)
    cut = text[begin : min(end, begin + LONGEST)]
    return Shown(before, cut + ("…" if end > begin + LONGEST else ""), after, heads, size, words)


def readable(content: bytes, media: str) -> str | None:
    """The bytes as text, if they are text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if not any(word in media for word in TEXTUAL):
            return None
        text = content.decode("latin-1")
    return None if "\0" in text[:AROUND] else text


def span(text: str, place: str) -> tuple[int, int]:
    """Where the place begins and ends; the whole text where it names none that is there."""
    for pattern, find in FINDERS:
        said = re.fullmatch(pattern, place)
        if said is not None:
            return find(text, said) or (0, len(text))
    return element(text, place) or (0, len(text))


def element(text: str, place: str) -> tuple[int, int] | None:
    """Where an element of JSON stands, by its path, the kind of resource first.

    >>> text = '{"component": [{"v": 1}, {"v": 2}]}'
    >>> begin, end = element(text, "Observation.component[1]")
    >>> text[begin:end]
    '{"v": 2}'
    """
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", place)
    at: int | None = GAP.match(text).end() if steps else None  # pyright: ignore[reportOptionalMemberAccess]
    try:
        for name, number in steps:
            at = None if at is None else _inside(text, at, name, int(number or 0))
        return None if at is None else (at, DECODER.raw_decode(text, at)[1])
    except (JSONDecodeError, IndexError, RecursionError):
        return None


def _inside(text: str, at: int, name: str, number: int) -> int | None:
    """Where the member of this name, or the item of this number, begins."""
    if text[at] != ("{" if name else "["):
        return None
    at, turn, key = _next(text, at + 1), 0, ""
    while text[at] not in "}]":
        if name:
            key, at = DECODER.raw_decode(text, at)
            at = _next(text, text.index(":", at) + 1)
        if (key == name) if name else (turn == number):
            return at
        at, turn = _next(text, DECODER.raw_decode(text, at)[1]), turn + 1
    return None


def _next(text: str, at: int) -> int:
    found = GAP.match(text, at)
    return found.end() if found else at


def _line(text: str, said: re.Match[str]) -> tuple[int, int] | None:
    begin = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if number == int(said[1]):
            return begin, begin + len(line.rstrip("\r\n"))
        begin += len(line)
    return None


def _characters(text: str, said: re.Match[str]) -> tuple[int, int] | None:
    begin, end = int(said[1]), int(said[2])
    return (begin, end) if begin < end <= len(text) else None


def _segment(text: str, said: re.Match[str]) -> tuple[int, int] | None:
    """The segment of HL7 v2 of this name and number; by its own count if it bears one."""
    alike = list(re.finditer(rf"(?m)(?:^|(?<=\r)){said[1]}[^\r\n]*", text))
    own = [m for m in alike if m[0][4:].partition(m[0][3:4])[0] == said[2]]
    number = int(said[2])
    found = own[0] if len(own) == 1 else alike[number - 1] if 0 < number <= len(alike) else None
    return found.span() if found else None


FINDERS = (
    (r"line (\d+)", _line),
    (r"chars (\d+)-(\d+)", _characters),
    (r"([A-Z][A-Z0-9]{2})\|(\d+)(?:\D.*)?", _segment),
)


def _in_table(origin: Origin, text: str, begin: int) -> bool:
    return origin.place.startswith("line ") and begin > AROUND and bool(text.strip())


def _before(text: str, begin: int) -> str:
    first = max(begin - AROUND, 0)
    return ("…" if first else "") + text[first:begin]


def _after(text: str, end: int) -> str:
    last = min(end + AROUND, len(text))
    return text[end:last] + ("…" if last < len(text) else "")


def sent(origin: Origin) -> str:
    """The amount and unit as they were sent, where the original's form says which they are.

    FHIR and Open mHealth name value and unit, HL7 v2 has them in OBX-5 and OBX-6.
    """
    text = readable(origin.original, origin.media) or ""
    begin, end = span(text, origin.place)
    words = text[begin:end]
    if words.startswith("OBX"):
        fields = [*words.split(words[3:4]), "", "", ""]
        return f"{fields[5]} {fields[6].partition('^')[0]}".strip()
    if "json" not in origin.media:
        return ""
    number = re.search(r'"value"\s*:\s*(-?[\d.eE+-]+)', words)
    unit = re.search(r'"unit"\s*:\s*"((?:[^"\\]|\\.)*)"', words)
    return f"{number[1]} {unit[1] if unit else ''}".strip() if number else ""
