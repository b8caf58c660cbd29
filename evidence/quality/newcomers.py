"""Somebody new: 3, 7 or 14 days of their own data, and what other people taught.

People are split in five parts. Heads are taught by the past of the four others; the twin is
fitted to the new person's own few days, drawn to the population; the last 30 % of days, forecast
an hour ahead with nothing announced, are the exam. How much each counts in the forecast shown comes
from how they did on the other four parts' people, who were new then too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evidence.quality.voices import (
    Fits,
    Many,
    Rows,
    Table,
    alone,
    errors,
    hears,
    horizon,
    pooled,
    recent,
    ridge,
    ridge_all,
    rows_of,
    says,
    taught,
    with_twin,
)
from medtwin.learning.inputs import Inputs
from medtwin.learning.lessons import exam_begins, lesson, quarter_hours
from medtwin.physiology.glucose_living import model
from medtwin.record.record import Record
from medtwin.twin.along import said_along
from medtwin.twin.mix import stacked
from medtwin.twin.personal import Personal

parts = 5
lengths = (3, 7, 14)
asked = (15, 30, 60, 90, 120)
mixed = ("twin", "hybrid", "lightgbm_pooled", "ridge_inputs", "lightgbm_person")
voices = (
    *("persistence", "ridge", "ridge_inputs", "lightgbm_person", "lightgbm_pooled"),
    *("lightgbm_mean", "twin", "shown"),
)


@dataclass(frozen=True)
class Newcomer:
    """One person with so few days before the exam: rows before and in it, and the twin's word."""

    past: Rows
    exam: Rows
    twin: Many


def curve(records: Mapping[str, Record], fits: Fits) -> Table:
    """RMSE (mg/dL) of each voice by how many days of the new person are known.

    `fits` are the twin's, by days and person.
    """
    people = [hears(record) for record in records.values()]
    known = {
        days: [newcomer(record, days, fits[days, record.patient]) for record in people]
        for days in lengths
    }
    part = np.arange(len(people)) % parts
    rules = [_of_others(known[lengths[-1]], part != k) for k in range(parts)]
    return {f"{days} days": _judged(known[days], part, rules) for days in lengths}


def newcomer(record: Record, days: int, personal: Personal | None) -> Newcomer:
    """What is known of somebody whose sensor began so many days before the exam."""
    begins, short = exam_begins(record), recent(record, days)
    moments = quarter_hours(short)
    mean, spread = said_along(short, model, moments, asked, personal, begins)
    one = lesson(short, moments, (horizon,))
    last, came = one.inputs["glucose"].astype(float), one.measured[horizon]
    beliefs = np.hstack([mean - last[:, None], spread]).astype(np.float32)
    names = tuple(f"twin {what} in {h} min" for what in ("change", "doubt") for h in asked)
    rows = Rows(one.inputs.beside(Inputs(names, beliefs)), last, came)
    over = moments + 60 * horizon < begins
    exam = moments >= begins
    return Newcomer(rows.keep(over), rows.keep(exam), mean[exam, asked.index(horizon)])


def _of_others(people: Sequence[Newcomer], others: np.ndarray) -> tuple[object, object]:
    past = [person.past for person, other in zip(people, others, strict=True) if other]
    return taught(pooled, past), taught(with_twin, past)


def _judged(
    people: Sequence[Newcomer], part: np.ndarray, rules: Sequence[tuple[object, object]]
) -> Table:
    each = [_said(person, *rules[k]) for person, k in zip(people, part, strict=True)]
    for k in range(parts):
        others = [i for i in range(len(people)) if part[i] != k]
        share = _shares([each[i] for i in others], [people[i].exam.came for i in others])
        for i in np.flatnonzero(part == k):
            each[i]["shown"] = share @ np.stack([each[i][v] for v in mixed])
    said = {voice: [one[voice] for one in each] for voice in (*voices, "hybrid")}
    return errors(said, [person.exam.came for person in people])


def _shares(each: Sequence[Mapping[str, Many]], came: Sequence[Many]) -> Many:
    mean = np.stack([np.concatenate([one[v] for one in each]) for v in mixed])
    true = np.concatenate(list(came))
    known = np.isfinite(true) & np.isfinite(mean).all(axis=0)
    return stacked(mean[:, known], true[known])


def _said(person: Newcomer, by_others: object, with_beliefs: object) -> dict[str, Many]:
    own = {head.name: says(head, taught(head, [person.past]), person.exam) for head in owned}
    others = says(pooled, by_others, person.exam)
    return own | {
        "persistence": person.exam.last,
        "lightgbm_pooled": others,
        "lightgbm_mean": (others + own[alone.name]) / 2,
        "hybrid": says(with_twin, with_beliefs, person.exam),
        "twin": person.twin,
    }


owned = (ridge, ridge_all, alone)


def told(table: Table) -> list[str]:
    """The learning curve as Markdown rows."""
    return rows_of("known", table, (*voices, "hybrid"))
