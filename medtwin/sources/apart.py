"""Read in a process of its own, so that reading and keeping each have a processor.

What arrives comes over in pickled groups; the pipe holds a few, so that memory stays bounded.
Small deliveries are read here: starting a process would take longer.
"""

import pickle
from collections.abc import Iterator, Sequence
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from medtwin.sources import door
from medtwin.sources.source import Arrived, Options

GROUP = 200
WORTH = 32 << 20  # bytes on disk from which a second process pays


def read(paths: Sequence[Path], options: Options) -> Iterator[Arrived]:
    """Everything in these files, original by original, as `door.read` gives it."""
    if sum(map(_size, paths)) < WORTH:
        yield from door.read(paths, options)
    else:
        yield from elsewhere(paths, options)


def elsewhere(paths: Sequence[Path], options: Options) -> Iterator[Arrived]:
    """The same from another process. What it raises is raised here."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    reader = context.Process(target=_tell, args=(there, tuple(paths), options), daemon=True)
    reader.start()
    there.close()
    try:
        yield from _heard(here)
    finally:
        here.close()
        reader.terminate()
        reader.join()


def _heard(here: Any) -> Iterator[Arrived]:
    while True:
        try:
            group = pickle.loads(here.recv_bytes())  # noqa: S301  our own process wrote it
        except EOFError:
            raise RuntimeError("the process that reads ended early; import again") from None
        if isinstance(group, BaseException):
            raise group
        if not group:
            return
        yield from group


def _tell(there: Any, paths: tuple[Path, ...], options: Options) -> None:
    """In the other process: read, and send; an empty group is the end."""
    try:
        arriving = door.read(paths, options)
        while group := list(islice(arriving, GROUP)):
            there.send_bytes(pickle.dumps(group, protocol=5))
        there.send_bytes(pickle.dumps([]))
    except BrokenPipeError:  # nobody listens any more
        return
    except Exception as why:  # noqa: BLE001  it is raised where it is listened to
        there.send_bytes(pickle.dumps(why))


def _size(path: Path) -> int:
    """Bytes on disk; a compressed archive holds about ten times as much."""
    files = (p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    packed = {".xz", ".gz", ".zip", ".bz2", ".tgz"}
    return sum(f.stat().st_size * (10 if f.suffix in packed else 1) for f in files if f.exists())
