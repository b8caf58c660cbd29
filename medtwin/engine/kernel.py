"""A model as machine code: generated once, kept on disk, loaded in a moment the next time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import medtwin.maths
from medtwin.engine.kernel_source import kernel_source
from medtwin.engine.model import Model
from medtwin.maths.compiled import written


@dataclass(frozen=True)
class Kernel:
    """The compiled loops of one model in one float type.

    `one_by_one` runs in the calling thread and may be called from several at once; `together`
    uses every processor, for populations. Both take
    (begin, step, x, p, u, at, what, amount, seed, whose, tick, times, course, x_out, u_out,
    lost) and write the last four.
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

    @property
    def paced(self) -> bool:
        """Whether it also has loops that keep the model's own pace."""
        return hasattr(self.module, "paced_one_by_one")


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
    """The generated source as a module; it compiles the lanes' own functions into itself."""
    return written("kernel", text, Path(medtwin.maths.__file__).with_name("lanes.py").read_bytes())
