"""Virtual people, where the truth is known: what the twin says a changed dose would have done.

Adults of the UVA/Padova simulator (`physiology.type1`) live ten days with three meals, counted
with an error of 20 %, a snack nobody entered on one day in three, and a sensor's error. The twin
is fitted to the first eight and follows the last two; before each meal it is asked what another
plan would do. The simulator then lives that plan.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.hospital.sensor import errors, on_the_scale
from medtwin.physiology import type1
from medtwin.physiology.glucose_living import model
from medtwin.physiology.virtual_people import VirtualPeople, people
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.assimilate import caught_up
from medtwin.twin.forecast import compare, forecast
from medtwin.twin.refit import refit
from medtwin.twin.twin import born

begin = datetime(2026, 3, 2, tzinfo=UTC)
days, fitted = 10, 8
hours = ((7.5, 45.0), (12.5, 65.0), (18.75, 65.0))
looked = np.arange(15.0, 241.0, 15.0)
Table = dict[str, Any]


@dataclass(frozen=True)
class Meal:
    """One meal: minutes since the beginning, what was eaten (g), counted (g) and dosed (U)."""

    at: float
    eaten: float
    counted: float
    dose: float


Change = Callable[[Meal], Meal]
changes: dict[str, Change] = {
    "half the dose": lambda m: replace(m, dose=0.5 * m.dose),
    "a third more": lambda m: replace(m, dose=4 / 3 * m.dose),
    "bolus forgotten": lambda m: replace(m, dose=0.0),
    "meal missed, with its bolus": lambda m: replace(m, eaten=0.0, counted=0.0, dose=0.0),
}


def measured(count: int = 10, seed: int = 5) -> Table:
    """MARD of the course under the other plan, and its effect, against the simulator's."""
    everybody = people(count, np.random.default_rng([seed, 0]))
    found: dict[str, list[Table]] = {name: [] for name in changes}
    for i in range(count):
        for name, asked in _of_one(everybody.only(slice(i, i + 1)), i, seed):
            found[name].append(asked)
    return {name: _summary(rows) for name, rows in found.items()} | {
        "all": _summary([row for rows in found.values() for row in rows]),
        "people": count,
        "seed": seed,
    }


def _of_one(body: VirtualPeople, i: int, seed: int) -> Iterator[tuple[str, Table]]:
    rng = np.random.default_rng([seed, 1, i])
    meals, snacks = eaten(body, rng)
    truth = lived(body, meals, snacks)
    record = seen(f"virtual-{i}", body, meals, truth, rng)
    exam = begin + timedelta(days=fitted)
    personal = refit(record, model, exam)
    first = born(record.patient, model, exam - timedelta(days=2), record, personal=personal)
    twin = first
    for k, meal in enumerate(meals):
        if meal.at < fitted * 1440 or meal.at + looked[-1] > days * 1440:
            continue
        twin = caught_up([first, twin], record, begin + timedelta(minutes=meal.at - 1))
        for name, change in changes.items():
            other = change(meal)
            after = lived(body, [*meals[:k], other, *meals[k + 1 :]], snacks)
            yield name, _asked(twin, meal, other, truth, after, record)


def _asked(twin: Any, meal: Meal, other: Meal, truth: Any, after: Any, record: Record) -> Table:
    times = [begin + timedelta(minutes=meal.at + m) for m in looked]
    place = (meal.at + looked) / 5
    was, would = (np.interp(place, np.arange(len(c)), c) for c in (truth, after))
    said = compare(twin, codes.glucose, times, _plan(meal), _plan(other)).middle
    s = record[codes.glucose]
    shown = np.interp([t.timestamp() for t in times], s.at, s.value)
    ahead = forecast(twin, codes.glucose, times, _plan(other)).middle
    return {"true": would, "effect": would - was, "said": said, "replayed": shown + said} | {
        "foreseen": ahead
    }


