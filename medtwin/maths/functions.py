"""The functions a model may use: the same for one number, an array, and a compiled lane.

`lanes.py` holds their compiled twins, by the same names; a function that is missing there
cannot be used in a model.
"""

from typing import Any

import numpy as np


def exp(x: Any) -> Any:
    """e to the power x."""
    return np.exp(x)


def log(x: Any) -> Any:
    """The natural logarithm."""
    return np.log(x)


def sqrt(x: Any) -> Any:
    """The square root."""
    return np.sqrt(x)


def power(x: Any, y: Any) -> Any:
    """x to the power y, for x of zero or more; what `**` means in a model."""
    return np.power(x, y)


def sin(x: Any) -> Any:
    """The sine of an angle in radians."""
    return np.sin(x)


def cos(x: Any) -> Any:
    """The cosine of an angle in radians."""
    return np.cos(x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent, which saturates at -1 and 1."""
    return np.tanh(x)


def where(happens: Any, yes: Any, no: Any) -> Any:
    """`yes` where it happens, else `no`; both are worked out."""
    return np.where(happens, yes, no)


def positive(x: Any) -> Any:
    """x where it is above zero, else zero. Unknown (NaN) stays unknown."""
    return np.maximum(x, 0.0)


def least(x: Any, y: Any) -> Any:
    """The smaller of the two."""
    return np.minimum(x, y)


def greatest(x: Any, y: Any) -> Any:
    """The larger of the two."""
    return np.maximum(x, y)


def between(x: Any, low: Any, high: Any) -> Any:
    """x, held between `low` and `high`."""
    return np.minimum(np.maximum(x, low), high)


def floor(x: Any) -> Any:
    """The largest whole number that is not above x."""
    return np.floor(x)


def smooth_step(x: Any, start: Any, end: Any) -> Any:
    """From 0 at `start` to 1 at `end`, without a kink: 3s² - 2s³ of the way between."""
    s = between((x - start) / (end - start), 0.0, 1.0)
    return s * s * (3.0 - 2.0 * s)
