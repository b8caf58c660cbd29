"""A stretch of signal, such as an ECG strip: channels sampled together at one rate."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil, floor

import numpy as np
from jaxtyping import Float32

from medtwin.record.observation import Implausible


@dataclass(frozen=True, eq=False)
class Waveform:
    """What a monitor drew between `at` and `until`: `samples` in `units`, channel by channel.

    `code` is the id of what was measured ("ecg", or "system|code" where the house has no line
    for it), `rate` is in samples a second. A lead that was off is NaN. `known` is when we
    learned it. Refuses as `Implausible` what cannot be a signal.
    """

    at: datetime
    code: str
    rate: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    samples: Float32[np.ndarray, "channels samples"]
    source: str
    known: datetime

    def __post_init__(self) -> None:
        if len(self.channels) != len(self.units) or len(self.channels) != len(self.samples):
            raise Implausible(
                f"waveform {self.code} from {self.source} has {len(self.samples)} rows of samples, "
                f"{len(self.channels)} channels and {len(self.units)} units; give one of each"
            )
        if len(set(self.channels)) != len(self.channels):
            raise Implausible(
                f"waveform {self.code} from {self.source} names a channel twice: "
                f"{', '.join(self.channels)}; number those alike"
            )
        if not (np.isfinite(self.rate) and self.rate > 0):
            raise Implausible(
                f"waveform {self.code} from {self.source} has {self.rate:g} samples a second; "
                "allowed is any number above 0"
            )
        if self.at.tzinfo is None or self.known.tzinfo is None:
            raise Implausible(
                f"waveform {self.code} from {self.source} at {self.at} has no time zone; say which"
            )

    def __len__(self) -> int:
        return self.samples.shape[1]

    @cached_property
    def until(self) -> datetime:
        """When the last sample ended."""
        return self.at + timedelta(seconds=len(self) / self.rate)

    def channel(self, name: str) -> Float32[np.ndarray, " samples"]:
        """One channel's samples; `KeyError` names those there are."""
        if name not in self.channels:
            raise KeyError(f"no channel {name!r}; there are {', '.join(self.channels)}")
        return self.samples[self.channels.index(name)]

    def between(self, begin: datetime, end: datetime) -> "Waveform":
        """The samples taken from `begin` up to, not including, `end`."""
        first = max(0, ceil(self._place(begin)))
        last = max(first, min(len(self), floor(self._place(end)) + 1))
        if last > first and self._when(last - 1) >= end:
            last -= 1
        return replace(self, at=self._when(first), samples=self.samples[:, first:last])

    def _place(self, when: datetime) -> float:
        return round((when - self.at).total_seconds() * self.rate, 6)

    def _when(self, sample: int) -> datetime:
        return self.at + timedelta(seconds=sample / self.rate)
