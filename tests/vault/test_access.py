from datetime import UTC, datetime

import pytest

from medtwin.vault.access import Action, Principal, Refused, Role, Subject, decide
from medtwin.vault.consent import Choice, Purpose

now = datetime(2026, 3, 1, tzinfo=UTC)
agreed = Subject("p-1", tuple(Choice("p-1", p, True, now, "p-1") for p in Purpose))
silent = Subject("p-1")
staff = [Role.clinician, Role.researcher, Role.operator, Role.system]


def asks(role, patient=None):
    return Principal("somebody", role, patient)


@pytest.mark.parametrize("role", staff)
@pytest.mark.parametrize("action", [Action.read, Action.identify, Action.add, Action.keep])
@pytest.mark.parametrize("purpose", Purpose)
def test_without_a_grant_nobody_on_the_staff_reads_or_computes_anything(role, action, purpose):
    assert not decide(asks(role), action, silent, purpose).allowed


@pytest.mark.parametrize("role", staff)
def test_anybody_on_the_staff_may_list_pseudonyms(role):
    assert decide(asks(role), Action.list, None, None).allowed


def test_even_with_every_grant_each_role_keeps_to_its_purposes():
    may_read = {
        Role.clinician: {Purpose.care, Purpose.twin},
        Role.researcher: {Purpose.research, Purpose.training, Purpose.sharing},
        Role.operator: set(),
        Role.system: set(Purpose),
    }
    for role, purposes in may_read.items():
        found = {p for p in Purpose if decide(asks(role), Action.read, agreed, p).allowed}
        assert found == purposes, role


def test_only_a_clinician_caring_for_them_or_they_themselves_learn_who_it_is():
    allowed = {
        (role, purpose)
        for role in Role
        for purpose in Purpose
        if decide(asks(role), Action.identify, agreed, purpose).allowed
    }
    assert allowed == {(Role.clinician, Purpose.care)}
    assert decide(asks(Role.patient, "p-1"), Action.identify, silent, Purpose.care).allowed


def test_a_patient_always_sees_their_own_record_and_choices():
    own = asks(Role.patient, "p-1")
    assert decide(own, Action.read, silent, Purpose.care).allowed
    assert decide(own, Action.see_choices, silent, None).allowed
    assert decide(own, Action.choose, silent, None).allowed


def test_a_patient_has_nothing_computed_without_their_own_yes():
    assert not decide(asks(Role.patient, "p-1"), Action.read, silent, Purpose.twin).allowed
    assert decide(asks(Role.patient, "p-1"), Action.read, agreed, Purpose.twin).allowed


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("purpose", [None, *Purpose])
def test_a_patient_never_reaches_somebody_else(action, purpose):
    assert not decide(asks(Role.patient, "p-2"), action, agreed, purpose).allowed


@pytest.mark.parametrize("role", Role)
def test_nobody_reads_the_retired(role):
    gone = Subject("p-1", agreed.choices, retired=now)
    for action in set(Action) - {Action.see_audit, Action.see_choices}:
        for purpose in (None, *Purpose):
            assert not decide(asks(role, "p-1"), action, gone, purpose).allowed


def test_only_the_operator_retires():
    allowed = {r for r in Role if decide(asks(r, "p-1"), Action.retire, agreed, None).allowed}
    assert allowed == {Role.operator}


def test_a_purpose_left_out_is_no():
    assert not decide(asks(Role.clinician), Action.read, agreed, None).allowed


def test_somebody_unknown_is_no_and_says_what_to_do(vault, door):
    with pytest.raises(Refused, match="no p-nobody is kept here; list the people kept"):
        vault.record(door.clinician, "p-nobody", Purpose.care)


def test_a_refusal_says_who_what_whose_and_why(vault, door, admitted):
    patient = admitted()
    with pytest.raises(Refused) as refused:
        vault.record(door.clinician, patient, Purpose.care)
    assert str(refused.value) == (
        f"Dr Carla Clinic (clinician) may not read of {patient}: never asked about care"
    )
    assert refused.value.decision.because == "never asked about care"


def test_a_person_without_a_grant_is_kept_counted_and_listed(vault, door, admitted):
    patient = admitted(facts=7)
    (listed,) = vault.patients(door.operator)
    assert (listed.patient, listed.facts, listed.grants) == (patient, 7, {})


def test_a_patient_lists_only_themselves(vault, door, admitted):
    first, _ = admitted(who="fhir|1"), admitted(who="fhir|2")
    assert [one.patient for one in vault.patients(door.patient(first))] == [first]
