"""Fixed steps proved: 3,000 perturbed people against steps sixteen times finer, 20 against LSODA.

What is compared is what a sensor shows, in units of its own range over the course, so that one
figure serves every model. The finer steps tie everybody down; LSODA, which is not ours, ties the
finer steps down.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from evidence.models.line import Line
from medtwin.engine.model import Model, sample
from medtwin.engine.schedule import Given, schedule
from medtwin.engine.simulate import named, parameter_array, simulate
from medtwin.physiology import aneurysm, hba1c, minimal_ivgtt, minimal_oral, psa
from medtwin.physiology import transplant_vasculopathy as heart
from medtwin.record import codes

people, checked, finer, asked = 3000, 20, 16, 1e-3
insulin = minimal_ivgtt.insulin_line([0.0, 10.0, 40.0, 180.0], [10.0, 120.0, 40.0, 10.0])


@dataclass(frozen=True)
class Scene:
    """A model, what happens to everybody in it, and when to look."""

    name: str
    model: Model[Any]
    given: Sequence[Given]
    times: Any
    stages: bool = False


scenes = (
    Scene(
        "psa",
        psa.model,
        [Given(600.0 * k, codes.androgen_suppression, 100.0, 270.0) for k in range(3)],
        np.arange(0.0, 1801.0, 60.0),
    ),
    Scene(
        "minimal_ivgtt",
        minimal_ivgtt.model,
        [Given(0.0, codes.glucose_injected, 22.5), *insulin],
        np.arange(0.0, 181.0, 6.0),
    ),
    Scene(
        "minimal_oral",
        minimal_oral.model,
        [Given(0.0, codes.carbohydrate, 75.0), *insulin],
        np.arange(0.0, 181.0, 6.0),
    ),
    Scene(
        "hba1c",
        hba1c.model,
        [Given(0.0, codes.glucose, 300.0, 60.0), Given(60.0, codes.glucose, 80.0, 120.0)],
        np.arange(0.0, 181.0, 10.0),
    ),
    Scene("aneurysm", aneurysm.model, [], np.arange(0.0, 21.0), stages=True),
    Scene("transplant_vasculopathy", heart.model, [], np.arange(0.0, 21.0), stages=True),
)


def lines(shared: Path) -> Iterator[Line]:
    """Two lines for each model."""
    for scene in scenes:
        rng = np.random.default_rng(0)
        p = sample(scene.model.parameters, people, rng)
        if scene.stages:
            p = replace(p, stage=rng.integers(1, 4, people).astype(float))
        run = simulate(scene.model, p, None, scene.given, scene.times).shown
        fine = simulate(
            *(scene.model, p, None, scene.given, scene.times, scene.model.step / finer)
        ).shown
        yield _line(scene, "3,000 perturbed people", f"steps {finer} times finer", gap(run, fine))
        told = parameter_array(scene.model, p)
        few = np.stack([lsoda(scene, named(scene.model, told[:, k])) for k in range(checked)], 2)
        yield _line(
            scene, f"{checked} of them", "scipy LSODA at 1e-9", gap(run[..., :checked], few)
        )


def _line(scene: Scene, who: str, against: str, off: float) -> Line:
    step = f"steps of {scene.model.step:g} {scene.model.clock}"
    claim = f"{step}, {who}: largest difference in shares of the range"
    return Line(scene.name, claim, off, "1", against, 0.0, f"at most {asked:g}", off <= asked)


def gap(ours: Any, theirs: Any) -> float:
    """The largest difference, each person and code in units of their own range."""
    span = theirs.max(axis=0) - theirs.min(axis=0)
    return float(np.max(np.abs(ours - theirs) / np.where(span > 0, span, 1.0)))


def lsoda(scene: Scene, p: Any) -> Any:
    """One person's course by an integrator that is not ours, restarted at every event."""
    model, plan = scene.model, schedule(scene.model, scene.given)
    x = np.array([float(s) for s in model.start(p)])
    u, shown, t, following = np.zeros(len(model.channels)), [], float(scene.times[0]), 0
    for goal in scene.times:
        while True:
            due = plan.at[following, 0] if following < len(plan.at) else np.inf
            stop = min(float(goal), float(due))
            x, t = _carried(model, x, tuple(u), p, t, stop), stop
            if due >= goal:
                break
            code, amount = int(plan.what[following, 0]), float(plan.amount[following, 0])
            following += 1
            if code < len(model.inputs):
                x = np.array(
                    [float(s) for s in model.take(tuple(x), model.inputs[code], amount, p)]
                )
            else:
                u[code - len(model.inputs)] += amount
        shown.append([float(v) for v in model.observe(tuple(x), p).values()])
    return np.array(shown)


def _carried(model: Model[Any], x: Any, u: tuple[float, ...], p: Any, t: float, to: float) -> Any:
    if to <= t:
        return x

    def rate(now: float, y: Any) -> Any:
        return np.array([float(d) for d in model.drift(now, tuple(y), u, p)])

    return solve_ivp(rate, (t, to), x, "LSODA", rtol=1e-9, atol=1e-10).y[:, -1]
