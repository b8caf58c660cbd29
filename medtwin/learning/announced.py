"""What is planned between now and a horizon: meals, and the boluses given for them."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from medtwin.learning.doses import Table, gut_peaks, insulin_peaks, left
from medtwin.learning.readings import Moments, Named, in_time, minute
from medtwin.record import codes
from medtwin.record.record import Record, Series

together = 288
not_planned = 200.0


def meals_and_their_boluses(record: Record) -> Record:
    """What a person would announce: carbohydrate, and boluses for it; never a correction.

    A pump that says which part of a bolus was for food is believed. Where nothing is said, a
    bolus within a quarter of an hour of a meal is for it. Announcing corrections too would
    announce the pump's own view of the future.
    """
    meals, boluses = record[codes.carbohydrate], record[codes.insulin_bolus]
    for_food = boluses.keep(_for_food(boluses, meals))
    return Record(record.patient, {codes.carbohydrate: meals, codes.insulin_bolus: for_food})


def _for_food(boluses: Series, meals: Series) -> Bool[np.ndarray, " bolus"]:
    if boluses.says is not None and (boluses.says != "").any():
        return boluses.says == "meal"
    at = np.sort(meals.at)
    if not len(at):
        return np.zeros(len(boluses), dtype=bool)
    after = np.clip(np.searchsorted(at, boluses.at), 0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    gap = np.minimum(np.abs(at[after] - boluses.at), np.abs(at[before] - boluses.at))
    return gap <= 15 * minute


def said_by_plan(plan: Record, moments: Moments, horizon: int) -> Iterator[Named]:
    """How much is planned within `horizon` minutes, how soon, and how much of it will have acted.

    Only facts after each moment and up to its horizon count, whatever else the plan holds.
    """
    kinds = (
        ("planned bolus", codes.insulin_bolus, insulin_peaks),
        ("planned meal", codes.carbohydrate, gut_peaks),
    )
    for name, code, peaks in kinds:
        blocks = list(_blocks(in_time(plan[code]), moments, horizon))
        amounts = np.concatenate([amount.sum(axis=1) for _, amount in blocks])
        soonest = [
            np.where(amount > 0, horizon - rest, not_planned).min(axis=1, initial=not_planned)
            for rest, amount in blocks
        ]
        yield name, amounts
        yield f"minutes to {name}", np.concatenate(soonest)
        for peak in peaks:
            acted = [(amount * (1 - left(rest, peak))).sum(axis=1) for rest, amount in blocks]
            yield f"{name} acted ({peak:g})", np.concatenate(acted)


def _blocks(planned: Series, moments: Moments, horizon: int) -> Iterator[tuple[Table, Table]]:
    """Minutes from each planned event to the horizon, and its amount if it is within it."""
    for i in range(0, len(moments), together):
        t = moments[i : i + together, None]
        begin = np.searchsorted(planned.at, t[0, 0], side="right")
        end = np.searchsorted(planned.at, t[-1, 0] + horizon * minute, side="right")
        near = planned.keep(slice(int(begin), int(end)))
        rest = horizon - (near.at - t) / minute
        yield rest, np.where((rest >= 0) & (rest < horizon), near.value, 0.0)
