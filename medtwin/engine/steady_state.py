"""The body of somebody who has taken the same dose at the same interval for long.

For a model with a closed form that is linear in its states, the states just before the next
dose solve x = S(take(x)): probe the turn of one interval with no drug and with a unit of each
state, and solve. No run-in is simulated, however slowly the drug accumulates.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model
from medtwin.engine.schedule import Given, NotTaken
from medtwin.engine.simulate import named, parameter_array


def steady_state(
    model: Model[Any], p: Any, dose: Given, every: float
) -> Float[np.ndarray, "state member"]:
    """Each member's states just before the next dose, to be the `x0` of `simulate`.

    `dose` is given every `every` (in the model's unit) and lasts at most so long; its `at` does
    not matter. States that count time (the wait of a swallowed dose) are those of a member
    without drug; the interval must be longer than the lag time.
    Raises ValueError for a model without a closed form, or whose drug never leaves, NotTaken
    for a dose that the model has no place for.
    """
    person = named(model, parameter_array(model, p))
    rest = np.stack(np.broadcast_arrays(*(np.asarray(s, float) for s in model.start(person))))
    turn = _turn(model, person, dose, every)
    after = turn(rest)
    amounts = [k for k, unit in enumerate(model.units) if unit != model.clock]
    grown = np.zeros((len(amounts), len(amounts), rest.shape[1]))
    for column, k in enumerate(amounts):
        probe = rest.copy()
        probe[k] += 1.0
        grown[:, column] = (turn(probe) - after)[amounts]
    lost = np.eye(len(amounts))[:, :, None] - grown
    if np.any(np.abs(np.linalg.det(lost.T)) < 1e-14):
        raise ValueError(f"{model.name}: nothing leaves between doses, so no state is steady")
    steady = rest.copy()
    steady[amounts] += np.linalg.solve(lost.transpose(2, 0, 1), after[amounts].T[:, :, None])[
        :, :, 0
    ].T
    return steady


def _turn(model: Model[Any], person: Any, dose: Given, every: float) -> Any:
    """What one dose and one interval make of the states."""
    lasting = float(np.max(dose.lasting))
    if model.solution is None:
        raise ValueError(f"{model.name} has no closed form; simulate until its doses repeat")
    if not 0 <= lasting <= every:
        raise ValueError(f"a dose that lasts {lasting:g} does not fit into every {every:g}")
    if dose.code not in (model.channels if lasting else model.inputs):
        raise NotTaken(f"{model.name} has no place for {dose.code.name}")
    still = tuple(0.0 for _ in model.channels)
    solve = model.solution

    def turn(x: np.ndarray) -> np.ndarray:
        now: tuple[Any, ...] = tuple(x)
        if lasting:
            rate = np.asarray(dose.amount) / lasting
            now = solve(
                lasting, now, tuple(rate * (c == dose.code) for c in model.channels), person
            )
        else:
            now = model.take(now, dose.code, dose.amount, person)
        return np.stack(np.broadcast_arrays(*solve(every - lasting, now, still, person)))

    return turn
