"""One figure of the record: what was measured, beside a peer of the same run and a target."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A number with its unit, held against a target and, in the same run, against a peer.

    `target` is to be reached or passed where `more_is_better`, else not to be passed; None where
    nobody asked. `note` says what a reader must know to judge it.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    more_is_better: bool = True
    peer: str = ""
    peers: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; None without one."""
        if self.target is None:
            return None
        met = self.value >= self.target if self.more_is_better else self.value <= self.target
        return bool(met)

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's."""
        return None if not self.peers else float(f"{self.value / self.peers:.3g}")

    def told(self) -> dict[str, Any]:
        """The figure as JSON, without what there is not."""
        said = asdict(self) | {"value": _short(self.value), "peers": _short(self.peers)}
        said |= {"ratio": self.ratio, "reached": self.reached}
        del said["more_is_better"]
        return {k: v for k, v in said.items() if v not in (None, "")}

    def said(self) -> str:
        """The figure for a reader."""
        beside = f"; {self.peer}: {_short(self.peers)}, ratio {self.ratio}" if self.peers else ""
        words = {None: "", True: " [reached", False: " [MISSED"}[self.reached]
        goal = f": {self.target:g} asked for]" if words else ""
        return f"{self.name}: {_short(self.value)} {self.unit}{beside}{words}{goal}"


def _short(value: float | None) -> float | None:
    """Four digits are more than such a figure is good for."""
    return None if value is None else float(f"{value:.4g}")


def median_seconds(act: Callable[[], Any], times: int) -> float:
    """How long one call takes, by the median of several."""
    spent = []
    for _ in range(times):
        began = perf_counter()
        act()
        spent.append(perf_counter() - began)
    return float(median(spent))
