"""What is given to each member, and when: doses, meals, running rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.physiology.model import Model
from medtwin.record.codes import Code, Kind

levels = {"%", "1", "mm[Hg]", "cm[H2O]", "kPa", "Cel", "W", "K"}
"""Units of what is set rather than given: an oxygen fraction, a pressure, a temperature."""


@dataclass(frozen=True)
class Given:
    """A dose, a meal or a rate, from `at` on, for everybody or member by member.

    Times are in the model's own unit. `at`, `amount` and `lasting` are one number for all, or
    an array with one for each member (a member whose `at` is inf gets nothing). With `lasting` 0
    it is taken at once; otherwise it is spread evenly over so long: an amount (U, g) in total, a
    rate (U/h) or a level (%) as it is. What lasts for ever has `lasting` inf.
    """

    at: Any
    code: Code
    amount: Any
    lasting: Any = 0.0


class NotTaken(ValueError):
    """The model has no place for what is given."""


@dataclass(frozen=True)
class Schedule:
    """Events in time order, in numbers a kernel reads.

    A column for each member, or one for all. `what` below the number of the model's inputs is
    `take` of that input; above, a change of that channel's rate. What never happens is at inf.
    """

    at: Float[np.ndarray, "event member"]
    what: Int[np.ndarray, "event member"]
    amount: Float[np.ndarray, "event member"]


def schedule(model: Model[Any], given: Sequence[Given]) -> Schedule:
    """Everything given, as events in time order.

    Raises NotTaken for a code that the model neither takes nor has a channel for, or a
    negative time to last.
    """
    rows = [row for g in given for row in _events(model, g)]
    if not rows:
        nothing = np.empty((0, 1))
        return Schedule(nothing, np.empty((0, 1), np.int64), nothing)
    at = _stacked([r[0] for r in rows])
    amount = _stacked([r[2] for r in rows])
    what = np.array([[r[1]] for r in rows], np.int64)
    if at.shape[1] == 1:
        order = np.argsort(at[:, 0], kind="stable")
        return Schedule(at[order], what[order], amount[order])
    order = np.argsort(at, axis=0, kind="stable")
    sorted_amount = np.take_along_axis(np.broadcast_to(amount, at.shape), order, 0)
    return Schedule(np.take_along_axis(at, order, 0), what[:, 0][order], sorted_amount)


def _events(model: Model[Any], given: Given) -> list[tuple[Any, int, Any]]:
    lasting = np.asarray(given.lasting, float)
    if not np.all(lasting >= 0):
        raise NotTaken(
            f"{given.code.name} lasts {given.lasting} {model.clock}; 0 or more is allowed"
        )
    if not np.any(lasting > 0):
        return [(given.at, _input(model, given.code), given.amount)]
    if not np.all(lasting > 0):
        raise NotTaken(
            f"{given.code.name} lasts for some members and not for others; give them apart"
        )
    channel = len(model.inputs) + _channel(model, given.code)
    spread = lasting if is_amount(given.code) else 1.0
    rate = np.asarray(given.amount, float) / spread
    begin, end = np.asarray(given.at, float), np.asarray(given.at, float) + lasting
    opened = [(begin, model.inputs.index(given.code), 0.0)] if given.code in model.inputs else []
    return [*opened, (begin, channel, rate), (end, channel, -rate)]


def is_amount(code: Code) -> bool:
    """Whether the code counts something given (U, g), not a rate (U/h) or a level (%, mm[Hg])."""
    level = code.unit in levels or (code.kind is Kind.measurement and "/" in code.unit)
    return not level and not code.unit.endswith(("/s", "/min", "/h", "/d", "/wk", "/mo", "/a"))


def _input(model: Model[Any], code: Code) -> int:
    if code not in model.inputs:
        allowed = ", ".join(c.name for c in model.inputs)
        raise NotTaken(
            f"{model.name} does not take {code.name} at once; it takes {allowed}; "
            f"say how long it lasts if it is a rate"
        )
    return model.inputs.index(code)


def _channel(model: Model[Any], code: Code) -> int:
    if code not in model.channels:
        allowed = ", ".join(c.name for c in model.channels) or "nothing"
        raise NotTaken(f"{model.name} has no channel for {code.name}; it has {allowed}")
    return model.channels.index(code)


def _stacked(columns: list[Any]) -> Float[np.ndarray, "event member"]:
    flat = [np.atleast_1d(np.asarray(c, float)) for c in columns]
    members = max(c.size for c in flat)
    return np.stack([np.broadcast_to(c, members) for c in flat])
