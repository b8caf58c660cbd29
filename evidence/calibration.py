"""Is each filter's doubt the right size? Simulation-based calibration, with rank histograms.

    python -m evidence.calibration [--runs 400] [--only NAME] [--json]

A truth is drawn from the prior, its readings are made by the model, a filter learns from them, and
the rank of the truth among 19 draws of what the filter believes is noted. Over many truths the
ranks are even if, and only if, the doubt is right (Talts et al. 2018, arXiv:1804.06788); piled up
at both ends it is too small, in the middle too large, at one end the belief is biased. The
chi-square test has 20 bins; with the seed fixed, a correct method fails at 0.01 once in a
hundred lines. Results go to evidence/results/calibration.json, and the table and the figure of
docs/calibration.md are written from it. All people are synthetic.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chisquare

from evidence.figures import calibration as figure
from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.maths.filters.clouds import ensemble, normal, particle
from medtwin.maths.filters.filter import Dynamics, Gaussian, Reading, along
from medtwin.maths.filters.gaussian import exact, unscented
from medtwin.maths.filters.regimes import regimes
from medtwin.maths.filters.smoothing import learned_again, smoothed
from medtwin.physiology import glucose_living, pk_one, type1
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.twin import filters
from medtwin.twin.exact import learned as learned_exactly
from medtwin.twin.filters import followed, readings, sampled
from medtwin.twin.living import dynamics, life, members, unknowns
from medtwin.twin.timeline import of_facts
from medtwin.twin.twin import Twin, born, parameters

here = Path(__file__).parent
kept = here / "results" / "calibration.json"
page = here.parent / "docs" / "calibration.md"
draws = 19
noon = datetime(2024, 5, 6, 12, tzinfo=UTC)
Chance = np.random.Generator
Ranks = dict[str, int]
"""Of each quantity, how many of the draws lie below the truth."""

slope = np.array([[1.0, 0.5], [-0.2, 0.9]])
push = np.array([[0.3, 0.0], [0.1, 0.2]])
line = Dynamics(
    lambda x, z, begin, end: slope @ x + push @ z,
    lambda x, _: x[0] + 0.4 * x[1],
    lambda x, _: np.full(x.shape[1], 0.7),
    chances=2,
)
at_birth = Gaussian(0.0, np.array([1.0, -1.0]), np.array([[2.0, 0.3], [0.3, 1.0]]))


def _walk(drift: float) -> Dynamics:
    return Dynamics(
        lambda x, z, begin, end: x + drift + 0.3 * z,
        lambda x, _: x[0],
        lambda x, _: np.full(x.shape[1], 0.5),
        chances=1,
    )


walks, switching = (_walk(0.0), _walk(1.5)), np.array([[0.9, 0.1], [0.3, 0.7]])


def on_a_line(make: Callable[[Dynamics], Any], rng: Chance) -> Ranks:
    """Two states that move in a straight line with chance, ten readings: the last state."""
    path, seen = _truth(line, rng)
    last = along(make(line), at_birth, seen, rng)[0][-1]
    return {"last state": _rank(path[-1][0], sampled(last, draws, rng)[0])}


def looking_back(make: Callable[[Dynamics], Any], rng: Chance) -> Ranks:
    """The same, smoothed: the first state, in the light of all readings."""
    path, seen = _truth(line, rng)
    first = smoothed(*along(make(line), at_birth, seen, rng))[0]
    return {"first state": _rank(path[0][0], sampled(first, draws, rng)[0])}


def switched(rng: Chance) -> Ranks:
    """A walk that is pushed or not, by turns: the mixture of regimes."""
    x, regime, seen = rng.standard_normal((1, 1)), int(rng.integers(2)), []
    for k in range(10):
        regime = int(rng.random() < switching[regime, 1])
        x = walks[regime].moved(x, rng.standard_normal((1, 1)), k, k + 1.0)
        seen.append(Reading(k + 1.0, float(x[0, 0] + 0.5 * rng.standard_normal())))
    filter_ = regimes([exact(w) for w in walks], switching)
    last = along(filter_, Gaussian(0.0, np.zeros(1), np.eye(1)), seen, rng)[0][-1]
    which = rng.choice(2, draws, p=last.chances)
    drawn = [float(sampled(last.beliefs[j], 1, rng)[0, 0]) for j in which]
    return {"last state": _rank(float(x[0, 0]), np.array(drawn))}


def after_a_dose(by: str, rng: Chance) -> Ranks:
    """Theophylline swallowed once, six levels: the parameters, drawn from their spread."""
    p, twin, facts = _levels(rng)
    found = followed(twin, facts, by)
    drawn = sampled(found.last, draws, rng)
    return {n: _rank(np.log(getattr(p, n)[0]), drawn[found.what.names.index(n)]) for n in asked}


def from_all_levels(rng: Chance) -> Ranks:
    """The same by members that learn all levels at once, four times."""
    p, twin, facts = _levels(rng)
    what, timeline = unknowns(twin), of_facts(twin.model, facts)
    moves, seen = dynamics(what, life(twin, timeline)), readings(timeline, twin.at)

    def course(z: np.ndarray) -> np.ndarray:
        at, shown = twin.at, []
        for r in seen:
            z, at = moves.moved(z, np.zeros((0, z.shape[1])), at, r.at), r.at
            shown.append(moves.shown(z, 0))
        return np.stack(shown)

    values, z = np.array([r.value for r in seen]), members(twin, what)[:, :300]
    errors = np.full(len(seen), codes.drug_level.noise)
    z = learned_again(z, course, values, errors, rng)[:, rng.integers(0, 300, draws)]
    return {n: _rank(np.log(getattr(p, n)[0]), z[what.names.index(n)]) for n in asked}


asked = ("clearance", "volume")
hours = (1.0, 2.0, 4.0, 8.0, 12.0, 24.0)


def living(rng: Chance) -> Ranks:
    """The living glucose model with known parameters, three hours of readings and a meal: the
    exact filter as in life, the model's own noise and the doubt about what was eaten included."""
    twin = _one_of(glucose_living.model, rng)
    moves = dynamics(unknowns(twin), life(twin, of_facts(twin.model, [])))
    z, facts = _born_state(twin, rng), []
    for k in range(36):
        at = twin.at + 300.0 * k
        if k == 6:
            z = _eaten(twin, z, rng)
            facts = [*facts, *(_fact(0.5, code, amount) for code, amount in supper)]
        z = moves.moved(z, rng.standard_normal((moves.chances, 1)), at, at + 300.0)
        read = moves.shown(z, 0) + moves.error(z, 0) * rng.standard_normal(1)
        facts.append(_fact((k + 1) / 12, codes.glucose, float(np.clip(read[0], 10, 1500))))
    after = learned_exactly(twin, of_facts(twin.model, facts))
    row, linear = twin.model.states.index("glucose"), twin.model.linear.index("glucose")
    mean, sd = after.states[row, 0], np.sqrt(_spread(after)[linear, linear, 0])
    return {"glucose": _rank(float(z[row, 0]), mean + sd * rng.standard_normal(draws))}