def _summary(rows: Sequence[Table]) -> Table:
    true, effect, said, replayed, ahead = (
        np.stack([row[k] for row in rows])
        for k in ("true", "effect", "said", "replayed", "foreseen")
    )
    at = int(np.flatnonzero(looked == 120)[0])
    return {
        "asked": len(rows),
        "mard_replayed": float(np.mean(np.abs(replayed - true) / true)),
        "mard_foreseen": float(np.mean(np.abs(ahead - true) / true)),
        "true_effect_120": float(np.mean(effect[:, at])),
        "said_effect_120": float(np.mean(said[:, at])),
        "right_sign_120": float(np.mean(np.sign(effect[:, at]) == np.sign(said[:, at]))),
        "correlation_120": float(np.corrcoef(effect[:, at], said[:, at])[0, 1]),
    }


def eaten(body: VirtualPeople, rng: np.random.Generator) -> tuple[list[Meal], list[Meal]]:
    """Meals with their boluses, and snacks that nobody entered."""
    meals, snacks = [], []
    for day in range(days):
        for hour, grams in hours:
            at = 5 * round((day * 1440 + 60 * hour + rng.normal(0, 25)) / 5)
            ate = grams * rng.uniform(0.7, 1.3)
            counted = round(ate * np.exp(rng.normal(0, 0.2)))
            meals.append(Meal(float(at), ate, counted, _steps(counted / float(body.ratio[0]))))
        if rng.random() < 1 / 3:
            at = 5 * round((day * 1440 + 60 * rng.uniform(14.5, 17)) / 5)
            snacks.append(Meal(float(at), rng.uniform(10, 25), 0.0, 0.0))
    return meals, snacks


def lived(
    body: VirtualPeople, meals: Sequence[Meal], snacks: Sequence[Meal]
) -> Float[np.ndarray, " reading"]:
    """True interstitial glucose every five minutes of the ten days."""
    given = [Given(0.0, codes.insulin_basal, float(body.basal[0]), np.inf)]
    for meal in sorted([*meals, *snacks], key=lambda m: m.at):
        if meal.eaten > 0:
            given.append(Given(meal.at, codes.carbohydrate, meal.eaten, 15.0))
        if meal.dose > 0:
            given.append(Given(meal.at, codes.insulin_bolus, meal.dose))
    times = np.arange(0.0, days * 1440 + 1, 5.0)
    return simulate(type1.model, body.parameters, None, given, times).of(codes.glucose)[:, 0]


def seen(
    who: str, body: VirtualPeople, meals: Sequence[Meal], truth: Any, rng: np.random.Generator
) -> Record:
    """What sensor, pump and person tell of it."""
    error, last = [], 0.0
    for _ in range(days):
        day = errors(last, rng)
        last, error = day.last, [*error, *day.readings]
    values = on_the_scale(truth[: len(error)] + np.array(error))
    facts = [_fact(5.0 * k, codes.glucose, float(v)) for k, v in enumerate(values)]
    for hour in range(24 * days):
        at = begin + timedelta(hours=hour)
        end = at + timedelta(hours=1)
        rate = float(body.basal[0])
        facts.append(Observation(at, codes.insulin_basal, rate, "pump", at, until=end))
    for meal in meals:
        facts += _plan(meal)
    return Record(who).add(facts)


def _plan(meal: Meal) -> tuple[Observation, ...]:
    eaten = [_fact(meal.at, codes.carbohydrate, meal.counted)] if meal.counted > 0 else []
    dosed = [_fact(meal.at, codes.insulin_bolus, meal.dose)] if meal.dose > 0 else []
    return (*eaten, *dosed)


def _fact(at: float, code: Any, value: float) -> Observation:
    when = begin + timedelta(minutes=at)
    return Observation(when, code, value, "virtual", when)


def _steps(dose: float) -> float:
    """Pumps give in steps of 0.05 U."""
    return round(round(dose / 0.05) * 0.05, 2)


def told(table: Table) -> list[str]:
    """The table as Markdown rows."""
    head = "| the other plan | asked | MARD replayed | MARD foreseen | true effect, 120 min | "
    head += "said | right sign | correlation |"
    lines = [head, "|---" * 8 + "|"]
    for name in (*changes, "all"):
        t = table[name]
        lines.append(
            f"| {name} | {t['asked']} | {t['mard_replayed']:.1%} | {t['mard_foreseen']:.1%} | "
            f"{t['true_effect_120']:+.0f} | {t['said_effect_120']:+.0f} | "
            f"{t['right_sign_120']:.0%} | {t['correlation_120']:.2f} |"
        )
    return lines
