"""The ensemble Kalman update of `enkf.py`, compiled, in place: for many readings in one call."""

from inspect import unwrap
from typing import Any

from numba import njit


def _summed(function: Any) -> Any:
    """Compiled so that sums may be taken in any order, which lets them use all lanes."""
    flags = {"contract", "reassoc", "nsz"}
    return njit(unwrap(function), fastmath=flags, error_model="numpy", nogil=True)


@_summed
def correct(members: Any, predicted: Any, heard: Any, noise: float) -> None:
    """Move `members` (row, member) towards what each heard; rows are states and parameters."""
    count = len(predicted)
    middle = predicted.sum() / count
    doubt = predicted - middle
    spread = (doubt * doubt).sum() + (count - 1) * noise * noise
    surprise = heard - predicted
    for i in range(members.shape[0]):
        row = members[i]
        together = row[0] * doubt[0]
        for j in range(1, count):
            together += row[j] * doubt[j]
        gain = together / spread
        for j in range(count):
            row[j] += gain * surprise[j]
