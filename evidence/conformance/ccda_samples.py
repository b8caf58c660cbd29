"""C-CDA documents: each read, its person and entries found, or refused with a reason."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from evidence.conformance.suite import Case, Suite
from medtwin.sources import ccda
from medtwin.sources.ccda_person import patient
from medtwin.sources.fhir_words import NotUnderstood, Told


def run(directory: Path) -> Iterator[Case]:
    """Each document: who it is about, and how many entries were understood, kept, refused."""
    for file in sorted(directory.rglob("*.ccda")):
        try:
            root = ccda.opened(file.read_bytes())
            named = bool(patient(root).get("identifier"))
            counts = tally(root)
        except NotUnderstood as why:
            yield Case(file.stem, True, f"refused: {why}")
            continue
        total = sum(counts.values(), Counter())
        said = ", ".join(f"{total[what]} {what}" for what in ("understood", "kept", "refused"))
        yield Case(file.stem, named and total["understood"] > 0, said)


def tally(root: ccda.Element) -> dict[str, Counter[str]]:
    """Entries understood, kept and refused, by the title of their section."""
    found: dict[str, Counter[str]] = {}
    for outcome in ccda.outcomes(root, Told(datetime.now(UTC), UTC)):
        became = "understood" if outcome.facts else "refused" if outcome.refused else "kept"
        found.setdefault(outcome.section.upper(), Counter())[became] += 1
    return found


suite = Suite("ccda-samples", run)
