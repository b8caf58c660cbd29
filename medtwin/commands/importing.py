"""`medtwin import`: bring records in, and say what became of each of them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medtwin.commands import house, report
from medtwin.commands.report import WrongInput
from medtwin.sources import apart
from medtwin.sources.source import Options, Refusal
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose


@dataclass(frozen=True)
class Asked:
    """What the operator asked for: what to read, on what basis it is kept, what is granted."""

    paths: tuple[Path, ...]
    basis: str
    grants: tuple[Purpose, ...]
    mapping: Path | None = None
    zone: str | None = None
    about: str | None = None


def run(asked: Asked, as_json: bool) -> None:
    """Import, then print both counts: what was kept and what was refused."""
    for path in asked.paths:
        if not path.exists():
            raise WrongInput(f"there is nothing at {path}; give files, folders or archives")
    if asked.about and "|" not in asked.about:
        raise WrongInput(f"{asked.about!r} names nobody; a person is system|number, as fhir|17")
    received = datetime.now(UTC)
    options = Options(received, asked.mapping, asked.zone, about=asked.about)
    with house.vault() as vault:
        arriving = report.counted(apart.read(asked.paths, options), "originals read")
        receipt = vault.receive(house.me(Role.operator), arriving, asked.basis, asked.grants)
    if as_json:
        report.said(summary(receipt))
    else:
        tell(receipt, asked)


def grants(words: Sequence[str]) -> tuple[Purpose, ...]:
    """Purposes out of `care,twin` or repeated options."""
    named = [word.strip() for part in words for word in part.split(",") if word.strip()]
    wrong = sorted(set(named) - set(Purpose))
    if wrong:
        raise WrongInput(f"{', '.join(wrong)} is no purpose; allowed are {', '.join(Purpose)}")
    return tuple(Purpose(word) for word in dict.fromkeys(named))


def summary(receipt: Any) -> dict[str, Any]:
    """The receipt as plain data."""
    return {
        "people": receipt.people,
        "new_people": receipt.new_people,
        "facts": receipt.facts,
        "duplicates": receipt.duplicates,
        "originals": receipt.originals,
        "understood": dict(receipt.understood),
        "kept_without_being_understood": dict(receipt.kept),
        "refused_count": len(receipt.refused),
        "refused": [
            {"what": r.what, "whose": r.whose, "because": r.because, "next": r.next}
            for r in receipt.refused
        ],
    }


def tell(receipt: Any, asked: Asked) -> None:
    """The receipt for people."""
    kinds = sorted({*receipt.understood, *receipt.kept})
    rows = [(k, receipt.understood.get(k, 0), receipt.kept.get(k, 0)) for k in kinds]
    report.table("What arrived", ("kind", "understood", "kept without being understood"), rows)
    report.out.print(
        f"{receipt.people:,} people ({receipt.new_people:,} new), {receipt.facts:,} new facts, "
        f"{receipt.duplicates:,} already here, {receipt.originals:,} originals kept byte for byte, "
        f"[bold]{len(receipt.refused):,} refused[/bold]"
    )
    _tell_refused(receipt.refused)
    granted = ", ".join(asked.grants) or "nothing, so nothing is computed until people agree"
    report.out.print(f"kept on the basis: {asked.basis}; granted: {granted}")


def _tell_refused(refused: Sequence[Refusal], most: int = 20) -> None:
    """Those alike in one row, with an example; `--json` lists every one."""
    if not refused:
        return
    alike = Counter(_sort(r) for r in refused)
    first = {_sort(r): r for r in reversed(refused)}
    rows = [
        (n, e.what, e.whose, e.because, e.next)
        for n, e in ((n, first[sort]) for sort, n in alike.most_common(most))
    ]
    title = f"Refused, and kept apart: {len(alike)} sorts, the {len(rows)} commonest"
    report.table(title, ("times", "such as", "whose", "because", "what to do next"), rows)


def _sort(refusal: Refusal) -> tuple[str, str]:
    """The reason without its numbers."""
    return re.sub(r"\d[\d.,:+-]*", "#", refusal.because), refusal.next
