"""What holds of every model in the folder; a new one is found by looking, and held to it too."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from medtwin import physiology
from medtwin.catalogue import everything
from medtwin.engine.model import Model, sample, seconds_in
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import Simulated, simulate
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.twin.assimilate import assimilate
from medtwin.twin.forecast import forecast
from medtwin.twin.twin import Twin, born

models = everything(physiology, Model)
each = pytest.mark.parametrize("model", models.values(), ids=models)
dawn = datetime(2026, 3, 2, tzinfo=UTC)

people = 3000
span = {"s": 20.0, "min": 180.0, "h": 72.0, "d": 60.0, "a": 5.0}
"""How long a crowd is watched, by the model's clock."""

restless = {
    "aneurysm": "an aneurysm grows with the years",
    "circulation": "a heart beats",
    "glucose_living": "it follows the day's rhythm, and its glucose need not be in balance",
    "minimal_ivgtt": "its rest is the person's own, told by the first samples",
    "minimal_oral": "its rest is the person's own, told by the first samples",
    "psa": "a tumour grows",
    "transplant_vasculopathy": "a graft ages",
    "type1": "rests only with the basal rate running",
}
"""The models whose start is no steady state, and why."""


def drawn(model: Model[Any], count: int = people) -> Any:
    return sample(model.parameters, count, np.random.default_rng(3))


def some(code: Code) -> float:
    """A small amount of anything: a fiftieth of the most there is."""
    return 0.02 * code.high if np.isfinite(code.high) else 1.0


def given(model: Model[Any]) -> list[Given]:
    """A little of all that the model takes, and then of all that runs."""
    long = span[model.clock] / 8
    taken = [Given(long / 8, code, some(code)) for code in model.inputs]
    return [*taken, *(Given(long, code, some(code), long) for code in model.channels)]


def crowd(model: Model[Any], plan: list[Given], count: int = people) -> Simulated:
    times = np.linspace(0.0, span[model.clock], 9)
    return simulate(model, drawn(model, count), None, plan, times)


@each
def test_nobody_is_drawn_outside_the_bounds(model: Model[Any]) -> None:
    p = drawn(model)
    for f in fields(p):
        values = np.asarray(getattr(p, f.name), float)
        assert np.isfinite(values).all(), f.name
        assert np.all((f.metadata["low"] <= values) & (values <= f.metadata["high"])), f.name


@each
def test_the_typical_person_is_inside_the_bounds_and_every_figure_has_its_source(
    model: Model[Any],
) -> None:
    for f in fields(model.parameters):
        assert f.metadata["low"] <= f.default <= f.metadata["high"], f.name
        assert f.metadata["source"], f"{f.name} says not where it is from"
        assert f.metadata["unit"], f.name


@each
def test_three_thousand_virtual_people_get_through_a_dose_of_everything(
    model: Model[Any],
) -> None:
    run = crowd(model, given(model), people if model.clock != "s" else 64)
    assert np.isfinite(run.shown).all()
    assert np.isfinite(run.states).all()


@each
def test_a_model_says_in_its_units_what_each_state_is(model: Model[Any]) -> None:
    assert len(model.states) == len(model.units) == len(model.start(model.parameters()))
    assert len(set(model.states)) == len(model.states)
    assert model.trust, "says not when to trust it"


@pytest.mark.parametrize("name", [n for n in models if n not in restless])
def test_at_rest_nothing_moves(name: str) -> None:
    model, p = models[name], drawn(models[name], 200)
    x = model.start(p)
    u = (0.0,) * len(model.channels) if model.usual is None else model.usual(p)
    for state, value, rate in zip(model.states, x, model.drift(0.0, x, u, p), strict=True):
        size = np.maximum(np.abs(value), 1.0)
        assert np.all(np.abs(rate) * model.step <= 1e-9 * size), f"{state} of {name} moves at rest"


def test_what_is_said_to_be_restless_is_there() -> None:
    assert set(restless) <= set(models)


in_mg = {
    name: m
    for name, m in models.items()
    if any(u == "mg" for u in m.units) and all(c.unit == "mg" for c in m.inputs[:1])
}


@pytest.mark.parametrize("name", in_mg)
def test_no_drug_comes_from_nowhere_and_none_is_below_zero(name: str) -> None:
    model = in_mg[name]
    doses = [g for g in given(model) if g.code.unit == "mg"]
    times = np.linspace(0.0, span[model.clock], 9)
    total = sum(g.amount for g in doses)
    amounts = [k for k, unit in enumerate(model.units) if unit == "mg"]
    for end in range(1, len(times)):
        plan = [g for g in doses if g.at < times[end]]
        states = simulate(model, drawn(model, 100), None, plan, [0.0, times[end]]).states[amounts]
        assert np.all(states >= -1e-6 * total)
        assert np.all(states.sum(axis=0) <= total * (1 + 1e-6))


def seen(twin: Twin, code: Code, at: datetime) -> Observation:
    """What this twin itself holds likely, as if a sensor had shown it."""
    value = float(np.median(forecast(twin, code, [at]).paths))
    return Observation(at, code, float(np.clip(value, code.low, code.high)), "test", at)


def readings(model: Model[Any]) -> list[Code]:
    """What a sensor may read of it; a chance is no reading, and has no noise."""
    p = model.parameters()
    return [code for code in model.observe(model.start(p), p) if code.noise > 0]


@pytest.mark.parametrize("model", [m for m in models.values() if readings(m)], ids=lambda m: m.name)
def test_a_twin_of_it_is_born_learns_and_looks_ahead(model: Model[Any]) -> None:
    code = readings(model)[0]
    step = timedelta(seconds=seconds_in[model.clock] * span[model.clock] / 8)
    twin = born("anna", model, dawn, seed=1, members=40)
    doses = [
        Observation(dawn + 0.1 * step, c, max(some(c), c.low), "test", dawn + 0.1 * step)
        for c in model.inputs
    ]
    twin = assimilate(twin, doses)
    learned = assimilate(twin, [seen(twin, code, dawn + step)])
    assert np.isfinite(learned.states).all()
    about = fields(model.parameters)
    for f, values in zip(about, learned.parameters, strict=True):
        assert np.all((f.metadata["low"] <= values) & (values <= f.metadata["high"])), f.name
    paths = forecast(learned, code, [dawn + 1.5 * step, dawn + 2 * step]).paths
    assert np.isfinite(paths).all()
