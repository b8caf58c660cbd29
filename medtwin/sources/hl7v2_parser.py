"""HL7 v2 as it is written: segments, fields, repetitions, components, escapes, charsets.

A message says its own separators (MSH-1, MSH-2) and its own character set (MSH-18). Fields are
split when a message is read, what is inside a field only when somebody asks for it; that is what
keeps it fast. HL7 v2.5.1 chapter 2.
"""

import re
from dataclasses import dataclass
from functools import cached_property

START, END = b"\x0b", b"\x1c"
MANY = 50_000  # segments of one message
HEADERS = ("MSH", "FHS", "BHS")  # segments whose first field is the separator itself
NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
# HL7 table 0211 to Python's names; the first of MSH-18 is the message's own.
CHARSETS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    **{f"8859/{n}": f"iso8859-{n}" for n in (*range(1, 12), 13, 14, 15, 16)},
}


class Unreadable(ValueError):
    """These bytes are no HL7 v2 message; `place` says where it went wrong."""

    def __init__(self, why: str, place: str = "MSH") -> None:
        super().__init__(why)
        self.place = place


@dataclass(frozen=True, slots=True)
class Marks:
    """The separators of one message, as its MSH says them."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    part: str = "&"


class Value:
    """One repetition of a field; `value[2]` is its second component, as text."""

    __slots__ = ("components", "marks", "raw")

    def __init__(self, raw: str, marks: Marks) -> None:
        self.raw = raw
        self.marks = marks
        self.components = raw.split(marks.component) if raw else []

    def __getitem__(self, component: int) -> str:
        raw = self.components[component - 1] if len(self.components) >= component else ""
        return plain(raw.split(self.marks.part, 1)[0], self.marks) if raw else ""

    def part(self, component: int, number: int) -> str:
        """A subcomponent, counted from 1; empty where it is not given, or given as nothing."""
        raw = self.components[component - 1] if len(self.components) >= component else ""
        parts = raw.split(self.marks.part) if raw else []
        return plain(parts[number - 1], self.marks) if len(parts) >= number else ""

    def within(self, component: int) -> "Value":
        """A component whose subcomponents are read as components, as in `&oid&ISO`."""
        raw = self.components[component - 1] if len(self.components) >= component else ""
        return Value(raw.replace(self.marks.part, self.marks.component), self.marks)

    @property
    def text(self) -> str:
        """All of it, for fields that have no components."""
        return plain(self.raw, self.marks)

    def __bool__(self) -> bool:
        bare = self.raw.strip(self.marks.component + self.marks.part)
        return bool(bare) and bare != '""'


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `number` counts those of its name in the message, so `place` is "OBX|3"."""

    fields: list[str]
    number: int
    marks: Marks

    @property
    def name(self) -> str:
        """Three letters: PID, OBX."""
        return self.fields[0]

    @property
    def place(self) -> str:
        """Where in the message it stands."""
        return f"{self.fields[0]}|{self.number}"

    def __getitem__(self, field: int) -> Value:
        """A field's first repetition."""
        raw = self.fields[field] if len(self.fields) > field else ""
        return Value(raw.split(self.marks.repetition, 1)[0], self.marks)

    def every(self, field: int) -> list[Value]:
        """Every repetition of a field that says something."""
        raw = self.fields[field] if len(self.fields) > field else ""
        if not raw:
            return []
        each = (Value(r, self.marks) for r in raw.split(self.marks.repetition))
        return [value for value in each if value]

    def text(self, field: int) -> str:
        """A field's first component, as text."""
        raw = self.fields[field] if len(self.fields) > field else ""
        if not raw:
            return ""
        marks = self.marks
        first = raw.split(marks.repetition, 1)[0].split(marks.component, 1)[0]
        return plain(first.split(marks.part, 1)[0], marks)

    def whole(self, field: int) -> str:
        """A whole field as text, for free text in which no separators are meant."""
        raw = self.fields[field] if len(self.fields) > field else ""
        return plain(raw, self.marks)


@dataclass(frozen=True)
class Message:
    """One message's segments, in order; the first is its MSH."""

    segments: tuple[Segment, ...]

    @property
    def head(self) -> Segment:
        """The MSH."""
        return self.segments[0]

    @cached_property
    def type(self) -> str:
        """What it is, such as ORU^R01."""
        said = self.head[9]
        return f"{said[1]}^{said[2]}" if said[2] else said[1]

    @property
    def number(self) -> str:
        """The sender's own number for it (MSH-10)."""
        return self.head.text(10)

    def first(self, name: str) -> Segment | None:
        """The first segment of this name."""
        return next((s for s in self.segments if s.fields[0] == name), None)


