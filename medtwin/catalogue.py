"""Find every model, score, source, design or page by looking in its folder."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def everything(package: ModuleType, kind: type[T]) -> dict[str, T]:
    """Each module of `package` that offers one `kind`, by module name.

    A plug-in ends in `model = Model(...)` (or `score = ...`, `source = ...`): the public
    value named after its kind. A module without one is part of the room, not a plug-in.
    """
    found = {}
    for entry in iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{entry.name}")
        offered = getattr(module, kind.__name__.lower(), None)
        if isinstance(offered, kind):
            found[entry.name] = offered
    return found
