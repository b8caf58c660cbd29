"""What we believe about one body now: its states and parameters, with our doubt."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.physiology.model import Model


@dataclass(frozen=True)
class Twin:
    """Members are equally likely versions of this patient; their spread is our doubt.

    `at` is UTC seconds. Where the model has an exact filter, each member also carries the
    covariance of its states (`spread`), and its `states` are their means; otherwise the
    members' states are the doubt themselves and `spread` is None. Random draws are keyed by
    `seed`, patient, model, time and member, so that a replay makes the same ones.
    """

    patient: str
    model: Model[Any]
    at: float
    states: Float[np.ndarray, "state member"]
    parameters: Float[np.ndarray, "parameter member"]
    seed: int
    spread: Float[np.ndarray, "state state member"] | None = None
