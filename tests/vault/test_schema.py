"""A home of yesterday opens today and keeps everything; one of tomorrow is refused."""

import sqlite3
from contextlib import closing

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from medtwin.vault import schema
from medtwin.vault.consent import Purpose
from medtwin.vault.schema import NewerStore
from medtwin.vault.vault import Vault

care = Purpose.care
# The store as it was written before it had versions, where it differs from today's.
before = """
CREATE TABLE old_facts (arrival INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    patient VARCHAR NOT NULL, code VARCHAR NOT NULL, at BIGINT NOT NULL, known BIGINT NOT NULL,
    digest BLOB NOT NULL, sealed BLOB NOT NULL,
    UNIQUE (patient, digest), FOREIGN KEY(patient) REFERENCES patients (patient));
INSERT INTO old_facts SELECT arrival, patient, code, at, known, digest, sealed FROM facts;
DROP TABLE facts;
ALTER TABLE old_facts RENAME TO facts;
CREATE INDEX facts_by_time ON facts (patient, known);
CREATE TABLE old_vocabulary (patient VARCHAR NOT NULL, code VARCHAR NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (patient, code), FOREIGN KEY(patient) REFERENCES patients (patient));
INSERT INTO old_vocabulary SELECT patient, code, sealed FROM vocabulary;
DROP TABLE vocabulary;
ALTER TABLE old_vocabulary RENAME TO vocabulary;
CREATE TABLE old_originals (number INTEGER NOT NULL PRIMARY KEY, patient VARCHAR NOT NULL,
    digest BLOB NOT NULL, sealed BLOB NOT NULL, UNIQUE (patient, digest));
INSERT INTO old_originals SELECT number, patient, digest, sealed FROM originals;
DROP TABLE originals;
ALTER TABLE old_originals RENAME TO originals;
DROP TABLE alembic_version;
DROP TABLE rollups;
DROP TABLE waveforms;
DROP TABLE resources;
DROP TABLE resource_words;
DROP TABLE resource_times;
DROP TABLE resource_links;
DROP TABLE tokens;
DROP TABLE links;
"""


def spoken(home, said):
    with closing(sqlite3.connect(home / "store.db")) as store:
        found = store.executescript(said) if ";" in said else store.execute(said).fetchall()
        store.commit()
        return found


@pytest.fixture
def old(vault, home, door, made, admitted):
    """A home of the previous schema, with one person's three facts and one more; who they are."""
    patient = admitted(care, facts=0)
    vault.add(door.system, patient, [made.reading(5 * i, 100 + i) for i in range(4)], care)
    vault.close()
    spoken(home, before)
    return patient


def test_a_home_of_before_opens_and_keeps_everything(old, home, clock, door, made):
    with Vault.open(home, clock) as vault:
        record = vault.record(door.clinician, old, care)
        assert record[made.code].value.tolist() == [100, 101, 102, 103]
        assert vault.who(door.clinician, old, care) == made.person()
        assert list(vault.originals(door.clinician, old, care)) == [made.arrived().original]
        found = vault.origin(door.clinician, old, made.reading(0, 100), care)
        assert (found.name, found.place) == ("sensor", "")
        assert vault.add(door.system, old, [made.reading(0, 100), made.reading(99)], care) == 1
        assert vault.verify().ok


def test_before_it_is_brought_up_to_date_a_copy_is_put_beside_it(old, home, clock):
    Vault.open(home, clock).close()
    copy = home / f"store-before-{schema.newest}.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as store:
        assert store.execute("SELECT count(*) FROM facts").fetchone() == (4,)
        columns = [row[1] for row in store.execute("PRAGMA table_info(facts)")]
    assert "origin" not in columns


def test_a_step_that_fails_leaves_the_store_as_it_was(old, home, clock, monkeypatch):
    def broken(*_):
        raise RuntimeError("no room on the disk")

    monkeypatch.setattr("medtwin.vault.tables.store.create_all", broken)
    with pytest.raises(RuntimeError, match="no room"):
        Vault.open(home, clock)
    columns = [row[1] for row in spoken(home, "PRAGMA table_info(facts)")]
    assert "origin" not in columns
    monkeypatch.undo()
    Vault.open(home, clock).close()
    assert spoken(home, "SELECT version_num FROM alembic_version") == [(schema.newest,)]


def test_a_store_of_tomorrow_is_refused_with_what_to_do(vault, home, clock):
    vault.close()
    spoken(home, "UPDATE alembic_version SET version_num = '99';")
    with pytest.raises(NewerStore, match=r"version 99 and this medtwin knows 3 .* update medtwin"):
        Vault.open(home, clock)


def test_an_up_to_date_store_and_an_older_one_brought_up_to_date_have_the_same_columns(
    old, home, clock, tmp_path
):
    Vault.open(home, clock).close()
    Vault.open(tmp_path / "new", clock).close()
    columns = "SELECT m.name, i.name FROM sqlite_master m, pragma_table_info(m.name) i"
    columns += " WHERE m.type = 'table' ORDER BY 1, 2"
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1"
    for asked in (columns, indexes):
        assert spoken(home, asked) == spoken(tmp_path / "new", asked)


def test_the_newest_version_is_the_last_step():
    told = Config()
    told.set_main_option("script_location", str(schema.Path(schema.__file__).parent / "migrations"))
    told.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(told).get_current_head() == schema.newest
