import pytest

from medtwin.vault import keys
from medtwin.vault.consent import Purpose
from medtwin.vault.keys import KeyMissing, Keyring
from medtwin.vault.vault import Vault


@pytest.fixture
def ring(tmp_path):
    made = Keyring(tmp_path / "keys.db", tmp_path / "key")
    yield made
    made.close()


def again(ring, tmp_path):
    ring.close()
    return Keyring(tmp_path / "keys.db", tmp_path / "key")


def test_the_key_file_is_for_its_owner_only(ring, tmp_path):
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_key_file_others_may_read_is_refused_and_says_what_to_do(ring, tmp_path):
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(KeyMissing, match=r"mode 644\); chmod 600"):
        again(ring, tmp_path)


@pytest.mark.parametrize(("lost", "called"), [("key", "key file"), ("keys.db", "keyring")])
def test_a_store_without_its_keys_is_not_opened_with_new_ones(vault, home, lost, called):
    vault.close()
    (home / lost).unlink()
    with pytest.raises(KeyMissing, match=f"the {called} .* is missing while a store exists"):
        Vault.open(home)
    assert not (home / lost).exists()


def test_the_wrong_key_file_opens_nothing(vault, home):
    vault.close()
    (home / "key").write_text("A" * 43 + "=\n")
    with pytest.raises(KeyMissing, match="restore the key file that belongs to this keyring"):
        Vault.open(home)


def test_a_damaged_key_file_is_named(ring, tmp_path):
    (tmp_path / "key").write_text("c2hvcnQ=\n")
    with pytest.raises(KeyMissing, match="holds no 32-byte key"):
        again(ring, tmp_path)


def test_the_same_person_has_the_same_pseudonym_and_it_says_nothing_of_them(ring, tmp_path):
    one = ring.pseudonyms(["ssn|1", "ssn|2"])
    assert one == again(ring, tmp_path).pseudonyms(["ssn|1", "ssn|2"])
    assert one["ssn|1"] != one["ssn|2"]
    assert all(len(p) == 14 and p.startswith("p-") for p in one.values())


def test_two_vaults_give_the_same_person_different_pseudonyms(ring, tmp_path):
    (tmp_path / "other").mkdir()
    other = Keyring(tmp_path / "other" / "keys.db", tmp_path / "other" / "key")
    assert ring.pseudonyms(["ssn|1"]) != other.pseudonyms(["ssn|1"])
    other.close()


def test_turning_the_key_over_changes_the_file_and_loses_nobody(ring, tmp_path):
    patient = ring.pseudonyms(["ssn|1"])["ssn|1"]
    sealed = ring.seal_of(patient).close(b"here", b"plain")
    before = (tmp_path / "key").read_bytes()
    ring.turn_over()
    assert (tmp_path / "key").read_bytes() != before
    assert again(ring, tmp_path).seal_of(patient).open(b"here", sealed) == b"plain"


@pytest.mark.parametrize("cut_at", [1, 2])
def test_turning_over_cut_short_is_finished_at_the_next_opening(
    ring, tmp_path, cut_at, monkeypatch
):
    patient = ring.pseudonyms(["ssn|1"])["ssn|1"]
    sealed = ring.seal_of(patient).close(b"here", b"plain")
    real, calls = keys.write_keys, []

    def cut(path, which):
        calls.append(which)
        if len(calls) == cut_at:
            if cut_at == 1:
                real(path, which)
            raise KeyboardInterrupt
        real(path, which)

    monkeypatch.setattr(keys, "write_keys", cut)
    with pytest.raises(KeyboardInterrupt):
        ring.turn_over()
    monkeypatch.undo()
    assert len(keys.read_keys(tmp_path / "key")) == 2
    opened = again(ring, tmp_path)
    assert len(keys.read_keys(tmp_path / "key")) == 1
    assert opened.seal_of(patient).open(b"here", sealed) == b"plain"
    opened.close()


def test_a_second_process_goes_on_after_the_key_was_turned_over(ring, tmp_path):
    second = Keyring(tmp_path / "keys.db", tmp_path / "key")
    ring.turn_over()
    patient = second.pseudonyms(["ssn|9"])["ssn|9"]
    assert ring.seal_of(patient).digest(b"x") == second.seal_of(patient).digest(b"x")
    second.close()


def test_no_key_lies_open_in_any_file(vault, home, admitted):
    patient = admitted(Purpose.care)
    ring = vault._store.keyring
    wrapped = ring._unwrapped(
        patient, {p: w for p, w in _all_wrapped(ring).items() if p == patient}[patient]
    )
    for file in home.iterdir():
        assert wrapped not in file.read_bytes(), file.name


def _all_wrapped(ring):
    with ring._turns.reading() as c:
        return ring._wrapped(c, None)


def test_a_reader_caught_between_the_two_files_looks_again(ring, monkeypatch):
    patient = ring.pseudonyms(["ssn|1"])["ssn|1"]
    before = ring._key_of(patient)
    stale = _all_wrapped(ring)
    ring.turn_over()
    ring.forget(patient)
    real, looks = Keyring._wrapped, []

    def once_stale(self, c, names):
        looks.append(names)
        return stale if len(looks) == 1 else real(self, c, names)

    monkeypatch.setattr(Keyring, "_wrapped", once_stale)
    assert ring.seal_of(patient).digest(b"x") == keys.seal(patient, before).digest(b"x")
    assert len(looks) == 2
