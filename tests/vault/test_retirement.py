import shutil

import pytest
from sqlalchemy import text

from medtwin.record import codes
from medtwin.vault import tables
from medtwin.vault.access import Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.keys import KeyMissing, Keyring
from medtwin.vault.vault import Vault

care = Purpose.care


@pytest.fixture
def lived(vault, door, made, admitted):
    """Somebody with a record, a twin and an account."""
    patient = admitted(*Purpose)
    vault.add(door.system, patient, [made.reading(9, 40, code=codes.carbohydrate)], care)
    vault.keep(door.system, b"state", patient, "living", made.at, Purpose.twin)
    vault.accounts.add("maria", "hunter2", Role.patient, patient)
    return patient


def asks(vault, door, made, patient):
    own = door.patient(patient)
    return [
        lambda: vault.record(door.clinician, patient, care),
        lambda: vault.record(own, patient, care),
        lambda: vault.who(door.clinician, patient, care),
        lambda: vault.news(door.system, patient, care, 0),
        lambda: vault.originals(door.clinician, patient, care),
        lambda: vault.checkpoint(door.system, patient, "living", Purpose.twin),
        lambda: vault.ledger(door.system, patient, Purpose.twin),
        lambda: vault.alerts(door.clinician, patient),
        lambda: vault.add(door.system, patient, [made.reading(500)], care),
        lambda: vault.keep(door.system, b"x", patient, "living", made.at, Purpose.twin),
        lambda: vault.choose(own, patient, care, yes=True),
        lambda: vault.retire(door.operator, patient, "again"),
    ]


def test_afterwards_nothing_of_the_person_can_be_read_or_added(vault, door, made, lived):
    vault.retire(door.operator, lived, "asked to be forgotten")
    for ask in asks(vault, door, made, lived):
        with pytest.raises(Refused, match="retired on 01 March 2026; nothing is left to read"):
            ask()


def test_the_certificate_says_what_was_there_who_ended_it_when_and_why(vault, door, lived, made):
    certificate = vault.retire(door.operator, lived, "asked to be forgotten")
    assert vault.certificate(lived) == certificate
    assert (certificate.by, certificate.because) == ("Olga Operator", "asked to be forgotten")
    assert certificate.at == made.at
    assert certificate.facts == {"measurement": 3, "meal": 1}
    assert (certificate.originals, certificate.twins) == (1, 1)
    assert certificate.head in {one.hash for one in vault.audit(door.operator)}
    assert "1 meal, 3 measurement" in str(certificate)


def test_the_audit_shows_that_it_happened_and_is_whole(vault, door, lived):
    vault.retire(door.operator, lived, "asked to be forgotten")
    ended = vault.audit(door.operator, lived)[0]
    assert ended.action == "retire"
    assert ended.because == "their key was destroyed and their data is gone"
    assert vault.verify().ok


def test_the_person_is_still_counted_as_retired_with_no_facts(vault, door, lived, made):
    vault.retire(door.operator, lived, "asked")
    (listed,) = vault.patients(door.operator)
    assert (listed.patient, listed.retired, listed.facts, listed.first) == (lived, made.at, 0, None)


def test_no_row_of_theirs_is_left(vault, door, lived):
    vault.retire(door.operator, lived, "asked")
    with vault._store.turns.reading() as c:
        for table in (*tables.of_one_person, tables.accounts):
            assert not c.execute(table.select()).all(), table.name
        assert c.execute(text("select person from patients")).scalar() is None
    with vault._store.keyring._turns.reading() as c:
        assert not c.execute(tables.identities.select()).all()
        assert [r.name for r in c.execute(tables.keys.select())] == ["house"]


def test_their_log_in_and_open_sessions_end(vault, door, lived):
    token = vault.accounts.login("maria", "hunter2")
    vault.retire(door.operator, lived, "asked")
    assert vault.accounts.session(token) is None


def test_an_earlier_copy_of_the_store_cannot_be_read_with_the_keys_of_today(
    vault, home, in_files, door, lived, tmp_path
):
    vault.close()
    copy = shutil.copytree(home, tmp_path / "copy")
    with Vault.open(home) as opened:
        opened.retire(door.operator, lived, "asked")
    for name in ("keys.db", "key"):
        shutil.copy(home / name, copy / name)
    with Vault.open(copy) as old, pytest.raises(KeyMissing, match="has no key"):
        old.record(door.clinician, lived, care)


