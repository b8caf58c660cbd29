"""The functions a model may use: the same for a number, an array, a tracer and a compiled lane.

`lanes.py` holds their compiled twins, by the same names; a function that is missing there
cannot be used in a model.
"""

from typing import Any

from medtwin.maths import arithmetic


def exp(x: Any) -> Any:
    """e to the power x."""
    return arithmetic.of(x).exp(x)


def log(x: Any) -> Any:
    """The natural logarithm."""
    return arithmetic.of(x).log(x)


def sqrt(x: Any) -> Any:
    """The square root."""
    return arithmetic.of(x).sqrt(x)


def power(x: Any, y: Any) -> Any:
    """x to the power y, for x of zero or more; what `**` means in a model."""
    return arithmetic.of(x, y).power(x, y)


def sin(x: Any) -> Any:
    """The sine of an angle in radians."""
    return arithmetic.of(x).sin(x)


def cos(x: Any) -> Any:
    """The cosine of an angle in radians."""
    return arithmetic.of(x).cos(x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent, which saturates at -1 and 1."""
    return arithmetic.of(x).tanh(x)


def where(happens: Any, yes: Any, no: Any) -> Any:
    """`yes` where it happens, else `no`; both are worked out."""
    return arithmetic.of(happens, yes, no).where(happens, yes, no)


def positive(x: Any) -> Any:
    """x where it is above zero, else zero. Unknown (NaN) stays unknown."""
    return arithmetic.of(x).maximum(x, 0.0)


def least(x: Any, y: Any) -> Any:
    """The smaller of the two."""
    return arithmetic.of(x, y).minimum(x, y)


def greatest(x: Any, y: Any) -> Any:
    """The larger of the two."""
    return arithmetic.of(x, y).maximum(x, y)


def between(x: Any, low: Any, high: Any) -> Any:
    """x, held between `low` and `high`."""
    return least(greatest(x, low), high)


def floor(x: Any) -> Any:
    """The largest whole number that is not above x."""
    return arithmetic.of(x).floor(x)


def smooth_step(x: Any, start: Any, end: Any) -> Any:
    """From 0 at `start` to 1 at `end`, without a kink: 3s² - 2s³ of the way between."""
    s = between((x - start) / (end - start), 0.0, 1.0)
    return s * s * (3.0 - 2.0 * s)
