"""Which of a model's parameters decide an outcome: shares of its variance between people.

Variance-based indices: Sobol' (2001), Math Comput Simul 55:271; estimated as in Saltelli et al.
(2010), Comput Phys Commun 181:259, by `scipy.stats.sobol_indices`, on the compiled engine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from jaxtyping import Float
from scipy.stats import DegenerateDataWarning, norm, sobol_indices

from medtwin.engine.model import Model
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import Simulated, simulate

Outcome = Callable[[Simulated], Float[np.ndarray, " person"]]
"""One number for each person, from their course."""


class NothingVaries(ValueError):
    """Everybody has the same outcome, so nothing can be said to decide it."""


@dataclass(frozen=True)
class Share:
    """How much of the outcome's variance between people one parameter decides.

    `alone` is its own share (first order), `with_others` all that would vanish were it known
    (total order); each with a 95 % interval from the bootstrap. Fractions of 1.
    """

    parameter: str
    alone: float
    alone_interval: tuple[float, float]
    with_others: float
    with_others_interval: tuple[float, float]


@dataclass(frozen=True)
class Spread:
    """A parameter between people, by its quantiles: what `model.sample` draws from."""

    median: float
    sigma: float
    sd: float
    low: float
    high: float

    def ppf(self, q: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The value below which a fraction `q` of people lie."""
        z = norm.ppf(q)
        return np.clip(self.median * np.exp(self.sigma * z) + self.sd * z, self.low, self.high)


def varying(model: Model[Any]) -> dict[str, Spread]:
    """The parameters of the model that differ between people."""
    told: dict[str, tuple[Any, Any]] = {
        f.name: (f.default, f.metadata) for f in fields(model.parameters)
    }
    return {
        name: Spread(median, np.sqrt(np.log1p(m["cv"] ** 2)), m.get("sd", 0.0), m["low"], m["high"])
        for name, (median, m) in told.items()
        if m["cv"] > 0 or m.get("sd", 0.0) > 0
    }


def sensitivity(
    model: Model[Any],
    events: Sequence[Given],
    times: Sequence[float] | Float[np.ndarray, " time"],
    outcome: Outcome,
    rng: np.random.Generator,
    draws: int = 1024,
) -> tuple[Share, ...]:
    """Each varying parameter's share of the outcome, the weightiest first.

    `draws` is a power of 2; the model is run for draws x (parameters + 2) synthetic people in
    float32. Raises NothingVaries where the outcome is the same for everybody.
    """
    spreads = varying(model)

    def run(drawn: Float[np.ndarray, "parameter person"]) -> Float[np.ndarray, "1 person"]:
        course = _course(model, dict(zip(spreads, drawn, strict=True)), events, times)
        return _differing(outcome(course), model)[None]

    dists: Any = list(spreads.values())  # scipy asks for nothing but `ppf`
    found = sobol_indices(func=run, n=draws, dists=dists, rng=rng)
    alone, with_others = _doubt(found)
    rows = zip(spreads, found.first_order, alone, found.total_order, with_others, strict=True)
    shares = (Share(n, float(a), ai, float(t), ti) for n, a, ai, t, ti in rows)
    return tuple(sorted(shares, key=lambda s: -s.with_others))


def _differing(
    values: Float[np.ndarray, " person"], model: Model[Any]
) -> Float[np.ndarray, " person"]:
    if np.ptp(values) == 0:
        raise NothingVaries(
            f"the outcome is the same for everybody drawn from {model.name}; "
            "choose one that differs between people, or give something that shows it"
        )
    return values


def _course(
    model: Model[Any],
    drawn: dict[str, Float[np.ndarray, " person"]],
    events: Sequence[Given],
    times: Sequence[float] | Float[np.ndarray, " time"],
) -> Simulated:
    return simulate(model, model.parameters(**drawn), None, events, times, dtype=np.float32)


def _doubt(found: Any) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Intervals of both kinds of share; a parameter that does nothing has one of no width."""
    with np.errstate(invalid="ignore", divide="ignore"), catch_warnings():
        simplefilter("ignore", DegenerateDataWarning)
        doubt = found.bootstrap(n_resamples=200)
    return (
        _intervals(doubt.first_order, found.first_order),
        _intervals(doubt.total_order, found.total_order),
    )


def _intervals(doubt: Any, at: np.ndarray) -> list[tuple[float, float]]:
    low, high = (np.where(np.isnan(end), at, end) for end in doubt.confidence_interval)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
