from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose


@dataclass(frozen=True)
class Alert:
    patient: str
    code: str
    urgency: str
    headline: str
    because: str
    at: datetime


@pytest.fixture
def low(made, admitted):
    patient = admitted(*Purpose)
    because = "70 % chance below 70 mg/dL by 13:30"
    return Alert(patient, "predicted_low", "soon", "Glucose may fall low", because, made.at)


def test_an_alert_is_told_in_words_with_its_reason(vault, door, low):
    number = vault.keep_alert(door.system, low)
    (told,) = vault.alerts(door.clinician, low.patient)
    assert told["id"] == number
    assert (told["headline"], told["because"]) == (low.headline, low.because)
    assert (told["code"], told["urgency"], told["at"]) == ("predicted_low", "soon", low.at)
    assert (told["count"], told["acknowledged_by"], told["resolved_at"]) == (1, None, None)


def test_the_same_reason_again_is_counted_not_repeated(vault, door, low):
    again = replace(low, because="80 %", at=low.at + timedelta(minutes=5))
    assert vault.keep_alert(door.system, low) == vault.keep_alert(door.system, again)
    (told,) = vault.alerts(door.clinician, low.patient)
    assert (told["count"], told["because"]) == (2, "80 %")
    assert (told["at"], told["latest"]) == (low.at, again.at)


def test_another_reason_is_another_alert_and_the_newest_comes_first(vault, door, low):
    vault.keep_alert(door.system, low)
    vault.keep_alert(door.system, replace(low, code="no_data"))
    assert [a["code"] for a in vault.alerts(door.clinician, low.patient)] == [
        *("no_data", "predicted_low")
    ]


def test_acknowledging_says_who_and_when_and_stays_while_it_goes_on(vault, door, low, clock):
    number = vault.keep_alert(door.system, low)
    clock.forward(timedelta(minutes=3))
    vault.acknowledge(door.clinician, number)
    vault.keep_alert(door.system, low)
    (told,) = vault.alerts(door.clinician, low.patient)
    assert (told["acknowledged_by"], told["acknowledged_at"]) == ("Dr Carla Clinic", clock.at)


def test_one_that_grew_more_urgent_asks_again(vault, door, low):
    vault.acknowledge(door.clinician, vault.keep_alert(door.system, low))
    vault.keep_alert(door.system, replace(low, urgency="now"))
    (told,) = vault.alerts(door.clinician, low.patient)
    assert (told["urgency"], told["acknowledged_by"]) == ("now", None)


def test_when_the_reason_is_gone_it_closes_and_the_next_one_is_new(vault, door, low, clock):
    first = vault.keep_alert(door.system, low)
    assert vault.resolve_alert(door.system, low.patient, "predicted_low") == 1
    assert vault.resolve_alert(door.system, low.patient, "predicted_low") == 0
    assert vault.alerts(door.clinician, low.patient)[0]["resolved_at"] == clock.at
    assert vault.keep_alert(door.system, low) != first


def test_the_list_of_all_leaves_out_those_whose_care_did_not_agree(vault, door, low, admitted):
    vault.keep_alert(door.system, low)
    other = admitted(Purpose.care, who="fhir|2")
    vault.keep_alert(door.system, replace(low, patient=other))
    assert {a["patient"] for a in vault.alerts(door.clinician)} == {low.patient, other}
    vault.choose(door.patient(other), other, Purpose.care, yes=False)
    assert {a["patient"] for a in vault.alerts(door.clinician)} == {low.patient}


def test_only_a_clinician_acknowledges(vault, door, low):
    number = vault.keep_alert(door.system, low)
    for other in (door.operator, door.researcher, door.system):
        with pytest.raises(Refused):
            vault.acknowledge(other, number)


def test_an_alert_nobody_kept_cannot_be_acknowledged(vault, door):
    with pytest.raises(LookupError, match="no alert 7 is kept"):
        vault.acknowledge(door.clinician, 7)
