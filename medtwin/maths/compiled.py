"""Write a module of straight lines once, keep it on disk, and let numba keep its machine code."""

import os
import sys
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numba


def written(name: str, text: str) -> ModuleType:
    """The module with this text, imported from the cache folder (MEDTWIN_CACHE, or the user's).

    Its file name carries a digest of the text, so that a changed model is another module and
    numba's own cache beside it stays true.
    """
    digest = sha256((text + numba.__version__).encode()).hexdigest()[:20]
    title = f"medtwin_{name}_{digest}"
    if title in sys.modules:
        return sys.modules[title]
    path = _folder() / f"{title}.py"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(text)
        fresh.replace(path)
    spec = spec_from_file_location(title, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {path}; set MEDTWIN_CACHE to a folder of your own")
    module = module_from_spec(spec)
    sys.modules[title] = module
    spec.loader.exec_module(module)
    return module


def _folder() -> Path:
    told = os.environ.get("MEDTWIN_CACHE")
    place = Path(told) if told else Path.home() / ".cache" / "medtwin"
    place.mkdir(parents=True, exist_ok=True)
    return place
