"""Populations too large to keep: run in blocks, on any number of workers, kept as reductions.

A block is made of the same members whoever runs it, members draw their own random numbers, and
blocks are put together in their order: the answer is the same to the last bit for one worker or
a hundred. What comes back are means, counts and histograms, not a million courses.
Means and variances are put together by Chan, Golub & LeVeque (1983), Am Stat 37:242.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.simulate import Simulated
from medtwin.maths.keyed import uniforms
from medtwin.record.codes import Code

P = TypeVar("P")
S = TypeVar("S")
parameters_purpose = 0x9A4A
waiting_for_each = 4


class NeedsCluster(ImportError):
    """The extra that brings dask.distributed is not installed."""


@dataclass(frozen=True)
class Reduction(Generic[S]):
    """What is kept of many courses: how it starts, takes in a block, meets another, and ends."""

    start: Callable[[], S]
    add: Callable[[S, Simulated], S]
    merge: Callable[[S, S], S]
    result: Callable[[S], Any]


@dataclass(frozen=True)
class Spread:
    """How many were run, how many of them were lost, and each reduction's result by name."""

    members: int
    lost: int
    results: Mapping[str, Any]


def spread(
    run: Callable[[Int[np.ndarray, " member"]], Simulated],
    members: int,
    reductions: Mapping[str, Reduction[Any]],
    executor: Executor | None = None,
    block: int = 2048,
) -> Spread:
    """Everybody run in blocks, and what is kept of them.

    `run(members)` gives the courses of the members with these numbers; it must depend on nothing
    else (draw with `drawn`, and name the same numbers in a `Chance`). `executor` is any of
    `concurrent.futures`, or a `cluster`; None runs here. A pool of processes needs `run` and the
    reductions to be of a module, not of a session. Members of `whoever_stays` who were lost are
    counted and left out. Raises what `run` raises.
    """
    blocks = (np.arange(k, min(k + block, members)) for k in range(0, members, block))
    kept = {name: r.start() for name, r in reductions.items()}
    lost = 0
    for gone, parts in _in_order(run, blocks, reductions, executor):
        lost += gone
        kept = {name: r.merge(kept[name], parts[name]) for name, r in reductions.items()}
    return Spread(members, lost, {name: r.result(kept[name]) for name, r in reductions.items()})


def drawn(parameters: type[P], members: Int[np.ndarray, " member"], seed: int) -> P:
    """Parameters of the members with these numbers, as `sample` draws them: each has their own."""
    told = {}
    for turn, f in enumerate(fields(parameters)):  # type: ignore[arg-type]
        a, b = uniforms(seed, members, turn, parameters_purpose)
        z = np.sqrt(-2.0 * np.log(a)) * np.cos(2.0 * np.pi * b)
        sigma = np.sqrt(np.log1p(f.metadata["cv"] ** 2))
        value = f.default * np.exp(sigma * z) + f.metadata.get("sd", 0.0) * z
        told[f.name] = np.clip(value, f.metadata["low"], f.metadata["high"])
    return parameters(**told)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a dask scheduler at this address, as an executor.

    Raises NeedsCluster without the extra `medtwin[cluster]`.
    """
    try:
        from distributed import Client
    except ImportError as missing:
        raise NeedsCluster(
            "workers on other machines need dask; install medtwin[cluster], or use an executor "
            "of concurrent.futures"
        ) from missing
    with Client(address, set_as_default=False) as client:
        yield client.get_executor(pure=False)


@dataclass(frozen=True)
class Moments:
    """How many were seen, their mean, and the sum of squares about it."""

    count: int
    mean: Any
    squares: Any


def mean(code: Code) -> Reduction[Moments]:
    """The mean course and the standard deviation between people, (2, time)."""
    return Reduction(_Nobody(), _AddMoments(code), _met, _mean_and_sd)


def histogram(code: Code, edges: Sequence[float]) -> Reduction[Any]:
    """How many people are between two edges at each time, (time, bin); the ends take the rest."""
    return Reduction(_None(), _AddCounts(code, tuple(edges)), _sum, _same)


def quantiles(code: Code, edges: Sequence[float], of: Sequence[float]) -> Reduction[Any]:
    """Quantiles of people at each time, (quantile, time), to the width of a bin of `edges`."""
    told = tuple(edges)
    return Reduction(_None(), _AddCounts(code, told), _sum, _Quantiles(told, tuple(of)))


def share_between(code: Code, low: float, high: float) -> Reduction[Moments]:
    """Mean and standard deviation between people of the share of times in range, (2, 1)."""
    return Reduction(_Nobody(), _AddShare(code, low, high), _met, _mean_and_sd)


def _in_order(
    run: Callable[..., Simulated],
    blocks: Iterator[np.ndarray],
    reductions: Mapping[str, Reduction[Any]],
    executor: Executor | None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each block's part, in the blocks' order; only a few blocks wait at a time."""
    if executor is None:
        yield from (_reduced(run, block, reductions) for block in blocks)
        return
    workers = getattr(executor, "_max_workers", None) or 8
    waiting: list[Future[Any]] = [
        executor.submit(_reduced, run, block, reductions)
        for block in islice(blocks, workers * waiting_for_each)
    ]
    while waiting:
        yield waiting.pop(0).result()
        waiting += [executor.submit(_reduced, run, b, reductions) for b in islice(blocks, 1)]


