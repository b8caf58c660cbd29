"""Where somebody's polygenic score lies among people of like ancestry.

By group: how many standard deviations from the mean of the person's group. By principal
components: the part of the score that ancestry explains is taken off, and what is left is divided
by its spread, one spread for all (Khera 2019, doi:10.1161/CIRCULATIONAHA.118.035658) or one that
varies with ancestry (Khan 2022, doi:10.1038/s41591-022-01869-1), as the PGS Catalog's calculator
does.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

FEWEST = 30  # people of the reference that a mean and a spread can be told from


class TooFew(ValueError):
    """The reference is too small to say anything."""


@dataclass(frozen=True)
class Placed:
    """A score among a reference: deviations from what its ancestry expects, and per cent below."""

    z: float
    percentile: float
    among: int
    by: str


def within_group(value: float, others: Float[np.ndarray, " person"], group: str) -> Placed:
    """A score among people of one group. Raises `TooFew`."""
    _enough(others)
    z = (others - others.mean()) / others.std(ddof=1)
    return _placed((value - others.mean()) / others.std(ddof=1), z, f"group {group}")


def along_components(
    value: float,
    components: Float[np.ndarray, " component"],
    others: Float[np.ndarray, " person"],
    theirs: Float[np.ndarray, "person component"],
) -> Placed:
    """A score less what ancestry expects, over one spread for all. Raises `TooFew`."""
    _enough(others)
    line = _line(theirs, others)
    left = others - _design(theirs) @ line
    spread = left.std(ddof=1)
    z = (value - float((_design(components[None]) @ line)[0])) / spread
    return _placed(z, left / spread, "principal components, mean")


def along_components_with_spread(
    value: float,
    components: Float[np.ndarray, " component"],
    others: Float[np.ndarray, " person"],
    theirs: Float[np.ndarray, "person component"],
) -> Placed:
    """The same with a spread that varies with ancestry too. Raises `TooFew`."""
    _enough(others)
    line = _line(theirs, others)
    left = others - _design(theirs) @ line
    scale = variances(theirs, left**2)
    spread = np.sqrt(np.exp(_design(theirs) @ scale))
    own = _design(components[None])
    z = (value - float((own @ line)[0])) / float(np.sqrt(np.exp(own @ scale))[0])
    return _placed(z, left / spread, "principal components, mean and variance")


def variances(
    theirs: Float[np.ndarray, "person component"], squared: Float[np.ndarray, " person"]
) -> Float[np.ndarray, " coefficient"]:
    """Coefficients of log variance along the components: a gamma regression with a log link."""
    design = _design(theirs)
    found = np.zeros(design.shape[1])
    found[0] = np.log(squared.mean())
    for _ in range(50):
        mean = np.exp(design @ found)
        step = np.linalg.lstsq(design, squared / mean - 1, rcond=None)[0]
        found = found + step
        if np.abs(step).max() < 1e-10:
            break
    return found


def _placed(z: float, reference: Float[np.ndarray, " person"], by: str) -> Placed:
    below = float((reference < z).mean() + 0.5 * (reference == z).mean())
    return Placed(float(z), 100 * below, len(reference), by)


def _design(
    components: Float[np.ndarray, "person component"],
) -> Float[np.ndarray, "person column"]:
    return np.column_stack([np.ones(len(components)), components])


def _line(
    components: Float[np.ndarray, "person component"], values: Float[np.ndarray, " person"]
) -> Float[np.ndarray, " column"]:
    return np.linalg.lstsq(_design(components), values, rcond=None)[0]


def _enough(others: Float[np.ndarray, " person"]) -> None:
    if len(others) < FEWEST or not np.std(others) > 0:
        raise TooFew(
            f"the reference has {len(others)} people of this ancestry (or all the same score); "
            f"{FEWEST} different ones are needed: give a larger reference"
        )
