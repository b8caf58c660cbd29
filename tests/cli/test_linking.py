"""`medtwin link`: the review list, joining and parting, at the command line."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medtwin.cli import app
from medtwin.record.person import Person
from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Role
from medtwin.vault.vault import Vault


@pytest.fixture
def pair(tmp_path: Path, monkeypatch):
    """A home in which somebody is kept twice; the pair as the command lists it."""
    monkeypatch.setenv("MEDTWIN_HOME", str(tmp_path / "home"))
    operator = Principal("op", Role.operator)
    with Vault.open(tmp_path / "home") as vault:
        for number, name in (("a|1", "Anna Maria Berg"), ("b|2", "Berg, Anna")):
            who = Person((number,), name, date(1961, 4, 9), address=("12 High Street, Leeds",))
            one = Arrived(number.encode(), "text/plain", "by hand", number, who, (), ())
            vault.receive(operator, [one], "invented")
    (found,) = told("review")
    return found["one"], found["other"]


def told(*words):
    done = CliRunner().invoke(app, ["link", *words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_pair_is_listed_joined_and_parted_again(pair):
    (joined,) = told("join", *pair, "--because", "same passport")
    assert (joined["state"], joined["keep"]) == ("linked", pair[0])
    assert [p["because"] for p in told("joined")] == ["same passport"]
    assert told("review") == []
    told("part", *pair, "--because", "a mistake")
    assert told("joined") == []


def test_a_pair_left_apart_leaves_the_list(pair):
    told("apart", *pair, "--because", "mother and daughter")
    assert told("review") == []
