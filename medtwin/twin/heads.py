"""Statistical heads speaking in the loop: live one moment at a time, or recalled from a table."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from medtwin.learning import silent_line, silent_trees
from medtwin.learning.head import Ahead, Learned, Lesson, predict
from medtwin.learning.lessons import lesson
from medtwin.learning.readings import Moments
from medtwin.learning.silence import inputs_in_silence, is_silent
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.loop import Head
from medtwin.twin.mix import Said

silent_heads = (silent_line.head, silent_trees.head)
"""Those that speak while the sensor is silent, and only then."""

of_silence = tuple(head.name for head in silent_heads)


def speaking(learned: Learned) -> Head:
    """A learned head as the loop wants it: told the record as known now, and the plan."""
    return _in_silence(learned) if learned.head in of_silence else _by_readings(learned)


def _by_readings(learned: Learned) -> Head:
    def say(
        record: Record, now: datetime, plan: Sequence[Observation], _: Said | None = None, /
    ) -> Said:
        moments = np.array([now.timestamp()])
        planned = Record(record.patient).add(plan)
        ahead = predict(learned, lesson(record, moments, learned.horizons, planned))
        return _said(learned.head, learned.horizons, ahead, 0)

    return say


def _in_silence(learned: Learned) -> Head:
    def say(
        record: Record, now: datetime, __: Sequence[Observation], own: Said | None = None, /
    ) -> Said:
        if own is None or not is_silent(record, now.timestamp()):
            nothing = np.full((1, len(learned.horizons)), np.nan)
            return _said(learned.head, learned.horizons, Ahead(nothing, nothing), 0)
        moments, believed = np.array([now.timestamp()]), _believed(own, learned.horizons)
        inputs = inputs_in_silence(record, moments, learned.horizons, believed)
        ahead = predict(learned, Lesson(record.patient, moments, inputs, {}, {}))
        return _said(learned.head, learned.horizons, ahead, 0)

    return say


def _believed(own: Said, horizons: Sequence[int]) -> Ahead:
    mean, spread = (np.interp(horizons, own.horizons, v) for v in (own.mean, own.spread))
    return Ahead(mean[None, :], spread[None, :])


def recalled(name: str, horizons: Sequence[int], moments: Moments, ahead: Ahead) -> Head:
    """A head whose forecasts for these moments were worked out together beforehand."""
    place = {round(float(t), 3): i for i, t in enumerate(moments)}

    def say(
        _: Record, now: datetime, __: Sequence[Observation], ___: Said | None = None, /
    ) -> Said:
        return _said(name, horizons, ahead, place[round(now.timestamp(), 3)])

    return say


def _said(name: str, horizons: Sequence[int], ahead: Ahead, row: int) -> Said:
    return Said(name, tuple(map(float, horizons)), ahead.mean[row], ahead.spread[row])
