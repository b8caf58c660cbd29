from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from medtwin.vault.checkpoints import day, hour, newest_kept, spare
from medtwin.vault.consent import Purpose

twin = Purpose.twin


def kept(vault, door, made, patient, *minutes):
    for m in minutes:
        at = made.at + timedelta(minutes=m)
        vault.keep(door.system, b"state %d" % m, patient, "living", at, twin)


def state(vault, door, made, patient, before=None):
    moment = None if before is None else made.at + timedelta(minutes=before)
    return vault.checkpoint(door.system, patient, "living", twin, moment)


def test_a_state_comes_back_bit_for_bit_and_the_latest_is_given(vault, door, made, admitted):
    patient = admitted(twin)
    kept(vault, door, made, patient, 10, 5, 0)
    assert state(vault, door, made, patient) == b"state 10"


def test_before_a_moment_means_strictly_before_it(vault, door, made, admitted):
    patient = admitted(twin)
    kept(vault, door, made, patient, 0, 5, 10)
    assert state(vault, door, made, patient, before=10) == b"state 5"
    assert state(vault, door, made, patient, before=0) is None


def test_a_late_fact_makes_later_states_untrue(vault, door, made, admitted):
    patient = admitted(twin)
    kept(vault, door, made, patient, 0, 5, 10)
    late = made.at + timedelta(minutes=5)
    assert vault.forget_checkpoints(door.system, patient, "living", twin, after=late) == 2
    assert state(vault, door, made, patient) == b"state 0"


def test_each_model_has_its_own(vault, door, made, admitted):
    patient = admitted(twin)
    kept(vault, door, made, patient, 0)
    assert vault.checkpoint(door.system, patient, "type1", twin) is None


def test_the_same_moment_again_replaces(vault, door, made, admitted):
    patient = admitted(twin)
    kept(vault, door, made, patient, 0)
    vault.keep(door.system, b"better", patient, "living", made.at, twin)
    assert state(vault, door, made, patient) == b"better"


@given(st.sets(st.integers(0, 400 * day // hour * 12), min_size=1, max_size=300))
def test_the_newest_always_stay(minutes):
    times = [m * hour // 12 for m in minutes]
    gone = set(spare(times))
    assert not gone & set(sorted(times)[-newest_kept:])


@given(st.integers(20, 2000))
def test_thinning_again_drops_nothing_more(n):
    times = [i * hour // 12 for i in range(n)]
    left = set(times) - set(spare(times))
    assert spare(left) == []


def test_a_year_of_five_minutes_thins_to_a_few_hundred_and_leaves_no_long_gap():
    times = [i * hour // 12 for i in range(365 * 24 * 12)]
    left = sorted(set(times) - set(spare(times)))
    assert len(left) < 200
    assert max(b - a for a, b in pairwise(left)) <= 14 * day
    assert max(b - a for a, b in pairwise(left[-40:])) <= 2 * hour
