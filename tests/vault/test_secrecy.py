import logging

import pytest

from medtwin.record.codes import Code, Kind
from medtwin.sources.source import Refusal
from medtwin.vault.access import Refused, Role
from medtwin.vault.consent import Purpose

secrets = [b"Aaron", b"Dickens", b"999-12-3456", b"fhir|1", b"1950-05-17", b"sensor-of-his"]
spoken = [b"Diabetes of Aaron", b"tell his wife", b"maria.muster", b"hunter2", b"strange refusal"]


@pytest.fixture
def everything_done(vault, door, made, caplog):
    """A life in the vault: every kind of thing kept, some things refused."""
    caplog.set_level(logging.DEBUG)
    code = Code("local:1", "Diabetes of Aaron", "1", kind=Kind.condition)
    facts = [
        made.reading(0, source="sensor-of-his"),
        made.reading(1, 1, code=code, says="tell his wife"),
    ]
    bad = Refusal("strange refusal", "Aaron Dickens", "of Aaron", "ask Aaron", b"Aaron")
    arrived = made.arrived(*facts, person=made.person(), refused=(bad,))
    vault.receive(door.operator, [arrived], "invented", list(Purpose))
    (one,) = vault.patients(door.operator)
    patient = one.patient
    vault.keep(door.system, b"a twin of Aaron", patient, "living", made.at, Purpose.twin)
    vault.accounts.add("maria.muster", "hunter2", Role.patient, patient)
    principal = vault.accounts.session(vault.accounts.login("maria.muster", "hunter2"))
    vault.record(principal, patient, Purpose.care)
    vault.choose(principal, patient, Purpose.care, yes=False)
    with pytest.raises(Refused) as refused:
        vault.who(door.clinician, patient, Purpose.care)
    vault.verify()
    return patient, str(refused.value)


def test_no_file_and_no_log_holds_a_name_or_an_identifier(everything_done, home, caplog):
    content = {file.name: file.read_bytes() for file in home.iterdir()}
    assert len(content["store.db"]) + len(content["store.db-wal"]) > 10_000
    for name, held in content.items():
        for secret in secrets + spoken:
            assert secret not in held, (name, secret)
    for secret in secrets + spoken:
        assert secret.decode() not in caplog.text


def test_a_refusal_said_aloud_names_nobody(everything_done):
    patient, said = everything_done
    assert patient in said
    assert "Aaron" not in said


def test_the_audit_names_nobody(everything_done, vault, door):
    told = str(vault.audit(door.operator))
    assert "Olga Operator" in told
    for secret in secrets + spoken:
        assert secret.decode() not in told


def test_only_the_owner_may_enter_the_home(everything_done, home):
    assert home.stat().st_mode & 0o077 == 0
    for name in ("store.db", "keys.db", "key"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
