"""Write a module of straight lines once, keep it on disk, and let numba keep its machine code."""

import os
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numba


def written(name: str, text: str) -> ModuleType:
    """The module with this text, kept under MEDTWIN_HOME, or in the user's cache.

    Its file name carries a digest of the text, so that a changed model is another module and
    numba's own cache beside it stays true. Raises OSError where no folder can be written.
    """
    digest = sha256((text + numba.__version__).encode()).hexdigest()[:20]
    title = f"medtwin_{name}_{digest}"
    if title in sys.modules:
        return sys.modules[title]
    path = _kept(title, text)
    spec = spec_from_file_location(title, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {path}; remove it and try again")
    module = module_from_spec(spec)
    sys.modules[title] = module
    spec.loader.exec_module(module)
    return module


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
    home = os.environ.get("MEDTWIN_HOME")
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [
        *([Path(home).expanduser() / "kernels"] if home else []),
        cached / "medtwin" / "kernels",
    ]
