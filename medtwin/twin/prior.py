"""What is believed of a person's parameters before any reading: a centre and a spread.

Parameters are fitted on the scale on which their spread between people is normal: the logarithm,
or the value itself where either sign is possible (`offset`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from medtwin.engine.model import Model


class NotFree(ValueError):
    """A parameter cannot be fitted as asked."""


@dataclass(frozen=True)
class Prior:
    """The free parameters by name, where they are centred, and how people differ.

    `centre` has one column for everybody, or one for each person (their covariates). What
    differs between people moves the parameters along the columns of `moves` (as a rule each
    parameter has its own); `spread` is its covariance, one for everybody or one for each
    person. All are on the fitting scale, where `signed` says which parameters are themselves
    and not logarithms. `low` and `high` are physiology's bounds.
    """

    names: tuple[str, ...]
    signed: Bool[np.ndarray, " free"]
    centre: Float[np.ndarray, "free person"]
    spread: Float[np.ndarray, "*person random random"]
    low: Float[np.ndarray, " free"]
    high: Float[np.ndarray, " free"]
    moves: Float[np.ndarray, "free random"]

    def values(self, place: Float[np.ndarray, "free *rest"]) -> Float[np.ndarray, "free *rest"]:
        """The parameters themselves, from their place on the fitting scale."""
        each = (slice(None), *(None,) * (place.ndim - 1))
        natural = np.where(self.signed[each], place, np.exp(np.where(self.signed[each], 0, place)))
        return np.clip(natural, self.low[each], self.high[each])

    def places(self, values: Float[np.ndarray, "free *rest"]) -> Float[np.ndarray, "free *rest"]:
        """The place on the fitting scale of parameters themselves."""
        each = (slice(None), *(None,) * (values.ndim - 1))
        return np.where(self.signed[each], values, np.log(np.where(self.signed[each], 1, values)))


def prior_of(
    model: Model[Any],
    free: Sequence[str],
    typical: Mapping[str, float] = MappingProxyType({}),
    spread: Float[np.ndarray, "free free"] | None = None,
) -> Prior:
    """What the model file says of these parameters, or `typical` and `spread` instead.

    Raises NotFree for a parameter the model has not, one that does not differ between people
    while no spread is given, or a typical value outside its bounds.
    """
    told = {f.name: f for f in fields(model.parameters)}
    if missing := [n for n in free if n not in told]:
        raise NotFree(
            f"{model.name} has no parameter {', '.join(missing)}; it has {', '.join(told)}"
        )
    middle = model.parameters()
    start = {n: float(typical[n] if n in typical else getattr(middle, n)) for n in free}
    about = [told[n].metadata for n in free]
    low, high = (np.array([m[k] for m in about], float) for k in ("low", "high"))
    signed = np.array(["sd" in m for m in about])
    for n, a, b in zip(free, low, high, strict=True):
        if not a <= start[n] <= b:
            raise NotFree(f"{n} of {start[n]:g} is outside {a:g} to {b:g}; give one inside")
    if spread is None:
        sds = np.array([m.get("sd", np.sqrt(np.log1p(m["cv"] ** 2))) for m in about])
        spread = np.diag(sds**2)
    if np.any(np.diag(spread) <= 0):
        same = ", ".join(n for n, v in zip(free, np.diag(spread), strict=True) if v <= 0)
        raise NotFree(f"{same} does not differ between people; give a spread, or leave it fixed")
    at = np.array([start[n] for n in free], float)
    each = np.eye(len(free))
    blank = Prior(tuple(free), signed, np.zeros((len(free), 1)), spread, low, high, each)
    return replace(blank, centre=blank.places(at)[:, None])


def drawn(
    prior: Prior, count: int, rng: np.random.Generator
) -> dict[str, Float[np.ndarray, " member"]]:
    """So many people of this prior (of its first column), each parameter inside its bounds."""
    root = np.linalg.cholesky(prior.spread)
    away = prior.moves @ root @ rng.standard_normal((prior.moves.shape[1], count))
    return dict(zip(prior.names, prior.values(prior.centre[:, :1] + away), strict=True))
