"""Which version a store has, and how an older one is brought up to date before it is used."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from medtwin.vault import tables
from medtwin.vault.dialect import Turns

newest = "3"  # the last step in `migrations/versions`
before_versions = "1"


class NewerStore(RuntimeError):
    """The store was written by a later medtwin; this one would not understand it."""


def version(c: Connection) -> str | None:
    """The version of this store; None if it holds no tables yet."""
    there = inspect(c)
    if there.has_table("alembic_version"):
        return c.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return before_versions if there.has_table("audit") else None


def begun(turns: Turns) -> bool:
    """Whether there is a store here at all."""
    with turns.reading() as c:
        return version(c) is not None


def ready(turns: Turns, file: Path | None) -> None:
    """Make the tables, or bring an older store up to date: wholly, or not at all.

    Of a SQLite `file` a copy is put beside it first. Raises `NewerStore`.
    """
    with turns.reading() as c:
        now = version(c)
    if now not in (None, newest):
        _known(now)
        if file is not None:
            copied(file, file.with_name(f"store-before-{newest}.db"))
    with turns.writing() as c:
        now = version(c)
        if now != newest:
            _written(c, now)
        tables.store.create_all(c)


def _written(c: Connection, now: str | None) -> None:
    """Alembic is loaded only where there is something to do."""
    from alembic import command
    from alembic.config import Config

    told = Config(attributes={"connection": c})
    steps = str(Path(__file__).parent / "migrations")
    told.set_main_option("script_location", steps.replace("%", "%%"))
    told.set_main_option("path_separator", "os")
    if now is None:
        command.stamp(told, "head")
    else:
        command.stamp(told, now)
        command.upgrade(told, "head")


def _known(now: str | None) -> None:
    if now is not None and not (now.isdigit() and int(now) <= int(newest)):
        raise NewerStore(
            f"the store has version {now} and this medtwin knows {newest} at most; update medtwin, "
            "or restore a backup made before the store was brought up to date"
        )


def copied(file: Path, to: Path) -> None:
    """A copy of a SQLite file that others may be using, whole, readable by its owner only."""
    new = to.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(new)) as target:
        source.backup(target)
    new.replace(to)
