"""Statistical peers of the twin, taught for one horizon, and how their errors are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.learning import hybrid, lightgbm_person, lightgbm_pooled, ridge_glucose, ridge_inputs
from medtwin.learning.head import Head
from medtwin.learning.inputs import Inputs
from medtwin.learning.lessons import exam_begins
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.personal import Personal
from medtwin.twin.refit import TooLittle, refit

horizon = 60
heard = (codes.glucose, codes.insulin_bolus, codes.insulin_basal, codes.carbohydrate)
Table = dict[str, Any]
Fits = Mapping[tuple[int, str], Personal | None]
Many = Float[np.ndarray, " forecast"]


@dataclass(frozen=True)
class Rows:
    """What a head is told at each moment, the last glucose it knows, and what then came."""

    inputs: Inputs
    last: Many
    came: Many

    def keep(self, which: np.ndarray) -> "Rows":
        """These moments only."""
        return Rows(self.inputs.keep(which), self.last[which], self.came[which])


def of_strangers(head: Head) -> Head:
    """The same head, that knows nobody by name: it will speak of people it never met."""
    return replace(head, told=lambda name: name != "person" and head.told(name))


ridge, ridge_all, alone = ridge_glucose.head, ridge_inputs.head, lightgbm_person.head
pooled, with_twin = of_strangers(lightgbm_pooled.head), of_strangers(hybrid.head)


def hears(record: Record) -> Record:
    """Glucose, insulin and meals only."""
    return Record(record.patient, {code: record[code] for code in heard})


def recent(record: Record, days: int) -> Record:
    """The record as if the sensor had begun so many days before the exam."""
    first = exam_begins(record) - 86400.0 * days
    return Record(record.patient, {c: s.keep(s.at >= first) for c, s in record.columns.items()})


def fitted(record: Record, days: int) -> Personal | None:
    """The twin's fit to the last so many days before the exam."""
    try:
        return refit(recent(hears(record), days), model, moment(exam_begins(record)))
    except TooLittle:
        return None


def taught(head: Head, past: Sequence[Rows]) -> Any:
    """The rule a head learns from these people's rows."""
    lessons = [one.keep(np.isfinite(one.came - one.last)) for one in past]
    told = [_told(head, one.inputs) for one in lessons]
    values = np.concatenate([t.values for t in told])
    change = np.concatenate([one.came - one.last for one in lessons])
    return head.learn(Inputs(told[0].names, values), change, horizon)


def says(head: Head, rule: Any, rows: Rows) -> Many:
    """The glucose it expects at the horizon."""
    return rows.last + rule(_told(head, rows.inputs).values)


def _told(head: Head, inputs: Inputs) -> Inputs:
    columns = [i for i, name in enumerate(inputs.names) if head.told(name)]
    return Inputs(tuple(inputs.names[i] for i in columns), inputs.values[:, columns])


def errors(said: Mapping[str, Sequence[Many]], came: Sequence[Many]) -> Table:
    """RMSE of each voice over the forecasts that all could make and a reading came to judge."""
    whole = {voice: np.concatenate(list(each)) for voice, each in said.items()}
    true = np.concatenate(list(came))
    judged = np.isfinite(true) & np.isfinite(np.stack(list(whole.values()))).all(axis=0)
    table: Table = {
        voice: float(np.sqrt(np.mean((of - true)[judged] ** 2))) for voice, of in whole.items()
    }
    return table | {"n": int(judged.sum())}


def rows_of(title: str, table: Mapping[str, Table], voices: Sequence[str]) -> list[str]:
    """Errors as a Markdown table, a row for each case; the best in bold."""
    lines = [f"| {title} | n | " + " | ".join(v.replace("_", " ") for v in voices) + " |"]
    lines.append("|---" * (2 + len(voices)) + "|")
    for case, of in table.items():
        best = min(of[v] for v in voices)
        cells = (f"**{of[v]:.2f}**" if of[v] == best else f"{of[v]:.2f}" for v in voices)
        lines.append(f"| {case} | {of['n']} | " + " | ".join(cells) + " |")
    return lines
