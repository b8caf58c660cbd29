"""A model as machine code: generated once, kept on disk, loaded in a moment the next time."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

import medtwin.maths
from medtwin.physiology.kernel_source import kernel_source
from medtwin.physiology.model import Model

one_at_a_time = Lock()


@dataclass(frozen=True)
class Kernel:
    """The compiled loops of one model in one float type.

    `one_by_one` runs in the calling thread and may be called from several at once; `together`
    uses every processor, for populations. Both take
    (begin, step, x, p, u, at, what, amount, times, course, x_out, u_out, lost) and write
    the last four.
    """

    model: Model[Any]
    dtype: np.dtype[Any]
    module: ModuleType

    @property
    def one_by_one(self) -> Callable[..., None]:
        return self.module.one_by_one

    @property
    def together(self) -> Callable[..., None]:
        return self.module.together


def compiled(model: Model[Any], dtype: Any = np.float64) -> Kernel:
    """The model's kernel in float64 or float32; compiled at the first use of each loop.

    Raises NotPlain where the model file uses what a lane does not have, ValueError for
    another number type.
    """
    kind = np.dtype(dtype)
    if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"{kind} kernels do not exist; choose float32 or float64")
    return Kernel(model, kind, _module(_source(model, kind.name)))


@cache
def _source(model: Model[Any], kind: str) -> str:
    return kernel_source(model, kind)


@cache
def _module(text: str) -> ModuleType:
    """The generated source as a module; numba keeps its machine code beside the file."""
    with one_at_a_time:
        name = f"medtwin_kernel_{_fingerprint(text)}"
        if name in sys.modules:
            return sys.modules[name]
        path = _written(name, text)
        loader = SourceFileLoader(name, str(path))
        module = module_from_spec(ModuleSpec(name, loader, origin=str(path)))
        module.__file__ = str(path)
        sys.modules[name] = module
        loader.exec_module(module)
        return module


def _fingerprint(text: str) -> str:
    """Changes when the generated text, the compiled functions or a library changes."""
    import llvmlite  # starting the compiler costs half a second: only when it is needed
    import numba

    lanes = Path(medtwin.maths.__file__).with_name("lanes.py").read_bytes()
    versions = f"{numba.__version__} {llvmlite.__version__} {np.__version__} {sys.version}"
    return hashlib.sha256(f"{versions}{text}".encode() + lanes).hexdigest()[:20]


def _written(name: str, text: str) -> Path:
    """The file with this text, in the first folder that lets us write."""
    for folder in (*_folders(), Path(tempfile.gettempdir()) / f"medtwin-{os.getpid()}"):
        path = folder / f"{name}.py"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists() or path.read_text() != text:
                fresh = folder / f".{name}.{os.getpid()}"
                fresh.write_text(text)
                fresh.replace(path)
            return path
    raise OSError(
        f"no folder for compiled models can be written; set MEDTWIN_HOME, tried {_folders()}"
    )


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
