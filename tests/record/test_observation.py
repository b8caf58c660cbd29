"""Claims about one fact."""

from datetime import UTC, datetime, timedelta

import pytest

from medtwin.record import codes
from medtwin.record.observation import WITHDRAWN, Implausible, Observation

noon = datetime(2024, 3, 1, 12, tzinfo=UTC)


def test_a_fact_keeps_when_it_was_true_and_when_we_learned_it():
    o = Observation(noon, codes.glucose, 120, "meter", noon + timedelta(hours=1))
    assert (o.at, o.known - o.at) == (noon, timedelta(hours=1))


@pytest.mark.parametrize("value", [5, 3000, float("nan"), float("inf"), -1])
def test_glucose_nobody_lives_with_is_refused_saying_what_is_allowed(value):
    with pytest.raises(Implausible, match="meter is outside 10 to 1500; check the unit"):
        Observation(noon, codes.glucose, value, "meter", noon)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(Implausible, match="no time zone"):
        Observation(noon.replace(tzinfo=None), codes.glucose, 120, "meter", noon)


def test_nothing_ends_before_it_begins():
    with pytest.raises(Implausible, match="before it begins"):
        Observation(noon, codes.insulin_basal, 1, "pump", noon, noon - timedelta(minutes=1))


def test_what_was_entered_in_error_says_so():
    assert Observation(noon, codes.glucose, 120, "lab", noon, says=WITHDRAWN).withdrawn
    assert not Observation(noon, codes.glucose, 120, "lab", noon).withdrawn
