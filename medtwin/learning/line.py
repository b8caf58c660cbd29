"""A straight line through many inputs, drawn with restraint: ridge regression."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from medtwin.learning.head import Table
from medtwin.learning.inputs import Inputs
from medtwin.learning.readings import Moments

widest = 6.0  # standard deviations; an input further out counts as this far


@dataclass(frozen=True)
class Line:
    """offset + weights · inputs, each input centred and scaled; an unknown input counts as usual.

    Hoerl & Kennard (1970), Technometrics 12:55.
    """

    centre: Float[np.ndarray, " input"]
    scale: Float[np.ndarray, " input"]
    weights: Float[np.ndarray, " input"]
    offset: float

    def __call__(self, table: Table) -> Moments:
        return self.offset + _scaled(table, self.centre, self.scale) @ self.weights


def ridge(inputs: Inputs, wanted: Moments, restraint: float = 100.0) -> Line:
    """The line with the least squared error plus `restraint` times its squared weights."""
    table = inputs.values.astype(float)
    known = np.isfinite(table)
    n = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, table, 0).sum(axis=0) / n
    scale = np.sqrt(np.where(known, (table - centre) ** 2, 0).sum(axis=0) / n) + 1e-6
    x = _scaled(table, centre, scale)
    offset = float(wanted.mean()) if len(wanted) else 0.0
    square = x.T @ x + restraint * np.eye(x.shape[1])
    middle = x.mean(axis=0) if len(x) else np.zeros(x.shape[1])
    weights = np.linalg.solve(square - len(x) * np.outer(middle, middle), x.T @ (wanted - offset))
    return Line(centre, scale, weights, offset - float(middle @ weights))


def level(inputs: Inputs, wanted: Moments) -> Line:
    """The same answer whatever the inputs: the mean."""
    return unmoved(inputs, float(np.mean(wanted)))


def unmoved(inputs: Inputs, offset: float = 0.0) -> Line:
    """A line that no input moves."""
    nothing = np.zeros(len(inputs.names))
    return Line(nothing, nothing + 1, nothing, offset)


def _scaled(
    table: Table, centre: Float[np.ndarray, " input"], scale: Float[np.ndarray, " input"]
) -> Table:
    return np.clip(np.nan_to_num((table - centre) / scale), -widest, widest)
