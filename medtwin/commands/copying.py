"""`medtwin backup` and `restore`: copies of the sealed store, and of its keys, apart."""

from pathlib import Path

from medtwin.commands import house, report
from medtwin.settings import Settings
from medtwin.vault.access import Role
from medtwin.vault.vault import Vault


def backup(folder: Path, keys: Path | None, as_json: bool) -> None:
    """Copy, and say how much; without `keys`, that the copy alone opens nothing."""
    with house.vault() as vault:
        copied = vault.back_up(house.me(Role.operator), folder, keys)
    if as_json:
        report.said({"folder": str(folder), "rows": copied.rows, "bytes": copied.bytes})
        return
    report.out.print(f"{copied.rows:,} rows, {copied.bytes / 1e6:.1f} MB, in {folder}")
    report.aside.print(
        "without the keys nobody reads it, you neither: copy them too, with --keys, to another "
        "medium; after a retirement make new copies of the keys and destroy the old"
        if keys is None
        else f"the keys are in {keys}; keep them away from {folder}, for together they open"
    )


def restore(folder: Path, keys: Path | None, as_json: bool) -> None:
    """Put back, verify the audit, and say who is there."""
    operator = house.me(Role.operator)
    told = Settings()
    with Vault.restore(operator, folder, told.store, keys, house.database()) as vault:
        people, audit = vault.patients(operator), vault.verify()
    if as_json:
        report.said({"people": len(people), "audit_ok": audit.ok, "audit_lines": audit.lines})
    else:
        whole = "whole" if audit.ok else f"broken: {audit.because}"
        report.out.print(f"{len(people):,} people in {told.store}; the audit is {whole}")