supper = ((codes.carbohydrate, 40.0), (codes.insulin_bolus, 3.0))


def _eaten(twin: Twin, z: np.ndarray, rng: Chance) -> np.ndarray:
    """What a meal and its bolus do in truth, with all that the model says of them."""
    model, p = twin.model, parameters(twin)
    for code, amount in supper:
        z = np.stack(model.take(tuple(z), code, amount, p))
        for said, size in ((model.hint, 1.0), (model.unsure, float(rng.standard_normal()))):
            if said is not None:
                z = z + size * amount * np.stack(np.broadcast_arrays(*said(code, p)))
    return z


def many_unknowns(by: str, rng: Chance) -> Ranks:
    """Type 1, 39 unknowns, fasting and a meal over eight hours: glucose and some parameters."""
    p = sample(type1.Parameters, 1, rng)
    rate, times = float(np.ravel(type1.basal(p))[0]), np.arange(0.0, 481.0, 10.0)
    given = [Given(0.0, codes.insulin_basal, rate, np.inf), Given(60.0, codes.carbohydrate, 50.0)]
    run = simulate(type1.model, p, None, given, times)
    noise = codes.glucose.noise * rng.standard_normal(len(times))
    shown = np.clip(run.of(codes.glucose)[:, 0] + noise, 10, 1500)
    facts = [_fact(0.0, codes.insulin_basal, rate), _fact(1.0, codes.carbohydrate, 50.0)]
    pairs = zip(times[1:], shown[1:], strict=True)
    facts += [_fact(t / 60, codes.glucose, float(v)) for t, v in pairs]
    twin = born("nobody", type1.model, noon, seed=int(rng.integers(2**31)), members=2000)
    found = followed(twin, sorted(facts, key=lambda f: f.at), by)
    drawn = sampled(found.last, draws, rng)
    ranks = {
        n: _rank(np.log(float(getattr(p, n)[0])), drawn[found.what.names.index(n)])
        for n in ("fasting_glucose", "Vmx")
    }
    truth = float(run.of(codes.glucose)[-1, 0])
    return {"glucose": _rank(truth, found.what.body(drawn, 0)), **ranks}


