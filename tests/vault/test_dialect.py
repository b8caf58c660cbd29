import pytest
from sqlalchemy import text

from medtwin.vault import dialect
from medtwin.vault.dialect import Busy, Turns


@pytest.fixture
def two(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "patience", 50)
    made = Turns(tmp_path / "a.db"), Turns(tmp_path / "a.db")
    with made[0].writing() as c:
        c.execute(text("create table t (n integer primary key)"))
    yield made
    for one in made:
        one.close()


def count(turns):
    with turns.reading() as c:
        return c.execute(text("select count(*) from t")).scalar_one()


def test_commits_wait_for_the_disk(two):
    with two[0].reading() as c:
        assert c.execute(text("pragma journal_mode")).scalar() == "wal"
        assert c.execute(text("pragma synchronous")).scalar() == 2  # FULL
        assert c.execute(text("pragma foreign_keys")).scalar() == 1
        assert c.execute(text("pragma secure_delete")).scalar() == 1


def test_a_transaction_that_fails_leaves_nothing(two):
    def half_way():
        with two[0].writing() as c:
            c.execute(text("insert into t values (1)"))
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        half_way()
    assert count(two[0]) == 0


def test_readers_do_not_wait_for_a_writer_and_see_only_what_is_committed(two):
    with two[0].writing() as c:
        c.execute(text("insert into t values (1)"))
        assert count(two[1]) == 0
    assert count(two[1]) == 1


def test_a_store_somebody_else_keeps_busy_says_so_and_changes_nothing(two):
    with two[0].writing(), pytest.raises(Busy, match="wait for it, or end it"), two[1].writing():
        pass
    with two[1].writing() as c:
        c.execute(text("insert into t values (1)"))
    assert count(two[0]) == 1
