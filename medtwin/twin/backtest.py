"""Would it have been right? Everybody's last days forecast again, from what was known then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool

from medtwin.engine.model import Model
from medtwin.learning import (
    hybrid,
    lightgbm_person,
    lightgbm_pooled,
    persistence,
    ridge_glucose,
)
from medtwin.learning.announced import meals_and_their_boluses
from medtwin.learning.head import Ahead, Head, Learned, Lesson, earlier, fit, predict
from medtwin.learning.inputs import Inputs
from medtwin.learning.lessons import before, exam_begins, lesson, quarter_hours, since
from medtwin.learning.readings import Moments
from medtwin.physiology.glucose_living import model as living
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.along import said_along, said_under
from medtwin.twin.exam import Effect, Spoken, Voice, lived, normal
from medtwin.twin.heads import recalled
from medtwin.twin.honest import Stretch
from medtwin.twin.honest import rehearsed as widened
from medtwin.twin.judged import Table, halfway, one_by_one, paired, scores
from medtwin.twin.lasting import rehearsed as comes_back
from medtwin.twin.mix import Weights, mechanism, weighed
from medtwin.twin.mix import levels as mix_levels
from medtwin.twin.personal import Personal
from medtwin.twin.refit import TooLittle, refit

Tell = Callable[[float, str], None]

scenarios = ("unannounced", "planned_meals")
heard = (codes.glucose, codes.insulin_bolus, codes.insulin_basal, codes.carbohydrate)
own_heads = (persistence.head, ridge_glucose.head, lightgbm_person.head)
shared_heads = (lightgbm_pooled.head, hybrid.head)
mixed = (mechanism, "ridge", "lightgbm_person", "lightgbm_pooled", "hybrid")
peers = ("lightgbm_mean", "lightgbm_pooled")
rehearsed = 5 / 7


@dataclass(frozen=True)
class Case:
    """One person of the back-test: record, plan, when the exam begins, personal fit, lessons.

    `along` is what the twin says at every moment of the lessons, by scenario; `population` what
    the unfitted one says in the exam.
    """

    record: Record
    plan: Record
    begins: float
    personal: Personal | None
    lessons: Mapping[str, Lesson]
    along: Mapping[str, Ahead]
    population: Mapping[str, Ahead]

    @property
    def past(self) -> Bool[np.ndarray, " moment"]:
        """Which moments lie before the exam."""
        return self.lessons["unannounced"].moments < self.begins


def quiet(_: float, __: str) -> None:
    """Say nothing about progress."""


def backtest(
    records: Mapping[str, Record],
    name: str,
    horizons: Sequence[int] = (30, 60, 120),
    progress: Tell = quiet,
    model: Model[Any] = living,
) -> Table:
    """Forecasts every 15 minutes of each person's last 30 % of days, held against what came.

    `horizons` are minutes, multiples of 15 up to 120. Returns the table that
    `medtwin backtest --json` writes: scores in mg/dL, coverage as fractions. Each person's
    first 70 % of days teach their own fit and heads; everybody's teach the pooled heads; the
    last two sevenths of those days, rehearsed without having been learned, set the weights of
    the mix. Nothing is fitted to the exam's days.
    """
    fitted(horizons)
    cases = [
        prepared(record, horizons, model, progress, i / len(records))
        for i, record in enumerate(records.values())
    ]
    voices, heads = {}, {}
    for scenario in scenarios:
        progress(0.4, f"teaching heads, {scenario}")
        voices[scenario], heads[scenario] = taught(cases, scenario, horizons)
    said, effects = [], []
    for i, case in enumerate(cases):
        progress(0.6 + 0.4 * i / len(cases), f"reliving the last days of {case.record.patient}")
        answers, effect = relived(case, [voices[s][i] for s in scenarios], model)
        for scenario in scenarios:
            answers |= {(scenario, n): h[i] for n, h in heads[scenario].items()}
            unfitted = case.population[scenario]
            answers[scenario, "population"] = normal(unfitted.mean, unfitted.spread)
        said.append(answers)
        effects.append(effect)
    people = {s: _each(cases, said, s, horizons) for s in scenarios}
    return {
        "set": name,
        "scenarios": {s: _scenario(cases, said, s, horizons) for s in scenarios},
        "people": people,
        "paired": {s: {h: _paired(each) for h, each in of.items()} for s, of in people.items()},
        "insulin_effect": insulin_effect(cases, effects, horizons),
    }


def fitted(horizons: Sequence[int]) -> None:
    """Refuse horizons that the loop does not look at."""
    if bad := [h for h in horizons if h % 15 or not 15 <= h <= 120]:
        raise ValueError(
            f"horizons {bad} min are not looked at; give multiples of 15 from 15 to 120"
        )


def prepared(
    record: Record, horizons: Sequence[int], model: Model[Any], progress: Tell, share: float
) -> Case:
    """One person's lessons, and the twin's own fit to the days before the exam."""
    record = Record(record.patient, {c: record[c] for c in heard})
    progress(0.4 * share, f"fitting the twin of {record.patient}")
    begins, moments = exam_begins(record), quarter_hours(record)
    plan = meals_and_their_boluses(record)
    try:
        personal = refit(record, model, moment(begins))
    except TooLittle:
        personal = None
    lessons = {
        "unannounced": lesson(record, moments, horizons),
        "planned_meals": lesson(record, moments, horizons, plan),
    }
    along = _both(record, plan, model, moments, horizons, personal, begins)
    exam = moments[moments >= begins]
    population = _both(record, plan, model, exam, horizons, None, begins)
    told = {
        s: replace(one, inputs=_with_twin(one, along[s], horizons)) for s, one in lessons.items()
    }
    return Case(record, plan, begins, personal, told, along, population)


def _both(
    record: Record,
    plan: Record,
    model: Model[Any],
    moments: Moments,
    horizons: Sequence[int],
    personal: Personal | None,
    begins: float,
) -> dict[str, Ahead]:
    """What a twin says along the moments in each scenario."""
    bare = said_along(record, model, moments, horizons, personal, begins)
    under = said_under(record, plan, model, moments, horizons, bare, personal, begins)
    return {"unannounced": Ahead(*bare), "planned_meals": Ahead(*under)}


def _with_twin(one: Lesson, along: Ahead, horizons: Sequence[int]) -> Inputs:
    """The inputs, and what the twin believes beside them."""
    names = [f"twin {what} in {h} min" for what in ("change", "doubt") for h in horizons]
    change = along.mean - one.inputs["glucose"][:, None]
    beliefs = np.hstack([change, along.spread]).astype(np.float32)
    return one.inputs.beside(Inputs(tuple(names), beliefs))


def taught(
    cases: Sequence[Case], scenario: str, horizons: Sequence[int]
) -> tuple[list[Voice], dict[str, list[Spoken]]]:
    """Each person's voice in the loop, and what each head says in the exam, person by person."""
    past = [before(case.lessons[scenario], case.begins) for case in cases]
    exam = [since(case.lessons[scenario], case.begins) for case in cases]
    rehearsals: dict[str, Sequence[Ahead]] = {mechanism: _rehearsed_twin(cases, scenario)}
    said: dict[str, list[Ahead]] = {}
    for head in own_heads:
        learned, rehearsals[head.name] = _each_alone(head, past, horizons)
        said[head.name] = [predict(one, to) for one, to in zip(learned, exam, strict=True)]
    for head in shared_heads:
        together, rehearsals[head.name] = fit(head, past, horizons, rehearsed)
        said[head.name] = [predict(together, to) for to in exam]
    last = [one.keep(~earlier(one, rehearsed)) for one in past]
    weights = _weights(rehearsals, last, horizons)
    voices = [
        Voice(
            _recalled(said, i, one.moments, horizons),
            weights,
            _rehearsed_stretch(weights, {n: rehearsals[n][i] for n in mixed}, last[i]),
        )
        for i, one in enumerate(exam)
    ]
    spoken = {n: [normal(a.mean, a.spread) for a in every] for n, every in said.items()}
    spoken["lightgbm_mean"] = halfway(said["lightgbm_person"], said["lightgbm_pooled"])
    return voices, spoken


