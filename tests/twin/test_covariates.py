"""At birth: what the record tells of the covariates, and what nobody told."""

from datetime import UTC, datetime, timedelta

import numpy as np

from medtwin.physiology import pk_one
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.prior import prior_of
from medtwin.twin.twin import born, parameters

noon = datetime(2024, 3, 4, 12, tzinfo=UTC)


def weighed(days, value, learned=None):
    at = noon + timedelta(days=days)
    return Observation(at, codes.weight, value, "scales", at if learned is None else learned)


def weights(*facts):
    record = Record("anna").add(facts)
    return parameters(born("anna", pk_one.model, noon, record, seed=1)).weight


def test_every_member_has_the_latest_weight_known_by_then():
    assert set(weights(weighed(-9, 80.0), weighed(-2, 62.0), weighed(-5, 70.0))) == {62.0}


def test_a_weight_learned_later_or_of_tomorrow_is_not_used():
    later = weighed(-1, 55.0, learned=noon + timedelta(days=1))
    assert set(weights(weighed(-9, 80.0), later, weighed(1, 50.0))) == {80.0}


def test_a_weight_nobody_told_is_drawn_and_widens_the_doubt():
    drawn = weights()
    assert drawn.std() > 10
    assert abs(np.median(drawn) - 70) < 4


def test_a_weight_beyond_what_the_model_allows_is_held_at_its_bound():
    assert set(weights(weighed(-1, 600.0))) == {350.0}


def test_a_prior_of_a_cohort_is_what_members_are_drawn_from():
    spread = np.array([[0.04, 0.03], [0.03, 0.04]])
    prior = prior_of(pk_one.model, ("clearance", "volume"), {"clearance": 5.0}, spread)
    p = parameters(born("anna", pk_one.model, noon, seed=1, members=4000, prior=prior))
    logs = np.log([p.clearance, p.volume])
    np.testing.assert_allclose(np.exp(logs.mean(axis=1)), [5.0, 32.3], rtol=0.02)
    np.testing.assert_allclose(np.cov(logs), spread, atol=0.004)