def parsed(raw: bytes) -> Message:
    """A message from its bytes. Raises `Unreadable`, which says what is wrong and where."""
    text = decoded(raw)
    if text[:3] != "MSH":
        raise Unreadable(f"it begins with {text[:3]!r}; a message begins with MSH")
    marks = separators(text)
    seen: dict[str, int] = {}
    lines = text.split("\r") if "\r" in text else text.split("\n")
    if len(lines) > MANY:
        raise Unreadable(f"it has {len(lines)} segments; allowed are {MANY}: send it in parts")
    segments = [_segment(line, n, seen, marks) for n, line in enumerate(lines, 1) if line.strip()]
    head = segments[0]
    cut = len(segments) == 1 and len(head.fields) < 13  # MSH-12 is the last that must be there
    if cut or len(head.fields) < 10 or not head.fields[9]:
        raise Unreadable("its MSH is cut short; it must say type (MSH-9), number (10), version")
    return Message(tuple(segments))


def decoded(raw: bytes) -> str:
    """The message as text, in the character set it names. Raises `Unreadable`."""
    raw = raw.strip(b"\x0b\x1c\r\n \x00")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _in("utf-16", raw)
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw.isascii():
        return raw.decode().replace("\r\n", "\r").replace("\0", "")
    named = charset(raw)
    if named not in CHARSETS:
        raise Unreadable(f"MSH-18 names the character set {named!r}; allowed is HL7 table 0211")
    return _in(CHARSETS[named], raw).replace("\r\n", "\r").replace("\0", "")


def charset(raw: bytes) -> str:
    """What MSH-18 says, before the message can be read."""
    head = re.split(rb"[\r\n]", raw[:65536], maxsplit=1)[0]
    fields = head.split(head[3:4]) if len(head) > 3 else []
    mark = head[5:6] or b"~"
    return fields[17].split(mark)[0].decode("ascii", "replace").strip() if len(fields) > 17 else ""


def _in(codec: str, raw: bytes) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as why:
        wrong = f"byte {raw[why.start]:#04x} at {why.start} is not {codec}"
        raise Unreadable(f"{wrong}; say in MSH-18 which character set it is", "MSH|1") from None


def separators(text: str) -> Marks:
    """MSH-1 and MSH-2. Raises `Unreadable` where they cannot separate anything."""
    field = text[3:4]
    said = text[4 : text.find(field, 4)] if field and text.find(field, 4) > 0 else ""
    marks = field + said
    wrong = not 3 <= len(marks) <= 6 or len(set(marks)) < len(marks)
    if wrong or any(m.isalnum() or m.isspace() for m in marks):
        because = f"its separators are {marks[:9]!r}; allowed are up to six different signs"
        raise Unreadable(f"{because}, usually |^~\\&", "MSH|1")
    escape, part = said[2:3], said[3:4]
    return Marks(field, said[0], said[1], escape or "\0", part or "\0")


def _segment(line: str, number: int, seen: dict[str, int], marks: Marks) -> Segment:
    fields = line.lstrip("\n").split(marks.field)
    name = fields[0]
    if not NAME.fullmatch(name):
        shown = f"{line[:12]!r}"
        because = f"line {number} begins with {shown}; a segment is three letters, then"
        raise Unreadable(f"{because} {marks.field!r} as its MSH says", f"line {number}")
    if name in HEADERS:
        fields.insert(1, marks.field)
    seen[name] = count = seen.get(name, 0) + 1
    return Segment(fields, count, marks)


FORMATTING = {"F": "field", "S": "component", "T": "part", "R": "repetition", "E": "escape"}
BREAKS = {".br": "\n", ".sp": "\n", ".ce": "\n", ".fi": "", ".nf": "", "H": "", "N": "", "P": "#"}


def plain(raw: str, marks: Marks) -> str:
    r"""Text with its escapes (`\T\`, `\.br\`, `\X0D\`) undone; `""` means nothing."""
    if raw == '""':
        return ""
    if marks.escape not in raw:
        return raw.strip()
    mark = re.escape(marks.escape)
    return re.sub(f"{mark}([^{mark}]*){mark}", lambda m: _unescaped(m, marks), raw).strip()


def _unescaped(found: re.Match[str], marks: Marks) -> str:
    said = found[1]
    if said in FORMATTING:
        return getattr(marks, FORMATTING[said])
    if said[:3].rstrip("+-0123456789") in BREAKS or said in BREAKS:
        return BREAKS.get(said, BREAKS.get(said[:3], ""))
    if said[:1] == "X" and re.fullmatch(r"X([0-9A-Fa-f]{2})+", said):
        return bytes.fromhex(said[1:]).decode("utf-8", "replace")
    return "" if said[:2] in (".i", ".t") or said[:1] in ("C", "M") else found[0]
