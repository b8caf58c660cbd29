"""Three filters on the type 1 model, on virtual people whose truth is known.

    python -m evidence.filters [--people 30] [--json]

Synthetic: adults of `physiology.virtual_people`, a day of three meals, counted with an error of
20 %, each with its bolus; a sensor every 5 minutes with white noise of 5 mg/dL and a slow error of
6 mg/dL that lasts 40 minutes. Each twin is born from the population, is told the pump rate, the
counted meals and the boluses, and follows the readings. Printed: error of plasma glucose (which no
sensor shows) and of the next reading, coverage of the 90 % interval of interstitial glucose, and
seconds for a day, in the same run. What each filter is told of the sensor: a noise of 10 mg/dL
(the code's own), or the slow error as a state. Every filter meets the same people: a difference is
the mean of each person's own, with an interval from 2,000 resampled cohorts.
"""

import argparse
import json
import sys
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
page = Path(__file__).parent.parent / "docs" / "calibration.md"
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
    days, rows, first = [a_day(seed) for seed in range(count)], [], None
    for by in ("ensemble", "unscented", "particle"):
        for how, sensor in told.items():
            tried(days[0], by, sensor, 0)  # what is compiled is compiled before the clock runs
            found = [tried(day, by, sensor, seed) for seed, day in enumerate(days)]
            row = {key: float(np.mean([f[key] for f in found])) for key in found[0]}
            row["seconds_a_day"] = median(f["seconds_a_day"] for f in found)
            first = first or found
            apart = {key: against(found, first, key) for key in judged}
            rows.append({"filter": by, "sensor": how, "people": count, **row, "apart": apart})
            print(said(rows[-1]), file=sys.stderr, flush=True)
    return rows


judged = ("plasma_rmse", "next_reading_rmse", "coverage_90")


def against(
    found: Sequence[dict[str, float]], first: Sequence[dict[str, float]], key: str
) -> tuple[float, float, float]:
    """Person by person less the first row's: the mean, and its 95 % interval."""
    apart = np.array([f[key] - g[key] for f, g in zip(found, first, strict=True)])
    pick = np.random.default_rng(0).integers(0, len(apart), (2000, len(apart)))
    low, high = np.quantile(apart[pick].mean(axis=1), [0.025, 0.975])
    return float(apart.mean()), float(low), float(high)


def said(row: dict[str, Any]) -> str:
    """One row in words."""
    mean, low, high = row["apart"]["plasma_rmse"]
    return (
        f"{row['filter']:10} {row['sensor']:22} plasma {row['plasma_rmse']:5.1f} mg/dL "
        f"({mean:+.1f}, {low:+.1f} to {high:+.1f}), next reading {row['next_reading_rmse']:5.1f}, "
        f"coverage {row['coverage_90']:.0%}, {row['seconds_a_day']:.2f} s a day"
    )


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
    asked.add_argument("--people", type=int, default=30)
    asked.add_argument("--json", action="store_true", help="print JSON")
    args = asked.parse_args()
    rows = compared(args.people)
    results.write_text(json.dumps(rows, indent=1) + "\n")
    write(rows)
    if args.json:
        print(json.dumps(rows, indent=1))


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The page's table; what stands in brackets is the paired difference from the first row."""
    lines = [
        "| filter | told of the sensor | plasma, mg/dL | next reading, mg/dL | held | s a day |",
        "|---|---|---|---|---|---|",
    ]
    for r in rows:
        cells = [_paired(r, "plasma_rmse", 1.0, 1), _paired(r, "next_reading_rmse", 1.0, 2)]
        cells.append(_paired(r, "coverage_90", 100.0, 0))
        told_as = " | ".join(cells)
        lines.append(f"| {r['filter']} | {r['sensor']} | {told_as} | {r['seconds_a_day']:.1f} |")
    return "\n".join(lines)


def _paired(row: dict[str, Any], key: str, scale: float, digits: int) -> str:
    mean, low, high = (f"{scale * v:+.{digits}f}" for v in row["apart"][key])
    unit = " %" if scale != 1.0 else ""
    apart = "" if row["apart"][key] == (0.0, 0.0, 0.0) else f" ({mean}; {low} to {high})"
    return f"{scale * row[key]:.{digits}f}{unit}{apart}"


def write(rows: Sequence[dict[str, Any]]) -> None:
    """The table on docs/calibration.md."""
    mark = "<!-- written by python -m evidence.filters -->"
    head, _, rest = page.read_text().partition(mark)
    _, _, tail = rest.partition(mark)
    page.write_text(f"{head}{mark}\n{table(rows)}\n{mark}{tail}")


if __name__ == "__main__":
    main()
