"""A twin lives by the filter that its model's structure asks for, and comes back bit for bit."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from medtwin.engine.model import Regime, fixed, varies
from medtwin.record.record import Record
from medtwin.twin.assimilate import assimilate, caught_up
from medtwin.twin.bytes import dumped, loaded
from medtwin.twin.filters import chosen
from medtwin.twin.forecast import compare, forecast
from medtwin.twin.twin import Twin, born
from tests.twin.test_filters import drug, fact, facts, hours, ill_or_well, level, model, noon, seen


@dataclass(frozen=True)
class FarApart:
    clearance: Any = varies(4.0, unit="L/h", cv=1.2, low=1e-3, high=1e3, source="made up")
    volume: Any = varies(40.0, unit="L", cv=0.2, low=5.0, high=200.0, source="made up")
    wander: Any = fixed(0.0, unit="mg", source="made up")


far = replace(model, name="example bolus, far apart", parameters=FarApart)
far_and_ill = replace(far, name="example bolus, far and ill", regimes=ill_or_well.regimes)
by_filter = {"unscented": model, "regimes": ill_or_well, "remembering": far}
everyone = [*by_filter.values(), far_and_ill]
each = pytest.mark.parametrize("which", everyone, ids=lambda m: m.name)


@pytest.fixture(autouse=True)
def found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept twin's model is found by name, here among those of this page; few particles do."""
    monkeypatch.setattr("medtwin.twin.carried.particles", 150)
    known = {m.name: m for m in everyone}
    monkeypatch.setattr("medtwin.twin.bytes.everything", lambda room, kind: known)


def newborn(which: Any, members: int = 300) -> Twin:
    return born("ann", which, noon, seed=2, members=members)


def test_the_models_of_this_page_are_followed_as_their_structure_says() -> None:
    assert {name: chosen(m).name for name, m in by_filter.items()} == {n: n for n in by_filter}


@each
def test_facts_one_by_one_give_the_bits_that_facts_at_once_give(which: Any) -> None:
    one_by_one = newborn(which)
    for f in facts:
        one_by_one = assimilate(one_by_one, [f])
    assert dumped(one_by_one) == dumped(assimilate(newborn(which), facts))


@each
def test_a_late_dose_gives_the_bits_of_facts_in_order(which: Any) -> None:
    late = replace(fact(4.5, drug, 100.0), known=fact(8, drug, 1.0).at)
    checkpoints, record = [newborn(which)], Record("ann").add(facts[:4])
    checkpoints.append(caught_up(checkpoints, record, facts[3].at))
    record = record.add([late, facts[4]])
    told = caught_up(checkpoints, record, facts[4].at)
    in_order = assimilate(newborn(which), [*facts[:3], late, *facts[3:]])
    assert dumped(told) == dumped(in_order)


@each
def test_a_kept_twin_comes_back_and_lives_on_to_the_same_bits(which: Any) -> None:
    twin = assimilate(newborn(which), facts[:3])
    back = loaded(dumped(twin))
    assert dumped(back) == dumped(twin)
    assert dumped(assimilate(back, facts[3:])) == dumped(assimilate(twin, facts[3:]))


@each
def test_the_same_plan_twice_differs_by_nothing_whatever_regime_comes(which: Any) -> None:
    twin = assimilate(newborn(which), facts)
    plan, times = [fact(11, drug, 200.0)], [fact(h, drug, 1.0).at for h in (12, 30)]
    assert np.all(compare(twin, level, times, plan, plan).paths == 0)
    assert np.all(compare(twin, level, times, (), plan).paths > 0)


def test_particles_that_remember_believe_what_brute_force_believes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("medtwin.twin.carried.particles", 1000)
    rng = np.random.default_rng(0)
    cl = 4 * np.exp(np.sqrt(np.log1p(1.2**2)) * rng.standard_normal(2_000_000))
    v = 40 * np.exp(np.sqrt(np.log1p(0.2**2)) * rng.standard_normal(2_000_000))
    surprise = (400 / v * np.exp(-cl / v * hours[:, None]) - seen[:, None]) / level.noise
    weight = np.prod((1 + surprise**2 / 4) ** -2.5, axis=0)  # Student's t, 4 degrees of freedom
    both = np.log(np.stack([cl, v]))
    mean = both @ weight / weight.sum()
    sd = np.sqrt((both - mean[:, None]) ** 2 @ weight / weight.sum())
    twin = assimilate(newborn(far, 3000), facts)
    mine = np.log(twin.parameters[:2])
    assert np.all(np.abs(mine.mean(axis=1) - mean) < 0.25 * sd)
    np.testing.assert_allclose(mine.std(axis=1), sd, rtol=0.2)


def by_enumeration(shown: Any) -> float:
    """The chance to be ill at the last of the readings: every course of regimes, weighed."""
    q = np.array([[-0.05, 0.05], [0.02, -0.02]])
    total = np.zeros(2)
    for course in product((0, 1), repeat=len(hours)):
        amount, chance, before, last = 400.0, 1.0, 0, 0.0
        for h, value, now in zip(hours, shown, course, strict=True):
            amount *= np.exp(-(4.0, 1.0)[now] / 40 * (h - last))
            chance *= expm(q * (h - last))[before, now]
            chance *= np.exp(-(((value - amount / 40) / level.noise) ** 2) / 2)
            before, last = now, h
        total[before] += chance
    return float(total[1] / total.sum())


@pytest.mark.parametrize("ill_from", [0, 2, 4])
def test_a_mixture_of_regimes_knows_who_fell_ill(ill_from: int) -> None:
    amount, last, shown = 400.0, 0.0, []
    for k, h in enumerate(hours):
        amount *= np.exp(-(1.0 if k >= ill_from else 4.0) / 40 * (h - last))
        shown, last = [*shown, amount / 40], float(h)
    alike = replace(
        newborn(ill_or_well, 2), parameters=np.array([[4.0] * 2, [40.0] * 2, [0.0] * 2])
    )
    told = [facts[0], *(fact(h, level, v) for h, v in zip(hours, shown, strict=True))]
    twin = assimilate(alike, told)
    assert twin.carried is not None
    found = twin.carried.belief.chances[1]  # type: ignore[union-attr]
    assert found == pytest.approx(by_enumeration(shown), abs=0.05)
    assert twin.regimes is not None
    assert twin.regimes.mean() == pytest.approx(found, abs=0.09)  # 300 members


def test_a_forecast_widens_where_a_regime_may_come() -> None:
    calm, other = (assimilate(newborn(m), facts) for m in (model, ill_or_well))
    times = [fact(h, drug, 1.0).at for h in (11, 30)]
    plan = [fact(10, drug, 400.0)]
    narrow, wider = (forecast(t, level, times, plan).paths.std(axis=1) for t in (calm, other))
    assert wider[1] > 1.3 * narrow[1]


def test_a_regime_that_names_what_is_not_there_is_refused() -> None:
    for wrong, says in (
        (Regime("well", leaves={"dead": 0.1}), "dead"),
        (Regime("well", times={"clearence": 2.0}), "parameters are clearance, volume"),
        (Regime("well", times={"clearance": -1.0}), "factors are above 0"),
    ):
        with pytest.raises(ValueError, match=says):
            replace(model, regimes=(wrong,))
