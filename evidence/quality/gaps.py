"""A sensor that was silent for 1, 3 or 6 hours just before the forecast.

The readings of the silence are taken out; doses and meals of those hours are known. All voices
forecast from the end of the silence, an hour ahead. The statistical peers are taught for exactly
this: the inputs as they stood at the last reading, and doses, meals and the clock as they stand
now, for every silence of that length in the past. `shown` is what a person sees live: the twin, a
straight line and boosted trees taught by this person's own past silences alone and told what the
twin believes, weighed by their own rehearsal (`medtwin/twin/silence.py`, the code that runs live);
`held` is how often its 90 % interval held the reading. `mix` weighs these, `hybrid` and both
LightGBMs by everybody's rehearsal: it has heard other people too, as `lightgbm_pooled`,
`lightgbm_mean` and `hybrid` have.
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
from medtwin.care.refine import of_late
from medtwin.learning import hybrid, lightgbm_pooled, silent_line, silent_trees
from medtwin.learning.head import Ahead, Head, Lesson, predict
from medtwin.learning.inputs import Inputs
from medtwin.learning.lessons import exam_begins
from medtwin.physiology.glucose_living import model
from medtwin.record.record import Record
from medtwin.twin import silence
from medtwin.twin.mix import Said, levels, mechanism, mixed, stacked
from medtwin.twin.personal import Personal

hours = (1, 3, 6)
place = silence.horizons.index(horizon)
own_heads = (silent_line.head, silent_trees.head)
weighed = ("twin", "hybrid", "lightgbm_pooled", "lightgbm_person", "silent_line", "silent_trees")
voices = ("persistence", "ridge_inputs", "lightgbm_person", "lightgbm_pooled", "lightgbm_mean")
voices += ("twin", "shown", "hybrid", "mix")


@dataclass(frozen=True)
class Silenced:
    """One person's forecasts after silences of one length: before the exam, and in it."""

    lesson: Lesson
    believed: Ahead
    begins: float

    @property
    def rows(self) -> Rows:
        """What the heads of a silence are told."""
        one = self.lesson
        return Rows(one.inputs, one.inputs["glucose"].astype(float), one.measured[horizon])

    @property
    def plain(self) -> Rows:
        """What statistical peers are told: nothing of the twin's."""
        rows = self.rows
        heard = [i for i, n in enumerate(rows.inputs.names) if not n.startswith(not_for_peers)]
        names = tuple(rows.inputs.names[i] for i in heard)
        return Rows(Inputs(names, rows.inputs.values[:, heard]), rows.last, rows.came)

    @property
    def twin(self) -> Many:
        """What the twin expects."""
        return self.believed.mean[:, place]

    @property
    def exam(self) -> np.ndarray:
        """The forecasts of the exam."""
        return self.lesson.moments >= self.begins

    def within(self, share: tuple[float, float]) -> np.ndarray:
        """The forecasts made in this part of the days before the exam."""
        moments = self.lesson.moments
        past = moments + 60 * horizon < self.begins
        low, high = np.quantile(moments[past], share)
        return (moments >= low) & (moments <= high) & past


not_for_peers = ("twin", "minutes of silence")
By = dict[int, list[Silenced]]


def table(records: Mapping[str, Record], fits: Fits) -> Table:
    """RMSE (mg/dL) of each voice an hour after a silence, by its length.

    `fits` are the twin's, by days and person; those to the last fortnight are taken.
    """
    people = [(hears(r), fits[14, r.patient]) for r in records.values()]
    by = {gap: [silenced(r, fit, gap) for r, fit in people] for gap in hours}
    live = [_live(r, fit, [by[gap][i] for gap in hours]) for i, (r, fit) in enumerate(people)]
    early, late = _all(by, (0.0, 0.7)), _all(by, (0.7, 1.0))
    rehearsed, last = _said(by, early, late), _all(by, (0.0, 1.0))
    exam = {gap: [one.exam for one in each] for gap, each in by.items()}
    said = _said(by, last, exam)
    found = {}
    for k, gap in enumerate(hours):
        came = [one.rows.came[one.exam] for one in by[gap]]
        share = _shares(rehearsed[gap], [one.rows.came[w] for one, w in _both(by, late, gap)])
        shown = [each[k] for each in live]
        here = said[gap] | {"shown": [mean for mean, _, _ in shown]}
        here["mix"] = [share @ np.stack([here[v][i] for v in weighed]) for i in range(len(people))]
        found[f"{gap} h"] = errors({v: here[v] for v in voices}, came) | {
            "held": _held(shown, came)
        }
    return found


def silenced(record: Record, fit: Personal | None, gap: int) -> Silenced:
    """Silences all along the record, and what was known at their end."""
    begins = exam_begins(record)
    lesson, believed = silence.silences(record, model, fit, silence.horizons, (gap,), begins)
    return Silenced(lesson, believed, begins)


Shown = tuple[Many, Many, Many]  # mean, and the bounds of the 90 % interval


