"""The exam's days replayed through the twin, with what was injected and eaten.

The exact filter goes through the days, sensor in hand, and a smoother (Rauch, Tung & Striebel)
back again: what is left is the inferred course of the unexplained flux, and the glucose that model,
inputs and flux give together. Twice: with every reading, and with every second hour of readings
hidden, where `hidden` judges the hours nobody told the twin of. Time in range is what is expected
of the reading under the belief (its spread counted), against what the sensor showed at the same
moments; the fit is the one to the fortnight before the exam.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from evidence.quality.voices import Fits, Many, Table, hears
from medtwin.learning.lessons import exam_begins
from medtwin.maths.filters.filter import Gaussian, Told
from medtwin.maths.filters.smoothing import smoothed
from medtwin.maths.kalman import compiled, reading
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.along import as_learned
from medtwin.twin.exact import belief, lines, system
from medtwin.twin.personal import Personal
from medtwin.twin.timeline import events, of_record
from medtwin.twin.twin import born

low, high = 70.0, 180.0
most = 4.0
warm_up = 86400.0
tiny = 1e-9  # so that a meal long digested can be looked back through
Array = np.ndarray


@dataclass(frozen=True)
class Course:
    """The reading at each moment as measured and as replayed: its mean and sd."""

    at: Many
    measured: Many
    mean: Many
    sd: Many

    def keep(self, which: Array) -> "Course":
        """These moments only."""
        return Course(self.at[which], self.measured[which], self.mean[which], self.sd[which])


def table(records: Mapping[str, Record], fits: Fits) -> Table:
    """How far times in and below range, replayed, lie from those measured (points of percent)."""
    found: dict[str, list[Course]] = {"all readings": [], "every second hour": [], "hidden": []}
    for record in map(hears, records.values()):
        fit, begins = fits[14, record.patient], exam_begins(record)
        whole = replayed(record, fit, begins, np.zeros(0))
        hours = np.arange(begins, record[codes.glucose].at[-1], 7200.0)
        half = replayed(record, fit, begins, hours)
        found["all readings"].append(whole)
        found["every second hour"].append(half)
        found["hidden"].append(half.keep(_hidden(half.at, hours)))
    return {name: _summary(courses) for name, courses in found.items()}


def _summary(courses: list[Course]) -> Table:
    inside = np.array([_times(c) for c in courses])
    off = 100 * (inside[:, 0] - inside[:, 1])
    mean, true = (np.concatenate([getattr(c, n) for c in courses]) for n in ("mean", "measured"))
    n = np.array([len(c.at) for c in courses])
    return {
        "readings": int(n.sum()),
        "people": len(courses),
        "in_range": [100 * float(n @ inside[:, k, 0] / n.sum()) for k in (0, 1)],
        "below": [100 * float(n @ inside[:, k, 1] / n.sum()) for k in (0, 1)],
        "in_range_off": float(np.median(np.abs(off[:, 0]))),
        "below_off": float(np.median(np.abs(off[:, 1]))),
        "within_1": int(np.sum(np.abs(off[:, 0]) <= 1.0)),
        "within_half": int(np.sum(np.abs(off[:, 1]) <= 0.5)),
        "mard": float(np.mean(np.abs(mean - true) / true)),
    }


def _times(c: Course) -> tuple[tuple[float, float], tuple[float, float]]:
    """Shares of time in and below range: replayed, measured."""
    below = norm.cdf((low - 0.5 - c.mean) / c.sd)
    above = 1 - norm.cdf((high + 0.5 - c.mean) / c.sd)
    inside = (c.measured >= low) & (c.measured <= high)
    said = (float(np.mean(1 - below - above)), float(np.mean(below)))
    return said, (float(inside.mean()), float(np.mean(c.measured < low)))


def _hidden(at: Many, hours: Many) -> Array:
    """Which moments lie in an hour that begins at one of `hours`."""
    place = np.searchsorted(hours, at, side="right") - 1
    return (place >= 0) & (at - hours[np.maximum(place, 0)] < 3600.0)


def replayed(record: Record, fit: Personal | None, begins: float, hours: Many) -> Course:
    """The exam's readings replayed; those in the hour from each of `hours` are not told."""
    start = moment(begins - warm_up)
    known = record.known(by=moment(begins))
    twin = born(record.patient, model, start, known, members=1, personal=fit)
    timeline = of_record(model, as_learned(record), start.timestamp(), np.inf)
    happened = events(timeline, twin.ends)[0]
    kinds, at = happened.kind, 60 * happened.minutes
    hidden = (kinds == reading) & (_hidden(at, hours) if len(hours) else False)
    beliefs, told, seen = _forward(twin, happened, hidden)
    after = smoothed(beliefs, told)[1:]
    row, level = seen.rows[0, 0], float(seen.levels[0, 0])
    rows = np.flatnonzero((kinds == reading) & (at >= begins))
    line = row[list(system(model).linear)]
    mean = np.array([level + line @ after[k].mean for k in rows])
    sd = np.array([np.sqrt(line @ after[k].covariance @ line) for k in rows])
    blur = np.array([_white(twin, m) for m in mean])
    return Course(at[rows], happened.amount[rows], mean, np.hypot(sd, blur))


