"""Statistical heads speaking in the loop: live one moment at a time, or recalled from a table."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from medtwin.learning.head import Ahead, Learned, predict
from medtwin.learning.lessons import lesson
from medtwin.learning.readings import Moments
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.loop import Head
from medtwin.twin.mix import Said


def speaking(learned: Learned) -> Head:
    """A learned head as the loop wants it: told the record as known now, and the plan."""

    def say(record: Record, now: datetime, plan: Sequence[Observation]) -> Said:
        moments = np.array([now.timestamp()])
        planned = Record(record.patient).add(plan)
        ahead = predict(learned, lesson(record, moments, learned.horizons, planned))
        return _said(learned.head, learned.horizons, ahead, 0)

    return say


def recalled(name: str, horizons: Sequence[int], moments: Moments, ahead: Ahead) -> Head:
    """A head whose forecasts for these moments were worked out together beforehand."""
    place = {round(float(t), 3): i for i, t in enumerate(moments)}

    def say(_: Record, now: datetime, __: Sequence[Observation]) -> Said:
        return _said(name, horizons, ahead, place[round(now.timestamp(), 3)])

    return say


def _said(name: str, horizons: Sequence[int], ahead: Ahead, row: int) -> Said:
    return Said(name, tuple(map(float, horizons)), ahead.mean[row], ahead.spread[row])
