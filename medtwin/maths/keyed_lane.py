"""The keyed draws of `keyed.py`, compiled: a normal deviate that belongs to one member's turn."""

from inspect import unwrap
from typing import Any

import numpy as np
from numba import njit

low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
first_multiplier, second_multiplier = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
first_weyl, second_weyl = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
eleven, fraction = np.uint64(11), 2.0**-53


def _two_normals(seed: Any, member: Any, turn: Any, purpose: Any) -> tuple[float, float]:
    """Two independent standard normals from the two `keyed.uniforms` (Box and Muller 1958)."""
    a, b = np.uint64(member) & low, np.uint64(member) >> half
    c, d = np.uint64(turn) & low, np.uint64(purpose)
    k, m = np.uint64(seed) & low, np.uint64(seed) >> half
    for _ in range(10):
        first, second = first_multiplier * a, second_multiplier * c
        a, b, c, d = (second >> half) ^ b ^ k, second & low, (first >> half) ^ d ^ m, first & low
        k, m = (k + first_weyl) & low, (m + second_weyl) & low
    u = (np.float64(((a << half) | b) >> eleven) + 0.5) * fraction
    v = (np.float64(((c << half) | d) >> eleven) + 0.5) * fraction
    away = np.sqrt(-2.0 * np.log(u))
    return away * np.cos(2.0 * np.pi * v), away * np.sin(2.0 * np.pi * v)


two_normals: Any = njit(unwrap(_two_normals), nogil=True, error_model="numpy")
