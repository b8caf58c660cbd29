"""What fitting a person's past days told about their parameters, with where it comes from."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model


@dataclass(frozen=True)
class Personal:
    """A personal fit: each parameter's value, and its standard error on the scale of the prior
    (the logarithm, or the value itself where either sign is possible).

    `facts` is how many readings it rests on, `since` and `until` their times (UTC seconds),
    `before` and `after` the mean CRPS of the same days with population and fitted values.
    """

    patient: str
    model: str
    values: dict[str, float]
    errors: dict[str, float]
    since: float
    until: float
    facts: int
    before: float
    after: float
    because: str


def drawn(
    personal: Personal, model: Model[Any], count: int, rng: np.random.Generator
) -> dict[str, Float[np.ndarray, " member"]]:
    """So many versions of this person, each parameter inside its bounds; the first is the fit."""
    versions = {}
    for f in fields(model.parameters):
        if f.name in personal.values:
            z = np.concatenate([[0.0], _centred(rng.standard_normal(count - 1))])
            away = personal.errors.get(f.name, 0.0) * z
            value = personal.values[f.name]
            moved = value + away if "sd" in f.metadata else value * np.exp(away)
            versions[f.name] = np.clip(moved, f.metadata["low"], f.metadata["high"])
    return versions


def _centred(z: np.ndarray) -> np.ndarray:
    return z - z.mean() if len(z) > 1 else z
