"""The functions of `functions.py` as compiled lanes want them: branch-free, so they vectorise.

A call into the C library would stop LLVM from working on many people at once, so `exp`, `log`,
`sin` and the like are polynomials here. The flags allow fused multiply-add and reciprocals, but
never the assumption that there is no NaN: a member that has gone wrong must stay visible. For
the same reason comparisons are written out: what `min` and `max` make of a NaN is the
compiler's choice.
"""
# ruff: noqa: FURB136  the module docstring says why

from inspect import unwrap
from math import factorial
from types import SimpleNamespace
from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, float64, njit, types
from numba.extending import intrinsic

fast = {"contract", "arcp", "nsz"}


@intrinsic
def _power_of_two(_: Any, whole: Any) -> Any:
    """2 to a whole power, by writing the exponent bits of a float."""
    double = whole == types.float64
    wide, bias, shift = (64, 1023, 52) if double else (32, 127, 23)

    def built(_: Any, builder: Any, __: Any, args: Any) -> Any:
        kind = ir.IntType(wide)
        bits = builder.add(builder.fptosi(args[0], kind), ir.Constant(kind, bias))
        bits = builder.shl(bits, ir.Constant(kind, shift))
        return builder.bitcast(bits, ir.DoubleType() if double else ir.FloatType())

    return whole(whole), built


@intrinsic
def _bits(_: Any, x: Any) -> Any:
    """A float's bits as a whole number of the same width."""
    double = x == types.float64

    def built(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64 if double else 32))

    return (types.int64 if double else types.int32)(x), built


@intrinsic
def _float_of(_: Any, bits: Any) -> Any:
    """The float that has these bits."""
    wide = bits == types.int64

    def built(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType() if wide else ir.FloatType())

    return (types.float64 if wide else types.float32)(bits), built


power_of_two: Any = _power_of_two  # numba gives the context that their first argument is
bits_of: Any = _bits
float_of: Any = _float_of


def lane(function: Any) -> Any:
    """A function compiled into its caller, lane by lane (without run-time checks of types)."""
    return njit(unwrap(function), fastmath=fast, error_model="numpy", forceinline=True)


@lane
def where(happens: Any, yes: Any, no: Any) -> Any:
    return yes if happens else no


@lane
def least(x: Any, y: Any) -> Any:
    return y if y < x else x


@lane
def greatest(x: Any, y: Any) -> Any:
    return y if y > x else x


def _common(T: Any) -> SimpleNamespace:
    zero, one, two, three = T(0), T(1), T(2), T(3)

    @lane
    def positive(x: Any) -> Any:
        return zero if x < zero else x

    @lane
    def between(x: Any, low: Any, high: Any) -> Any:
        return least(greatest(x, low), high)

    @lane
    def smooth_step(x: Any, start: Any, end: Any) -> Any:
        s = least(greatest((x - start) / (end - start), zero), one)
        return s * s * (three - two * s)

    sqrt, floor = lane(_called(np.sqrt)), lane(_called(np.floor))
    return SimpleNamespace(
        where=where,
        least=least,
        greatest=greatest,
        positive=positive,
        between=between,
        smooth_step=smooth_step,
        sqrt=sqrt,
        floor=floor,
    )


def _called(function: Any) -> Any:
    def call(x: Any) -> Any:
        return function(x)

    return call


def _exponential(T: Any, highest: float, terms: int) -> Any:
    """e^x as 2^n times the Taylor series of the rest, |rest| < ln 2 / 2."""
    per_two, ln2_high, ln2_low = T(1.4426950408889634), T(0.693145751953125), T(1.42860682030942e-6)
    top, half, one = T(highest), T(0.5), T(1)
    inverse = tuple(T(1.0 / k) for k in range(terms, 0, -1))

    @lane
    def exp(x: Any) -> Any:
        x = top if x > top else x
        x = -top if x < -top else x
        n = np.floor(x * per_two + half)
        rest = (x - n * ln2_high) - n * ln2_low
        total = one
        for k in range(len(inverse)):
            total = one + rest * inverse[k] * total
        return total * power_of_two(n)

    return exp


def _logarithm(T: Any, terms: int) -> Any:
    """ln x = n ln 2 + 2 atanh s, where x = 2^n m, s = (m - 1)/(m + 1) and |s| < 0.172."""
    double = T is float64
    whole, shift, bias = (np.int64, 52, 1023) if double else (np.int32, 23, 127)
    places, half_bits = whole((1 << shift) - 1), whole((bias - 1) << shift)
    ln2_high, ln2_low = T(0.693145751953125), T(1.42860682030942e-6)
    zero, one, two, root_half = T(0), T(1), T(2), T(0.7071067811865476)
    nothing, endless, unknown = T(-np.inf), T(np.inf), T(np.nan)
    tiny, lifted, lift = T(2.0 ** (1 - bias)), T(2.0 ** (shift + 2)), T(shift + 2)
    odd = tuple(T(1.0 / (2 * k + 1)) for k in range(terms, 0, -1))

    @lane
    def log(x: Any) -> Any:
        small = x < tiny
        y = x * lifted if small else x
        bits = bits_of(y)
        m = float_of(whole((bits & places) | half_bits))
        n = T(whole((bits >> shift) - (bias - 1))) - (lift if small else zero)
        below = m < root_half
        m = two * m if below else m
        n = n - one if below else n
        s = (m - one) / (m + one)
        q = s * s
        total = odd[0]
        for k in range(1, len(odd)):
            total = total * q + odd[k]
        found = n * ln2_high + (n * ln2_low + (two * s + two * s * q * total))
        found = found if x < endless else x
        found = nothing if x == zero else found
        return unknown if x < zero else found

    return log


