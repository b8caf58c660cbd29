"""The personal fit: better on its own days, inside the bounds, drawn to the population."""

from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest

from medtwin.physiology.glucose_living import Parameters, model
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.personal import Personal
from medtwin.twin.recommend import effect_share
from medtwin.twin.refit import TooLittle, learnable, refit
from medtwin.twin.twin import born
from tests.twin.people import at, dawn, fact


def four_days() -> list[Observation]:
    """Synthetic: slow, calm glucose around 180, quite unlike the cohort's."""
    rng = np.random.default_rng(4)
    minutes = np.arange(0, 4 * 1440, 5.0)
    level, glucose = 0.0, []
    for m in minutes:
        level = 0.995 * level + rng.normal(0, 1.5)
        glucose.append(fact(m, codes.glucose, float(np.clip(180 + level, 60, 380))))
    pump = [fact(60 * h, codes.insulin_basal, 0.8, 60 * h + 60, 60) for h in range(95)]
    boluses = [fact(60.0 * h, codes.insulin_bolus, 3.0) for h in range(3, 95, 8)]
    return [*glucose, *pump, *boluses]


@pytest.fixture(scope="module")
def fit() -> Personal:
    return refit(Record("anna").add(four_days()), model, at(4 * 1440), iterations=4)


def test_it_does_better_on_its_days_than_the_population(fit: Personal) -> None:
    assert fit.after < fit.before


def test_it_stays_inside_what_physiology_allows(fit: Personal) -> None:
    bounds = {f.name: f.metadata for f in fields(Parameters)}
    for name, value in fit.values.items():
        assert bounds[name]["low"] <= value <= bounds[name]["high"], name


def test_what_a_dose_does_is_left_to_physiology(fit: Personal) -> None:
    assert {"sensitivity", "insulin_time", "action_time", "daily_insulin"}.isdisjoint(fit.values)
    record = Record("anna").add(four_days())
    twin = born("anna", model, at(4 * 1440), record, personal=fit)
    assert 0.15 < effect_share(twin, at(4 * 1440)) < 0.6


def test_it_says_where_it_comes_from(fit: Personal) -> None:
    assert fit.patient == "anna"
    assert fit.facts == 4 * 288
    assert "minimum CRPS over 1152 readings" in fit.because
    assert set(fit.errors) == set(fit.values)


def test_the_first_member_born_of_a_fit_is_the_fit(fit: Personal) -> None:
    twin = born("anna", model, dawn, personal=fit)
    names = [f.name for f in fields(Parameters)]
    for name, value in fit.values.items():
        assert twin.parameters[names.index(name), 0] == pytest.approx(value)


def test_nothing_known_later_is_used() -> None:
    record, until = Record("anna").add(four_days()), at(3 * 1440)
    later = record.add([fact(3 * 1440 + 5 * k, codes.glucose, 399.0) for k in range(1, 5)])
    a, b = (refit(r, model, until, iterations=1) for r in (record, later))
    assert a.values == b.values


def test_too_few_days_are_refused_with_what_to_do() -> None:
    few = Record("anna").add(four_days()[:100])
    with pytest.raises(TooLittle, match="go on with the population's values"):
        refit(few, model, dawn + timedelta(days=5))


def test_a_wider_prior_may_be_given() -> None:
    record = Record("anna").add(four_days())
    usual = {s.name: s for s in learnable(model, record)}
    wide = {s.name: s for s in learnable(model, record, {"gut_time": (4.0, 1.0)})}
    assert wide["gut_time"].spread == 1.0
    assert wide["flux_size"] == usual["flux_size"]
