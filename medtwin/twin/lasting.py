"""What keeps coming back in one person's misses, learned slowly from every forecast that came due.

Three numbers for each horizon: how far the forecast shown lies off on the whole, and how that
turns with the hour of the day. Each forecast that reality has judged moves them a little, so that
the last week or so counts: least mean squares, Widrow & Hoff (1960), IRE WESCON Conv Rec 4:96.
It corrects what is shown, never what an action does.
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from medtwin.learning.readings import day

Lasting = tuple[float, float, float]  # in the code's unit: always, with the sine, the cosine

nothing: Lasting = (0.0, 0.0, 0.0)
pace = 1 / 400  # about four days of forecasts every quarter of an hour; 1/200 to 1/800 do alike


def comes_back(lasting: Lasting, made: float) -> float:
    """What to add to a forecast made at that moment (UTC seconds), in the code's unit."""
    return float(np.dot(lasting, _terms(made)))


def moved(lasting: Lasting, made: float, missed: float) -> Lasting:
    """After a forecast made then, corrected already, was so much too low (measured - forecast)."""
    always, sine, cosine = np.add(lasting, pace * missed * _terms(made))
    return float(always), float(sine), float(cosine)


def rehearsed(
    made: Float[np.ndarray, " forecast"], missed: Float[np.ndarray, " forecast"], horizon: float
) -> tuple[Lasting, Float[np.ndarray, " forecast"]]:
    """Learned along forecasts of rising `made` (UTC seconds) that nobody corrected, and each one's
    correction, from those alone that had come due (`horizon` in minutes). NaN misses teach
    nothing."""
    corrections, lasting, done = np.zeros(len(made)), nothing, 0
    for i, at in enumerate(made):
        due = int(np.searchsorted(made, at - 60 * horizon, side="right"))
        lasting, done = _through(lasting, made, missed - corrections, range(done, due)), due
        corrections[i] = comes_back(lasting, float(at))
    return _through(lasting, made, missed - corrections, range(done, len(made))), corrections


def _through(lasting: Lasting, made: np.ndarray, left: np.ndarray, rows: Iterable[int]) -> Lasting:
    for j in rows:
        if np.isfinite(left[j]):
            lasting = moved(lasting, float(made[j]), float(left[j]))
    return lasting


def _terms(made: float) -> Float[np.ndarray, "3"]:
    angle = 2 * np.pi * (made % day) / day
    return np.array([1.0, np.sin(angle), np.cos(angle)])