def test_an_earlier_copy_of_store_and_keyring_cannot_be_read_with_the_key_file_of_today(
    vault, home, in_files, door, lived, tmp_path
):
    vault.close()
    copy = shutil.copytree(home, tmp_path / "copy")
    with Vault.open(home) as opened:
        opened.retire(door.operator, lived, "asked")
    shutil.copy(home / "key", copy / "key")
    with pytest.raises(KeyMissing, match="does not open the key"):
        Vault.open(copy)


def test_the_wrapped_key_is_gone_from_every_byte_of_the_keyring(vault, home, door, lived):
    ring = vault._store.keyring
    with ring._turns.reading() as c:
        wrapped = ring._wrapped(c, [lived])[lived]
    assert any(wrapped in f.read_bytes() for f in home.glob("keys.db*"))
    vault.retire(door.operator, lived, "asked")
    assert not any(wrapped in f.read_bytes() for f in home.glob("keys.db*"))


def test_where_the_key_file_cannot_be_written_the_audit_says_what_is_left_to_do(
    vault, door, lived, monkeypatch
):
    def read_only(*_):
        raise PermissionError("read-only file system")

    monkeypatch.setattr("medtwin.vault.keys.write_keys", read_only)
    vault.retire(door.operator, lived, "asked")
    assert vault.audit(door.operator, lived)[0].because.endswith(
        "old copies of the keyring still open: destroy them"
    )
    with pytest.raises(Refused, match="retired"):
        vault.record(door.clinician, lived, care)


def test_everybody_else_goes_on_as_before(vault, door, lived, admitted):
    other = admitted(care, who="fhir|2", facts=4)
    vault.retire(door.operator, lived, "asked")
    assert len(vault.record(door.clinician, other, care)) == 4
    assert vault.who(door.clinician, other, care).name == "Aaron Dickens"


@pytest.mark.parametrize("cut_before", ["destroy", "finish"])
def test_a_retirement_cut_short_is_finished_at_the_next_opening(
    vault, home, database, door, lived, cut_before, monkeypatch
):
    def cut(*_):
        raise KeyboardInterrupt

    where = {
        "destroy": (Keyring, "destroy"),
        "finish": ("medtwin.vault.retirement.finish", None),
    }[cut_before]
    if where[1]:
        monkeypatch.setattr(*where, cut)
    else:
        monkeypatch.setattr(where[0], cut)
    with pytest.raises(KeyboardInterrupt):
        vault.retire(door.operator, lived, "asked")
    monkeypatch.undo()
    with pytest.raises(Refused, match="retired"):
        vault.record(door.clinician, lived, care)
    vault.close()
    with Vault.open(home, database=database) as opened:
        with opened._store.keyring._turns.reading() as c:
            assert [r.name for r in c.execute(tables.keys.select())] == ["house"]
        with opened._store.turns.reading() as c:
            assert not c.execute(tables.facts.select()).all()
        assert opened.certificate(lived)
        assert opened.verify().ok


def test_a_second_process_that_still_knew_them_takes_them_in_as_somebody_new(
    vault, home, database, door, lived, made
):
    arrived = [made.arrived(made.reading(700))]
    with Vault.open(home, database=database) as second:
        second.receive(door.operator, arrived, "invented", [care])
        vault.retire(door.operator, lived, "asked")
        with pytest.raises(Refused):
            second.record(door.clinician, lived, care)
        receipt = second.receive(door.operator, arrived, "invented", [care])
    assert (receipt.new_people, receipt.facts) == (1, 1)
    found = {one.patient: one.facts for one in vault.patients(door.operator)}
    assert found.pop(lived) == 0
    assert list(found.values()) == [1]


def test_nobody_but_the_operator_ends_anybody(vault, door, lived):
    for other in (door.clinician, door.researcher, door.system, door.patient(lived)):
        with pytest.raises(Refused):
            vault.retire(other, lived, "no")
    assert len(vault.record(door.clinician, lived, care)) == 4
