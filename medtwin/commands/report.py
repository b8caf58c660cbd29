"""How commands speak: results on stdout (tables, or pure JSON), progress and reasons on stderr."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

T = TypeVar("T")

out = Console(soft_wrap=True)
aside = Console(stderr=True)


class WrongInput(ValueError):
    """What was asked on the command line cannot be done as it stands."""


def said(result: Any) -> None:
    """One JSON document on stdout and nothing else."""
    print(document(result).decode())


def written(result: Any, path: Path) -> None:
    """The same document as a file, whole or not at all."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(document(result) + b"\n")
    beside.replace(path)


def document(result: Any) -> bytes:
    """A result as JSON."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(result, option=options, default=_plainly)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows for people to read."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(shown)


@contextmanager
def working(on: str) -> Iterator[Progress]:
    """A line on stderr while something takes long."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=aside, transient=True) as progress:
        progress.add_task(on, total=None)
        yield progress


def counted(items: Iterable[T], what: str) -> Iterator[T]:
    """The same items, with their growing number on stderr while they pass."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} {task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=aside, transient=True) as progress:
        task = progress.add_task(what, total=None)
        for item in items:
            yield item
            progress.advance(task)


def _plainly(value: Any) -> Any:
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


def short(value: float) -> str:
    """A number with the digits that mean something.

    >>> short(123.456), short(1.23456), short(-0.00001), short(4771.0)
    ('123', '1.23', '0', '4,771')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return "0" if abs(value) < 0.0005 else f"{value:.3g}"
