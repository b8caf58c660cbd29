"""Write a module of straight lines once, keep it on disk, and let numba keep its machine code."""

import os
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from threading import Lock
from types import ModuleType

import numpy as np

one_at_a_time = Lock()
"""Held while a module is made, and by whoever enters numba's own pool of threads."""


def written(name: str, text: str, rests_on: bytes = b"") -> ModuleType:
    """The module with this text, kept under MEDTWIN_HOME, or in the user's cache.

    Its file name carries a digest of the text, of the libraries and of what else it compiles
    with (`rests_on`), so that a changed model is another module and numba's cache beside it stays
    true. May be called from several threads. Raises OSError where no folder can be written.
    """
    with one_at_a_time:
        title = f"medtwin_{name}_{_fingerprint(text, rests_on)}"
        if title in sys.modules:
            return sys.modules[title]
        path = _kept(title, text)
        loader = SourceFileLoader(title, str(path))
        module = module_from_spec(ModuleSpec(title, loader, origin=str(path)))
        module.__file__ = str(path)
        sys.modules[title] = module
        try:
            loader.exec_module(module)
        except BaseException:
            del sys.modules[title]
            raise
        return module


def _fingerprint(text: str, rests_on: bytes) -> str:
    import llvmlite  # starting the compiler costs half a second: only when it is needed
    import numba

    versions = f"{numba.__version__} {llvmlite.__version__} {np.__version__} {sys.version}"
    return sha256(f"{versions}{text}".encode() + rests_on).hexdigest()[:20]


def _kept(title: str, text: str) -> Path:
    """The file with this text, in the first folder that lets us write."""
    tried = [*_folders(), Path(tempfile.gettempdir()) / f"medtwin-{os.getpid()}"]
    for folder in tried:
        path = folder / f"{title}.py"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists() or path.read_text() != text:
                fresh = folder / f".{title}.{os.getpid()}"
                fresh.write_text(text)
                fresh.replace(path)
            return path
    raise OSError(f"no folder for compiled models can be written; set MEDTWIN_HOME, tried {tried}")


def _folders() -> list[Path]:
    """Where compiled models are kept: under MEDTWIN_HOME, or in the user's cache."""
    home = os.environ.get("MEDTWIN_HOME")
    own = [Path(home).expanduser() / "kernels"] if home else []
    if sys.platform == "darwin":
        cached = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        cached = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [*own, cached / "medtwin" / "kernels"]