def _each_alone(
    head: Head, past: Sequence[Lesson], horizons: Sequence[int]
) -> tuple[list[Learned], list[Ahead]]:
    """Everybody taught by their own past only."""
    pairs = [fit(head, [one], horizons, rehearsed) for one in past]
    return [learned for learned, _ in pairs], [said[0] for _, said in pairs]


def _rehearsed_twin(cases: Sequence[Case], scenario: str) -> list[Ahead]:
    """What the twin says on the days that are rehearsed."""
    said = []
    for case in cases:
        past = case.lessons["unannounced"].keep(case.past)
        late = ~earlier(past, rehearsed)
        along = case.along[scenario]
        said.append(Ahead(along.mean[case.past][late], along.spread[case.past][late]))
    return said


def _weights(
    rehearsals: Mapping[str, Sequence[Ahead]], last: Sequence[Lesson], horizons: Sequence[int]
) -> Weights:
    """The shares that the rehearsed days support, from everybody's together."""
    mean = {n: np.concatenate([a.mean for a in rehearsals[n]]) for n in mixed}
    spread = {n: np.concatenate([a.spread for a in rehearsals[n]]) for n in mixed}
    parts = []
    for k, h in enumerate(horizons):
        measured = np.concatenate([one.measured[h] for one in last])
        said = np.stack([mean[n][:, k] for n in mixed])
        known = np.isfinite(measured) & np.isfinite(said).all(axis=0)
        doubt = np.stack([spread[n][:, k] for n in mixed])
        parts.append((said[:, known], doubt[:, known], measured[known]))
    return weighed(mixed, tuple(map(float, horizons)), parts)