def _white(twin: Any, expected: float) -> float:
    p = model.parameters(*twin.parameters[:, 0])
    x = [0.0] * len(model.states)
    x[model.states.index("interstitial glucose")] = expected
    return float(model.error(tuple(x), p)[0]) if model.error else 0.0


def _forward(twin: Any, happened: Any, hidden: Array) -> tuple[list[Gaussian], list[Told], Any]:
    """The exact filter's beliefs at each event, and how each hangs together with the one before."""
    whole, first = system(model), belief(twin)
    seen = lines(model, model.parameters(*twin.parameters), 1, True)
    x, covariance, u = first.mean[0].copy(), first.covariance[0].copy(), first.rates[0].copy()
    p, linear, now = twin.parameters[:, 0].copy(), list(whole.linear), twin.at / 60
    beliefs, told = [Gaussian(now, x[linear].copy(), covariance.copy())], []
    for k in range(len(happened)):
        before = covariance.copy()
        moves = np.eye(len(linear))
        for at, minutes in _steps(now, float(happened.minutes[k])):
            step, added, x = _step(whole, at, minutes, x, u, p)
            covariance, moves = step @ covariance @ step.T + added, step @ moves
        now = float(happened.minutes[k])
        if happened.kind[k] != reading:
            w, amount, usual = int(happened.which[k]), float(happened.amount[k]), seen.usual[0]
            given = (seen.jumps[0], seen.doubts[0], seen.tells[0])
            compiled(whole).happen(happened.kind[k], w, amount, x, covariance, u, usual, *given)
        came = Gaussian(now, x[linear].copy(), covariance + tiny * np.eye(len(linear)))
        if happened.kind[k] == reading and not hidden[k]:
            noise = float(np.asarray(whole.error(tuple(x), model.parameters(*p))[0]))
            value, vec = float(happened.amount[k]), np.zeros((8, len(x)))
            row, level = seen.rows[0, 0], float(seen.levels[0, 0])
            compiled(whole).learn(value, x, covariance, row, level, noise, most, vec)
        beliefs.append(Gaussian(now, x[linear].copy(), covariance.copy()))
        told.append(Told(np.nan, np.nan, 0.0, came, before @ moves.T))
    return beliefs, told, seen


def _steps(begin: float, end: float) -> Iterator[tuple[float, float]]:
    count = int(np.ceil((end - begin) / model.step - 1e-9)) if end > begin else 0
    for k in range(count):
        yield begin + k * (end - begin) / count, (end - begin) / count


def _step(
    whole: Any, at: float, minutes: float, x: Array, u: Array, p: Array
) -> tuple[Float[Array, "n n"], Float[Array, "n n"], Array]:
    """One step's propagator, the covariance it adds, and all states at its end."""
    n = len(whole.linear)
    room, vec, end = np.zeros((8, n, n)), np.zeros((8, len(x))), np.zeros(len(x))
    half, full, added = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    shifts = (np.zeros(n), np.zeros(n))
    compiled(whole).matrices(
        at % 1440.0, minutes, x, u, p, room, vec, end, half, full, *shifts, added
    )
    return full, added, end


def goals(found: Table) -> list[tuple[bool, str]]:
    """What was asked: in range within 1 point of measured, below within half a point."""
    lines_ = []
    for name, t in found.items():
        (said, was), (under, below) = t["in_range"], t["below"]
        whole = f"replay, {name}: in range {said:.1f} % against {was:.1f} % measured"
        lines_.append((abs(said - was) <= 1.0, whole))
        whole = f"replay, {name}: below range {under:.2f} % against {below:.2f} % measured"
        lines_.append((abs(under - below) <= 0.5, whole))
    return lines_


def told(found: Table) -> list[str]:
    """The table as Markdown rows."""
    head = "| replayed from | readings | in range, replayed / measured | below | a person's miss: "
    head += "in range | below | people within 1 / 0.5 points | MARD |"
    out = [head, "|---" * 8 + "|"]
    for name, t in found.items():
        (a, b), (c, d) = t["in_range"], t["below"]
        out.append(
            f"| {name} | {t['readings']} | {a:.1f} / {b:.1f} % | {c:.2f} / {d:.2f} % | "
            f"{t['in_range_off']:.2f} | {t['below_off']:.2f} | {t['within_1']} / "
            f"{t['within_half']} of {t['people']} | {t['mard']:.1%} |"
        )
    return out
