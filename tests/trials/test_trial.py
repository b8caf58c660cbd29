"""A trial on virtual people keeps its bookkeeping and its alpha."""

from datetime import UTC, datetime

import numpy as np
import pytest

from medtwin.physiology import type1
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.trials.designs import group_sequential
from medtwin.trials.trial import TooFew, run
from medtwin.twin.twin import born

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def population():
    return born("nobody", type1.model, noon, seed=3, members=240)


def luck(rng, effect=0.0):
    """An outcome that is chance alone, but for the second arm's `effect` in standard deviations."""
    return lambda people, plan: rng.standard_normal(people.members) + effect * len(plan)


def test_a_clear_effect_ends_the_trial_early_and_says_why(population):
    rng = np.random.default_rng(4)
    design = group_sequential.group_sequential(looks=4, per_look=50)
    dose = Observation(noon, codes.insulin_bolus, 1, "protocol", known=noon)
    found = run(population, {"a": [], "b": [dose]}, design, luck(rng, effect=2.0), rng)
    assert found.enrolled < 200
    assert found.stopped.because.startswith("z = ")
    assert sum(len(v) for v in found.outcomes.values()) == found.enrolled


def test_without_effect_about_five_trials_in_a_hundred_stop(population):
    design = group_sequential.group_sequential(looks=4, per_look=50)
    stopped = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = run(population, {"a": [], "b": []}, design, luck(rng), rng)
        stopped += "crossed" in found.stopped.because and "no boundary" not in found.stopped.because
    assert 2 <= stopped <= 22  # binomial(200, 0.05), 99.9 %; small groups make t tails heavier


def test_each_block_is_halved_between_the_arms():
    rng = np.random.default_rng(5)
    assert group_sequential.by_halves({}, 50, rng).sum() == 25


def test_the_statistic_is_the_difference_in_standard_errors():
    # by hand: means 2 and 5, variances 1 and 1, errors 1/3 + 1/3
    seen = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([4.0, 5.0, 6.0])}
    assert group_sequential.z(seen) == pytest.approx(3 / np.sqrt(2 / 3))


def test_a_population_smaller_than_the_design_is_refused(population):
    rng = np.random.default_rng(6)
    design = group_sequential.group_sequential(looks=4, per_look=100)
    with pytest.raises(TooFew, match="enrols up to 400 people and this population has 240"):
        run(population, {"a": [], "b": []}, design, luck(rng), rng)


def test_every_member_is_treated_once(population):
    met = []

    def remember(people, _):
        met.extend(people.parameters[0])
        return np.arange(people.members, dtype=float)

    rng = np.random.default_rng(7)
    design = group_sequential.group_sequential(looks=1, per_look=240)
    run(population, {"a": [], "b": []}, design, remember, rng)
    assert sorted(met) == sorted(population.parameters[0])
