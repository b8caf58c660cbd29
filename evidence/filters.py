"""Three filters on the type 1 model, on virtual people whose truth is known.

    python -m evidence.filters [--people 20] [--json]

Synthetic: adults of `physiology.virtual_people`, a day of three meals, counted with an error of
20 %, each with its bolus; a sensor every 5 minutes with white noise of 5 mg/dL and a slow error of
6 mg/dL that lasts 40 minutes. Each twin is born from the population, is told the pump rate, the
counted meals and the boluses, and follows the readings. Printed: error of plasma glucose (which no
sensor shows) and of the next reading, coverage of the 90 % interval of interstitial glucose, and
seconds for a day, in the same run. What each filter is told of the sensor: a noise of 10 mg/dL
(the code's own), or the slow error as a state.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import type1
from medtwin.physiology.virtual_people import people
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.twin.filters import followed, sampled
from medtwin.twin.living import Sensor
from medtwin.twin.twin import born

results = Path(__file__).parent / "results" / "filters.json"
midnight = datetime(2024, 5, 6, tzinfo=UTC)
readings = np.arange(5.0, 1440.0, 5.0)
meals = ((420.0, 50.0), (720.0, 75.0), (1080.0, 75.0))
white, slow, slow_minutes, counting = 5.0, 6.0, 40.0, 0.2
told = {"noise of 10": None, "slow error as a state": Sensor(bias=slow, bias_minutes=slow_minutes)}


@dataclass(frozen=True)
class Day:
    """A virtual person's day: what the twin is told, and what was true (mg/dL)."""

    facts: tuple[Observation, ...]
    interstitial: np.ndarray
    plasma: np.ndarray


def a_day(seed: int) -> Day:
    """One synthetic adult's day."""
    rng = np.random.default_rng(seed)
    person = people(1, rng)
    given = [Given(0.0, codes.insulin_basal, person.basal, np.inf)]
    facts = [_fact(0.0, codes.insulin_basal, float(np.ravel(person.basal)[0]))]
    for at, grams in meals:
        bolus = float(np.ravel(grams / person.ratio)[0])
        given += [Given(at, codes.carbohydrate, grams), Given(at, codes.insulin_bolus, bolus)]
        counted = grams * float(np.exp(counting * rng.standard_normal()))
        facts += [_fact(at, codes.carbohydrate, counted), _fact(at, codes.insulin_bolus, bolus)]
    interstitial, plasma = _true(person.parameters, given)
    shown = np.maximum(interstitial + _error(rng, len(readings)), 10.0)
    facts += [_fact(t, codes.glucose, float(v)) for t, v in zip(readings, shown, strict=True)]
    return Day(tuple(sorted(facts, key=lambda f: f.at)), interstitial, plasma)


def tried(day: Day, by: str, sensor: Sensor | None, seed: int) -> dict[str, float]:
    """One filter on one day."""
    twin = born("virtual", type1.model, midnight, seed=seed, members=2000)
    begun = time.perf_counter()
    found = followed(twin, day.facts, by, sensor)
    seconds = time.perf_counter() - begun
    rng = np.random.default_rng(seed)
    inside, squares = [], []
    for k, belief in enumerate(found.beliefs[1:]):
        z = sampled(belief, 200, rng)
        low, high = np.quantile(found.what.body(z, 0), [0.05, 0.95])
        inside.append(low <= day.interstitial[k] <= high)
        plasma = found.what.states(z)[3] / found.what.parameters(z)[_volume]
        squares.append((plasma.mean() - day.plasma[k]) ** 2)
    expected = found.expected()[:, 0]
    seen = np.array([f.value for f in day.facts if f.code == codes.glucose])
    settled = slice(24, None)  # the first two hours belong to the prior
    return {
        "plasma_rmse": float(np.sqrt(np.mean(squares[settled]))),
        "next_reading_rmse": float(np.sqrt(np.mean((expected - seen)[settled] ** 2))),
        "coverage_90": float(np.mean(inside[settled])),
        "seconds_a_day": seconds,
    }


def compared(count: int) -> list[dict[str, Any]]:
    """Every filter, told either way, on the same people."""
    days, rows = [a_day(seed) for seed in range(count)], []
    for by in ("ensemble", "unscented", "particle"):
        for how, sensor in told.items():
            tried(days[0], by, sensor, 0)  # what is compiled is compiled before the clock runs
            found = [tried(day, by, sensor, seed) for seed, day in enumerate(days)]
            row = {key: float(np.mean([f[key] for f in found])) for key in found[0]}
            row["seconds_a_day"] = median(f["seconds_a_day"] for f in found)
            rows.append({"filter": by, "sensor": how, "people": count, **row})
    return rows


def _fact(minutes: float, code: Any, value: float) -> Observation:
    at = midnight + timedelta(minutes=minutes)
    return Observation(at, code, value, "synthetic", at)


def _true(p: Any, given: Sequence[Given]) -> tuple[np.ndarray, np.ndarray]:
    """Interstitial and plasma glucose at the readings; the latter from the states."""
    times = np.r_[0.0, readings]
    shown = simulate(type1.model, p, None, given, times).of(codes.glucose)[1:, 0]
    volume = float(np.ravel(p.Vg)[0])
    plasma = [
        float(simulate(type1.model, p, None, given, [0.0, t]).states[3, 0]) / volume
        for t in readings
    ]
    return shown, np.array(plasma)


def _error(rng: np.random.Generator, count: int) -> np.ndarray:
    kept = np.exp(-5.0 / slow_minutes)
    drift = np.empty(count)
    drift[0] = slow * rng.standard_normal()
    for k in range(1, count):
        drift[k] = kept * drift[k - 1] + slow * np.sqrt(1 - kept**2) * rng.standard_normal()
    return drift + white * rng.standard_normal(count)


_volume = list(type1.Parameters.__dataclass_fields__).index("Vg")


def main() -> None:
    """Compare, print, keep."""
    asked = argparse.ArgumentParser(description="filters on virtual people with type 1 diabetes")
    asked.add_argument("--people", type=int, default=20)
    asked.add_argument("--json", action="store_true", help="print JSON")
    args = asked.parse_args()
    rows = compared(args.people)
    results.write_text(json.dumps(rows, indent=1) + "\n")
    if args.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(
            f"{row['filter']:10} {row['sensor']:22} plasma {row['plasma_rmse']:5.1f} mg/dL, "
            f"next reading {row['next_reading_rmse']:5.1f}, coverage {row['coverage_90']:.0%}, "
            f"{row['seconds_a_day']:.2f} s a day"
        )


if __name__ == "__main__":
    main()
