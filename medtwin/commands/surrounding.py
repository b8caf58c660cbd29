"""`medtwin surround`: air and heat by place and day, to everybody who lives there."""

from datetime import UTC, datetime
from pathlib import Path

from medtwin.commands import house, report
from medtwin.sources.environment import around, surroundings
from medtwin.vault.access import Role


def run(file: Path, basis: str, as_json: bool) -> None:
    """Read the table, join it to people inside the vault, say how many facts are new."""
    table = surroundings(file.name, file.read_bytes(), datetime.now(UTC))
    with house.vault() as vault:
        receipt = vault.surround(house.me(Role.operator), lambda who: around(who, table), basis)
    refused = [{"what": r.what, "because": r.because, "next": r.next} for r in table.refused]
    said = {"places": len(table.places), "people": receipt.people, "facts": receipt.facts}
    if as_json:
        report.said(said | {"duplicates": receipt.duplicates, "refused": refused})
        return
    report.out.print(
        f"{said['places']} places; {said['facts']} new facts for {said['people']} people, "
        f"{receipt.duplicates} were known"
    )
    if refused:
        rows = [(r["what"], r["because"], r["next"]) for r in refused]
        report.table(f"{len(refused)} lines refused", ("what", "because", "next"), rows)
