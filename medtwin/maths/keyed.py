"""Random numbers that belong to somebody: the same key and turn give the same draw, anywhere.

Philox 4x32-10, a counter turned into four random words (Salmon et al. 2011, Proc SC'11,
doi 10.1145/2063384.2063405). Nothing is carried from draw to draw, so a member's numbers do
not depend on who else is drawn for, in what order, or by how many workers.
"""

import numpy as np
from jaxtyping import Float, Int, UInt

low = np.uint64(0xFFFFFFFF)
half = np.uint64(32)
multipliers = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
weyl = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)

Words = UInt[np.ndarray, "4 *n"]


def words(counter: Words, key: UInt[np.ndarray, "2 *n"]) -> Words:
    """Four random 32-bit words (held as 64) for each counter of four words and key of two."""
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        first, second = multipliers[0] * a, multipliers[1] * c
        a, b, c, d = (second >> half) ^ b ^ k, second & low, (first >> half) ^ d ^ m, first & low
        k, m = (k + weyl[0]) & low, (m + weyl[1]) & low
    return np.stack([a, b, c, d])


def uniforms(
    seed: int, member: Int[np.ndarray, " member"], turn: int, purpose: int = 0
) -> Float[np.ndarray, "2 member"]:
    """Two numbers in (0, 1) for each member at this turn, for one purpose.

    `seed` and `member` are below 2**64, `turn` and `purpose` below 2**32.
    """
    who = np.asarray(member).astype(np.uint64)
    same = np.ones_like(who)
    counter = np.stack([who & low, who >> half, np.uint64(turn) * same, np.uint64(purpose) * same])
    key = np.stack([np.uint64(seed & 0xFFFFFFFF) * same, np.uint64(seed >> 32) * same])
    a, b, c, d = words(counter, key)
    return np.stack([_fraction(a, b), _fraction(c, d)])


def _fraction(high: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """53 random bits as a number strictly between 0 and 1."""
    whole = ((high << half) | rest) >> np.uint64(11)
    return (whole.astype(np.float64) + 0.5) * 2.0**-53