methods: dict[str, tuple[Callable[[Chance], Ranks], int]] = {
    "line: exact": (partial(on_a_line, exact), 1),
    "line: unscented": (partial(on_a_line, unscented), 1),
    "line: ensemble of 300": (partial(on_a_line, partial(ensemble, members=300)), 1),
    "line: 2000 particles": (partial(on_a_line, partial(particle, members=2000)), 1),
    "line: exact, looking back": (partial(looking_back, exact), 1),
    "line: unscented, looking back": (partial(looking_back, unscented), 1),
    "regimes: mixture": (switched, 1),
    "one dose: unscented": (partial(after_a_dose, "unscented"), 1),
    "one dose: ensemble of 300": (partial(after_a_dose, "ensemble"), 1),
    "one dose: 4000 particles": (partial(after_a_dose, "particle, normal error"), 1),
    "one dose: 4000 particles, heavy tails": (partial(after_a_dose, "particle"), 1),
    "one dose: 1000 that remember, heavy tails": (partial(after_a_dose, "remembering"), 2),
    "one dose: all levels at once": (from_all_levels, 1),
    "living glucose: exact": (living, 1),
    "type 1: ensemble of 300": (partial(many_unknowns, "ensemble"), 2),
    "type 1: unscented": (partial(many_unknowns, "unscented"), 2),
}
"""Each method, and by how much its runs are fewer than asked."""


