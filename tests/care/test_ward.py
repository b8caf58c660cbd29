"""The ward: everybody is tended, trouble stays with whom it is, a slow viewer harms nobody."""

import threading
from datetime import timedelta
from time import monotonic, sleep

import numpy as np
import pytest

from medtwin.care.event import Event, What
from medtwin.care.round import AtHand, tend
from medtwin.care.viewers import Viewers, held, remembered
from medtwin.care.ward import Full, Ward
from medtwin.twin.bytes import dumped
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
from tests.care.test_round import at, began, kept, nurse, operator, reading, steady


class Clock:
    """A clock that a test moves."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def vault(tmp_path):
    with Vault.open(tmp_path, clock=lambda: began) as opened:
        yield opened


@pytest.fixture
def make(vault):
    """Wards that are stopped at the end, with no personal fits unless asked."""
    wards = []

    def made(clock, fit=lambda *_: None, **more):
        wards.append(Ward(vault, clock, fit=fit, **more))
        return wards[-1]

    yield made
    for ward in wards:
        ward.stop()


def until(true, seconds=20.0):
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.01)


def gather(listener, enough, seconds=20.0):
    found, end = [], monotonic() + seconds
    while not enough(found):
        assert monotonic() < end, [e.kind for e in found]
        event = listener.next(0.2)
        found += [event] if event else []
    return found


def test_what_arrives_is_tended_and_told(vault, make):
    patient = kept(vault, steady(0, 300))
    ward = make(Clock(at(300)))
    with ward.listen() as ears:
        ward.start()
        ward.arrive(patient, [reading(300, 50)])
        told = gather(ears, lambda es: any(e.kind is What.alert for e in es))
    assert any(e.kind is What.facts and e.payload["value"] == 50 for e in told)
    assert [e.id for e in told] == sorted(e.id for e in told)
    assert "severe_low" in {alert["code"] for alert in vault.alerts(nurse, patient)}


def test_a_poison_fact_does_not_cost_the_good_ones_nor_the_other_patients(vault, make):
    one, other = kept(vault, steady(0, 300)), kept(vault, steady(0, 300), about="test|2")
    ward = make(Clock(at(306)))
    with ward.listen() as ears:
        ward.start()
        ward.arrive(one, [reading(300, 141), "poison", reading(305, 142)])
        ward.arrive(other, [reading(300, 50)])
        told = gather(
            ears,
            lambda es: (
                any(e.kind is What.alert and e.patient == other for e in es)
                and sum(e.kind is What.trouble and e.patient == one for e in es) >= 2
                and ward.idle
            ),
        )
    assert ward.running
    assert "poison" not in {e.payload.get("value") for e in told}
    facts = {p.patient: p.facts for p in vault.patients(operator)}
    assert facts[one] == 62
    assert facts[other] == 61


def test_silence_is_noticed_by_the_clock_alone(vault, make):
    kept(vault, steady(0, 300))
    clock = Clock(at(300))
    ward = make(clock)
    with ward.listen() as ears:
        ward.start()
        until(lambda: ward.idle and ward.at_hand.raised)
        clock.now = at(330)
        told = gather(ears, lambda es: any(e.kind is What.alert for e in es))
    assert told[-1].payload["code"] == "no_data"


def test_a_person_who_agreed_to_nothing_is_shown_as_refused_once(vault, make):
    patient = kept(vault, grants=[])
    ward = make(Clock(at(300)))
    with ward.listen() as ears:
        ward.start()
        ward.arrive(patient, [reading(300, 120)])
        until(lambda: ward.idle)
        ward.arrive(patient, [reading(305, 120)])
        told = gather(ears, bool)
        until(lambda: ward.idle)
    assert [e.kind for e in told] == [What.refused]
    assert "never asked about" in told[0].payload["because"]


def test_a_full_ward_makes_whoever_brings_facts_wait_and_drops_none(vault, make):
    patient = kept(vault, steady(0, 300))
    ward = make(Clock(at(400)), most_waiting=10)
    ward.arrive(patient, steady(300, 350))
    with pytest.raises(Full, match="bring them again"):
        ward.arrive(patient, steady(350, 360), timeout=0.05)
    ward.start()
    ward.arrive(patient, steady(350, 360), timeout=20)
    until(lambda: ward.idle)
    until(lambda: vault.patients(operator)[0].facts == 72)


@pytest.fixture(scope="module")
def known_well(tmp_path_factory):
    """A person of six days whom the ward has got to know, the ward stopped after it."""
    with Vault.open(tmp_path_factory.mktemp("known"), clock=lambda: began) as vault:
        patient = kept(vault, steady(0, 6 * 1440))
        ward = Ward(vault, Clock(at(6 * 1440)))
        with ward.listen() as ears:
            ward.start()
            told = gather(ears, lambda es: any(e.kind is What.progress for e in es), seconds=120)
            until(lambda: ward.idle)
        ward.stop()
        yield vault, patient, ward.at_hand.following[patient], told[-1]


def test_a_personal_fit_is_taken_over_and_told(known_well):
    _, patient, _, told = known_well
    assert told.patient == patient
    assert "minimum CRPS" in told.payload["because"]


def test_a_twin_without_a_track_record_is_given_one_on_days_nothing_was_fitted_to(known_well):
    vault, patient, _following, _ = known_well
    ledger = vault.ledger(nurse, patient, Purpose.twin)
    scored = [e for e in ledger if e.measured is not None]
    assert len(scored) > 100
    assert {e.by for e in ledger} == {"mechanism", "shown", "ridge_inputs"}
    assert min(e.made for e in scored) > at(4 * 1440)


def test_the_mix_is_what_that_record_supports(known_well):
    _, _, following, _ = known_well
    assert following.weights.by == ("mechanism", "ridge_inputs")
    assert following.weights.share.sum(axis=1) == pytest.approx(1)


def test_after_a_restart_twin_and_mix_are_the_same(known_well):
    vault, patient, held, _ = known_well
    fresh = AtHand()
    tend(patient, (), vault, lambda _: None, at(6 * 1440), fresh)
    again = fresh.following[patient]
    assert again.weights.by == held.weights.by
    assert np.array_equal(again.weights.share, held.weights.share)
    assert np.array_equal(again.weights.misses, held.weights.misses)
    assert dumped(again.twin) == dumped(held.twin)


def test_a_fit_that_fails_is_told_and_the_rounds_go_on(vault, make):
    patient = kept(vault, steady(0, 300))

    def broken(*_):
        raise ArithmeticError("no minimum")

    ward = make(Clock(at(300)), fit=broken)
    with ward.listen() as ears:
        ward.start()
        told = gather(ears, lambda es: any(e.kind is What.trouble for e in es))
        ward.arrive(patient, [reading(300, 50)])
        gather(ears, lambda es: any(e.kind is What.alert for e in es))
    assert "no minimum" in told[-1].payload["because"]


def test_stopping_ends_both_threads(vault, make):
    ward = make(Clock(at(300))).start()
    assert ward.running
    ward.stop()
    assert not ward.running
    assert not [t for t in threading.enumerate() if t.name.startswith("ward") and t.is_alive()]


# Viewers alone


def event(n):
    return Event("p", What.facts, began + timedelta(seconds=n), {"n": n})


def test_events_are_numbered_from_one_and_a_lost_line_is_taken_up():
    viewers = Viewers()
    for n in range(1, 6):
        viewers.publish(event(n))
    with viewers.listen(since=3) as ears:
        viewers.publish(event(6))
        assert [ears.next(0).id for _ in range(3)] == [4, 5, 6]
        assert ears.next(0) is None


def test_a_number_from_before_a_restart_brings_everything_remembered():
    viewers = Viewers()
    viewers.publish(event(1))
    with viewers.listen(since=900) as ears:
        assert ears.next(0).id == 1


def test_a_slow_viewer_keeps_the_newest_and_never_holds_up_the_ward():
    viewers = Viewers()
    with viewers.listen() as slow:
        begun = monotonic()
        for n in range(remembered):
            viewers.publish(event(n))
        assert monotonic() - begun < 2
        got = [slow.next(0).id for _ in range(held)]
        assert got == list(range(remembered - held + 1, remembered + 1))
        assert slow.next(0) is None


def test_a_closed_viewer_hears_nothing_more_and_stops_waiting():
    viewers = Viewers()
    ears = viewers.listen()
    ears.close()
    viewers.publish(event(1))
    assert ears.next(5) is None
