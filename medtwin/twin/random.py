"""Chance that can be made again: the same key gives the same draws, on any machine.

Philox is a counter-based generator: Salmon et al. (2011), Proc SC'11, doi 10.1145/2063384.2063405.
"""

from hashlib import sha256

import numpy as np


def stream(seed: int, patient: str, model: str, at: float, purpose: str) -> np.random.Generator:
    """The random numbers of this patient's twin at this time (UTC seconds), for one purpose."""
    told = f"{seed}|{patient}|{model}|{at!r}|{purpose}".encode()
    key = np.frombuffer(sha256(told).digest()[:16], dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key))
