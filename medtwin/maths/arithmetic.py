"""Whose arithmetic a number wants: NumPy's, or JAX's where a derivative is being followed."""

import sys
from typing import Any

import numpy as np


def of(*numbers: Any) -> Any:
    """The library that works on these: `jax.numpy` if any is JAX's own, else `numpy`.

    JAX is not imported for it: a number of JAX's exists only where somebody has.
    """
    jax = sys.modules.get("jax")
    traced = jax is not None and any(isinstance(n, jax.Array) for n in numbers)
    return jax.numpy if traced else np  # pyright: ignore[reportOptionalMemberAccess]