def _reduced(
    run: Callable[..., Simulated], block: np.ndarray, reductions: Mapping[str, Reduction[Any]]
) -> tuple[int, dict[str, Any]]:
    done = run(block)
    return len(done.lost), {name: r.add(r.start(), done) for name, r in reductions.items()}


def _staying(done: Simulated, code: Code) -> Float[np.ndarray, "time member"]:
    return done.of(code)[:, done.kept].astype(float)


# Functions that remember something are small classes: they can be sent to another process.


@dataclass(frozen=True)
class _Nobody:
    def __call__(self) -> Moments:
        return Moments(0, 0.0, 0.0)


@dataclass(frozen=True)
class _None:
    def __call__(self) -> int:
        return 0


def _moments(values: Float[np.ndarray, "time member"]) -> Moments:
    if not values.shape[1]:
        return Moments(0, 0.0, 0.0)
    middle = values.mean(axis=1)
    return Moments(values.shape[1], middle, ((values - middle[:, None]) ** 2).sum(axis=1))


@dataclass(frozen=True)
class _AddMoments:
    code: Code

    def __call__(self, so_far: Moments, done: Simulated) -> Moments:
        return _met(so_far, _moments(_staying(done, self.code)))


@dataclass(frozen=True)
class _AddShare:
    code: Code
    low: float
    high: float

    def __call__(self, so_far: Moments, done: Simulated) -> Moments:
        values = _staying(done, self.code)
        inside = ((values >= self.low) & (values <= self.high)).mean(axis=0)
        return _met(so_far, _moments(inside[None]))


@dataclass(frozen=True)
class _AddCounts:
    code: Code
    edges: tuple[float, ...]

    def __call__(self, so_far: Any, done: Simulated) -> Any:
        values = _staying(done, self.code)
        bins = len(self.edges) - 1
        place = np.clip(np.searchsorted(self.edges, values, side="right") - 1, 0, bins - 1)
        return so_far + np.stack([np.bincount(row, minlength=bins) for row in place])


def _met(a: Moments, b: Moments) -> Moments:
    if not a.count or not b.count:
        return a if a.count else b
    count, apart = a.count + b.count, b.mean - a.mean
    middle = a.mean + apart * (b.count / count)
    return Moments(count, middle, a.squares + b.squares + apart**2 * (a.count * b.count / count))


def _mean_and_sd(m: Moments) -> Float[np.ndarray, "2 time"]:
    spread_out = np.sqrt(m.squares / (m.count - 1)) if m.count > 1 else np.nan * np.asarray(m.mean)
    return np.stack([m.mean, spread_out])


def _sum(a: Any, b: Any) -> Any:
    return a + b


def _same(a: Any) -> Any:
    return a


@dataclass(frozen=True)
class _Quantiles:
    edges: tuple[float, ...]
    of: tuple[float, ...]

    def __call__(self, counts: Int[np.ndarray, "time bin"]) -> Float[np.ndarray, "quantile time"]:
        below = np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts, axis=1)], axis=1)
        told = [np.interp(np.multiply(self.of, row[-1]), row, self.edges) for row in below]
        return np.stack(told, axis=1)
