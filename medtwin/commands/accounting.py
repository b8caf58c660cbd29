"""`medtwin audit`: is the audit chain whole, and who did what with whose data."""

import sys
from dataclasses import asdict

from medtwin.commands import house, report
from medtwin.vault.access import Role


def verify(as_json: bool) -> None:
    """Check every link; leave with 1 if one is broken."""
    with house.vault() as vault, report.working("following the audit chain"):
        found = vault.verify()
    if as_json:
        report.said(asdict(found))
    else:
        colour = "green" if found.ok else "red"
        report.out.print(f"[{colour}]{found.lines:,} audit lines: {found.because}[/{colour}]")
    if not found.ok:
        sys.exit(1)


def listed(patient: str | None, limit: int, as_json: bool) -> None:
    """The newest lines; of one person, or of the whole house."""
    with house.vault() as vault:
        lines = [asdict(line) for line in vault.audit(house.me(Role.operator), patient, limit)]
    if as_json:
        report.said(lines)
    elif lines:
        columns = tuple(lines[0])
        report.table("The audit, newest first", columns, [tuple(x.values()) for x in lines])
