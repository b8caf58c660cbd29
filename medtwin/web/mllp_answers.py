"""What is answered to an HL7 v2 message: accepted, or what is wrong, where, and what to do next.

HL7 v2.5.1 chapter 2.9 (original and enhanced acknowledgement), 2.15.8 (MSA), 2.15.5 (ERR).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from medtwin.sources.hl7v2_parser import Message, Unreadable, parsed
from medtwin.sources.source import Refusal

FRAME = b"\x0b%b\x1c\r"
numbers = count(1)
shown = 10  # ERR segments in one answer; the refused list has them all


@dataclass(frozen=True)
class Verdict:
    """AA: kept for good. AE: not taken, as it stands now. AR: no such message can be taken."""

    code: str
    refused: Sequence[Refusal] = ()


@dataclass(frozen=True)
class Addressed:
    """What of a message's MSH an answer needs; marks and names as the sender writes them."""

    marks: str = "|^~\\&"
    sender: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    event: str = ""
    number: str = ""
    processing: str = "P"
    version: str = "2.5.1"
    accept: str = ""
    application: str = ""


def addressed(raw: bytes) -> Addressed:
    """The MSH of a message, or of what is left of one; all empty if there is none."""
    line = re.split(rb"[\r\n]", raw[:8192].lstrip(b"\x0b\xef\xbb\xbf\r\n "), maxsplit=1)[0]
    try:
        head = parsed(line).head
    except Unreadable:
        return _guessed(line.decode("utf-8", "replace"))
    f = [*head.fields, *[""] * 20]
    marks = f[1] + f[2]
    return Addressed(
        marks,
        (f[3], f[4]),
        (f[5], f[6]),
        head[9][2],
        f[10],
        head.text(11) or "P",
        head.text(12) or "2.5.1",
        head.text(15),
        head.text(16),
    )


def _guessed(line: str) -> Addressed:
    """Of a head that cannot be read: whom to answer, as far as the usual places say."""
    f = [*line.split("|"), *[""] * 10] if line.startswith("MSH|") else [""] * 20
    return Addressed(sender=(f[2], f[3]), number=f[9])


def answers(to: Addressed, verdict: Verdict, now: datetime) -> list[bytes]:
    """What goes back: one answer, or as many as the message asks for (MSH-15, MSH-16)."""
    if not to.accept and not to.application:
        return [_answer(to, verdict.code, verdict, now)]
    good = verdict.code == "AA"
    taken = "C" + verdict.code[1]
    found = []
    if _asked(to.accept, good):
        found.append(_answer(to, taken, Verdict(taken, () if good else verdict.refused), now))
    if _asked(to.application, good):
        found.append(_answer(to, verdict.code, verdict, now))
    return found


def _asked(condition: str, good: bool) -> bool:
    """Table 0155: always, never, on error, on success."""
    return condition == "AL" or condition == ("SU" if good else "ER")


def _answer(to: Addressed, code: str, verdict: Verdict, now: datetime) -> bytes:
    mark = to.marks[0]
    kind = to.marks[1].join(p for p in ("ACK", to.event, "ACK" if to.event else "") if p)
    when = now.strftime("%Y%m%d%H%M%S") + now.strftime("%z")
    own = f"{now:%Y%m%d%H%M%S}{next(numbers)}"
    names = [*(to.receiver if any(to.receiver) else ("medtwin", "")), *to.sender]
    head = ["MSH", to.marks[1:], *names, when, "", kind, own, to.processing, to.version]
    said = "" if code[1] == "A" and not verdict.refused else _sentence(verdict)
    acknowledged = ["MSA", code, to.number, _written(said, to.marks)]
    lines = [head, acknowledged, *(_error(r, code, to.marks) for r in verdict.refused[:shown])]
    if not all(part.isascii() for line in lines for part in line):
        head += ["", "", "", "", "", "UNICODE UTF-8"]  # MSH-18
    text = "\r".join(mark.join(line) for line in lines) + "\r"
    return FRAME % text.encode()


def _sentence(verdict: Verdict) -> str:
    first = verdict.refused[0] if verdict.refused else None
    return f"{first.what}: {first.because}" if first else "not kept"


def _error(refused: Refusal, code: str, marks: str) -> list[str]:
    """ERR: where, which sort of error, how bad, what, and what to do next."""
    place = re.search(r"([A-Z][A-Z0-9]{2})\|(\d+)", f"{refused.what} {refused.because}")
    where = marks[1].join(place.groups()) if place else ""
    severity = "W" if code[1] == "A" else "E"
    sort = marks[1].join(("102", "Data type error", "HL70357"))
    if code in ("AR", "CR"):
        sort = marks[1].join(("100", "Segment sequence error", "HL70357"))
    what = _written(f"{refused.what}: {refused.because}", marks)
    return ["ERR", "", where, sort, severity, "", "", what, _written(refused.next, marks)]


def _written(text: str, marks: str) -> str:
    """Text with this message's separators escaped."""
    escape = marks[3:4] or "\\"
    names = {marks[0]: "F", marks[1]: "S", marks[2:3]: "R", escape: "E", marks[4:5]: "T"}
    safe = "".join(f"{escape}{names[c]}{escape}" if names.get(c) else c for c in text)
    return re.sub(r"[\r\n\x0b\x1c]+", " ", safe)


def body(message: Message) -> tuple[str, ...]:
    """What makes a message the same when it is sent again: its sender, number, and all but MSH."""
    head = message.head
    rest = (message.head.marks.field.join(s.fields) for s in message.segments[1:])
    return (head[3].raw, head[4].raw, head.text(10), *rest)