def _rehearsed_stretch(weights: Weights, said: Mapping[str, Ahead], last: Lesson) -> Stretch:
    """How far this person's intervals had to be stretched on the rehearsed days, and what kept
    coming back in their misses."""
    stretch, lasting = Stretch(), {}
    for k, h in enumerate(weights.horizons):
        share = weights.share[k]
        mean = share @ np.stack([said[n].mean[:, k] for n in weights.by])
        missed = last.measured[round(h)] - mean
        lasting[h], corrections = comes_back(last.moments, missed, h)
        spread = share @ np.stack([said[n].spread[:, k] for n in weights.by])
        low, high = (np.interp(q, mix_levels, weights.misses[k]) for q in (0.05, 0.95))
        off = np.abs(missed - corrections - spread * (low + high) / 2)
        stretch = widened(stretch, h, (off / (spread * (high - low) / 2))[np.isfinite(off)])
    return replace(stretch, lasting=lasting)


def _recalled(
    said: Mapping[str, Sequence[Ahead]], i: int, moments: Moments, horizons: Sequence[int]
) -> tuple[Any, ...]:
    return tuple(recalled(n, horizons, moments, said[n][i]) for n in mixed if n in said)


def relived(
    case: Case, voices: Sequence[Voice], model: Model[Any]
) -> tuple[dict[tuple[str, str], Spoken], Effect]:
    """One person's exam through the loop, the twin under its name in the table."""
    moments = case.lessons["unannounced"].moments[~case.past]
    answers, effect = lived(case.record, case.plan, model, case.personal, moments, *voices)
    names = {mechanism: "twin", "shown": "shown"}
    return {(s, names[by]): said for (s, by), said in answers.items()}, effect


reported = (
    *("twin", "shown", "persistence", "ridge", "lightgbm_person", "lightgbm_pooled"),
    *("lightgbm_mean", "population"),
)


def _scenario(
    cases: Sequence[Case],
    said: Sequence[Mapping[tuple[str, str], Spoken]],
    scenario: str,
    horizons: Sequence[int],
) -> Table:
    table: Table = {}
    for k, h in enumerate(horizons):
        came = [c.lessons[scenario].measured[h][~c.past] for c in cases]
        voices = {name: [answers[scenario, name] for answers in said] for name in reported}
        table[str(h)] = {name: scores(of, came, k) for name, of in voices.items()}
    return table


def _each(
    cases: Sequence[Case],
    said: Sequence[Mapping[tuple[str, str], Spoken]],
    scenario: str,
    horizons: Sequence[int],
) -> Table:
    table: Table = {}
    who = [case.record.patient for case in cases]
    for k, h in enumerate(horizons):
        came = [c.lessons[scenario].measured[h][~c.past] for c in cases]
        voices = {name: [answers[scenario, name] for answers in said] for name in reported}
        table[str(h)] = one_by_one(who, voices, came, k)
    return table


def _paired(each: Table) -> Table:
    """The shown against its strongest peers, person by person."""
    return {f"shown against {peer}": paired(each, "shown", peer) for peer in peers}


def insulin_effect(
    cases: Sequence[Case], effects: Sequence[Effect], horizons: Sequence[int]
) -> Table:
    """What one unit does at each horizon, as a share of the correction factor."""
    each = np.array([e.share.mean(axis=0) for e in effects])
    lowers = [bool((e.share > 0).all()) for e in effects]
    return {
        **{str(h): float(np.median(each[:, k])) for k, h in enumerate(horizons) if h >= 60},
        "lowers_people": sum(lowers),
        "people": len(cases),
        "each": {
            case.record.patient: {str(h): float(each[i, k]) for k, h in enumerate(horizons)}
            for i, case in enumerate(cases)
        },
    }
