"""What is given to each member, and when: doses, meals, running rates."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.model import Model
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


@dataclass(frozen=True)
class Changed:
    """A parameter that is `factor` times what it was, from `at` on, for `lasting`.

    An illness that halves a clearance, a weight newly measured, a drug that stimulates. Members
    may differ in `at`, `factor` and `lasting`; changes that overlap multiply. Lasting for ever
    is the default.
    """

    at: Any
    parameter: str
    factor: Any
    lasting: Any = np.inf


@dataclass(frozen=True)
class Chance:
    """Which draws the model's own noise is made of.

    A member's draws depend on `seed`, the member's own number and the time alone: not on who
    else is run, nor on what is given, so that branches of a what-if share them. `whose` are the
    members' numbers; None counts from zero, for `members` of them at least.
    """

    seed: int
    whose: Any = None
    members: int = 1


class NotTaken(ValueError):
    """The model has no place for what is given."""


@dataclass(frozen=True)
class Schedule:
    """Events in time order, in numbers a kernel reads.

    A column for each member, or one for all. `what` below the number of the model's inputs is
    `take` of that input; above, a change of that channel's rate, and above those a parameter
    and its factor. What never happens is at inf.
    """

    at: Float[np.ndarray, "event member"]
    what: Int[np.ndarray, "event member"]
    amount: Float[np.ndarray, "event member"]


Plan = Sequence[Given | Changed] | Schedule
"""What a run is told of doses, rates and changed parameters."""


def schedule(model: Model[Any], given: Sequence[Given | Changed]) -> Schedule:
    """Everything given or changed, as events in time order.

    Raises NotTaken for a code that the model neither takes nor has a channel for, a parameter
    that it does not have, a negative amount or factor, or a negative time to last.
    """
    rows = [
        row
        for g in given
        for row in (_changes(model, g) if isinstance(g, Changed) else _events(model, g))
    ]
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
    _not_negative(given)
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


def _not_negative(given: Given) -> None:
    amount = np.asarray(given.amount, float)
    least = 0.0 if is_amount(given.code) and not -np.inf < given.code.low < 0 else -np.inf
    if not np.all(amount >= least):
        raise NotTaken(
            f"a plan with a negative dose: {given.code.name} {np.min(amount):g} {given.code.unit}; "
            f"an amount is 0 or more, and a number"
        )


def _changes(model: Model[Any], change: Changed) -> list[tuple[Any, int, Any]]:
    """The factor when it begins, and its inverse when it ends."""
    names = [f.name for f in fields(model.parameters)]
    if change.parameter not in names:
        raise NotTaken(
            f"{model.name} has no parameter {change.parameter} to change; it has {', '.join(names)}"
        )
    factor, lasting = np.asarray(change.factor, float), np.asarray(change.lasting, float)
    if not (np.all(factor > 0) and np.all(factor < np.inf) and np.all(lasting >= 0)):
        raise NotTaken(
            f"{change.parameter} times {change.factor} for {change.lasting} {model.clock}; a "
            f"factor is above 0, and lasts for 0 or more"
        )
    what = len(model.inputs) + len(model.channels) + names.index(change.parameter)
    begin = np.asarray(change.at, float)
    return [(begin, what, factor), (begin + lasting, what, 1.0 / factor)]


def left_by(
    model: Model[Any], plan: Schedule, p: Float[np.ndarray, "parameter member"], end: float
) -> Float[np.ndarray, "parameter member"]:
    """The parameters after everything that a plan changes before `end`."""
    place = plan.what - len(model.inputs) - len(model.channels)
    if not np.any(place >= 0):
        return p
    members = max(p.shape[1], plan.at.shape[1], plan.amount.shape[1])
    wide = (plan.at.shape[0], members)
    columns = (np.broadcast_to(a, wide) for a in (plan.at < end, place, plan.amount))
    done, place, amount = columns
    left = np.array(np.broadcast_to(p, (p.shape[0], members)))
    event, who = np.nonzero(done & (place >= 0))
    np.multiply.at(left, (place[event, who], who), amount[event, who])
    return left


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
