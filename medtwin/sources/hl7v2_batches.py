"""HL7 v2 files: messages one after another, in batches (FHS, BHS), with or without MLLP frames.

A file is read piece by piece, and no more than one message is held; a message that grows over
the limit is skipped to its end and said.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

LARGEST = 64 << 20  # bytes of one message; scanned documents come inside OBX-5
CHUNK = 1 << 20
OVERLAP = 16  # longer than any boundary
BOUNDARY = re.compile(rb"(?:^|[\r\n\x1c]+\x0b?|\x0b)(?=(?:MSH|FHS|BHS|BTS|FTS)[^A-Za-z0-9\s])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A message, or a header or trailer of a batch; `size` counts also what was not held."""

    name: str
    raw: bytes
    size: int


def pieces(file: IO[bytes], largest: int = LARGEST) -> Iterator[Piece]:
    """Everything in the file, in order."""
    held, searched, lost = b"", 0, 0
    while chunk := file.read(CHUNK):
        held += chunk
        found = [m.end() for m in BOUNDARY.finditer(held, max(0, searched - OVERLAP)) if m.end()]
        if lost and found:
            yield Piece("MSH", b"", lost + found[0])
            lost = 0
        else:
            found = [0, *found]
        for start, end in pairwise(found):
            yield from _piece(held[start:end])
        held = held[found[-1] :]
        if len(held) > largest:
            lost, held = lost + len(held) - OVERLAP, held[-OVERLAP:]
        searched = len(held)
    if lost:
        yield Piece("MSH", b"", lost + len(held))
    else:
        yield from _piece(held)


def _piece(raw: bytes) -> Iterator[Piece]:
    whole = raw.strip(b"\r\n\x0b\x1c\x00 \xef\xbb\xbf")
    if whole:
        name = whole[:3].decode("ascii", "replace")
        yield Piece(name, whole, len(whole))


@dataclass
class Counted:
    """What a batch said it holds, held against what was found. One for each file."""

    in_batch: int = 0
    batches: int = 0

    def meet(self, piece: Piece) -> str:
        """Count this piece; what is wrong with the count, if it closes a batch."""
        if piece.name == "MSH":
            self.in_batch += 1
        elif piece.name == "BHS":
            self.in_batch = 0
            self.batches += 1
        elif piece.name == "BTS":
            return _differs("BTS-1", piece, self.in_batch, "messages")
        elif piece.name == "FTS":
            return _differs("FTS-1", piece, self.batches, "batches")
        return ""


def _differs(field: str, piece: Piece, found: int, what: str) -> str:
    said = piece.raw.split(piece.raw[3:4] or b"|")[1:2]
    text = said[0].strip().decode("ascii", "replace") if said else ""
    if text.isdigit() and int(text) != found:
        return f"{field} says {text} {what}, {found} came; some may be lost"
    return ""
