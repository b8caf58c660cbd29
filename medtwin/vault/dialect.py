"""What differs between SQLite and PostgreSQL, and nothing else."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import OperationalError

Row = Mapping[str, Any]
Found = Any  # a row as the database gives it: columns by name, or by place
patience = 30_000  # ms that a writer waits for another process


def opened(path: Path) -> Engine:
    """An engine whose commits are on disk when they return (WAL, synchronous FULL)."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            f"busy_timeout={patience}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


class Busy(RuntimeError):
    """Somebody else kept the store to themselves for too long."""


class Turns:
    """Short transactions on one database: one writer at a time, readers never wait.

    Threads of this process queue on a lock (SQLite's own waiting is not fair); writers of
    other processes are waited for by BEGIN IMMEDIATE and the busy timeout.
    """

    def __init__(self, path: Path) -> None:
        self.engine = opened(path)
        self._turn = Lock()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All of it is kept when this returns, or none of it."""
        with self._turn, self._begun() as connection:
            yield connection

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            try:
                transaction = connection.begin()
            except OperationalError as error:
                raise Busy(
                    f"another process has been writing for {patience // 1000} s; nothing was "
                    "changed: wait for it, or end it, and try again"
                ) from error
            with transaction:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; never waits for writers."""
        connected = self.engine.connect().execution_options(reads=True)
        with connected as connection, connection.begin():
            yield connection

    def scrub(self) -> None:
        """Leave no deleted page behind in the write-ahead log."""
        with self._turn, self.engine.connect() as connection:
            driver = connection.connection.driver_connection
            if driver is not None:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Let the files go."""
        self.engine.dispose()


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert the rows that are not there yet; how many were new."""
    if not rows:
        return 0
    return connection.execute(insert(table).on_conflict_do_nothing(), rows).rowcount


def put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows, or replace those with the same key."""
    if not rows:
        return
    statement = insert(table)
    key = {c.name for c in table.primary_key}
    rest = {n: statement.excluded[n] for n in rows[0] if n not in key}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=rest)
    connection.execute(statement, rows)
