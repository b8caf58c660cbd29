"""The round on a real vault: learn, look ahead, warn, resolve, honour consent, go on."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.care.admission import the_round
from medtwin.care.event import What
from medtwin.care.round import AtHand, tend
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.sources.source import Arrived
from medtwin.twin.bytes import dumped, loaded
from medtwin.vault.access import Principal, Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

began = datetime(2031, 5, 4, 6, tzinfo=UTC)
operator, nurse = Principal("op", Role.operator), Principal("nurse", Role.clinician)


def at(minutes):
    return began + timedelta(minutes=minutes)


def reading(minutes, value, late=0.0, source="sensor"):
    return Observation(at(minutes), codes.glucose, value, source, at(minutes + late))


def steady(first, last, level=140.0):
    """Five-minute readings that wander a little about a level."""
    return [
        reading(m, level + 8 * np.sin(m / 40) + 3 * np.sin(m * 1.7)) for m in range(first, last, 5)
    ]


class Ears(list):
    """Everything that was told."""

    def __call__(self, event):
        self.append(event)

    def kinds(self):
        return [e.kind for e in self]


@pytest.fixture
def vault(tmp_path):
    clock = {"now": began}
    with Vault.open(tmp_path, clock=lambda: clock["now"]) as opened:
        yield opened


def kept(vault, facts=(), grants=(Purpose.care, Purpose.twin), about="test|1"):
    arrived = Arrived(b"{}", "text/plain", "test", about, None, tuple(facts), ())
    before = {listed.patient for listed in vault.patients(operator)}
    vault.receive(operator, [arrived], "a test", grants)
    return next(p.patient for p in vault.patients(operator) if p.patient not in before)


def state(vault, patient):
    return loaded(vault.checkpoint(the_round, patient, model.name, Purpose.twin))


def test_facts_that_arrive_move_the_twin_and_bring_a_forecast(vault):
    patient, ears = kept(vault, steady(0, 300)), Ears()
    tend(patient, steady(300, 330), vault, ears, at(330))
    assert ears.kinds() == [What.facts, What.forecast]
    assert state(vault, patient).at == at(325).timestamp()
    low, middle, high = (ears[-1].payload[k] for k in ("low", "middle", "high"))
    assert 40 < low < middle < high < 400


def test_what_was_forecast_is_scored_when_reality_arrives(vault):
    patient, hand = kept(vault, steady(0, 300)), AtHand()
    for m in range(300, 400, 5):
        tend(patient, steady(m, m + 5), vault, lambda _: None, at(m + 1), hand)
    ledger = vault.ledger(the_round, patient, Purpose.twin)
    scored = [e for e in ledger if e.measured is not None]
    assert {e.by for e in ledger} == {"mechanism", "shown"}
    assert scored
    assert all(e.crps >= 0 for e in scored)
    assert any(e.measured is None for e in ledger)


def test_the_ledger_gets_one_page_in_each_quarter_of_an_hour(vault):
    patient, hand = kept(vault, steady(0, 300)), AtHand()
    for m in range(300, 360, 5):
        tend(patient, steady(m, m + 5), vault, lambda _: None, at(m), hand)
    made = {e.made for e in vault.ledger(the_round, patient, Purpose.twin)}
    assert made == {at(300), at(315), at(330), at(345)}


def test_a_restart_says_nothing_twice(vault):
    patient, hand, ears = kept(vault, steady(0, 300)), AtHand(), Ears()
    for m in range(300, 420, 5):
        if m in (330, 390):
            hand = AtHand()
        tend(patient, [reading(m, 50)], vault, ears, at(m), hand)
    told = [e for e in ears if e.kind is What.alert and e.payload["code"] == "severe_low"]
    assert len(told) == 1
    pages = vault.ledger(the_round, patient, Purpose.twin)
    assert len({(e.by, e.made, e.due) for e in pages}) == len(pages)
    before = state(vault, patient)
    tend(patient, (), vault, ears, at(416), AtHand())
    assert dumped(state(vault, patient)) == dumped(before)


def test_the_interrupted_twin_equals_the_uninterrupted_one(vault):
    patient = kept(vault, steady(0, 300))
    hand = AtHand()
    for m in range(300, 400, 5):
        tend(patient, steady(m, m + 5), vault, lambda _: None, at(m), hand)
    held = hand.following[patient].twin
    assert dumped(state(vault, patient)) == dumped(held)
    resumed = AtHand()
    tend(patient, steady(400, 405), vault, lambda _: None, at(400), resumed)
    tend(patient, (), vault, lambda _: None, at(400), hand)
    assert dumped(resumed.following[patient].twin) == dumped(hand.following[patient].twin)


def test_facts_that_come_late_make_the_same_twin_as_facts_in_order(vault):
    facts = steady(300, 400)
    late = [f for f in facts if at(340) <= f.at < at(360)]
    patient, hand = kept(vault, steady(0, 300)), AtHand()
    for f in facts:
        if f not in late:
            tend(patient, [f], vault, lambda _: None, f.at, hand)
    tend(patient, late, vault, lambda _: None, at(400), hand)
    late_twin = hand.following[patient].twin
    fresh = AtHand()
    birth = min(hand.following[patient].checkpoints, key=lambda t: t.at)
    vault.forget_checkpoints(the_round, patient, model.name, Purpose.twin, began)
    tend(patient, (), vault, lambda _: None, at(400), fresh)
    in_order = fresh.following[patient].twin
    assert birth.at < late_twin.at
    assert np.array_equal(late_twin.states, in_order.states)
    assert np.array_equal(late_twin.spread, in_order.spread)


def test_a_severe_low_is_told_at_once_counted_and_over_by_itself(vault):
    patient, ears, hand = kept(vault, steady(0, 300)), Ears(), AtHand()
    tend(patient, [reading(300, 50)], vault, ears, at(300), hand)
    tend(patient, [reading(305, 48)], vault, ears, at(305), hand)
    told = [e for e in ears if e.kind is What.alert and e.payload["code"] == "severe_low"]
    assert len(told) == 1
    assert told[0].payload["urgency"] == "now"
    (alert,) = [a for a in vault.alerts(nurse, patient) if a["code"] == "severe_low"]
    assert alert["count"] == 2
    assert alert["resolved_at"] is None
    tend(patient, [reading(310, 82)], vault, ears, at(310), hand)
    (alert,) = [a for a in vault.alerts(nurse, patient) if a["code"] == "severe_low"]
    assert alert["resolved_at"] is not None
    assert {"code": "severe_low"} in [e.payload for e in ears if e.kind is What.resolved]


def test_an_acknowledged_alert_is_still_open_and_still_ends_by_itself(vault):
    patient, hand = kept(vault, steady(0, 300)), AtHand()
    tend(patient, [reading(300, 50)], vault, lambda _: None, at(300), hand)
    (alert,) = [a for a in vault.alerts(nurse, patient) if a["code"] == "severe_low"]
    vault.acknowledge(nurse, alert["id"])
    tend(patient, [reading(305, 49)], vault, lambda _: None, at(305), hand)
    (alert,) = [a for a in vault.alerts(nurse, patient) if a["code"] == "severe_low"]
    assert alert["acknowledged_by"] == "nurse"
    assert alert["resolved_at"] is None
    assert alert["count"] == 2


def test_an_alert_raised_before_a_restart_is_resolved_after_it(vault):
    patient = kept(vault, steady(0, 300))
    tend(patient, [reading(300, 50)], vault, lambda _: None, at(300), AtHand())
    tend(patient, [reading(305, 90)], vault, lambda _: None, at(305), AtHand())
    (alert,) = [a for a in vault.alerts(nurse, patient) if a["code"] == "severe_low"]
    assert alert["resolved_at"] is not None


def test_silence_is_noticed_with_no_fact_arriving(vault):
    patient, ears, hand = kept(vault, steady(0, 300)), Ears(), AtHand()
    tend(patient, (), vault, ears, at(305), hand)
    tend(patient, (), vault, ears, at(325), hand)
    assert [e.payload["code"] for e in ears if e.kind is What.alert] == ["no_data"]


def test_without_consent_to_a_twin_nothing_is_computed_but_a_severe_low_is_seen(vault):
    patient, ears = kept(vault, steady(0, 300), grants=[Purpose.care]), Ears()
    tend(patient, [reading(300, 50)], vault, ears, at(300))
    assert What.forecast not in ears.kinds()
    assert [e.payload["code"] for e in ears if e.kind is What.alert] == ["severe_low"]


def test_without_consent_to_care_nobody_is_warned_but_the_twin_learns(vault):
    patient, ears = kept(vault, steady(0, 300), grants=[Purpose.twin]), Ears()
    assert tend(patient, [reading(300, 50)], vault, ears, at(300)) == ()
    assert ears.kinds() == [What.facts, What.forecast]


def test_consent_withdrawn_stops_the_twin_at_once_and_forgets_it(vault):
    patient, ears, hand = kept(vault, steady(0, 300)), Ears(), AtHand()
    tend(patient, steady(300, 305), vault, ears, at(300), hand)
    vault.choose(operator, patient, Purpose.twin, yes=False)
    ears.clear()
    tend(patient, steady(305, 310), vault, ears, at(305), hand)
    assert ears.kinds() == [What.facts]
    assert patient not in hand.following


def test_without_any_consent_facts_are_refused_and_not_kept(vault):
    patient, ears = kept(vault, steady(0, 300), grants=[]), Ears()
    before = vault.patients(operator)[0].facts
    with pytest.raises(Refused):
        tend(patient, [reading(300, 50)], vault, ears, at(300))
    assert vault.patients(operator)[0].facts == before
    assert not ears


def test_a_person_without_glucose_has_no_twin_and_no_alarm(vault):
    patient, ears = kept(vault), Ears()
    assert tend(patient, (), vault, ears, at(300)) == ()
    assert not ears
