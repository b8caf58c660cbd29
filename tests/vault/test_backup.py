"""The drill: copied while it is written, killed, put back: nothing is lost, nobody comes back."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from medtwin.vault.access import Refused
from medtwin.vault.backup import NoBackup
from medtwin.vault.consent import Purpose
from medtwin.vault.keys import KeyMissing
from medtwin.vault.vault import Vault

care = Purpose.care
root = Path(__file__).parents[2]
writer = """
import sys
from pathlib import Path
from evidence.durability import arriving, operator
from medtwin.vault import receiving
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
receiving.batch_originals = 20
with Vault.open(Path(sys.argv[1]), database=sys.argv[2] or None) as vault:
    told = lambda r: print(r.facts, flush=True)
    vault.receive(operator, arriving(), "invented people", list(Purpose), told)
"""


@pytest.fixture
def elsewhere(database, request):
    """Where it is put back: another empty database, or a file."""
    if database is None:
        return None
    return request.getfixturevalue("serving").database(request.getfixturevalue("postgresql"))


def test_copied_while_written_killed_and_put_back_it_is_the_same(
    home, database, elsewhere, door, clock, tmp_path
):
    command = [sys.executable, "-c", writer, str(home), database or ""]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        promised = int(process.stdout.readline()) + int(process.stdout.readline())
        with Vault.open(home, clock, database=database) as vault:
            copied = vault.back_up(door.operator, tmp_path / "copy", tmp_path / "keys")
        process.send_signal(signal.SIGKILL)
    new = tmp_path / "new"
    with Vault.restore(
        door.operator, tmp_path / "copy", new, tmp_path / "keys", elsewhere, clock
    ) as vault:
        found = sum(
            len(vault.record(door.system, one.patient, care))
            for one in vault.patients(door.operator)
        )
        again = vault.back_up(door.operator, tmp_path / "again")
        assert vault.verify().ok
        actions = [line.action for line in vault.audit(door.operator)]
    assert found >= promised
    assert {"back up", "put a copy back"} <= set(actions)
    changed = {name for name in copied.digests if copied.digests[name] != again.digests[name]}
    assert changed == {"audit"}


@pytest.fixture
def ended(vault, home, door, admitted, tmp_path):
    """Two people, copied with their keys; then one is retired. Who was, and who stayed."""
    one, other = admitted(care), admitted(care, who="fhir|2")
    vault.back_up(door.operator, tmp_path / "copy", tmp_path / "keys")
    vault.retire(door.operator, one, "asked to be forgotten")
    vault.close()
    return one, other


def put_back_with_the_keys_of_today(home, new):
    new.mkdir(mode=0o700)
    for name in ("keys.db", "key"):
        shutil.copy(home / name, new / name)


def test_an_old_copy_does_not_bring_back_whom_the_keyring_knows_as_retired(
    ended, home, elsewhere, door, clock, tmp_path
):
    one, other = ended
    new = tmp_path / "new"
    put_back_with_the_keys_of_today(home, new)
    with Vault.restore(door.operator, tmp_path / "copy", new, None, elsewhere, clock) as vault:
        assert vault.certificate(one).because == "asked to be forgotten"
        with pytest.raises(Refused, match="retired"):
            vault.record(door.clinician, one, care)
        assert len(vault.record(door.clinician, other, care)) == 3
        assert {p.patient: p.facts for p in vault.patients(door.operator)} == {one: 0, other: 3}
        (line, *_) = [x for x in vault.audit(door.operator, one) if x.action == "retire"]
        assert line.because == "their key was destroyed and their data is gone"
        assert vault.verify().ok


def test_keys_that_are_there_are_not_replaced_by_older_ones(ended, home, door, tmp_path):
    new = tmp_path / "new"
    put_back_with_the_keys_of_today(home, new)
    with pytest.raises(NoBackup, match="know whose data was ended since"):
        Vault.restore(door.operator, tmp_path / "copy", new, tmp_path / "keys")


def test_a_key_that_comes_back_with_old_keys_is_destroyed_again(
    vault, home, door, clock, elsewhere, admitted, tmp_path
):
    one = admitted(care)
    vault.back_up(door.operator, tmp_path / "first", tmp_path / "keys")
    vault.retire(door.operator, one, "asked")
    vault.back_up(door.operator, tmp_path / "second")
    new = tmp_path / "new"
    with Vault.restore(
        door.operator, tmp_path / "second", new, tmp_path / "keys", elsewhere, clock
    ) as opened:
        assert opened.certificate(one)
        with pytest.raises(KeyMissing, match="has no key"):
            opened._store.keyring.seal_of(one)


def test_a_copy_that_was_changed_or_cut_short_is_refused(vault, door, admitted, tmp_path):
    admitted(care)
    vault.back_up(door.operator, tmp_path / "copy", tmp_path / "keys")
    rows = tmp_path / "copy" / "facts.rows"
    rows.write_bytes(rows.read_bytes()[:-1])
    with pytest.raises(NoBackup, match="changed or cut short"):
        Vault.restore(door.operator, tmp_path / "copy", tmp_path / "new", tmp_path / "keys")
    assert not (tmp_path / "new" / "audit.head").exists()


def test_a_copy_never_lies_with_its_keys_nor_over_another(vault, door, tmp_path):
    with pytest.raises(NoBackup, match="another medium"):
        vault.back_up(door.operator, tmp_path / "copy", tmp_path / "copy" / "keys")
    vault.back_up(door.operator, tmp_path / "copy")
    with pytest.raises(NoBackup, match="not empty"):
        vault.back_up(door.operator, tmp_path / "copy")
    with pytest.raises(Refused):
        vault.back_up(door.clinician, tmp_path / "other")
