"""A sensor that was silent for 1, 3 or 6 hours just before the forecast.

The readings of the silence are taken out; doses and meals of those hours are known. All voices
forecast from the end of the silence, an hour ahead. The statistical peers are taught for exactly
this: the inputs as they stood at the last reading, and doses, meals and the clock as they stand
now, for every silence of that length in everybody's past. `mix` weighs twin, hybrid and both
LightGBMs by their rehearsal. Live, the heads are silent without a reading within the hour: after a
longer silence the twin alone is shown.
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
    ridge_all,
    rows_of,
    says,
    taught,
)
from medtwin.learning import hybrid, lightgbm_pooled
from medtwin.learning.head import Head
from medtwin.learning.inputs import Inputs, known_inputs
from medtwin.learning.lessons import exam_begins, reading_at
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.twin.along import said_along
from medtwin.twin.mix import stacked
from medtwin.twin.personal import Personal

hours = (1, 3, 6)
apart = 3.0
"""Hours with readings between one silence and the next."""
asked = (30, 60, 120)
since = ("glucose", "age of", "change", "bend", "slope", "above", "spread", "readings", "mean")
since += ("usual", "yesterday")
mixed = ("twin", "hybrid", "lightgbm_pooled", "lightgbm_person")
voices = ("persistence", "ridge_inputs", "lightgbm_person", "lightgbm_pooled", "lightgbm_mean")
voices += ("twin", "hybrid", "mix")


@dataclass(frozen=True)
class Silenced:
    """One person's forecasts after silences: before the exam, rehearsed, and in it."""

    rows: Rows
    moments: Many
    twin: Many
    begins: float

    def within(self, share: tuple[float, float]) -> np.ndarray:
        """The forecasts made in this part of the days before the exam."""
        before = self.moments[self.moments + 60 * horizon < self.begins]
        low, high = np.quantile(before, share)
        early = (self.moments >= low) & (self.moments <= high)
        return early & (self.moments + 60 * horizon < self.begins)


def table(records: Mapping[str, Record], fits: Fits, offsets: int = 6) -> Table:
    """RMSE (mg/dL) of each voice an hour after a silence, by its length.

    `fits` are the twin's, by days and person; those to the last fortnight are taken.
    """
    people = [(hears(r), fits[14, r.patient]) for r in records.values()]
    return {f"{gap} h": _after(people, gap, offsets) for gap in hours}


def _after(people: Sequence[tuple[Record, Personal | None]], gap: int, offsets: int) -> Table:
    each = [silenced(record, fit, gap, offsets) for record, fit in people]
    exam = [one.rows.keep(one.moments >= one.begins) for one in each]
    early, late = ([one.within(part) for one in each] for part in ((0.0, 0.7), (0.7, 1.0)))
    share = _shares(each, early, late)
    said = _said(each, [one.within((0.0, 1.0)) for one in each], exam)
    said["twin"] = [one.twin[one.moments >= one.begins] for one in each]
    said["mix"] = [share @ np.stack([said[v][i] for v in mixed]) for i in range(len(each))]
    return errors({v: said[v] for v in voices}, [one.came for one in exam])


def _shares(
    each: Sequence[Silenced], early: Sequence[np.ndarray], late: Sequence[np.ndarray]
) -> Many:
    """How much each voice counts, from the last days before the exam, taught by those before."""
    asked_late = [one.rows.keep(rows) for one, rows in zip(each, late, strict=True)]
    said = _said(each, early, asked_late)
    said["twin"] = [one.twin[rows] for one, rows in zip(each, late, strict=True)]
    mean = np.stack([np.concatenate(said[v]) for v in mixed])
    came = np.concatenate([rows.came for rows in asked_late])
    known = np.isfinite(came) & np.isfinite(mean).all(axis=0)
    return stacked(mean[:, known], came[known])


def _said(
    each: Sequence[Silenced], past: Sequence[np.ndarray], asked: Sequence[Rows]
) -> dict[str, list[Many]]:
    taught_by = [one.rows.keep(rows) for one, rows in zip(each, past, strict=True)]
    said: dict[str, list[Many]] = {"persistence": [rows.last for rows in asked]}
    for head in (lightgbm_pooled.head, hybrid.head):
        rule = taught(head, taught_by)
        said[head.name] = [says(head, rule, rows) for rows in asked]
    for head in (ridge_all, alone):
        said[head.name] = [_alone(head, t, r) for t, r in zip(taught_by, asked, strict=True)]
    pairs = zip(said["lightgbm_person"], said["lightgbm_pooled"], strict=True)
    said["lightgbm_mean"] = [(one + other) / 2 for one, other in pairs]
    return said


def _alone(head: Head, past: Rows, rows: Rows) -> Many:
    return says(head, taught(head, [past]), rows)


def silenced(record: Record, fit: Personal | None, gap: int, offsets: int) -> Silenced:
    """Silences all along the record, `offsets` times shifted, and what was known at their end."""
    seen, begins = record[codes.glucose].at, exam_begins(record)
    parts = []
    for k in range(offsets):
        begin = seen[0] + 86400 + 3600 * (gap + apart) * k / offsets
        ends = np.arange(begin, seen[-1], 3600 * (gap + apart))
        parts.append(_pass(record, fit, gap, ends, begins))
    moments = np.concatenate([p.moments for p in parts])
    order = np.argsort(moments, kind="stable")
    names = parts[0].rows.inputs.names
    inputs = Inputs(names, np.concatenate([p.rows.inputs.values for p in parts]))
    last, came, twin = (
        np.concatenate(c)
        for c in zip(*((p.rows.last, p.rows.came, p.twin) for p in parts), strict=True)
    )
    return Silenced(Rows(inputs, last, came).keep(order), moments[order], twin[order], begins)


def _pass(record: Record, fit: Personal | None, gap: int, ends: Many, begins: float) -> Silenced:
    quiet = _without(record, ends - 3600.0 * gap, ends)
    mean, spread = said_along(quiet, model, ends, asked, fit, begins)
    last = known_inputs(record, ends - 3600.0 * gap)
    now = known_inputs(quiet, ends)
    acted = [i for i, n in enumerate(now.names) if not n.startswith(since)]
    doses = Inputs(tuple(f"{now.names[i]}, now" for i in acted), now.values[:, acted])
    known = last["glucose"].astype(float)
    beliefs = np.hstack([mean - known[:, None], spread]).astype(np.float32)
    names = tuple(f"twin {what} in {h} min" for what in ("change", "doubt") for h in asked)
    inputs = last.beside(doses).beside(Inputs(names, beliefs))
    came = reading_at(record[codes.glucose], ends + 60 * horizon)
    return Silenced(Rows(inputs, known, came), ends, mean[:, asked.index(horizon)], begins)


def _without(record: Record, begins: Many, ends: Many) -> Record:
    """The record with no reading after each beginning up to its end."""
    s = record[codes.glucose]
    i = np.searchsorted(ends, s.at, side="left")
    place = np.minimum(i, len(ends) - 1)
    hidden = (i < len(ends)) & (s.at > begins[place])
    return Record(record.patient, {**record.columns, codes.glucose: s.keep(~hidden)})


def told(found: Table) -> list[str]:
    """The table as Markdown rows."""
    return rows_of("silent for", found, voices)
