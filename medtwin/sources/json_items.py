"""A long JSON array (or one document a line), item by item, in blocks that are the file again.

A block is about a megabyte: its bytes, the items that begin in it, and where each stands. Nothing
longer is held, except a single item.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import orjson

from medtwin.sources.json_spans import brackets

BLOCK = 1 << 20
LONGEST = 256 << 20  # one item
OPEN = 0x7B


@dataclass(frozen=True)
class Item:
    """One object of the file: where it stands, what it says (or nothing), and why it does not."""

    place: str
    raw: bytes = field(repr=False)
    said: Any = None
    broken: str = ""


def blocks(file: IO[bytes], block: int = BLOCK) -> Iterator[tuple[bytes, list[Item]]]:
    """The file in blocks, each with its whole items; what is left unfinished is a broken one."""
    held, count, step = b"", 0, block
    ready: tuple[bytes, list[Item]] = b"", []
    while more := file.read(step):
        held += more
        spans = whole(held)
        step = block if spans else max(block, len(held))
        if not spans and len(held) <= LONGEST:
            continue
        if ready[1]:
            yield ready
        end = spans[-1][1] if spans else len(held)
        ready = held[:end], _read(held, spans, count) if spans else [_too_long(count)]
        held, count = held[end:], count + max(len(spans), 1)
    unfinished = held.strip(b"], \t\r\n\xef\xbb\xbf[")
    last = [_unfinished(unfinished, count)] if unfinished else []
    if ready[0] or held:
        yield ready[0] + held, [*ready[1], *last]


def whole(held: bytes) -> list[tuple[int, int]]:
    """Begin and end of each finished object that stands at the top or in the outermost array."""
    at, depth = brackets(held)
    if not len(at):
        return []
    outer = np.uint8(held[at[0]]) != OPEN  # the array's own bracket
    level = 2 if outer and held[: at[0]].strip(b" \t\r\n\xef\xbb\xbf") == b"" else 1
    mine = at[depth == level]
    opens = np.frombuffer(held, dtype=np.uint8)[mine] == OPEN
    closes = np.frombuffer(held, dtype=np.uint8)[mine] == OPEN + 2
    begins, ends = mine[opens], mine[closes]
    return [(int(a), int(b) + 1) for a, b in zip(begins, ends, strict=False) if a < b]


def _read(held: bytes, spans: list[tuple[int, int]], count: int) -> list[Item]:
    return [_item(f"[{count + i}]", held[a:b]) for i, (a, b) in enumerate(spans)]


def _item(place: str, raw: bytes) -> Item:
    try:
        return Item(place, raw, orjson.loads(raw))
    except orjson.JSONDecodeError as why:
        return Item(place, raw, None, f"its JSON is broken ({why})")


def _too_long(count: int) -> Item:
    return Item(f"[{count}]", b"", None, f"one item is over {LONGEST} bytes")


def _unfinished(raw: bytes, count: int) -> Item:
    return Item(f"[{count}]", raw, None, "the file breaks off in the middle of it, or is no JSON")