def calibrated(name: str, runs: int) -> Iterator[dict[str, Any]]:
    """The method's ranks over many truths, quantity by quantity."""
    method, fewer = methods[name]
    seeds = np.random.SeedSequence(20240506).spawn(runs // fewer)
    found = [method(np.random.default_rng(s)) for s in seeds]
    for quantity in found[0]:
        counts = np.bincount([f[quantity] for f in found], minlength=draws + 1)
        places = np.arange(draws + 1) / draws - 0.5
        yield {
            "method": name,
            "quantity": quantity,
            "runs": len(found),
            "counts": counts.tolist(),
            "p": float(chisquare(counts).pvalue),
            "spread": float(
                np.sqrt(counts @ places**2 / counts.sum()) / np.sqrt(np.mean(places**2))
            ),
            "lean": float(counts @ places / counts.sum()),
        }


def _levels(rng: Chance) -> tuple[Any, Twin, list[Observation]]:
    p = sample(pk_one.model.parameters, 1, rng)
    dose = Given(0.0, codes.drug_swallowed, 320.0)
    shown = simulate(pk_one.model, p, None, [dose], [0.0, *hours]).of(codes.drug_level)[1:, 0]
    noisy = np.maximum(shown + codes.drug_level.noise * rng.standard_normal(len(shown)), 0.0)
    facts = [_fact(0.0, codes.drug_swallowed, 320.0)]
    facts += [_fact(h, codes.drug_level, float(v)) for h, v in zip(hours, noisy, strict=True)]
    seed = int(rng.integers(2**31))
    return p, born("nobody", pk_one.model, noon, seed=seed, members=2000), facts


def _one_of(model: Any, rng: Chance) -> Twin:
    """A twin with one member, whose parameters are then the truth's."""
    return born("nobody", model, noon, seed=int(rng.integers(2**31)), members=1)


def _born_state(twin: Twin, rng: Chance) -> np.ndarray:
    z, spread = twin.states.copy(), _spread(twin)
    for k, name in enumerate(twin.model.linear):
        z[twin.model.states.index(name)] += np.sqrt(spread[k, k]) * rng.standard_normal(1)
    return z


def _spread(twin: Twin) -> np.ndarray:
    if twin.spread is None:
        raise ValueError(f"{twin.model.name} has no exact filter")
    return twin.spread


def _truth(moves: Dynamics, rng: Chance) -> tuple[list[np.ndarray], list[Reading]]:
    x = rng.multivariate_normal(at_birth.mean, at_birth.covariance)[:, None]
    path, seen = [x[:, 0]], []
    for k in range(10):
        x = moves.moved(x, rng.standard_normal((moves.chances, 1)), k, k + 1.0)
        path.append(x[:, 0])
        read = moves.shown(x, 0) + moves.error(x, 0) * rng.standard_normal(1)
        seen.append(Reading(k + 1.0, float(read[0])))
    return path, seen


def _rank(truth: float, drawn: np.ndarray) -> int:
    return int(np.sum(drawn < truth))


def _fact(hour: float, code: Any, value: float) -> Observation:
    at = noon + timedelta(hours=hour)
    return Observation(at, code, value, "synthetic", at)


def table(rows: list[dict[str, Any]]) -> str:
    """The results for the page: spread of ranks 1 is right, above 1 the doubt is too small."""
    lines = [
        "| method | quantity | truths | p | spread | lean | |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        told = f"{r['runs']} | {r['p']:.3f} | {r['spread']:.2f} | {r['lean']:+.3f}"
        lines.append(f"| {r['method']} | {r['quantity']} | {told} | {verdict(r)} |")
    return "\n".join(lines)


def verdict(row: dict[str, Any]) -> str:
    """One row in words."""
    if row["p"] >= 0.01:
        return "calibrated"
    sized = "too sure" if row["spread"] > 1.03 else "too unsure" if row["spread"] < 0.97 else ""
    biased = "" if abs(row["lean"]) < 0.03 else "too low" if row["lean"] > 0 else "too high"
    return "not calibrated: " + (", ".join(w for w in (sized, biased) if w) or "uneven")


def main() -> None:
    """Calibrate, keep, and write the page's table and figure."""
    words = argparse.ArgumentParser(description="simulation-based calibration of every filter")
    words.add_argument("--runs", type=int, default=400)
    words.add_argument("--only", choices=list(methods))
    words.add_argument("--json", action="store_true", help="print JSON")
    args = words.parse_args()
    filters.makes["particle, normal error"] = lambda d, what: particle(
        d, 4000, normal, tuple(range(len(what.model.states), len(what.names)))
    )
    rows = json.loads(kept.read_text()) if kept.exists() else []
    for name in [args.only] if args.only else methods:
        new = list(calibrated(name, args.runs))
        rows = [*(r for r in rows if r["method"] != name), *new]
        for r in [] if args.json else new:
            print(
                f"{name:40} {r['quantity']:16} p {r['p']:.3f} spread {r['spread']:.2f} "
                f"lean {r['lean']:+.3f}  {verdict(r)}",
                flush=True,
            )
        keep(rows)
    if args.json:
        print(json.dumps(rows, indent=1))


def keep(rows: list[dict[str, Any]]) -> None:
    """Store what is there so far, in the methods' order, and show it on the page."""
    order = list(methods)
    rows = sorted((r for r in rows if r["method"] in order), key=lambda r: order.index(r["method"]))
    kept.write_text(json.dumps(rows) + "\n")
    write(rows)


def write(rows: list[dict[str, Any]]) -> None:
    """Put the table into the page and draw the histograms beside it."""
    marks = "<!-- written by python -m evidence.calibration -->"
    text = page.read_text()
    middle = f"{marks}\n{table(rows)}\n{marks}"
    page.write_text(re.sub(f"{marks}.*{marks}", lambda _: middle, text, flags=re.DOTALL))
    (page.parent / "models" / "calibration.svg").write_text(figure.draw())


if __name__ == "__main__":
    main()
