"""What differs between SQLite and PostgreSQL, and nothing else."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.schema import CreateTable

Row = Mapping[str, Any]
Found = Any  # a row as the database gives it: columns by name, or by place
Where = Path | URL
patience = 30_000  # ms that a writer waits for another process
writers_lock = int.from_bytes(sha256(b"medtwin writer").digest()[:8], "big", signed=True)
many = 50  # from so many rows on, COPY is faster than INSERT


class NoStore(RuntimeError):
    """There is no store where one was asked for; the message says what would be one."""


class Busy(RuntimeError):
    """Somebody else kept the store to themselves for too long."""


def address(said: str) -> URL:
    """The URL of a PostgreSQL store, or `NoStore` saying what is allowed."""
    try:
        url = make_url(said)
    except ArgumentError:
        raise NoStore(
            "the store's address cannot be read; allowed is postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    if url.get_backend_name() != "postgresql":
        raise NoStore(
            f"the store's address begins {url.drivername}://; allowed is postgresql://, or none "
            "for SQLite in the home"
        )
    if find_spec("psycopg") is None:
        raise NoStore("PostgreSQL needs the extra: pip install 'medtwin[postgres]'")
    return url.set(drivername="postgresql+psycopg")


def opened(where: Where) -> Engine:
    """An engine whose commits are on disk when they return."""
    return _sqlite(where) if isinstance(where, Path) else _postgresql(where)


def _sqlite(path: Path) -> Engine:
    """WAL with synchronous FULL; a writer says so at its beginning."""
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
        connection.exec_driver_sql("BEGIN" if _reads(connection) else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: URL) -> Engine:
    """Commits wait for the disk; one writer at a time, as in SQLite.

    The audit is one chain, and whoever follows the facts by their number must never see a later
    one before an earlier one: so writers queue, and prepare what they can before.
    """
    engine = create_engine(url, pool_pre_ping=True)

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        if _reads(connection):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            connection.exec_driver_sql(
                f"SELECT set_config('lock_timeout', '{patience}', true), "
                "set_config('synchronous_commit', 'on', true); "
                f"SELECT pg_advisory_xact_lock({writers_lock})"
            )

    return engine


def _reads(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("reads", False))


class Turns:
    """Short transactions on one database: one writer at a time, readers never wait.

    Threads of this process queue on a lock (SQLite's own waiting is not fair); writers of
    other processes are waited for by the database, for as long as `patience`.
    """

    def __init__(self, where: Where) -> None:
        self.engine = opened(where)
        self._turn = Lock()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All of it is kept when this returns, or none of it."""
        with self._turn, self._begun() as connection:
            yield connection

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        with self._connected() as connection:
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
        with self._connected() as connected:
            connection = connected.execution_options(reads=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            connection = self.engine.connect()
        except OperationalError as error:
            where = self.engine.url.render_as_string(hide_password=True)
            raise NoStore(
                f"the store at {where} does not answer; start it, or correct its address"
            ) from error
        with connection:
            yield connection

    def scrub(self) -> None:
        """Leave no deleted page behind: in SQLite's write-ahead log, in PostgreSQL's tables."""
        with self._turn, self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            if self.engine.dialect.name == "sqlite":
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            else:
                driver.autocommit = True
                driver.execute("VACUUM facts, originals, patients")
                driver.autocommit = False

    def close(self) -> None:
        """Let the files go."""
        self.engine.dispose()


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert the rows that are not there yet; how many were new."""
    if not rows:
        return 0
    if connection.dialect.name == "postgresql":
        return (_copied if len(rows) >= many else _told)(connection, table, rows)
    # Straight to the driver: SQLAlchemy's care for each row costs as much as SQLite's work on it.
    statement, names = _spelled(table, tuple(rows[0]))
    return connection.exec_driver_sql(
        statement, [tuple(r[n] for n in names) for r in rows]
    ).rowcount


def insert_whole(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """The same for rows that hold every column, in the table's order."""
    names = tuple(c.name for c in table.columns)
    if connection.dialect.name == "postgresql":
        insert_new(connection, table, [dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        connection.exec_driver_sql(_spelled(table, names)[0], list(rows))


def _told(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """PostgreSQL counts several rows only by telling them."""
    statement = _insert(connection, table).on_conflict_do_nothing()
    column = next(iter(table.primary_key))
    return len(connection.execute(statement.returning(column), rows).all())


@cache
def _spelled(table: Table, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The statement in SQLite's words, and the columns in the order of its question marks."""
    statement = sqlite.insert(table).on_conflict_do_nothing()
    told = statement.compile(dialect=sqlite.dialect(), column_keys=list(names))
    return str(told), tuple(told.positiontup or ())


def put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows, or replace those with the same key."""
    if not rows:
        return
    statement = _insert(connection, table)
    key = {c.name for c in table.primary_key}
    rest = {n: statement.excluded[n] for n in rows[0] if n not in key}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=rest)
    connection.execute(statement, rows)


def _insert(connection: Connection, table: Table) -> Any:
    maker = postgresql if connection.dialect.name == "postgresql" else sqlite
    return maker.insert(table)


def _copied(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """The same through COPY into a table of this connection's own, then over in one statement."""
    names = list(rows[0])
    into = _incoming(table, names)
    connection.execute(CreateTable(into, if_not_exists=True))
    _copy_in(connection, into, ([row[n] for n in names] for row in rows))
    statement = _insert(connection, table).from_select(names, select(into))
    return connection.execute(statement.on_conflict_do_nothing()).rowcount


def _incoming(table: Table, names: Sequence[str]) -> Table:
    """A place for rows on their way into a table, emptied at every commit."""
    said = "_".join(["incoming", table.name, *names])[:63]
    columns = [Column(n, table.c[n].type) for n in names]
    options = {"prefixes": ["TEMP"], "postgresql_on_commit": "DELETE ROWS"}
    return Table(said, MetaData(), *columns, **options)


def _copy_in(connection: Connection, into: Table, rows: Iterable[Sequence[Any]]) -> None:
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{c.name}"' for c in into.columns)
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{into.name}" ({columns}) FROM STDIN (FORMAT BINARY)') as copy,
    ):
        copy.set_types([_type(c.type) for c in into.columns])
        for row in rows:
            copy.write_row(row)


def _type(of: Any) -> str:
    kinds = {BigInteger: "int8", Integer: "int4", String: "varchar"}
    kinds |= {LargeBinary: "bytea", Boolean: "bool"}
    return next(name for kind, name in kinds.items() if isinstance(of, kind))


def fill(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Put rows, whole and in the order of the columns, into a table that holds none of them."""
    if connection.dialect.name == "postgresql":
        _copy_in(connection, table, rows)
    elif rows:
        statement = str(_insert(connection, table).compile(dialect=connection.dialect))
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def count_on(connection: Connection, table: Table) -> None:
    """After `fill`: new rows get numbers after those that are there."""
    number = table.autoincrement_column
    if connection.dialect.name == "postgresql" and number is not None:
        last = connection.execute(select(func.max(number))).scalar()
        if last is not None:
            sequence = func.pg_get_serial_sequence(table.name, number.name)
            connection.execute(select(func.setval(sequence, last)))
