"""FIT files of many devices: each is read whole, or gives what was whole and one refusal.

Whether a file is whole is worked out here from its lengths and checksums alone (FIT protocol,
file header and CRC), not by the reader under test.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from evidence.conformance.suite import Case, Suite
from medtwin.sources.door import received
from medtwin.sources.source import Options

NIBBLES = (0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401)
NIBBLES += (0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400)


def run(directory: Path) -> Iterator[Case]:
    """Each file: refused where, and only where, its lengths or checksums are wrong."""
    for path in sorted(p for p in directory.iterdir() if p.suffix.lower() == ".fit"):
        raw = path.read_bytes()
        yield judged(path.name, raw, damage(raw))


def judged(name: str, raw: bytes, damaged: str) -> Case:
    """What became of the file, beside what is wrong with it."""
    arrived = list(received(name, raw, Options(datetime.now(UTC))))
    refused = [r.because for a in arrived for r in a.refused]
    facts = Counter(f.code.id for a in arrived for f in a.facts)
    kept = sum(bool(a.kept) for a in arrived)
    something = bool(facts or kept)
    tripped = any("tripped" in because for because in refused)
    agreed = something and not tripped and len(refused) == bool(damaged)
    told = ", ".join(f"{n} {code}" for code, n in facts.most_common(3)) or "no facts"
    because = f"; damaged: {damaged}; refused: {refused}" if damaged or refused else ""
    return Case(name, agreed, f"{told}, {kept} kept{because}")


def damage(raw: bytes) -> str:
    """What is wrong with the file's frame; "" where nothing is. Files may follow one another."""
    place = 0
    while place < len(raw):
        if len(raw) - place < 14 or raw[place + 8 : place + 12] != b".FIT":
            return f"no header at byte {place}"
        head = raw[place]
        (length,) = struct.unpack_from("<I", raw, place + 4)
        end = place + head + length
        if end + 2 > len(raw):
            return f"{end + 2 - len(raw)} bytes are missing"
        if checksum(raw[place:end]) != struct.unpack_from("<H", raw, end)[0]:
            return "its checksum does not fit"
        place = end + 2
    return ""


def checksum(raw: bytes) -> int:
    """CRC-16 as the FIT protocol computes it, nibble by nibble."""
    value = 0
    for byte in raw:
        for nibble in (byte & 0xF, byte >> 4):
            value = (value >> 4) & 0x0FFF ^ NIBBLES[value & 0xF] ^ NIBBLES[nibble]
    return value


suite = Suite("fit-samples", run)
