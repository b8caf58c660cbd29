"""Real HL7 v2 messages: our reading against that of the `hl7` package, and what became of each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hl7

from evidence.conformance.suite import Case, Suite
from medtwin.sources.door import received
from medtwin.sources.hl7v2_parser import Unreadable, parsed
from medtwin.sources.source import Options


def run(directory: Path) -> Iterator[Case]:
    """Each message: the same segments and fields as the package's; then read, nothing tripped."""
    for file in sorted(directory.rglob("*.hl7")):
        raw = file.read_bytes()
        differs = differing(raw)
        arrived = list(received(file.name, raw, Options(datetime.now(UTC))))
        tripped = [r.because for a in arrived for r in a.refused if "tripped" in r.because]
        facts = sum(len(a.facts) for a in arrived)
        apart = sum(len(a.refused) for a in arrived)
        kept = sum(bool(a.kept) for a in arrived)
        became = f"{facts} facts, {kept} kept, {apart} refused with a reason"
        wrong = differs or "; ".join(tripped)
        yield Case(file.stem, not wrong, wrong or became)


def differing(raw: bytes) -> str:
    """Where our reading differs from the package's; empty if nowhere."""
    text = raw.decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r").strip()
    theirs = hl7.parse(text)
    try:
        ours = parsed(raw)
    except Unreadable as why:
        return f"refused: {why}"
    if len(theirs) != len(ours.segments):
        return f"{len(ours.segments)} segments, {len(theirs)} by the package"
    for they, we in zip(theirs, ours.segments, strict=True):
        start = 2 if we.name == "MSH" else 1
        if [str(f) for f in they][start:] != we.fields[start:]:
            return f"{we.place} has other fields"
    return ""


suite = Suite("hl7v2-samples", run)