def _power(T: Any, exp: Any, log: Any) -> Any:
    """x to the power y as e^(y ln x), for x of zero or more."""
    zero, one = T(0), T(1)

    @lane
    def power(x: Any, y: Any) -> Any:
        y = T(y)
        known = exp(y * log(x)) if x != zero else (zero if y > zero else one / x)
        return one if y == zero else known

    return power


def _waves(T: Any, terms: int) -> tuple[Any, Any]:
    """Sine and cosine by quarter turns (Cody and Waite 1980) and the Taylor series of the rest."""
    per_quarter = T(2 / np.pi)
    parts = (1.570796325802803, 9.920935791635221e-10, 5.170182981794105e-19)
    if T is float32:
        parts = (1.5703125, 4.837512969970703e-4, 7.549789954891882e-8)
    high, middle, low = (T(part) for part in parts)  # of half a turn's half, in few bits each
    half, one, two, quarter, four = T(0.5), T(1), T(2), T(0.25), T(4)
    odd = tuple(T((-1) ** k / factorial(2 * k + 1)) for k in range(terms, 0, -1))
    even = tuple(T((-1) ** k / factorial(2 * k)) for k in range(terms, 0, -1))

    @lane
    def turned(x: Any, ahead: Any) -> Any:
        n = np.floor(x * per_quarter + half)
        r = ((x - n * high) - n * middle) - n * low
        q = r * r
        up, along = odd[0], even[0]
        for k in range(1, len(odd)):
            up = up * q + odd[k]
            along = along * q + even[k]
        up, along = r + r * q * up, one + q * along
        n = n + ahead
        n = n - four * np.floor(n * quarter)
        value = along if n - two * np.floor(n * half) == one else up
        return -value if n >= two else value

    @lane
    def sin(x: Any) -> Any:
        return turned(x, T(0))

    @lane
    def cos(x: Any) -> Any:
        return turned(x, T(1))

    return sin, cos


def _single_tanh() -> Any:
    """Above and below the line of a rational function, fitted to tanh for the least largest error
    (1.2e-7) up to the edge; its powers are paired, so that few wait for one another."""
    T = float32
    edge = T(7.9)
    p0, p1, p2, p3 = (T(c) for c in (0.999999426, 0.129226856, 0.00294851176, 1.14146798e-05))
    q1, q2, q3 = (T(c) for c in (0.462558062, 0.0238035126, 0.000238395432))
    q4, one = T(2.45724119e-07), T(1)

    @lane
    def ratio(x: Any) -> Any:
        x = edge if x > edge else x
        x = -edge if x < -edge else x
        y = x * x
        z = y * y
        above = (p0 + p1 * y) + z * (p2 + p3 * y)
        below = (one + q1 * y) + z * ((q2 + q3 * y) + z * q4)
        return x * above, below

    return ratio


def _tanh_fraction(levels: int) -> tuple[list[float], list[float]]:
    """Numerator and denominator, in y squared, of tanh(y)/y = 1/(1 + y²/(3 + y²/(5 + ...))).

    Lambert (1768); coefficients from the lowest power, scaled to a denominator that begins at 1.
    """
    above, below = [float(2 * levels - 1)], [1.0]
    for odd in range(2 * levels - 3, 0, -2):
        shifted = [0.0, *below] + [0.0] * (len(above) - len(below) - 1)
        longer = above + [0.0] * (len(shifted) - len(above))
        above, below = [odd * a + b for a, b in zip(longer, shifted, strict=True)], above
    return [b / above[0] for b in below], [a / above[0] for a in above]


def _double_tanh() -> Any:
    """The same of Lambert's fraction at x/8, then the double angle three times; error 1e-15."""
    edge, eighth, two = float64(19.0), float64(0.125), float64(2)
    above, below = (tuple(float64(c) for c in part[::-1]) for part in _tanh_fraction(12))

    @lane
    def ratio(x: Any) -> Any:
        x = edge if x > edge else x
        x = -edge if x < -edge else x
        y = x * eighth
        s = y * y
        n, d = above[0], below[0]
        for k in range(1, len(above)):
            n = n * s + above[k]
        for k in range(1, len(below)):
            d = d * s + below[k]
        n = n * y
        n, d = two * n * d, n * n + d * d
        n, d = two * n * d, n * n + d * d
        return two * n * d, n * n + d * d

    return ratio


def _hyperbolic(ratio: Any) -> tuple[Any, Any]:
    """tanh x, and tanh x - tanh y with one division for both."""

    @lane
    def tanh(x: Any) -> Any:
        above, below = ratio(x)
        return above / below

    @lane
    def tanh_gap(x: Any, y: Any) -> Any:
        a, b = ratio(x)
        c, d = ratio(y)
        return (a * d - c * b) / (b * d)

    return tanh, tanh_gap


single = _common(float32)
single.exp = _exponential(float32, 87.0, 7)
single.tanh, single.tanh_gap = _hyperbolic(_single_tanh())
single.log = _logarithm(float32, 5)
single.power = _power(float32, single.exp, single.log)
single.sin, single.cos = _waves(float32, 5)
double = _common(float64)
double.exp = _exponential(float64, 708.0, 13)
double.tanh, double.tanh_gap = _hyperbolic(_double_tanh())
double.log = _logarithm(float64, 11)
double.power = _power(float64, double.exp, double.log)
double.sin, double.cos = _waves(float64, 9)
