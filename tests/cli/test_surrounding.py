"""`medtwin surround`: a table of places becomes facts of people, at the command line."""

import json

from typer.testing import CliRunner

from medtwin.cli import app
from medtwin.record.person import Person
from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Role
from medtwin.vault.vault import Vault


def test_a_table_of_places_is_joined_to_people_and_its_bad_lines_are_said(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDTWIN_HOME", str(tmp_path / "home"))
    with Vault.open(tmp_path / "home") as vault:
        who = Person(("a|1",), "Anna Berg", address=("12 High Street, Leeds",))
        one = Arrived(b"x", "text/plain", "by hand", "a|1", who, (), ())
        vault.receive(Principal("op", Role.operator), [one], "invented")
    file = tmp_path / "air.csv"
    file.write_text("place,day,ozone\nLeeds,2026-01-01,60\nLeeds,soon,60\n")
    done = CliRunner().invoke(app, ["surround", str(file), "--basis", "public", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["people"], said["facts"]) == (1, 1)
    assert [r["what"] for r in said["refused"]] == ["line 3 of air.csv"]