def _live(record: Record, fit: Personal | None, each: Sequence[Silenced]) -> list[Shown]:
    """What would have been shown after each silence of the exam: the code that runs live."""
    begins = exam_begins(record)
    before = {c: s.keep((s.at < begins) & (s.known < begins)) for c, s in record.columns.items()}
    learned = silence.taught(of_late(Record(record.patient, before)), model, fit)
    weights = silence.weights_of(learned, ())
    shown = []
    for one in each:
        lesson, believed = one.lesson.keep(one.exam), one.believed
        said = {h.head: predict(h, lesson) for h in learned}
        said[mechanism] = Ahead(believed.mean[one.exam], believed.spread[one.exam])
        mean, spread = _mixed(said, weights)
        low, high = (-1.645, 1.645)
        if weights is not None:
            low, high = (np.interp(q, levels, weights.misses[place]) for q in (0.05, 0.95))
        shown.append((mean, mean + low * spread, mean + high * spread))
    return shown


def _mixed(said: Mapping[str, Ahead], weights: silence.Weights | None) -> tuple[Many, Many]:
    if weights is None:
        return said[mechanism].mean[:, place], said[mechanism].spread[:, place]
    at = tuple(map(float, silence.horizons))
    rows = [
        mixed([Said(by, at, a.mean[i], a.spread[i]) for by, a in said.items()], weights)
        for i in range(len(said[mechanism].mean))
    ]
    mean, spread = (np.array([row[k][place] for row in rows]) for k in (0, 1))
    return mean, spread


def _held(shown: Sequence[Shown], came: Sequence[Many]) -> float:
    low, high = (np.concatenate([one[k] for one in shown]) for k in (1, 2))
    true = np.concatenate(list(came))
    known = np.isfinite(true) & np.isfinite(low)
    return float(np.mean(((true >= low) & (true <= high))[known]))


Which = dict[int, list[np.ndarray]]


def _all(by: By, share: tuple[float, float]) -> Which:
    return {gap: [one.within(share) for one in each] for gap, each in by.items()}


def _both(by: By, which: Which, gap: int) -> list[tuple[Silenced, np.ndarray]]:
    return list(zip(by[gap], which[gap], strict=True))


def _said(by: By, past: Which, asked: Which) -> dict[int, dict[str, list[Many]]]:
    """What each voice says of the silences asked about, taught by those of the past.

    Peers are taught for each length by itself; heads that hear the twin by all of them together.
    """
    people = range(len(by[hours[0]]))
    every = [
        [one.rows.keep(w) for g in hours for one, w in [_both(by, past, g)[i]]] for i in people
    ]
    together = taught(hybrid.head, [rows for mine in every for rows in mine])
    own = {head: [taught(head, mine) for mine in every] for head in own_heads}
    found = {}
    for gap in hours:
        told = [one.rows.keep(w) for one, w in _both(by, asked, gap)]
        said = _peers(by, past, asked, gap)
        said["twin"] = [one.twin[w] for one, w in _both(by, asked, gap)]
        said["hybrid"] = [says(hybrid.head, together, rows) for rows in told]
        for head, rules in own.items():
            said[head.name] = [says(head, r, rows) for r, rows in zip(rules, told, strict=True)]
        found[gap] = said
    return found


def _peers(by: By, past: Which, asked: Which, gap: int) -> dict[str, list[Many]]:
    taught_by = [one.plain.keep(w) for one, w in _both(by, past, gap)]
    told = [one.plain.keep(w) for one, w in _both(by, asked, gap)]
    said: dict[str, list[Many]] = {"persistence": [rows.last for rows in told]}
    pooled = taught(lightgbm_pooled.head, taught_by)
    said["lightgbm_pooled"] = [says(lightgbm_pooled.head, pooled, rows) for rows in told]
    for head in (ridge_all, alone):
        said[head.name] = [_alone(head, t, r) for t, r in zip(taught_by, told, strict=True)]
    pairs = zip(said["lightgbm_person"], said["lightgbm_pooled"], strict=True)
    said["lightgbm_mean"] = [(one + other) / 2 for one, other in pairs]
    return said


def _alone(head: Head, past: Rows, rows: Rows) -> Many:
    return says(head, taught(head, [past]), rows)


def _shares(said: Mapping[str, Sequence[Many]], came: Sequence[Many]) -> Many:
    """How much each voice counts, from the last days before the exam, taught by those before."""
    mean = np.stack([np.concatenate(list(said[v])) for v in weighed])
    true = np.concatenate(list(came))
    known = np.isfinite(true) & np.isfinite(mean).all(axis=0)
    return stacked(mean[:, known], true[known])


def told(found: Table) -> list[str]:
    """The table as Markdown rows."""
    known = [v for v in voices if all(v in of for of in found.values())]
    held = [f"{of['held']:.1%} after {case}" for case, of in found.items() if "held" in of]
    said = ["", f"The shown's 90 % interval held {', '.join(held)}."] if held else []
    return [*rows_of("silent for", found, known), *said]
