from datetime import timedelta

import pytest

from medtwin.vault.access import Principal, Role
from medtwin.vault.accounts import NotLoggedIn
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault


@pytest.fixture
def accounts(vault):
    vault.accounts.add("Carla", "correct horse", Role.clinician)
    return vault.accounts


def test_name_and_password_open_a_session_and_logging_out_ends_it(accounts):
    token = accounts.login("carla ", "correct horse")
    assert accounts.session(token) == Principal("Carla", Role.clinician)
    accounts.logout(token)
    assert accounts.session(token) is None


def test_a_token_nobody_gave_out_opens_nothing(accounts):
    assert accounts.session("") is None
    assert accounts.session("guess") is None


def test_a_wrong_password_and_an_unknown_name_sound_the_same(accounts):
    said = []
    for name, password in (("Carla", "wrong"), ("Nobody", "wrong")):
        with pytest.raises(NotLoggedIn) as refused:
            accounts.login(name, password)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_after_five_wrong_passwords_even_the_right_one_waits(accounts, clock):
    for _ in range(5):
        with pytest.raises(NotLoggedIn):
            accounts.login("Carla", "wrong")
    with pytest.raises(NotLoggedIn, match="wait 15 minutes"):
        accounts.login("Carla", "correct horse")
    clock.forward(timedelta(minutes=16))
    assert accounts.login("Carla", "correct horse")


def test_a_session_ends_after_twelve_hours(accounts, clock):
    token = accounts.login("Carla", "correct horse")
    clock.forward(timedelta(hours=11, minutes=59))
    assert accounts.session(token)
    clock.forward(timedelta(minutes=2))
    assert accounts.session(token) is None


def test_a_session_outlives_a_restart(accounts, vault, home, clock, database):
    token = accounts.login("Carla", "correct horse")
    vault.close()
    with Vault.open(home, clock, database=database) as opened:
        assert opened.accounts.session(token) == Principal("Carla", Role.clinician)


def test_a_patients_account_is_theirs(vault, admitted):
    patient = admitted(Purpose.care)
    vault.accounts.add("maria", "hunter2", Role.patient, patient)
    token = vault.accounts.login("maria", "hunter2")
    assert vault.accounts.session(token) == Principal("maria", Role.patient, patient)


@pytest.mark.parametrize(("role", "patient"), [(Role.patient, None), (Role.clinician, "p-1")])
def test_a_pseudonym_goes_with_role_patient_and_only_with_it(vault, role, patient):
    with pytest.raises(ValueError, match="give a pseudonym with role patient, and only with it"):
        vault.accounts.add("x", "y", role, patient)


def test_no_account_for_somebody_who_is_not_kept(vault):
    with pytest.raises(ValueError, match="no p-1 is kept here"):
        vault.accounts.add("x", "y", Role.patient, "p-1")


def test_a_name_is_taken_once(accounts):
    with pytest.raises(ValueError, match="choose another name"):
        accounts.add("CARLA", "other", Role.operator)


def test_passwords_are_argon2id_and_tokens_are_not_in_the_store(accounts, vault, home, in_files):
    token = accounts.login("Carla", "correct horse")
    vault.close()
    held = (home / "store.db").read_bytes()
    assert b"$argon2id$" in held
    assert token.encode() not in held
    assert b"correct horse" not in held


def test_logging_in_leaves_a_line_and_a_wrong_name_is_not_written_down(accounts, vault, door):
    accounts.login("Carla", "correct horse")
    with pytest.raises(NotLoggedIn):
        accounts.login("my-password-by-mistake", "x")
    told = [(one.who, one.allowed) for one in vault.audit(door.operator) if one.action == "log in"]
    assert told == [("unknown", False), ("Carla", True)]
