import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from medtwin.vault import audit
from medtwin.vault.access import Action, Principal, Refused, Role
from medtwin.vault.consent import Decision, Purpose
from medtwin.vault.vault import Vault

root = Path(__file__).parents[2]
who = Principal("olga", Role.operator)


def changed(vault, statement):
    """As somebody who can write the file, but has no key."""
    with vault._store.turns.writing() as c:
        c.execute(text(statement))


def test_every_read_and_write_leaves_a_line(vault, door, admitted, made):
    patient = admitted(Purpose.care)
    vault.record(door.clinician, patient, Purpose.care)
    vault.add(door.system, patient, [made.reading(50)], Purpose.care)
    add, read = vault.audit(door.operator, patient)[:2]
    assert (read.action, read.who, read.purpose, read.allowed) == (
        *("read", "Dr Carla Clinic", "care", True),
    )
    assert read.because == "agreed to care on 01 March 2026"
    assert (add.action, add.detail) == ("add facts", '{"facts":1}')


def test_a_refusal_leaves_a_line_too(vault, door, admitted):
    patient = admitted()
    with pytest.raises(Refused):
        vault.record(door.researcher, patient, Purpose.research)
    (line,) = [one for one in vault.audit(door.operator, patient) if not one.allowed]
    assert (line.action, line.because) == ("read", "never asked about research")


def test_a_write_that_fails_leaves_neither_data_nor_line(vault, door, admitted):
    patient = admitted(Purpose.care)
    before = vault.verify().lines
    with pytest.raises(AttributeError):
        vault.keep_entries(door.system, patient, ["not an entry"], Purpose.care)
    assert vault.verify().lines == before


def test_a_whole_chain_is_verified(vault, admitted):
    admitted(Purpose.care)
    found = vault.verify()
    assert (found.ok, found.because) == (True, "every line follows from the one before")
    assert found.lines > 3


def test_an_empty_chain_is_whole(vault):
    assert vault.verify() == audit.Verified(0, True, "every line follows from the one before")


columns = ["at", "who", "role", "action", "patient", "purpose", "allowed", "because", "detail"]


@pytest.mark.parametrize("column", columns)
def test_changing_anything_in_a_line_is_seen_and_where(vault, admitted, column):
    admitted(Purpose.care)
    value = "not allowed" if column == "allowed" else "7" if column == "at" else "'changed'"
    changed(vault, f"update audit set {column} = {value} where line = 2")
    found = vault.verify()
    assert (found.ok, found.because) == (False, "line 2 was changed")


def test_dropping_a_line_is_seen(vault, admitted):
    admitted(Purpose.care)
    changed(vault, "delete from audit where line = 2")
    assert vault.verify().because == "line 2 is missing"


def test_cutting_off_the_end_is_seen(vault, admitted):
    admitted(Purpose.care)
    lines = vault.verify().lines
    changed(vault, f"delete from audit where line > {lines - 2}")
    found = vault.verify()
    assert not found.ok
    assert found.because == f"{lines - 2} lines do not lead to the signed head ({lines})"


@pytest.mark.parametrize("harm", ["cut", "unsigned"])
def test_what_was_broken_stays_broken_however_much_is_written_after(
    vault, home, door, admitted, harm
):
    admitted(Purpose.care)
    if harm == "cut":
        changed(vault, f"delete from audit where line > {vault.verify().lines - 2}")
    else:
        (home / "audit.head").unlink()
    for _ in range(5):
        vault.patients(door.operator)
    assert not vault.verify().ok


def test_a_chain_written_anew_does_not_lead_to_the_signed_head(vault, admitted):
    admitted(Purpose.care)
    lines = vault.verify().lines
    changed(vault, "delete from audit")
    invented = audit.entry(7, who, Action.list, None, None, Decision(True, "invented"))
    with vault._store.turns.writing() as c:
        audit.write(c, [invented] * lines)
    assert "do not lead to the signed head" in vault.verify().because


@pytest.mark.parametrize("wrong", ["", "5 00ff 00ff\n", None])
def test_a_head_that_is_gone_or_not_signed_by_this_vault_is_seen(vault, home, admitted, wrong):
    admitted(Purpose.care)
    if wrong is None:
        (home / "audit.head").unlink()
    else:
        (home / "audit.head").write_text(wrong)
    assert vault.verify().because == "the signed head is missing or was changed"


entries = st.lists(st.text(max_size=8), min_size=2, max_size=8)


@settings(max_examples=30)
@given(entries, st.data())
def test_no_two_lines_can_trade_places(tmp_path_factory, reasons, data):
    line = [audit.entry(7, who, Action.list, None, None, Decision(True, r)) for r in reasons]
    i = data.draw(st.integers(0, len(line) - 2))
    swapped = [*line[:i], line[i + 1], line[i], *line[i + 2 :]]
    assert (end(line) == end(swapped)) == (line[i] == line[i + 1])


def end(said):
    now = audit.beginning
    for number, one in enumerate(said, 1):
        now = audit.chained(now, number, one)
    return now


def test_only_the_operator_sees_the_whole_audit(vault, door, admitted):
    patient = admitted(Purpose.care)
    with pytest.raises(Refused):
        vault.audit(door.clinician)
    with pytest.raises(Refused):
        vault.audit(door.patient("p-other"), patient)
    assert vault.audit(door.patient(patient), patient)


def test_a_patient_signs_by_pseudonym(vault, door, admitted):
    patient = admitted(Purpose.care)
    vault.record(door.patient(patient), patient, Purpose.care)
    assert {one.who for one in vault.audit(door.operator, patient) if one.role == "patient"} == {
        patient
    }


other_process = """
import sys
from pathlib import Path
from medtwin.vault.access import Principal, Role
from medtwin.vault.vault import Vault
with Vault.open(Path(sys.argv[1]), database=sys.argv[2] or None) as vault:
    for _ in range(25):
        vault.patients(Principal(sys.argv[3], Role.operator))
"""


def test_the_chain_stays_one_line_under_threads_and_processes(
    vault, home, database, door, admitted, made
):
    patient = admitted(*Purpose)
    before = vault.verify().lines
    command = [sys.executable, "-c", other_process, str(home), database or ""]
    others = [subprocess.Popen([*command, name], cwd=root) for name in ("second", "third")]

    def follow(thread):
        for i in range(15):
            new = made.reading(1000 * thread + i)
            assert vault.add(door.system, patient, [new], Purpose.twin) == 1

    threads = [threading.Thread(target=follow, args=(n,)) for n in range(1, 5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    assert [one.wait(timeout=60) for one in others] == [0, 0]
    found = vault.verify()
    assert (found.ok, found.lines) == (True, before + 4 * 15 + 2 * 25)
    assert vault.patients(door.operator)[0].facts == 3 + 60


def test_the_chain_goes_on_after_a_restart(vault, home, database, door, admitted):
    admitted(Purpose.care)
    lines = vault.verify().lines
    vault.close()
    with Vault.open(home, database=database) as opened:
        opened.patients(door.operator)
        assert opened.verify() == audit.Verified(
            lines + 1, True, "every line follows from the one before"
        )
